"""Completion of what is typed into the filter bar: keys, then the values that a key can have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Completion(NamedTuple):
    """What could stand between two offsets of the text."""

    start: int
    end: int
    candidates: list[str]

    def common(self) -> str:
        """What all candidates begin with."""
        if not self.candidates:
            return ""
        low, high = min(self.candidates), max(self.candidates)
        same = next((n for n, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), None)
        return low[:same] if same is not None else low


def complete_filter(
    text: str, cursor: int, keys: Sequence[str], values: Mapping[str, Sequence[str]]
) -> Completion:
    """What the word before the cursor could become: a key, or one of its values."""
    start = max(text.rfind(" ", 0, cursor), text.rfind("\t", 0, cursor)) + 1
    word = text[start:cursor]
    start += word.startswith("-")
    key, colon, value = text[start:cursor].partition(":")
    if not colon:
        found = [f"{name}:" for name in keys if name.startswith(key.lower()) and key]
        return Completion(start, cursor, found)
    begun = value.rpartition(",")[2].removeprefix("-")
    found = [
        name
        for name in values.get(key.lower(), ())
        if name.lower().startswith(begun.lower()) and not set(name) & set(' ",')
    ]
    return Completion(cursor - len(begun), cursor, found)


def complete_word(text: str, cursor: int, words: Sequence[str]) -> Completion:
    """Which of some words the text could become; a leading `-` stays."""
    start = 1 if text.startswith("-") else 0
    begun = text[start:cursor]
    return Completion(start, cursor, [word for word in words if word.startswith(begun)])
