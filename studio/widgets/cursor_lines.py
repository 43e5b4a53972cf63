"""Lines under a header with a cursor, of which only those on the screen are drawn."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from studio.widgets.line_view import LineView


class CursorLines(LineView):
    """What tables and lists share. A subclass says how many lines there are, and draws one."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"lines--header", "lines--plain", "lines--cursor"}

    class Moved(Message):
        """The cursor is on another line, or nowhere."""

    class Opened(Message):
        """A line was clicked twice."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cursor = 0

    @property
    def count(self) -> int:
        """How many lines there are, without the header."""
        raise NotImplementedError

    def header(self, width: int) -> str:
        """The line that stays on top, cut or padded to so many cells."""
        raise NotImplementedError

    def line(self, index: int, width: int) -> Strip:
        """One line in so many cells."""
        raise NotImplementedError

    # moving

    def move_to(self, index: int) -> None:
        """Put the cursor on a line, or the nearest there is."""
        index = max(0, min(index, self.count - 1))
        if index == self.cursor:
            return
        before, self.cursor = self.cursor, index
        self.draw_move(before)
        self.scroll_to_cursor()
        self.post_message(self.Moved())

    def draw_move(self, before: int) -> None:
        """Draw what is different now that the cursor has left a line."""
        self.refresh_line_at(before)
        self.refresh_line_at(self.cursor)

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
        """To the first line."""
        self.move_to(0)

    def action_last(self) -> None:
        """To the last line."""
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
        self.scroll_to_cursor()

    def scroll_to_cursor(self) -> None:
        """Bring the cursor's line into sight."""
        top, height = self.scroll_offset.y, self._height()
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    def _height(self) -> int:
        """Lines that are visible; the header takes one."""
        return max(1, self.scrollable_content_region.height - 1)

    # drawing

    def refresh_line_at(self, index: int) -> None:
        """Draw one line anew."""
        y = index - self.scroll_offset.y + 1
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """One line of the screen: the header stays on top of the others."""
        width = self.line_width
        if y == 0:
            style = self.get_component_rich_style("lines--header")
            return Strip([Segment(self.header(width), style)]).adjust_cell_length(width, style)
        index = y - 1 + self.scroll_offset.y
        if index < self.count:
            return self.line(index, width)
        return Strip.blank(width, self.get_component_rich_style("lines--plain"))
