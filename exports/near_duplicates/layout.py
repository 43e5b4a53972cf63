"""How a signature is laid out, and what a threshold asks of two texts. No numba here.

A signature is one row of `ROW` 32-bit words, the same for the same text on every machine:

    0 .. 127    slots: a MinHash sketch of the text's character n-grams; 24 bits of hash and, below
                them, where in the text that n-gram ends, in 256ths of its length
    128 .. 159  bag: how often each of 64 kinds of character occurs, two 16-bit counts a word
    160         length in characters
    161         width of the long n-grams

Texts up to `SHORT_UP_TO` characters are sketched by 3-grams and texts from `LONG_FROM` on by long
ones; those between fill one half of the slots from each, so that any two texts that can be near
have at least one half in common.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIGNATURE_VERSION = 1

SLOTS = 128
HALF = SLOTS // 2
BAG = SLOTS
BAG_KINDS = 64
LENGTH = BAG + BAG_KINDS // 2
WIDTH = LENGTH + 1
ROW = WIDTH + 1

PLACE_BITS = 8
PLACES = 1 << PLACE_BITS
WANTED_BITS = 18  # of a slot's hash, by which most stored texts are passed over at once

SHORT_WIDTH = 3
SHORT_UP_TO = 512
LONG_FROM = 256

LOWEST_SKETCHED = 80.0
"""Under this threshold sketches miss more than one near pair in a hundred."""
LOWEST_SKETCH_AT_ALL = 70.0
"""Under this one they cannot meet: the longer text may be over twice as long."""


def checked_threshold(threshold: float) -> float:
    """The threshold as a float in (0, 100]; ValueError otherwise."""
    if not 0 < threshold <= 100:
        raise ValueError(f"threshold must be over 0 and at most 100, got {threshold}")
    return float(threshold)


def gram_width(threshold: float) -> int:
    """Characters in a long n-gram: about one edit in each where two texts just reach the threshold.

    Longer ones rarely survive in a near copy, shorter ones are shared by texts that have nothing
    to do with each other.
    """
    return int(np.clip(round(100 / (100 - min(threshold, 99))), 5, 10))


def least_shared_slots(threshold: float) -> tuple[int, int]:
    """Slots of 128 that a candidate must share, by short and by long n-grams.

    Let a character survive with the probability that a mixture of insertions, deletions and
    replacements leaves at the threshold; of the slots expected then a third is asked for by long
    n-grams, a fifth by short ones, whose number in a small text varies more.
    """
    survives = 1 - 1.6 * (1 - threshold / 100)

    def expected(width: int) -> float:
        kept = survives**width
        return SLOTS * kept / (2 - kept)

    short, long = expected(SHORT_WIDTH), expected(gram_width(threshold))
    return max(1, int(short / 5)), max(1, int(long / 3))


def longest_reach(threshold: float) -> float:
    """How many times as long the longer of two near texts can be.

    Indel distance is at least the difference of the lengths, so that
    ratio <= 200 * shorter / (shorter + longer).
    """
    return (200 - threshold) / threshold * (1 + 1e-12)


def most_indels(total: NDArray[np.int64], threshold: float) -> NDArray[np.int64]:
    """Largest indel distance at which `fuzz.ratio` of texts of `total` characters reaches it.

    rapidfuzz computes `(1 - distance / total) * 100` in doubles: so do we, to the last bit.
    """
    size = np.maximum(total, 1)
    most = np.floor(size * (1 - threshold / 100)).astype(np.int64) + 1
    for _ in range(2):
        most -= (1 - most / size) * 100 < threshold
    return most
