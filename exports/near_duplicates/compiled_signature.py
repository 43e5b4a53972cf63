"""Compiled: texts to signatures. Importing this loads numba."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from exports.near_duplicates.layout import (
    BAG,
    BAG_KINDS,
    HALF,
    LENGTH,
    LONG_FROM,
    PLACES,
    SHORT_UP_TO,
    SLOTS,
    WIDTH,
)

EMPTY = np.uint32(0xFFFFFFFF)
MULTIPLIER = np.uint64(0xD6E8FEB86659FD93)
Whole = int | np.integer[Any]
BASE = np.uint64(0x9E3779B97F4A7C15)


@njit(cache=True, nogil=True)
def mix(value: np.uint64) -> np.uint64:
    """Spread 64 bits (rrmxmx-like finaliser by Pelle Evensen)."""
    value ^= value >> np.uint64(32)
    value *= MULTIPLIER
    value ^= value >> np.uint64(32)
    value *= MULTIPLIER
    return value ^ (value >> np.uint64(32))


@njit(cache=True, nogil=True)
def longest_text(ends: NDArray[np.int64]) -> int:
    """Characters in the longest of the texts that end at `ends`."""
    longest = np.int64(0)
    for t in range(len(ends)):
        longest = max(longest, ends[t] - (ends[t - 1] if t else np.int64(0)))
    return int(longest)


@njit(cache=True, nogil=True)
def _table_size(length: Whole) -> int:
    size = 64
    while size < 8 * length:
        size *= 2
    return size


@njit(cache=True, nogil=True)
def _hash_grams(
    chars: NDArray[np.uint32], width: int, seen: NDArray[np.uint16], out: NDArray[np.uint64]
) -> None:
    """One hash a character: the n-gram that ends there and how often it came before.

    Counting occurrences makes the set a bag, so that repetitive texts keep their likeness. Two
    n-grams may fall on one counter; that costs a little likeness and never invents any.
    """
    size = _table_size(len(chars))
    seen[:size] = 0
    leaving = np.uint64(1)
    for _ in range(width):
        leaving *= BASE
    rolling = np.uint64(0)
    for i in range(len(chars)):
        rolling = rolling * BASE + np.uint64(chars[i]) + np.uint64(1)
        if i >= width:
            rolling -= leaving * (np.uint64(chars[i - width]) + np.uint64(1))
        gram = mix(rolling + np.uint64(width) * MULTIPLIER)
        place = gram & np.uint64(size - 1)
        if seen[place]:
            out[i] = mix(gram + np.uint64(seen[place]))
        else:
            out[i] = gram
        seen[place] += np.uint16(1)


@njit(cache=True, nogil=True)
def _with_place(gram: np.uint64, position: int, length: int) -> np.uint32:
    place = np.uint32(position * PLACES // length)
    return (np.uint32(gram) & ~np.uint32(PLACES - 1)) | place


@njit(cache=True, nogil=True)
def _fill_slots(grams: NDArray[np.uint64], first: int, last: int, row: NDArray[np.uint32]) -> None:
    """Slots `first` to `last`: one hash a gram, then a hash of its own for a slot left empty.

    Dahlgaard, Knudsen, Thorup: Fast Similarity Sketching (FOCS 2017), with one round of the first
    kind: the chance that two texts agree in a slot is the Jaccard index of their grams.
    """
    row[first:last] = EMPTY
    for i in range(len(grams)):
        hit = np.int64(grams[i] >> np.uint64(57))
        if first <= hit and hit < last:
            row[hit] = min(row[hit], _with_place(grams[i], i, len(grams)))
    for slot in range(first, last):
        if row[slot] == EMPTY:
            salt = mix(np.uint64(slot + 1))
            for i in range(len(grams)):
                gram = ((grams[i] ^ salt) * MULTIPLIER) >> np.uint64(32)
                row[slot] = min(row[slot], _with_place(gram, i, len(grams)))


@njit(cache=True, nogil=True)
def _fill_bag(chars: NDArray[np.uint32], row: NDArray[np.uint32]) -> None:
    """Counts by kind of character: the low five bits, lower-case ASCII apart from the rest."""
    counts = np.zeros(BAG_KINDS, np.uint32)
    for char in chars:
        counts[(char & 31) | ((char & (char << 1) & 64) >> 1)] += np.uint32(1)
    for k in range(BAG_KINDS // 2):
        low = min(counts[2 * k], np.uint32(0xFFFF))
        high = min(counts[2 * k + 1], np.uint32(0xFFFF))
        row[BAG + k] = low | (high << np.uint32(16))


@njit(cache=True, nogil=True)
def sign(
    chars: NDArray[np.uint32],
    ends: NDArray[np.int64],
    short_width: int,
    long_width: int,
    out: NDArray[np.uint32],
) -> None:
    """Fill `out[t]` with the signature of the text that ends before `chars[ends[t]]`."""
    longest = longest_text(ends)
    seen = np.empty(_table_size(longest), np.uint16)
    grams = np.empty(longest, np.uint64)
    start = np.int64(0)
    for t in range(len(ends)):
        text, row = chars[start : ends[t]], out[t]
        n = len(text)
        if n <= SHORT_UP_TO:
            _hash_grams(text, short_width, seen, grams)
            _fill_slots(grams[:n], 0, HALF if n >= LONG_FROM else SLOTS, row)
        if n >= LONG_FROM:
            _hash_grams(text, long_width, seen, grams)
            _fill_slots(grams[:n], HALF if n <= SHORT_UP_TO else 0, SLOTS, row)
        _fill_bag(text, row)
        row[LENGTH] = n
        row[WIDTH] = long_width
        start = ends[t]
