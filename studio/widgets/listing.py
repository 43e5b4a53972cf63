"""A list in columns with a cursor, of which only the lines on the screen are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip

from studio.commands import Command
from studio.screen_text import screen_text
from studio.widgets.bindings import bind
from studio.widgets.columns import fitted
from studio.widgets.cursor_lines import CursorLines

LEAST = 12  # cells that the last column keeps before another one gives way

Cells = Callable[[int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A column; the last one takes the rest. The highest `rank` gives way first, 0 never does."""

    title: str
    width: int = 0
    rank: int = 0
    right: bool = False


class Listing(CursorLines):
    """Lines of cells; some of them may be drawn as warnings."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"lines--warning", "lines--kept"}

    def __init__(
        self, columns: Sequence[ListColumn], commands: Iterable[Command], id: str | None = None
    ) -> None:
        super().__init__(id=id)
        bind(self, commands, "lines")
        self.columns = columns
        self._count = 0
        self._cells: Cells = lambda _: ()
        self._warnings: frozenset[int] = frozenset()

    @property
    def count(self) -> int:
        """How many lines there are."""
        return self._count

    def show(
        self,
        count: int,
        cells: Cells,
        *,
        cursor: int | None = None,
        warnings: Iterable[int] = (),
    ) -> None:
        """Show so many lines, `cells(n)` those of line n; the cursor stays where none is given."""
        self._count, self._cells, self._warnings = count, cells, frozenset(warnings)
        self.cursor = max(0, min(self.cursor if cursor is None else cursor, count - 1))
        self.virtual_size = Size(0, count + 1)
        self.scroll_to_cursor()
        self.refresh()
        self.post_message(self.Moved())

    # drawing

    def on_focus(self) -> None:
        """Draw the cursor as the one that moves."""
        self.refresh_line_at(self.cursor)

    def on_blur(self) -> None:
        """Draw the cursor as the one that stays."""
        self.refresh_line_at(self.cursor)

    def fitting(self, width: int) -> list[tuple[int, int]]:
        """(number, cells) of the columns that fit into a width."""
        shown = list(range(len(self.columns) - 1))

        def taken() -> int:
            return sum(self.columns[number].width + 1 for number in shown)

        while shown and taken() + LEAST > width:
            rank = max(self.columns[number].rank for number in shown)
            if rank == 0:
                break
            shown.remove(max(n for n in shown if self.columns[n].rank == rank))
        fixed = [(number, self.columns[number].width) for number in shown]
        return [*fixed, (len(self.columns) - 1, max(1, width - taken()))]

    def header(self, width: int) -> str:
        """The titles of the columns that fit."""
        return "  " + self._line([column.title for column in self.columns], width - 2)

    def line(self, index: int, width: int) -> Strip:
        """One line's cells."""
        name = "warning" if index in self._warnings else "plain"
        style = self.get_component_rich_style(f"lines--{name}")
        pointer = " "
        if index == self.cursor:
            kept = "cursor" if self.has_focus else "kept"
            style += self.get_component_rich_style(f"lines--{kept}", partial=True)
            pointer = "▸" if self.has_focus else "▹"  # which of two lists the keys are for
        text = f"{pointer} {self._line(self._cells(index), width - 2)}"
        return Strip([Segment(text, style)]).adjust_cell_length(width, style)

    def _line(self, cells: Sequence[str], width: int) -> str:
        return " ".join(
            fitted(
                screen_text(cells[number][:400], one_line=True),
                room,
                right=self.columns[number].right,
            )
            for number, room in self.fitting(width)
        )
