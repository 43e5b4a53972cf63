"""Which pairs of texts may be near: by sketch for many, by length alone for few.

By sketch: an LSH forest (Bawa, Condie, Ganesan 2005). Each slot of the signature starts one tree:
texts that agree in it share a bucket, and a bucket that holds too many is split by a further slot,
and again. So a rare wording that two texts share is enough to bring them together, while one that
thousands share, a licence or a prompt, is not; and nothing needs to be tuned to how many texts
there are or how alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from exports.near_duplicates.layout import (
    HALF,
    LENGTH,
    PLACE_BITS,
    ROW,
    WANTED_BITS,
    least_shared_slots,
    longest_reach,
)

Rows = NDArray[np.uint32]
Numbers = NDArray[np.uint32]
Pairs = NDArray[np.uint64]
Bucket = tuple[Numbers, NDArray[np.int64]]

BUCKET = 32
"""A bucket with more texts is split; in one that cannot be, each text meets this many others."""
BUCKET_ACROSS = 128
"""The same where only a few of the texts are new, and only they meet others."""
DEPTH = 6
TREES = 64
"""Trees that are grown at least; across, no more of them are."""
LAST = 4
WORTHWHILE = 1e-5
"""More are grown while the `LAST` rounds brought together more than this share of the texts."""
TREES_AT_ONCE = 4
TREES_AT_ONCE_ACROSS = 16
PAIRS_AT_ONCE = 1 << 22
ROWS_AT_ONCE = 1 << 16
FEW_ACROSS = 10**8
"""With more pairs than these it takes too long to find out how many are of fitting length."""
QUICK_SECONDS = 2.0
"""Below this every pair of fitting length is compared, so that nothing can be missed."""
ANY = np.ones(1 << WANTED_BITS, np.bool_)
NONE = np.empty((0, ROW), np.uint32)


@dataclass(frozen=True)
class Field:
    """Texts that are compared with each other within their group, in order of group and length."""

    signatures: Rows
    groups: NDArray[np.int32]
    threshold: float


def by_sketch(
    field: Field, parent: NDArray[np.int32], workers: int
) -> Iterator[tuple[float, Pairs]]:
    """Sorted candidate pairs, a few trees at a time, with the share of the work that is done.

    Pairs that `parent` has in one cluster are left out, so the caller joins as it goes.
    """
    from exports.near_duplicates.compiled_search import pairs_within

    limits = _limits(field.threshold)

    def pairs(bucket: Numbers, ends: NDArray[np.int64]) -> Pairs:
        return pairs_within(bucket, ends, field.signatures, field.groups, parent, BUCKET, limits)

    seeds = field.groups.astype(np.uint64)
    found = _forest(NONE, field.signatures, seeds, BUCKET, TREES_AT_ONCE, pairs, workers)
    left = [len(parent)]  # clusters and lone texts, after each round
    for share, candidates in found:
        yield share, candidates
        left.append(int(np.count_nonzero(parent == np.arange(len(parent)))))
        if len(left) * TREES_AT_ONCE > TREES and left[-1 - LAST] - left[-1] <= WORTHWHILE * left[0]:
            break
    yield 1.0, np.empty(0, np.uint64)


def across(
    fresh: Rows, stored: Rows, threshold: float, workers: int
) -> Iterator[tuple[float, Pairs]]:
    """As `by_sketch`, but pairs of a fresh text and a stored one, whose number comes after."""
    from exports.near_duplicates.compiled_search import pairs_across

    limits = _limits(threshold)

    def pairs(bucket: Numbers, ends: NDArray[np.int64]) -> Pairs:
        return pairs_across(bucket, ends, fresh, stored, BUCKET_ACROSS, limits)

    seeds = np.zeros(len(fresh) + len(stored), np.uint64)
    found = _forest(fresh, stored, seeds, BUCKET_ACROSS, TREES_AT_ONCE_ACROSS, pairs, workers)
    for done, (_, candidates) in enumerate(islice(found, TREES // TREES_AT_ONCE_ACROSS), 1):
        yield done * TREES_AT_ONCE_ACROSS / TREES, candidates


def _limits(threshold: float) -> tuple[float, float, int, int]:
    """Reach in length, share of indels, slots to share by short and by long n-grams."""
    return longest_reach(threshold), _indel_share(threshold), *least_shared_slots(threshold)


def _indel_share(threshold: float) -> float:
    return (1 - threshold / 100) * (1 + 1e-12)


def _forest(
    fresh: Rows,
    stored: Rows,
    seeds: NDArray[np.uint64],
    cap: int,
    at_once: int,
    pairs: Callable[[Numbers, NDArray[np.int64]], Pairs],
    workers: int,
) -> Iterator[tuple[float, Pairs]]:
    """Grow the trees of neighbouring slots together, those of the next after the caller is done.

    From one half of the slots as many as from the other: a text may share only one with its copy.
    """
    firsts = [half + slot for slot in range(0, HALF, at_once) for half in (0, HALF)]
    with ThreadPoolExecutor(min(workers, at_once)) as pool:
        for done, first in enumerate(firsts, 1):
            values = _columns(stored, first, at_once, pool)

            def grow(slot: int, values: Rows = values, first: int = first) -> Pairs:
                start, numbers = _start(fresh[:, slot], values[slot - first])
                keys = seeds[numbers]
                buckets = _buckets(fresh, stored, start, numbers, keys, _slots_after(slot), cap)
                return np.concatenate([pairs(*bucket) for bucket in buckets])

            found = np.concatenate(list(pool.map(grow, range(first, first + at_once))))
            found.sort()
            distinct = np.ones(len(found), np.bool_)
            distinct[1:] = found[1:] != found[:-1]
            yield done / len(firsts), found[distinct]


def _columns(stored: Rows, first: int, count: int, pool: ThreadPoolExecutor) -> Rows:
    """Some neighbouring slots of all texts, slot by slot."""
    from exports.near_duplicates.compiled_search import copy_columns

    out = np.empty((count, len(stored)), np.uint32)

    def copy(start: int) -> None:
        copy_columns(stored, first, start, start + ROWS_AT_ONCE, out)

    list(pool.map(copy, range(0, len(stored), ROWS_AT_ONCE)))
    return out


def _slots_after(slot: int) -> list[int]:
    """The slots that split the buckets of a tree further: others of the same half."""
    half = np.arange(HALF) + slot // HALF * HALF
    others = np.random.default_rng(slot).permutation(half[half != slot])
    return [int(other) for other in others[: DEPTH - 1]]


def _start(fresh: Rows, stored: Rows) -> tuple[Rows, Numbers]:
    """The values of a tree's first slot, and whose they are: all, or what meets a fresh text."""
    from exports.near_duplicates.compiled_search import places_of

    if not len(fresh):
        return stored, np.arange(len(stored), dtype=np.uint32)
    met = places_of(stored, _wanted(fresh))
    numbers = np.concatenate((np.arange(len(fresh), dtype=np.uint32), met + len(fresh)))
    return np.concatenate((fresh, stored[met])), numbers.astype(np.uint32)


def _buckets(
    fresh: Rows,
    stored: Rows,
    values: Rows,
    numbers: Numbers,
    keys: NDArray[np.uint64],
    slots: list[int],
    cap: int,
) -> Iterator[Bucket]:
    """The buckets of one tree from its first slot's values on: their texts, where each ends."""
    from exports.near_duplicates import compiled_search as compiled

    for slot in (*slots, None):
        wanted = _wanted(values[numbers < len(fresh)] if len(fresh) else None)
        packed = compiled.extend_keys(values, numbers, keys, wanted)
        packed.sort()
        bucket, ends, numbers, keys = compiled.split_buckets(
            packed, len(packed) if slot is None else cap, len(fresh)
        )
        yield bucket, ends
        if slot is None or not len(numbers):
            return
        values = compiled.values_of(fresh, stored, slot, numbers)


def _wanted(fresh_values: Rows | None) -> NDArray[np.bool_]:
    """Lower bits of the values that some fresh text has: no other can bring about a pair."""
    if fresh_values is None:
        return ANY
    wanted = np.zeros(1 << WANTED_BITS, np.bool_)
    wanted[(fresh_values >> np.uint32(PLACE_BITS)) & np.uint32((1 << WANTED_BITS) - 1)] = True
    return wanted


def across_by_length(
    fresh: Rows, stored: Rows, threshold: float, seconds: float
) -> Iterator[tuple[float, Pairs]] | None:
    """As `across`, but every pair that can be near; None where that may take over `seconds`."""
    from exports.near_duplicates.compiled_search import pairs_across_by_length

    if len(fresh) * len(stored) > FEW_ACROSS:
        return None
    lengths, asked = (rows[:, LENGTH].astype(np.float64) for rows in (stored, fresh))
    order = np.argsort(lengths, kind="stable")
    reach = longest_reach(threshold)
    starts = np.searchsorted(lengths[order], asked / reach, side="left")
    ends = np.searchsorted(lengths[order], asked * reach, side="right")
    if _work(asked * reach, ends - starts, threshold) > seconds:
        return None
    share = _indel_share(threshold)
    return iter([(1.0, pairs_across_by_length(fresh, stored, order, starts, ends, share))])


def work_by_length(field: Field) -> float:
    """Seconds on one core that comparing all pairs of fitting length takes at most."""
    lengths = field.signatures[:, LENGTH].astype(np.float64)
    partners = _last_partner(field, lengths) - np.arange(1, len(lengths) + 1)
    return _work(lengths, partners, field.threshold)


def _work(lengths: NDArray[np.float64], partners: NDArray[np.int64], threshold: float) -> float:
    """Seconds on one core to compare texts with so many others of fitting length."""
    words = lengths * (1 - threshold / 100) * 2 / 64 + 2
    return float(np.sum(partners * (3e-7 + lengths * words * 2e-9)))


def by_length(field: Field, parent: NDArray[np.int32]) -> Iterator[tuple[float, Pairs]]:
    """As `by_sketch`, but every pair that can be near: exact, and quadratic."""
    from exports.near_duplicates.compiled_search import pairs_by_length

    count = len(field.signatures)
    lengths = field.signatures[:, LENGTH].astype(np.float64)
    pairs = np.cumsum(_last_partner(field, lengths) - np.arange(1, count + 1))
    cuts = [0, *(np.flatnonzero(np.diff(pairs // PAIRS_AT_ONCE)) + 1).tolist(), count]
    reach, share = longest_reach(field.threshold), _indel_share(field.threshold)
    for first, last in pairwise(cuts):
        found = pairs_by_length(first, last, field.signatures, field.groups, parent, reach, share)
        yield last / count, found


def _last_partner(field: Field, lengths: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each text, one past the last of its group whose length the threshold allows."""
    longest = lengths * longest_reach(field.threshold)
    start = field.groups * (longest.max(initial=0) + 1)  # no group reaches into the next
    return np.asarray(np.searchsorted(start + lengths, start + longest, side="right"))
