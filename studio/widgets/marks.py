"""Which rows of a table are marked: one byte a row, and a range that follows the cursor."""

from __future__ import annotations

from collections.abc import Iterator

from studio.widgets.id_list import IdList


class Marks:
    """Marks by position. A range goes from `anchor` to the cursor while there is an anchor."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self.anchor: int | None = None

    def resize(self, ids: IdList, marked: set[int]) -> None:
        """Begin anew for these ids, of which some are marked."""
        self.anchor = None
        if marked:
            self._bytes = bytearray(identity in marked for identity in ids)
        else:
            self._bytes = bytearray(len(ids))

    def append(self, count: int) -> None:
        """So many rows came at the end."""
        self._bytes.extend(bytes(count))

    def prepend(self, count: int) -> None:
        """So many rows came at the beginning."""
        self._bytes[:0] = bytes(count)
        if self.anchor is not None:
            self.anchor += count

    def toggle(self, index: int) -> None:
        """Mark a row, or take its mark away."""
        self._bytes[index] ^= 1

    def toggle_all(self) -> None:
        """Mark all rows; when all are marked already, none."""
        everything = self._bytes.count(1) == len(self._bytes)
        self._bytes = bytearray((b"\x00" if everything else b"\x01") * len(self._bytes))
        self.anchor = None

    def end_range(self, cursor: int) -> None:
        """Turn the range into marks."""
        if self.anchor is not None:
            low, high = self._range(self.anchor, cursor)
            self._bytes[low:high] = b"\x01" * (high - low)
            self.anchor = None

    def clear(self) -> None:
        """Take all marks and the range away."""
        self._bytes = bytearray(len(self._bytes))
        self.anchor = None

    def holds(self, index: int, cursor: int) -> bool:
        """Whether a row is marked or in the range."""
        if self._bytes[index]:
            return True
        if self.anchor is None:
            return False
        low, high = self._range(self.anchor, cursor)
        return low <= index < high

    def count(self, cursor: int) -> int:
        """How many rows are marked or in the range."""
        marked = self._bytes.count(1)
        if self.anchor is None:
            return marked
        low, high = self._range(self.anchor, cursor)
        return marked + (high - low) - self._bytes.count(1, low, high)

    def indices(self, cursor: int) -> Iterator[int]:
        """The rows that are marked or in the range, in order."""
        found = bytearray(self._bytes)
        if self.anchor is not None:
            low, high = self._range(self.anchor, cursor)
            found[low:high] = b"\x01" * (high - low)
        at = found.find(1)
        while at >= 0:
            yield at
            at = found.find(1, at + 1)

    @staticmethod
    def _range(anchor: int, cursor: int) -> tuple[int, int]:
        return min(anchor, cursor), max(anchor, cursor) + 1
