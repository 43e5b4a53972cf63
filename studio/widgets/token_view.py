"""An example as the tokens that the base reads, the trained ones told from the others.

A trained token is underlined, and a bar stands before each line that has any; every other token
has another shade, so that one sees where a token begins and ends.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip

from studio.commands import Command
from studio.screen_text import screen_text
from studio.widgets.bindings import bind
from studio.widgets.line_view import LineView

TRAINED, NOT_TRAINED = "┃ ", "  "


class Piece(NamedTuple):
    """Some cells of a line, all of one token; `odd` is the token's place among the others."""

    text: str
    trained: bool
    odd: bool


class TokenView(LineView):
    """Tokens to read."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "token-view--plain", "token-view--even", "token-view--odd", "token-view--trained",
        "token-view--bar",
    }  # fmt: skip

    def __init__(self, commands: Iterable[Command], id: str | None = None) -> None:
        super().__init__(id=id)
        bind(self, commands, "pane")
        self.lines: list[list[Piece]] = []
        self._tokens: Sequence[dict[str, Any]] = ()
        self._note = ""
        self._width = 0

    def show(self, tokens: Sequence[dict[str, Any]], note: str = "") -> None:
        """Show tokens (`{text, trained}`) from the first one, or a note where there are none."""
        self._tokens, self._note, self._width = tokens, note, 0
        self._lay_out()
        self.scroll_to(y=0, animate=False, force=True)
        self.refresh()

    def next_trained(self) -> None:
        """Scroll to where tokens are trained on next; from the last such place to the first."""
        trained = [any(piece.trained for piece in line) for line in self.lines]
        begins = [n for n, now in enumerate(trained) if now and not (n and trained[n - 1])]
        if begins:
            top = self.scroll_offset.y
            below = [n for n in begins if n > top and self.max_scroll_y > top]
            self.scroll_to(y=(below or begins)[0], animate=False, force=True)

    def on_resize(self) -> None:
        """Fill the new width."""
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width - len(TRAINED)
        if width != self._width and width > 0:
            self._width = width
            self.lines = list(lines_of(self._tokens, width))
            self.virtual_size = Size(0, len(self.lines))

    def render_line(self, y: int) -> Strip:
        """One line with its bar."""
        width, index = self.line_width, y + self.scroll_offset.y
        plain = self.get_component_rich_style("token-view--plain")
        if not self._tokens:
            note = textwrap.wrap(self._note, max(1, width - 2))
            said = Segment(" " + note[y] if y < len(note) else "", plain)
            return Strip([said]).adjust_cell_length(width, plain)
        if index >= len(self.lines):
            return Strip.blank(width, plain)
        pieces = self.lines[index]
        bar = TRAINED if any(piece.trained for piece in pieces) else NOT_TRAINED
        segments = [Segment(bar, self.get_component_rich_style("token-view--bar"))]
        for piece in pieces:
            style = self.get_component_rich_style(f"token-view--{'odd' if piece.odd else 'even'}")
            if piece.trained:
                style += self.get_component_rich_style("token-view--trained", partial=True)
            segments.append(Segment(piece.text, style))
        return Strip(segments).adjust_cell_length(width, plain)


def lines_of(tokens: Sequence[dict[str, Any]], width: int) -> Iterator[list[Piece]]:
    """The tokens as lines of at most `width` cells; a line break of the text ends a line."""
    line: list[Piece] = []
    room = width
    for number, token in enumerate(tokens):
        text = screen_text(token["text"].replace("\r\n", "␍\n")).replace("\t", "→   ")
        parts = text.replace("\n", "⏎\n").split("\n")
        for at, part in enumerate(parts):
            if at:
                yield line
                line, room = [], width
            for cut in _cuts(part, room, width):
                if cell_len(cut) > room:
                    yield line
                    line, room = [], width
                line.append(Piece(cut, bool(token["trained"]), number % 2 == 1))
                room -= cell_len(cut)
    if line:
        yield line


def _cuts(text: str, room: int, width: int) -> Iterator[str]:
    """The text in pieces: the first one fits into `room`, the others into a whole line."""
    if not text:
        return
    if cell_len(text) <= room:
        yield text
        return
    start, used = 0, 0
    for position, character in enumerate(text):
        size = get_character_cell_size(character)
        if used + size > room:
            if position > start:
                yield text[start:position]
            start, used, room = position, 0, width
        used += size
    yield text[start:]
