"""Blocks of text as lines of a width, laid out only as far as somebody looks.

A line is an offset into its block's text, not a copy of it, so that a conversation of ten thousand
messages or an answer of 20 MB is on the screen as soon as its first page is known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import get_character_cell_size

from studio.widgets.blocks import Block

TAB = "    "


class Code(NamedTuple):
    """A fenced piece of code: where its text begins and ends in its block, and its language."""

    start: int
    end: int
    language: str


class Line(NamedTuple):
    """One line on the screen. A header has start -1, the gap before it start -2."""

    block: int
    start: int
    end: int
    code: Code | None = None


HEADER, GAP = -1, -2


class Layout:
    """The lines of some blocks at a width, made when they are asked for."""

    def __init__(self, blocks: Sequence[Block], width: int) -> None:
        self.blocks, self.width = blocks, max(8, width)
        self.lines: list[Line] = []
        self.headers: list[int] = []  # the line of each block's header, as far as laid out
        self.done = False
        self._more = self._generate()

    def extend(self, count: int) -> None:
        """Lay out so many lines more, fewer at the end."""
        for _ in range(count):
            line = next(self._more, None)
            if line is None:
                self.done = True
                return
            if line.start == HEADER:
                self.headers.append(len(self.lines))
            self.lines.append(line)

    def up_to(self, count: int) -> None:
        """Lay out until there are so many lines."""
        if len(self.lines) < count:
            self.extend(count - len(self.lines))

    def everything(self) -> None:
        """Lay out the rest."""
        while not self.done:
            self.extend(100_000)

    def line_of(self, block: int, offset: int = HEADER) -> int:
        """The line that shows a place of a block, its header by default."""
        while len(self.headers) <= block and not self.done:
            self.extend(1_000)
        if block >= len(self.headers):
            return 0
        if offset < 0:
            return self.headers[block]
        while not self.done and self._last_place() <= (block, offset):
            self.extend(1_000)
        low = self.headers[block]
        high = self.headers[block + 1] if block + 1 < len(self.headers) else len(self.lines)
        at = bisect_right(self.lines, (block, offset), low, high, key=lambda x: (block, x.start))
        return max(low, at - 1)

    def _last_place(self) -> tuple[int, int]:
        last = self.lines[-1] if self.lines else Line(0, GAP, GAP)
        return last.block, last.start

    def _generate(self) -> Iterator[Line]:
        for number, block in enumerate(self.blocks):
            if number and not (block.folded and self.blocks[number - 1].folded):
                yield Line(number, GAP, GAP)
            yield Line(number, HEADER, HEADER)
            if not block.folded and block.text:
                yield from self._of_text(number, block.text)

    def _of_text(self, number: int, text: str) -> Iterator[Line]:
        """The lines of a text. Code is cut where the width ends, prose between words."""
        position, code = 0, None
        stop = len(text) - 1 if text.endswith("\n") else len(text)
        while position <= stop:
            end = text.find("\n", position)
            end = len(text) if end < 0 else end
            fence = text.startswith("```", position)
            if code is not None and (fence or position >= code.end):
                code = None
                fence_opens = False
            else:
                fence_opens = fence
            for start, stop_at in wrapped(text, position, end, self.width, words=code is None):
                yield Line(number, start, stop_at, code)
            if fence_opens:
                closing = text.find("\n```", end)
                language = text[position + 3 : min(end, position + 40)].strip().split(" ")[0]
                code = Code(end + 1, len(text) if closing < 0 else closing, language)
            position = end + 1


def wrapped(
    text: str, start: int, end: int, width: int, *, words: bool
) -> Iterator[tuple[int, int]]:
    """Cut text[start:end], which holds no line break, into pieces of at most `width` cells."""
    if start == end:
        yield start, end
    while start < end:
        stop = min(end, start + width)
        piece = text[start:stop]
        if not piece.isascii() or "\t" in piece:
            stop = _stop(text, start, stop, width)
        if words and stop < end and text[stop] != " ":
            space = text.rfind(" ", start, stop)
            if space > start:
                stop = space + 1
        yield start, stop
        start = stop
        if words and start < end and text[start] == " ":  # the space that a line break replaces
            start += 1


def _stop(text: str, start: int, end: int, width: int) -> int:
    """How far text reaches within `width` cells; at least one character."""
    used = 0
    for position in range(start, end):
        character = text[position]
        used += len(TAB) if character == "\t" else get_character_cell_size(character)
        if used > width:
            return max(position, start + 1)
    return end
