"""The measures of nearness: the ratio of the raw texts, and one that no reordering changes.

`ratio` is `rapidfuzz.fuzz.ratio`, the normalised indel similarity. `set` is the same over the words
of each text in sorted order: `fuzz.token_sort_ratio` (SeatGeek's fuzzywuzzy, 2011; RapidFuzz), with
words as `str.split` finds them in a text of any script. Moving, joining and indenting lines leaves
it at 100, so that it finds copies which the ratio cannot; order being meaning, it is asked for.
"""

from __future__ import annotations

from rapidfuzz import fuzz

RATIO, SET = MEASURES = ("ratio", "set")


def form(text: str, measure: str) -> str:
    """What of a text `fuzz.ratio` compares under a measure. ValueError for an unknown one."""
    if measure == RATIO:
        return text
    if measure == SET:
        return " ".join(sorted(text.split()))
    raise ValueError(f"measure must be one of {', '.join(MEASURES)}, got {measure!r}")


def similarity(a: str, b: str, measure: str = RATIO) -> float:
    """How near two raw texts are, 0 to 100."""
    return fuzz.ratio(form(a, measure), form(b, measure))
