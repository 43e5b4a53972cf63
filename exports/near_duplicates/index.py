"""Which stored texts a new text is near to, from the stored signatures alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from exports.near_duplicates.layout import (
    LENGTH,
    LOWEST_SKETCHED,
    ROW,
    checked_threshold,
)
from exports.near_duplicates.measures import RATIO, form
from exports.near_duplicates.search import QUICK_SECONDS, across, across_by_length
from exports.near_duplicates.signature import checked_rows, signatures, worker_count
from exports.near_duplicates.verification import (
    Closure,
    Pairs,
    Verifier,
    first_and_second,
    occurring,
)


@dataclass(frozen=True)
class Matches:
    """Pairs of a new and a stored text that are near, by new and then by stored position."""

    new: NDArray[np.int64]
    stored: NDArray[np.int64]
    similarity: NDArray[np.float64]
    """What the measure says of the raw texts, 0 to 100."""
    pairs_verified: int
    seconds: float


class Index:
    """Signatures of stored texts, numbered in the order in which they were added.

    There is nothing to build: a query scans the signatures slot by slot. They may come from a table
    of blobs (`np.frombuffer(blob, np.uint32)`) and be dropped afterwards.
    """

    def __init__(self, *, threshold: float = 90.0, measure: str = RATIO) -> None:
        self.threshold = checked_threshold(threshold)
        self.measure = measure
        if self.threshold < LOWEST_SKETCHED:
            raise ValueError(
                f"an index serves thresholds from {LOWEST_SKETCHED:g} up, got {threshold:g}"
            )
        self._stored = np.empty((0, ROW), np.uint32)

    def __len__(self) -> int:
        return len(self._stored)

    def add(self, stored: NDArray[np.uint32]) -> None:
        """Take more rows that `signatures` made; the first ones are not copied.

        ValueError when they are no signatures or were made for another threshold.
        """
        stored = checked_rows(stored, len(stored), self.threshold)
        self._stored = np.concatenate((self._stored, stored)) if len(self) else stored

    def query(
        self,
        texts: Sequence[str],
        text_of: Callable[[int], str],
        *,
        workers: int = -1,
    ) -> Matches:
        """Stored texts that each new text is near to; `text_of(number)` fetches a stored one.

        Both are raw texts. Every match is verified. Of a stored cluster of hundreds a new text may
        be given some members only. The new texts are not compared with each other: `find_clusters`
        does that.
        """
        began = time.perf_counter()
        texts = [form(text, self.measure) for text in texts]
        fresh = signatures(texts, threshold=self.threshold, workers=workers)
        fetched = _Fetched(lambda number: form(text_of(number), self.measure))
        lengths = np.concatenate((fresh[:, LENGTH], self._stored[:, LENGTH])).astype(np.int64)
        verifier = Verifier(
            lambda n: texts[n] if n < len(texts) else fetched[n - len(texts)],
            lengths,
            self.threshold,
            worker_count(workers),
        )
        new, stored = first_and_second(self._near_pairs(fresh, verifier))
        stored -= len(texts)
        similarity = process.cpdist(
            [texts[i] for i in new.tolist()],
            [fetched[i] for i in stored.tolist()],
            scorer=fuzz.ratio,
            dtype=np.float64,
            workers=verifier.workers,
        )
        return Matches(
            new, stored, similarity, verifier.pairs_verified, time.perf_counter() - began
        )

    def _near_pairs(self, fresh: NDArray[np.uint32], verifier: Verifier) -> Pairs:
        """Sorted verified pairs; none when there is nothing to compare."""
        seen, near = np.empty(0, np.uint64), [np.empty(0, np.uint64)]
        if len(fresh) and len(self):
            for _, pairs in across(fresh, self._stored, self.threshold, verifier.workers):
                pairs = pairs[~occurring(pairs, seen)]
                if len(pairs):
                    near.append(pairs[verifier.near(pairs)])
                    seen = np.sort(np.concatenate((seen, pairs)))
        return np.sort(np.concatenate(near))


class _Fetched(dict[int, str]):
    """Stored texts by number, each fetched once."""

    def __init__(self, text_of: Callable[[int], str]) -> None:
        self._text_of = text_of

    def __missing__(self, number: int) -> str:
        self[number] = self._text_of(number)
        return self[number]


def find_against(
    stored: NDArray[np.uint32],
    text_of: Callable[[int], str],
    texts: Sequence[str],
    *,
    threshold: float = 90.0,
    measure: str = RATIO,
    workers: int = -1,
) -> Matches:
    """Stored texts, by the position of their row in `stored`, that each of `texts` is near to."""
    index = Index(threshold=threshold, measure=measure)
    index.add(stored)
    return index.query(texts, text_of, workers=workers)


def join_clusters(
    texts: Sequence[str],
    fresh: NDArray[np.uint32],
    stored: NDArray[np.uint32],
    texts_of: Callable[[list[int]], list[str]],
    clusters: NDArray[np.integer[Any]],
    groups: NDArray[np.integer[Any]],
    *,
    threshold: float = 90.0,
    measure: str = RATIO,
    workers: int = -1,
) -> tuple[NDArray[np.integer[Any]], NDArray[np.integer[Any]]]:
    """Which clusters of stored texts and new ones are one, by comparing the new with the stored.

    `fresh` and `stored` are their signatures, `texts_of(numbers)` fetches stored raw texts.
    `clusters` names the cluster of each text and `groups` its group; both go through the new texts
    first, and only texts of one group meet (never those of group -1). Gives names of clusters and,
    for each, the name of the cluster that it is one with. What is not named stays as it is. New
    texts are not compared with each other: `find_clusters` does that.
    """
    stored = checked_rows(stored, len(stored), checked_threshold(threshold))
    new, old = _candidates(fresh, stored, threshold, worker_count(workers))
    kin = (groups[new] == groups[len(fresh) + old]) & (groups[new] >= 0)
    met, place = np.unique(old[kin], return_inverse=True)
    pairs = new[kin].astype(np.uint64) << np.uint64(32) | (len(fresh) + place).astype(np.uint64)
    forms = [form(text, measure) for text in texts]
    known = dict(enumerate(forms))

    def fetch(numbers: NDArray[np.int64]) -> None:
        missing = [n for n in numbers.tolist() if n not in known]
        found = texts_of(met[[n - len(forms) for n in missing]].tolist()) if missing else []
        known.update(zip(missing, (form(each, measure) for each in found), strict=True))

    lengths = np.concatenate((fresh[:, LENGTH], stored[met, LENGTH])).astype(np.int64)
    verifier = Verifier(known.__getitem__, lengths, threshold, worker_count(workers), fetch)
    named = np.concatenate((clusters[: len(fresh)], clusters[len(fresh) + met]))
    _, lowest, cluster = np.unique(named, return_index=True, return_inverse=True)
    closure = Closure(verifier, lowest[cluster].astype(np.int32))
    closure.settle(np.sort(pairs), remember=False)
    return named, named[closure.parent]


def _candidates(
    fresh: NDArray[np.uint32], stored: NDArray[np.uint32], threshold: float, workers: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct pairs of a new and a stored text that may be near, by their rows."""
    found = across_by_length(fresh, stored, threshold, QUICK_SECONDS)
    found = found or across(fresh, stored, threshold, workers)
    new, old = first_and_second(np.unique(np.concatenate([pairs for _, pairs in found])))
    return new, old - len(fresh)
