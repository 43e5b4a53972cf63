"""Candidate pairs to verified ones: nothing is called near before it was compared in full."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from exports.near_duplicates.layout import most_indels
from exports.near_duplicates.signature import code_points

CHUNK_CHARACTERS = 1 << 20
CHUNK_CELLS = 1 << 29
CODE_POINTS = 0x110000

Pairs = NDArray[np.uint64]


def first_and_second(pairs: Pairs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The two sides of `first << 32 | second`."""
    return (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(
        np.int64
    )


@dataclass
class Verifier:
    """Compares pairs of texts in full, in threads; counts what it compared.

    `text_of` gives the text behind each number in a pair, `lengths` its characters. `fetch` is told
    beforehand, in the caller's thread, which numbers will be asked for.
    """

    text_of: Callable[[int], str]
    lengths: NDArray[np.int64]
    threshold: float
    workers: int
    fetch: Callable[[NDArray[np.int64]], None] | None = None
    pairs_verified: int = 0
    _scratch: threading.local = field(default_factory=threading.local)

    def near(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Which of the sorted pairs have `fuzz.ratio` at or above the threshold."""
        self.pairs_verified += len(pairs)
        first, second = first_and_second(pairs)
        if self.fetch is not None:
            self.fetch(np.union1d(first, second))
        one, other = self.lengths[first], self.lengths[second]
        allowed = most_indels(one + other, self.threshold)
        load = np.maximum(
            np.cumsum(one + other) // CHUNK_CHARACTERS, np.cumsum(one * other) // CHUNK_CELLS
        )
        cuts = [0, *(np.flatnonzero(np.diff(load)) + 1).tolist(), len(pairs)]

        def compare(start: int, end: int) -> NDArray[np.bool_]:
            return self._compare(first[start:end], second[start:end], allowed[start:end])

        if len(cuts) <= 3 or self.workers == 1:
            parts = list(map(compare, cuts, cuts[1:]))
        else:
            with ThreadPoolExecutor(self.workers) as pool:
                parts = list(pool.map(compare, cuts, cuts[1:]))
        return np.concatenate(parts)

    def _compare(
        self, first: NDArray[np.int64], second: NDArray[np.int64], allowed: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        from exports.near_duplicates.compiled_lcs import near_pairs

        numbers, local = np.unique(np.concatenate((first, second)), return_inverse=True)
        texts = [self.text_of(number) for number in numbers.tolist()]
        ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
        one, other = local[: len(first)].astype(np.uint64), local[len(first) :].astype(np.uint64)
        if not hasattr(self._scratch, "places"):
            self._scratch.places = np.full(CODE_POINTS, -1, np.int32)
        return near_pairs(
            code_points(texts), ends, one << np.uint64(32) | other, allowed, self._scratch.places
        )


FEW = 64
"""So few open pairs are all compared at once: redundant work costs less than another round."""


@dataclass
class Closure:
    """Clusters as they grow: the `parent` of each text, and the pairs that were refused."""

    verifier: Verifier
    parent: NDArray[np.int32]
    _refused: Pairs = field(default_factory=lambda: np.empty(0, np.uint64))

    def settle(self, pairs: Pairs, *, remember: bool = True) -> None:
        """Verify sorted distinct pairs until each is in one cluster or refused.

        Single-link clusters need only one near pair between two parts: a round takes a forest over
        the open pairs, and what it joins is not compared again. When most of a round was refused
        there is little left to join, and the rest is compared at once. `remember` keeps what was
        refused, for pairs that may be proposed again.
        """
        from exports.near_duplicates import compiled_search as compiled

        pairs = pairs[~occurring(pairs, self._refused)]
        refused, all_at_once = [], len(pairs) <= FEW
        while len(pairs):
            apart, chosen = compiled.open_pairs(self.parent, pairs)
            taken = pairs[apart if all_at_once else chosen]
            if not len(taken):
                break
            near = self.verifier.near(taken)
            compiled.join(self.parent, taken, near)
            refused.append(taken[~near])
            pairs = pairs[:0] if all_at_once else pairs[apart & ~chosen]
            all_at_once = 2 * int(np.count_nonzero(near)) < len(near) or len(pairs) <= FEW
        compiled.flatten(self.parent)
        if remember and refused:
            self._refused = np.sort(np.concatenate((self._refused, *refused)))


def occurring(pairs: Pairs, known: Pairs) -> NDArray[np.bool_]:
    """Which pairs occur in the sorted `known`."""
    if not len(known):
        return np.zeros(len(pairs), np.bool_)
    place = np.minimum(np.searchsorted(known, pairs), len(known) - 1)
    return np.asarray(known[place] == pairs)
