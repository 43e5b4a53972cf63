"""Compiled: signatures to candidate pairs, and the closure over pairs. Importing this loads numba.

Texts go by number; a pair is `number << 32 | higher number`.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from exports.near_duplicates.compiled_signature import Whole, mix
from exports.near_duplicates.layout import (
    BAG,
    HALF,
    LENGTH,
    LONG_FROM,
    PLACE_BITS,
    PLACES,
    SHORT_UP_TO,
    SLOTS,
    WANTED_BITS,
)

Numbers = NDArray[np.uint32]
Pairs = NDArray[np.uint64]
Row = NDArray[np.uint32]
UPPER = np.uint64(0xFFFFFFFF00000000)
HALF_WORD = 0xFFFF
WANTED = np.uint32((1 << WANTED_BITS) - 1)
PLACE_MASK = np.uint32(PLACES - 1)
CLOSE = PLACES // 10
MANY = 5


@njit(cache=True, nogil=True)
def copy_columns(
    signatures: NDArray[np.uint32], first: int, start: int, stop: int, out: NDArray[np.uint32]
) -> None:
    """The slots from `first` on of some rows into `out`, slot by slot: one pass over the memory."""
    for row in range(start, min(stop, len(signatures))):
        for k in range(len(out)):
            out[k, row] = signatures[row, first + k]


@njit(cache=True, nogil=True)
def values_of(
    fresh: NDArray[np.uint32], stored: NDArray[np.uint32], slot: int, numbers: Numbers
) -> NDArray[np.uint32]:
    """A slot of some texts; numbers go through the rows of `fresh` and then of `stored`."""
    out = np.empty(len(numbers), np.uint32)
    for i in range(len(numbers)):
        row = np.int64(numbers[i])
        out[i] = fresh[row, slot] if row < len(fresh) else stored[row - len(fresh), slot]
    return out


@njit(cache=True, nogil=True)
def places_of(values: NDArray[np.uint32], wanted: NDArray[np.bool_]) -> Numbers:
    """Where the values stand that are wanted: see `extend_keys`."""
    out = np.empty(len(values), np.uint32)
    count = 0
    for i in range(len(values)):
        out[count] = i
        count += wanted[(values[i] >> np.uint32(PLACE_BITS)) & WANTED]
    return out[:count]


@njit(cache=True, nogil=True)
def extend_keys(
    values: NDArray[np.uint32],
    numbers: Numbers,
    keys: NDArray[np.uint64],
    wanted: NDArray[np.bool_],
) -> NDArray[np.uint64]:
    """`hash of the key so far and the slot's value << 32 | number`, where the value is wanted."""
    out = np.empty(len(numbers), np.uint64)
    count = 0
    for i in range(len(numbers)):
        value = values[i] >> np.uint32(PLACE_BITS)
        if wanted[value & WANTED]:
            key = mix(keys[i] + np.uint64(value) + np.uint64(1))
            out[count] = (key & UPPER) | np.uint64(numbers[i])
            count += 1
    return out[:count]


@njit(cache=True, nogil=True)
def split_buckets(
    packed: NDArray[np.uint64], cap: int, fresh: int
) -> tuple[Numbers, NDArray[np.int64], Numbers, NDArray[np.uint64]]:
    """Sorted keys to buckets of 2 to `cap` numbers and where each ends; what is in larger ones.

    Where some texts are fresh, those with the lowest numbers, only the buckets that hold one.
    """
    n = len(packed)
    bucket, ends = np.empty(n, np.uint32), np.empty(n // 2 + 1, np.int64)
    rest, rest_keys = np.empty(n, np.uint32), np.empty(n, np.uint64)
    kept = buckets = left = start = 0
    while start < n:
        key = packed[start] & UPPER
        end = start + 1
        while end < n and packed[end] & UPPER == key:
            end += 1
        if fresh and np.int64(packed[start] & ~UPPER) >= fresh:
            pass
        elif end - start > cap:
            for i in range(start, end):
                rest[left], rest_keys[left] = np.uint32(packed[i]), key
                left += 1
        elif end - start > 1:
            for i in range(start, end):
                bucket[kept] = np.uint32(packed[i])
                kept += 1
            ends[buckets] = kept
            buckets += 1
        start = end
    return bucket[:kept], ends[:buckets], rest[:left], rest_keys[:left]


@njit(cache=True, nogil=True)
def _bags_allow(one: Row, other: Row, most: float) -> bool:
    """Whether the characters alone leave room for `most` indels: never false for a near pair.

    An insertion or deletion changes one count by one.
    """
    apart = np.int64(0)
    for k in range(BAG, LENGTH):
        x, y = np.int64(one[k]), np.int64(other[k])
        apart += abs((x & HALF_WORD) - (y & HALF_WORD)) + abs((x >> 16) - (y >> 16))
    return bool(apart <= most)


@njit(cache=True, nogil=True)
def _slots_allow(one: Row, other: Row, most: float, least_short: int, least_long: int) -> bool:
    """Whether enough slots agree, both in their n-gram and in where it stands.

    Only slots that were filled from n-grams of one width count. No alignment that reaches the
    threshold moves a character by more than its insertions and deletions. Where few slots agree a
    near pair is edited all over, which moves nothing far: then they must stand close together.
    """
    m, n = np.int64(one[LENGTH]), np.int64(other[LENGTH])
    first, last, least = 0, SLOTS, least_long
    if max(m, n) <= SHORT_UP_TO:
        last, least = (HALF if max(m, n) >= LONG_FROM else SLOTS), least_short
    elif min(m, n) <= SHORT_UP_TO:
        first = HALF
    least = (least * (last - first) + SLOTS - 1) // SLOTS
    if _agreeing(one, other, first, last) < least:
        return False
    slack = most * PLACES / 2 + m + n
    ahead, behind = slack + (m - n) * PLACES / 2, slack + (n - m) * PLACES / 2
    same, close = np.int64(0), np.int64(0)
    for k in range(first, last):
        if one[k] ^ other[k] < PLACES:
            x, y = np.int64(one[k] & PLACE_MASK), np.int64(other[k] & PLACE_MASK)
            same += (x * m - y * n <= ahead) & (y * n - x * m <= behind)
            close += abs(x - y) <= CLOSE
    return bool(same >= least and (close >= least or same >= MANY * least))


@njit(cache=True, nogil=True)
def _agreeing(one: Row, other: Row, first: int, last: int) -> int:
    """Slots that agree in their n-gram."""
    same = 0
    for k in range(first, last):
        same += one[k] ^ other[k] < PLACES
    return same


@njit(cache=True, nogil=True)
def _push(out: Pairs, count: int, a: np.uint32, b: np.uint32) -> Pairs:
    if count == len(out):
        larger = np.empty(2 * count, np.uint64)
        for i in range(count):  # a slice assignment takes two seconds to compile
            larger[i] = out[i]
        out = larger
    out[count] = np.uint64(a) << np.uint64(32) | np.uint64(b)
    return out


@njit(cache=True, nogil=True)
def pairs_within(
    bucket: Numbers,
    ends: NDArray[np.int64],
    signatures: NDArray[np.uint32],
    groups: NDArray[np.int32],
    roots: NDArray[np.int32],
    window: int,
    limits: tuple[float, float, int, int],
) -> Pairs:
    """Pairs of one bucket and group that may be near and are not in one cluster yet.

    Numbers go by length within a group. Each text meets at most `window` longer ones, so that one
    huge bucket cannot cost a square. `limits`: reach in length, share of indels, slots to share by
    short and by long n-grams.
    """
    reach, share, least_short, least_long = limits
    out = np.empty(256, np.uint64)
    count = start = 0
    for end in ends:
        for i in range(start, end):
            left, a = window, bucket[i]
            longest = signatures[a, LENGTH] * reach
            for j in range(i + 1, min(end, i + 1 + 16 * window)):
                b = bucket[j]
                if roots[a] == roots[b] or groups[a] != groups[b]:
                    continue
                if signatures[b, LENGTH] > longest or left == 0:
                    break
                left -= 1
                most = (signatures[a, LENGTH] + signatures[b, LENGTH]) * share
                one, other = signatures[a], signatures[b]
                if _bags_allow(one, other, most) and _slots_allow(
                    one, other, most, least_short, least_long
                ):
                    out = _push(out, count, a, b)
                    count += 1
        start = end
    return out[:count]


@njit(cache=True, nogil=True)
def pairs_across(
    bucket: Numbers,
    ends: NDArray[np.int64],
    fresh: NDArray[np.uint32],
    stored: NDArray[np.uint32],
    window: int,
    limits: tuple[float, float, int, int],
) -> Pairs:
    """Pairs of a fresh and a stored text of one bucket that may be near; `limits` as above.

    The fresh ones have the lower numbers. Each meets at most 16 `window`s of stored ones.
    """
    reach, share, least_short, least_long = limits
    out = np.empty(256, np.uint64)
    count = start = 0
    for end in ends:
        middle = start
        while middle < end and bucket[middle] < len(fresh):
            middle += 1
        for i in range(start, middle):
            a = bucket[i]
            for j in range(middle, min(end, middle + 16 * window)):
                b = np.int64(bucket[j]) - len(fresh)
                m, n = fresh[a, LENGTH], stored[b, LENGTH]
                most = (m + n) * share
                if (
                    max(m, n) <= min(m, n) * reach
                    and _bags_allow(fresh[a], stored[b], most)
                    and _slots_allow(fresh[a], stored[b], most, least_short, least_long)
                ):
                    out = _push(out, count, a, bucket[j])
                    count += 1
        start = end
    return out[:count]


@njit(cache=True, nogil=True)
def pairs_across_by_length(
    fresh: NDArray[np.uint32],
    stored: NDArray[np.uint32],
    order: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    share: float,
) -> Pairs:
    """Sorted pairs of a fresh text and one of those from `starts` to `ends` in the stored order."""
    out = np.empty(256, np.uint64)
    count = 0
    for a in range(len(fresh)):
        for i in range(starts[a], ends[a]):
            b = order[i]
            most = (fresh[a, LENGTH] + stored[b, LENGTH]) * share
            if _bags_allow(fresh[a], stored[b], most):
                out = _push(out, count, np.uint32(a), np.uint32(b + len(fresh)))
                count += 1
    return np.sort(out[:count])


@njit(cache=True, nogil=True)
def pairs_by_length(
    first: int,
    last: int,
    signatures: NDArray[np.uint32],
    groups: NDArray[np.int32],
    roots: NDArray[np.int32],
    reach: float,
    share: float,
) -> Pairs:
    """Every pair of a group that can be near, its lower number from `first` to before `last`."""
    out = np.empty(256, np.uint64)
    count = 0
    for a in range(first, last):
        longest = signatures[a, LENGTH] * reach
        for b in range(a + 1, len(signatures)):
            if groups[a] != groups[b] or signatures[b, LENGTH] > longest:
                break
            most = (signatures[a, LENGTH] + signatures[b, LENGTH]) * share
            if roots[a] != roots[b] and _bags_allow(signatures[a], signatures[b], most):
                out = _push(out, count, np.uint32(a), np.uint32(b))
                count += 1
    return out[:count]


@njit(cache=True, nogil=True)
def _root(parent: NDArray[np.int32], number: Whole) -> Whole:
    while parent[number] != number:
        parent[number] = parent[parent[number]]
        number = parent[number]
    return number


@njit(cache=True, nogil=True)
def join(parent: NDArray[np.int32], pairs: Pairs, near: NDArray[np.bool_]) -> None:
    """Put the two texts of each near pair into one cluster; its root is its lowest number."""
    for i in range(len(pairs)):
        if near[i]:
            a = _root(parent, np.int64(pairs[i] >> np.uint64(32)))
            b = _root(parent, np.int64(pairs[i] & ~UPPER))
            parent[max(a, b)] = min(a, b)


@njit(cache=True, nogil=True)
def flatten(parent: NDArray[np.int32]) -> None:
    """Make every text point at its root."""
    for number in range(len(parent)):
        parent[number] = _root(parent, number)


@njit(cache=True, nogil=True)
def open_pairs(
    parent: NDArray[np.int32], pairs: Pairs
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which pairs are not yet in one cluster, and a forest of these that spans them all."""
    apart, spanning = np.zeros(len(pairs), np.bool_), np.zeros(len(pairs), np.bool_)
    trial = parent.copy()
    for i in range(len(pairs)):
        a, b = np.int64(pairs[i] >> np.uint64(32)), np.int64(pairs[i] & ~UPPER)
        apart[i] = _root(parent, a) != _root(parent, b)
        one, other = _root(trial, a), _root(trial, b)
        spanning[i] = one != other
        trial[max(one, other)] = min(one, other)
    return apart, spanning
