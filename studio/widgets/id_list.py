"""The ids of a table in their order; what comes later is added at either end without a copy."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import chain


class IdList:
    """A million ids take 8 MB. Raises IndexError and ValueError as a list does."""

    def __init__(self, ids: array[int] | None = None) -> None:
        self._ids = ids if ids is not None else array("q")
        self._before = array("q")  # what came before them, the first one last

    def __len__(self) -> int:
        return len(self._before) + len(self._ids)

    def __iter__(self) -> Iterator[int]:
        return chain(reversed(self._before), self._ids)

    def __getitem__(self, index: int) -> int:
        """The id at a place that is not negative."""
        came = len(self._before)
        return self._before[came - 1 - index] if index < came else self._ids[index - came]

    def part(self, start: int, end: int) -> list[int]:
        """The ids from one place to before another, as far as there are any."""
        return [self[index] for index in range(start, min(end, len(self)))]

    def index(self, identity: int) -> int:
        """The place of an id."""
        came = len(self._before)
        place = bisect_left(self._before, identity)
        if place < came and self._before[place] == identity:
            return came - 1 - place
        return came + self._ids.index(identity)

    def append(self, ids: Sequence[int]) -> None:
        """Add ids at the end, in their order."""
        self._ids.extend(ids)

    def prepend(self, ids: Sequence[int]) -> None:
        """Add ids at the beginning, in their order: the newest first, all newer than any here."""
        self._before.extend(reversed(ids))
