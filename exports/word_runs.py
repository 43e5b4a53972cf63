"""Runs of words that texts have in common: one text's sentence inside of another.

The hash of a run is a polynomial over its words' hashes modulo 2^64, so that all runs of a text
come from differences of one running sum (Karp and Rabin 1987).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import xxhash
from numpy.typing import NDArray

WORDS = 25
PREAMBLE = 5  # so many texts that share a run have it from the same preamble
_WORD = re.compile(r"\w+")
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2^64
_INVERSE = pow(_BASE, -1, 1 << 64)
Hashes = NDArray[np.uint64]


class RunIndex:
    """The runs of some texts; a text is a list of parts, and no run crosses from part to part."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        runs = [np.unique(_runs(text)) for text in texts]
        hashes = np.concatenate([*runs, np.empty(0, np.uint64)])
        owners = np.repeat(np.arange(len(runs)), [len(own) for own in runs])
        order = np.argsort(hashes, kind="stable")
        found, first, counts = np.unique(hashes[order], return_index=True, return_counts=True)
        rare = counts < min(PREAMBLE, max(3, sum(len(own) > 0 for own in runs)))
        self._owners = owners[order]
        self._hashes, self._first, self._counts = found[rare], first[rare], counts[rare]

    def found_in(self, text: Sequence[str]) -> list[int]:
        """The texts of the index that share a run with this one, in their order."""
        if not len(self._hashes):
            return []
        runs = _runs(text)
        places = np.searchsorted(self._hashes, runs)
        places[places == len(self._hashes)] = 0
        hits = np.unique(places[self._hashes[places] == runs])
        owners: set[int] = set()
        for first, count in zip(self._first[hits], self._counts[hits], strict=True):
            owners.update(self._owners[first : first + count].tolist())
        return sorted(owners)


def _runs(parts: Sequence[str]) -> Hashes:
    """The hashes of every run of `WORDS` words."""
    found = [_runs_of(part) for part in parts if len(part) >= 2 * WORDS - 1]
    return np.concatenate([*found, np.empty(0, np.uint64)])


def _runs_of(part: str) -> Hashes:
    words = [_hash(word) for word in _WORD.findall(part.lower())]
    if len(words) < WORDS:
        return np.empty(0, np.uint64)
    powers, inverses = _powers(1 << (len(words) - 1).bit_length())
    sums = np.zeros(len(words) + 1, np.uint64)
    np.cumsum(np.array(words, np.uint64) * powers[: len(words)], out=sums[1:])
    windows: Hashes = (sums[WORDS:] - sums[:-WORDS]) * inverses[: len(words) - WORDS + 1]
    return windows


@lru_cache(maxsize=200_000)
def _hash(word: str) -> int:
    return xxhash.xxh3_64_intdigest(word.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=8)
def _powers(count: int) -> tuple[Hashes, Hashes]:
    """The powers 0 to `count` of the base, and of its inverse, modulo 2^64."""
    powers, inverses = np.ones(count, np.uint64), np.ones(count, np.uint64)
    powers[1:], inverses[1:] = np.uint64(_BASE), np.uint64(_INVERSE)
    return np.cumprod(powers), np.cumprod(inverses)
