"""Two texts beside each other: lines put opposite each other, and the words that differ.

A longest common subsequence (Hunt and Szymanski 1977, here bit-parallel) decides what is the same:
first of lines, then of words within the lines that are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

MOST = 4_000  # lines or words of one side that are aligned; more would be felt
_WORD = re.compile(r"\w+|\s+|[^\w\s]")

Spans = list[tuple[int, int]]


class Piece(NamedTuple):
    """One line of a side, and the (start, end) of what the other side does not have."""

    text: str
    spans: Spans


class Aligned(NamedTuple):
    """Two lines opposite each other, None where a side has none. `block` numbers differences."""

    left: Piece | None
    right: Piece | None
    block: int | None


def aligned(left: str, right: str) -> list[Aligned]:
    """The lines of two texts opposite each other; `block` is None where they are the same."""
    a, b = left.split("\n"), right.split("\n")
    rows: list[Aligned] = []
    count = 0
    for i1, i2, j1, j2, same in _blocks(a, b):
        if same:
            pairs = zip(a[i1:i2], b[j1:j2], strict=True)
            rows += [Aligned(Piece(one, []), Piece(two, []), None) for one, two in pairs]
            continue
        spans = _differing("\n".join(a[i1:i2]), "\n".join(b[j1:j2]))
        sides = (_pieces(a[i1:i2], spans[0]), _pieces(b[j1:j2], spans[1]))
        rows += [Aligned(one, two, count) for one, two in zip_longest(*sides)]
        count += 1
    return rows


def _blocks(a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[int, int, int, int, bool]]:
    """(i1, i2, j1, j2, same): runs of a and b that are the same, and what lies between them."""
    from rapidfuzz.distance import LCSseq

    if len(a) > MOST or len(b) > MOST:
        yield 0, len(a), 0, len(b), a == b
        return
    i = j = 0
    for step in LCSseq.opcodes(a, b):
        if step.tag != "equal":
            continue
        if i < step.src_start or j < step.dest_start:
            yield i, step.src_start, j, step.dest_start, False
        yield step.src_start, step.src_end, step.dest_start, step.dest_end, True
        i, j = step.src_end, step.dest_end
    if i < len(a) or j < len(b):
        yield i, len(a), j, len(b), False


def _differing(left: str, right: str) -> tuple[Spans, Spans]:
    """Where the words of each text are not those of the other."""
    a, b = _WORD.findall(left), _WORD.findall(right)
    spans: tuple[Spans, Spans] = ([], [])
    at = [0, 0]
    for i1, i2, j1, j2, same in _blocks(a, b):
        for side, words in enumerate((a[i1:i2], b[j1:j2])):
            length = sum(map(len, words))
            if not same and length:
                spans[side].append((at[side], at[side] + length))
            at[side] += length
    return spans


def _pieces(lines: Sequence[str], spans: Spans) -> list[Piece]:
    """The lines with the part of the spans (offsets into the joined text) that each holds."""
    pieces, start = [], 0
    for line in lines:
        pieces.append(Piece(line, clipped(spans, start, start + len(line))))
        start += len(line) + 1
    return pieces


def clipped(spans: Spans, start: int, end: int) -> Spans:
    """What of the spans lies between two places, counted from the first of them."""
    return [
        (max(low, start) - start, min(high, end) - start)
        for low, high in spans
        if max(low, start) < min(high, end)
    ]
