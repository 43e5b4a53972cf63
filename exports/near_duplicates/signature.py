"""Signatures of texts: what can be stored now and compared with other texts later."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from exports.near_duplicates.layout import (
    ROW,
    SHORT_WIDTH,
    WIDTH,
    checked_threshold,
    gram_width,
)

CHUNK = 1 << 19
"""Characters that are decoded at a time (four bytes each)."""


def worker_count(workers: int) -> int:
    """`workers`, or one for each core that this process may use when it is negative."""
    return workers if workers > 0 else len(os.sched_getaffinity(0))


def code_points(texts: Sequence[str]) -> NDArray[np.uint32]:
    """All characters of the texts, one after the other; lone surrogates included."""
    joined = "".join(texts)
    if joined.isascii():
        return np.frombuffer(joined.encode("ascii"), np.uint8).astype(np.uint32)
    return np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32).copy()


def signatures(
    texts: Sequence[str], *, threshold: float = 90.0, workers: int = -1
) -> NDArray[np.uint32]:
    """One row of `ROW` words a text, to be compared with rows of the same `SIGNATURE_VERSION`.

    A row is independent of the other texts and of the machine, so that it can be kept as a blob.
    Rows made for one threshold serve every other with the same `gram_width`: all from 90 on.
    Shape (len(texts), ROW).
    """
    from exports.near_duplicates.compiled_signature import sign

    width = gram_width(checked_threshold(threshold))
    out = np.empty((len(texts), ROW), np.uint32)

    def sign_chunk(bounds: tuple[int, int]) -> None:
        chunk = texts[bounds[0] : bounds[1]]
        ends = np.cumsum([len(text) for text in chunk], dtype=np.int64)
        sign(code_points(chunk), ends, SHORT_WIDTH, width, out[bounds[0] : bounds[1]])

    with ThreadPoolExecutor(worker_count(workers)) as pool:
        for _ in pool.map(sign_chunk, _chunks(texts)):
            pass
    return out


def checked_rows(rows: NDArray[np.uint32], count: int, threshold: float) -> NDArray[np.uint32]:
    """The rows, when they are signatures of `count` texts for a threshold; ValueError if not."""
    if rows.ndim != 2 or rows.shape[1] != ROW:
        raise ValueError(f"signatures have {ROW} columns, got an array of shape {rows.shape}")
    if len(rows) != count:
        raise ValueError(f"{len(rows)} signatures for {count} texts")
    if not np.all(rows[:, WIDTH] == gram_width(threshold)):
        raise ValueError(
            "these signatures were made for another threshold; make them anew with "
            f"signatures(texts, threshold={threshold:g})"
        )
    return rows


def _chunks(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    first, size = 0, 0
    for position, text in enumerate(texts):
        size += len(text)
        if size >= CHUNK:
            yield first, position + 1
            first, size = position + 1, 0
    if first < len(texts):
        yield first, len(texts)
