"""A list in columns with a cursor, of which only the lines on the screen are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from studio.commands import Command
from studio.screen_text import screen_text
from studio.widgets.bindings import bind
from studio.widgets.columns import fitted

LEAST = 12  # cells that the last column keeps before another one gives way

Cells = Callable[[int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A column; the last one takes the rest. The highest `rank` gives way first, 0 never does."""

    title: str
    width: int = 0
    rank: int = 0
    right: bool = False


class Listing(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines of cells with a cursor; some of them may be drawn as warnings."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "listing--header", "listing--line", "listing--warning", "listing--cursor",
    }  # fmt: skip

    class Moved(Message):
        """The cursor is on another line."""

    class Opened(Message):
        """A line was clicked twice."""

    def __init__(
        self, columns: Sequence[ListColumn], commands: Iterable[Command], id: str | None = None
    ) -> None:
        super().__init__(id=id)
        bind(self, commands, "lines")
        self.columns = columns
        self.count = 0
        self.cursor = 0
        self._cells: Cells = lambda _: ()
        self._warnings: frozenset[int] = frozenset()

    def show(
        self,
        count: int,
        cells: Cells,
        *,
        cursor: int | None = None,
        warnings: Iterable[int] = (),
    ) -> None:
        """Show so many lines, `cells(n)` those of line n; the cursor stays where none is given."""
        self.count, self._cells, self._warnings = count, cells, frozenset(warnings)
        self.cursor = max(0, min(self.cursor if cursor is None else cursor, count - 1))
        self.virtual_size = Size(0, count + 1)
        self._scroll_to_cursor()
        self.refresh()
        self.post_message(self.Moved())

    # moving

    def move_to(self, index: int) -> None:
        """Put the cursor on a line, or the nearest there is."""
        index = max(0, min(index, self.count - 1))
        if index != self.cursor:
            self.cursor = index
            self._scroll_to_cursor()
            self.refresh()
            self.post_message(self.Moved())

    def action_down(self) -> None:
        """One line down."""
        self.move_to(self.cursor + 1)

    def action_up(self) -> None:
        """One line up."""
        self.move_to(self.cursor - 1)

    def action_page_down(self) -> None:
        """One page down."""
        self.move_to(self.cursor + max(1, self._height() - 1))

    def action_page_up(self) -> None:
        """One page up."""
        self.move_to(self.cursor - max(1, self._height() - 1))

    def action_first(self) -> None:
        """The first line."""
        self.move_to(0)

    def action_last(self) -> None:
        """The last line."""
        self.move_to(self.count - 1)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; a double click opens the line."""
        index = event.y + self.scroll_offset.y - 1
        if event.y >= 1 and index < self.count:
            self.move_to(index)
            if event.chain == 2:
                self.post_message(self.Opened())

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._scroll_to_cursor()

    def _height(self) -> int:
        return max(1, self.scrollable_content_region.height - 1)

    def _scroll_to_cursor(self) -> None:
        top, height = self.scroll_offset.y, self._height()
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    # drawing

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

    def render_line(self, y: int) -> Strip:
        """One line: the header stays on top of the others."""
        width = self.scrollable_content_region.width
        if y == 0:
            style = self.get_component_rich_style("listing--header")
            text = "  " + self._line([column.title for column in self.columns], width - 2)
            return Strip([Segment(text, style)]).adjust_cell_length(width, style)
        index = y - 1 + self.scroll_offset.y
        if index >= self.count:
            return Strip.blank(width, self.rich_style)
        name = "warning" if index in self._warnings else "line"
        style = self.get_component_rich_style(f"listing--{name}")
        if index == self.cursor:
            style += self.get_component_rich_style("listing--cursor", partial=True)
        text = ("▸ " if index == self.cursor else "  ") + self._line(self._cells(index), width - 2)
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
