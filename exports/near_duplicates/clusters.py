"""Texts in, verified clusters of near-duplicates out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exports.near_duplicates.layout import (
    LOWEST_SKETCH_AT_ALL,
    LOWEST_SKETCHED,
    checked_threshold,
)
from exports.near_duplicates.measures import RATIO, form
from exports.near_duplicates.search import (
    QUICK_SECONDS,
    Field,
    by_length,
    by_sketch,
    work_by_length,
)
from exports.near_duplicates.signature import checked_rows, signatures, worker_count
from exports.near_duplicates.verification import Closure, Verifier

PATIENT_SECONDS = 900.0
"""The same where the threshold is too low for sketches: beyond it the request is refused."""


@dataclass(frozen=True)
class Clusters:
    """What `find_clusters` found. Texts are named by their position."""

    labels: NDArray[np.int32]
    """Cluster of each text, -1 for one that stands alone; numbered by first member."""
    exact: NDArray[np.int32]
    """First text of the same group that is exactly equal: the text itself when it is the first."""
    clusters: int
    exact_duplicates: int
    """Texts that equal an earlier one."""
    near_duplicates: int
    """Distinct texts in clusters beyond the first of each: with the exact ones, what could go."""
    pairs_verified: int
    """Pairs that were compared in full."""
    every_pair: bool
    """Whether all pairs of fitting length were considered: then nothing was missed."""
    seconds: float


def find_clusters(
    texts: Sequence[str],
    *,
    threshold: float = 90.0,
    measure: str = RATIO,
    groups: Sequence[int] | None = None,
    stored: NDArray[np.uint32] | None = None,
    every_pair: bool | None = None,
    workers: int = -1,
    progress: Callable[[str, float], None] | None = None,
) -> Clusters:
    """Clusters: the single-link closure of `similarity(a, b, measure) >= threshold`.

    Every link is verified, so a cluster never holds a text without a near neighbour in it. Which
    pairs are looked at: all of fitting length when that takes moments (`every_pair` demands or
    forbids it), else those whose sketches meet, which finds 99% and more. With `groups` only texts
    of one group are compared. Empty texts equal each other and are near to nothing else. The same
    texts give the same clusters whatever `workers` is (-1: every core). `progress(stage, share)` is
    called from this thread. `stored` holds the texts' signatures where they were made before, for
    this measure and threshold, one row a text; it is not copied as a whole.

    ValueError: an unknown measure; a threshold that is not over 0 and at most 100; one under 80,
    where sketches promise nothing, with so many texts that comparing all pairs could take over a
    quarter of an hour (`every_pair` false: sketches all the same, from 70 up); groups or
    signatures of another length.
    """
    began = time.perf_counter()
    threshold = checked_threshold(threshold)
    tell = progress or _tell_nobody
    group_of = np.zeros(len(texts), np.int32) if groups is None else _numbered(groups, len(texts))
    exact = same = _first_equal(texts, group_of)
    forms = texts
    if measure != RATIO:
        forms = [form(text, measure) for text in texts]
        same = _first_equal(forms, group_of)
    firsts = np.flatnonzero(same == np.arange(len(texts)))
    lengths = np.fromiter((len(forms[i]) for i in firsts.tolist()), np.int64, len(firsts))
    order = np.lexsort((lengths, group_of[firsts]))
    firsts, lengths = firsts[order], lengths[order]
    positions = firsts.tolist()
    verifier = Verifier(
        lambda rank: forms[positions[rank]], lengths, threshold, worker_count(workers)
    )
    closure = Closure(verifier, np.arange(len(firsts), dtype=np.int32))
    complete = True
    if threshold < 100 and len(firsts) > 1:
        tell("reading", 0.0)
        rows = (
            signatures([forms[i] for i in positions], threshold=threshold, workers=workers)
            if stored is None
            else checked_rows(stored, len(texts), threshold)[firsts]
        )
        field = Field(rows, group_of[firsts], threshold)
        complete = _compare_all(field, every_pair)
        found = (
            by_length(field, closure.parent)
            if complete
            else by_sketch(field, closure.parent, verifier.workers)
        )
        for share, pairs in found:
            closure.settle(pairs, remember=not complete)
            tell("comparing", share)
    return _clusters(exact, same, firsts, closure, complete, time.perf_counter() - began)


def _tell_nobody(_stage: str, _share: float) -> None:
    pass


def _compare_all(field: Field, wished: bool | None) -> bool:
    """Whether to look at every pair of fitting length; ValueError when neither way is open."""
    if wished:
        return True
    if wished is False:
        if field.threshold < LOWEST_SKETCH_AT_ALL:
            raise ValueError(f"sketches serve thresholds from {LOWEST_SKETCH_AT_ALL:g} up")
        return False
    seconds = work_by_length(field)
    if field.threshold >= LOWEST_SKETCHED:
        return seconds <= QUICK_SECONDS
    if seconds > PATIENT_SECONDS:
        raise ValueError(
            f"a threshold of {field.threshold:g} needs every pair of {len(field.groups):,} texts "
            f"compared, up to {seconds / 60:,.0f} minutes: use {LOWEST_SKETCHED:g} or more, "
            "fewer texts, or every_pair=True to wait"
        )
    return True


def _numbered(groups: Sequence[int], count: int) -> NDArray[np.int32]:
    if len(groups) != count:
        raise ValueError(f"{len(groups)} groups for {count} texts")
    return np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int32)


def _first_equal(texts: Sequence[str], groups: NDArray[np.int32]) -> NDArray[np.int32]:
    """Position of the first text that equals each one within its group."""
    first: list[dict[str, int]] = [{} for _ in range(int(groups.max(initial=-1)) + 1)]
    return np.fromiter(
        (
            first[group].setdefault(text, i)
            for i, (group, text) in enumerate(zip(groups.tolist(), texts, strict=True))
        ),
        np.int32,
        len(texts),
    )


def _clusters(
    exact: NDArray[np.int32],
    same: NDArray[np.int32],
    firsts: NDArray[np.int64],
    closure: Closure,
    complete: bool,
    seconds: float,
) -> Clusters:
    """Labels for all texts from the roots of the distinct ones."""
    root = np.empty(len(exact), np.int64)
    root[firsts] = firsts[closure.parent]
    root = root[same]
    _, first, member, sizes = np.unique(
        root, return_index=True, return_inverse=True, return_counts=True
    )
    number = np.full(len(sizes), -1, np.int32)
    shared = np.flatnonzero(sizes > 1)
    shared = shared[np.argsort(first[shared], kind="stable")]
    number[shared] = np.arange(len(shared), dtype=np.int32)
    copies = int(np.count_nonzero(exact != np.arange(len(exact))))
    return Clusters(
        labels=number[member] if len(exact) else np.empty(0, np.int32),
        exact=exact,
        clusters=len(shared),
        exact_duplicates=copies,
        near_duplicates=int(np.sum(sizes[shared] - 1)) - copies,
        pairs_verified=closure.verifier.pairs_verified,
        every_pair=complete,
        seconds=seconds,
    )
