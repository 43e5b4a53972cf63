"""A text that is read for calls: where each tag comes next, and what may still be spent on it.

The places of every tag are listed once, and reads that fail are paid from a budget: a pass that
moves by these alone stays linear in the text whatever the text is.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from exports.json_fragments import Broken, Fragment, read_fragment

OPEN, CLOSE = "<tool_call>", "</tool_call>"
_SPACE = re.compile(r"\s*+")


class Places:
    """The places in one text. A position is an index into it; its size stands for nowhere."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.size = len(text)
        self._of: dict[str, list[int]] = {}
        self._budget = 8 * self.size + 10_000  # characters that failed reads may cost

    def fragment(self, start: int, limit: int) -> Fragment | Broken:
        """The JSON value between two positions; Broken too once the budget is spent."""
        if self._budget <= 0:
            return Broken(open=False, cut=False, scanned=0)
        read = read_fragment(self.text, start, limit)
        if isinstance(read, Broken):
            self._budget -= read.scanned
        return read

    def border(self, position: int) -> tuple[int, int]:
        """(the next closing tag, the next tag of either kind)."""
        close = self.find(CLOSE, position)
        return close, min(close, self.find(OPEN, position))

    def find(self, needle: str, position: int) -> int:
        """Where `needle` comes next, the text's size if never."""
        places = self._of.get(needle)
        if places is None:
            places = [found.start() for found in re.finditer(re.escape(needle), self.text)]
            self._of[needle] = places
        index = bisect_left(places, position)
        return places[index] if index < len(places) else self.size

    def past(self, needle: str, position: int, *, only_here: bool = False) -> int:
        """Behind the next `needle`, or with `only_here` behind the one at `position`, if any."""
        if not only_here:
            position = self.find(needle, position)
        here = self.text.startswith(needle, position)
        return position + len(needle) if here else position

    def space(self, position: int) -> int:
        """Behind the white space at `position`."""
        found = _SPACE.match(self.text, position)
        return found.end() if found else position
