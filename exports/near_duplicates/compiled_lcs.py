"""Compiled: is the longest common subsequence of two texts long enough? Importing this loads numba.

rapidfuzz computes the same, pair by pair. This gives up as soon as a pair can no longer reach the
threshold and tries a narrow band first: over texts of 100,000 characters about 30 times faster.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from exports.near_duplicates.compiled_search import UPPER, Pairs
from exports.near_duplicates.compiled_signature import longest_text

Words = NDArray[np.uint64]
ALL_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
ONE = np.uint64(1)
NARROW = 96


@njit(cache=True, nogil=True)
def _zeros(word: np.uint64) -> int:
    """Bits that are not set."""
    word = ~word
    word -= (word >> ONE) & np.uint64(0x5555555555555555)
    pairs = np.uint64(0x3333333333333333)
    word = (word & pairs) + ((word >> np.uint64(2)) & pairs)
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int(np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56)))


@njit(cache=True, nogil=True)
def _advance(state: Words, match: Words, stride: int, place: int, first: int, last: int) -> None:
    """One character of the second text over the words `first` to `last` of the first text."""
    base = np.uint64(place) * np.uint64(stride)
    word, end, carry = np.uint64(first), np.uint64(last), np.uint64(0)
    while word < end:
        before = state[word]
        hit = before & match[base + word]
        added = before + hit
        summed = added + carry
        carry = np.uint64(added < before) | np.uint64(summed < added)
        state[word] = summed | (before - hit)
        word += ONE


@njit(cache=True, nogil=True)
def _reaches(
    text: NDArray[np.uint32],
    places: NDArray[np.int32],
    match: Words,
    stride: int,
    words: int,
    same: int,
    need: int,
    ahead: int,
    behind: int,
    state: Words,
) -> bool:
    """Whether a common subsequence of `need` characters exists within the band.

    Bit-parallel (Hyyro 2004: a zero bit in the state is one character of the subsequence), over
    the columns from `row - behind` to `row + ahead`, starting after the first `same` characters,
    which both texts share. What it finds is a common subsequence, so
    that true is always right; false is right when the band is as wide as the threshold allows.
    """
    for word in range(words):
        state[word] = ALL_ONES if word > same >> 6 else np.uint64(0)
    if same >> 6 < words:
        state[same >> 6] = ALL_ONES << np.uint64(same & 63)
    settled = first = 0
    for top in range(same, len(text), 64):
        while first < min(words, max(0, top - behind) >> 6):
            settled += _zeros(state[first])
            first += 1
        last = min(words, ((top + 63 + ahead) >> 6) + 1)
        bottom = min(len(text), top + 64)
        for row in range(top, bottom):
            place = places[text[row]]
            if place >= 0:
                _advance(state, match, stride, place, first, last)
        found = settled
        for word in range(first, last):
            found += _zeros(state[word])
        if found >= need:
            return True
        if found + len(text) - bottom < need:
            return False
    return same >= need


@njit(cache=True, nogil=True)
def _near(
    one: NDArray[np.uint32],
    other: NDArray[np.uint32],
    need: int,
    places: NDArray[np.int32],
    match: Words,
    stride: int,
    state: Words,
) -> bool:
    """Widen the band until the pair is near or every alignment that could be was looked at."""
    ahead, behind = len(one) - need, len(other) - need
    if ahead < 0 or behind < 0:
        return False
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    words, width = (len(one) + 63) >> 6, NARROW
    while True:
        whole = 4 * width >= max(ahead, behind)
        left, right = (ahead, behind) if whole else (min(ahead, width), min(behind, width))
        if _reaches(other, places, match, stride, words, same, need, left, right, state):
            return True
        if whole:
            return False
        width *= 8


@njit(cache=True, nogil=True)
def _number_characters(
    text: NDArray[np.uint32], places: NDArray[np.int32], alphabet: NDArray[np.uint32]
) -> int:
    """Give each distinct character its place, in order of appearance; how many there are."""
    used = 0
    for char in text:
        if places[char] < 0:
            places[char] = used
            alphabet[used] = char
            used += 1
    return used


@njit(cache=True, nogil=True)
def _mark_characters(
    text: NDArray[np.uint32], places: NDArray[np.int32], match: Words, stride: int
) -> None:
    """Set bit `i` of a character's row where the text has that character at `i`."""
    for i in range(len(text)):
        match[places[text[i]] * stride + (i >> 6)] |= ONE << np.uint64(i & 63)


@njit(cache=True, nogil=True)
def near_pairs(
    chars: NDArray[np.uint32],
    ends: NDArray[np.int64],
    pairs: Pairs,
    most_indels: NDArray[np.int64],
    places: NDArray[np.int32],
) -> NDArray[np.bool_]:
    """For each pair of texts (`t` ends before `chars[ends[t]]`): indel distance <= `most_indels`.

    `places` holds -1 for every code point, and does so again afterwards. Pairs with the same first
    text should stand together: it is indexed once for them all.
    """
    out = np.zeros(len(pairs), np.bool_)
    longest = longest_text(ends)
    stride = (longest + 63) >> 6
    state, match = np.empty(stride, np.uint64), np.zeros(96 * stride, np.uint64)
    alphabet = np.empty(min(longest, len(places)), np.uint32)
    used, indexed = 0, np.int64(-1)
    for p in range(len(pairs)):
        a, b = np.int64(pairs[p] >> np.uint64(32)), np.int64(pairs[p] & ~UPPER)
        one = chars[ends[a - 1] if a else 0 : ends[a]]
        other = chars[ends[b - 1] if b else 0 : ends[b]]
        if a != indexed:
            for place in range(used):
                places[alphabet[place]] = -1
            match[: used * stride] = 0
            indexed, used = a, _number_characters(one, places, alphabet)
            if used * stride > len(match):
                match = np.zeros(2 * used * stride, np.uint64)
            _mark_characters(one, places, match, stride)
        need = (len(one) + len(other) - int(most_indels[p]) + 1) // 2
        out[p] = _near(one, other, need, places, match, stride, state)
    for place in range(used):
        places[alphabet[place]] = -1
    return out
