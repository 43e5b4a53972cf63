"""The table of interactions: a list of ids, of which only the rows on the screen are read.

A worker fills the list; rows are fetched by id, 128 at a time, so that a move costs the same in a
store of a hundred and of a million. The cursor, the marks and what is on the screen stay on their
rows whatever arrives.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from db.reader import Query, Row
from studio.commands import Command
from studio.widgets.bindings import bind
from studio.widgets.columns import cells, fitted, fitting
from studio.widgets.cursor_lines import CursorLines
from studio.widgets.id_feed import Failed, Filled, Grew, IdFeed
from studio.widgets.id_list import IdList
from studio.widgets.marks import Marks
from studio.widgets.row_cache import RowCache

LINES_KEPT = 256


class RowTable(CursorLines):
    """Interactions in an order, with a cursor, marks, and a range that follows the cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "lines--quiet", "lines--agent", "lines--outcome", "lines--failed", "lines--state",
        "lines--marked",
    }  # fmt: skip

    class Counted(Message):
        """What there is to count has changed: rows, marks, arrivals."""

    def __init__(self, path: Path, commands: Iterable[Command], id: str | None = None) -> None:
        super().__init__(id=id)
        bind(self, commands, "table")
        self.path = path
        self.ids = IdList()
        self.marks = Marks()
        self.whole = False  # all ids are here
        self.loaded = False  # the store was read at least once
        self.arrived = 0  # new rows that the present order has no place for
        self._rows = RowCache(path)
        self._drawn: dict[tuple[Row | None, int, bool, bool, int], Strip] = {}
        self._query: Query | None = None
        self._generation = 0
        self._newest = 0
        self._least = 0  # lines that the table has at least, be they empty
        self._first = True  # the next ids are the first ones of a query
        self._keep: int | None = None
        self._marked: set[int] = set()
        self._all = False  # all rows are to be marked as soon as all are here
        self._to_end = False  # the cursor goes to the last row as soon as all are here
        self._afterwards: list[Callable[[], object]] = []
        self._feed = IdFeed(path, self.post_message)

    # what is shown

    def show(self, wanted: Query, *, keep: int | None = None) -> None:
        """Show what a query selects: from the top, or with the cursor on `keep` and the marks."""
        self._generation += 1
        self._query, self._keep, self._first, self.whole = wanted, keep, True, False
        self._marked = set() if keep is None else set(self.selected_marks())
        self._all = self._to_end = False
        self._afterwards.clear()
        self._feed.interrupt()
        self._work(self._feed.fill, wanted)

    def _work(self, function: Callable[..., None], *arguments: object) -> None:
        self.run_worker(
            partial(function, self._generation, *arguments),
            thread=True,
            exclusive=True,
            group="ids",
        )

    def _on_filled(self, message: Filled) -> None:
        if message.generation != self._generation:
            return
        wanted = self._keep
        if wanted is None and not self._first and (self.has_focus or self.cursor):
            wanted = self.current  # what others come before stays under the cursor
        if not self._first:
            self._marked.update(self.selected_marks())
        self.ids, self.whole, self.loaded = IdList(message.ids), message.whole, True
        self.marks.resize(self.ids, self._marked)
        self.cursor = self._index_of(wanted, self.cursor if self._keep is not None else 0)
        self._first, self._newest, self.arrived, self._least = False, message.newest, 0, 0
        if message.whole:
            self._keep = None
            self._marked = set()
            if self._to_end:
                self.cursor, self._to_end = max(0, self.count - 1), False
        self._rows.forget()
        self._recount()
        self.scroll_to_cursor()
        self.refresh()
        self._settle()
        self.post_message(self.Moved())

    def when_settled(self, then: Callable[[], object]) -> None:
        """Do it once the rows that are meant are here: of the last query, to mark, the last one.

        A fast typist acts before a new filter has brought its first row. Another query forgets it.
        """
        self._afterwards.append(then)
        self._settle()

    def _settle(self) -> None:
        if self.whole and self._all:
            self._all = False
            if self.marked < len(self.ids):
                self.mark_all()
        while self._afterwards and not (self._first or self._all or self._to_end):
            self._afterwards.pop(0)()

    def _on_failed(self, message: Failed) -> None:
        if message.generation != self._generation:
            message.stop()  # it was interrupted, since something else is wanted

    def _index_of(self, identity: int | None, otherwise: int) -> int:
        if identity is not None:
            with contextlib.suppress(ValueError):
                return self.ids.index(identity)
        return max(0, min(otherwise, len(self.ids) - 1))

    # what others write

    def poll(self) -> None:
        """Look whether anybody has written; cheap enough for every second."""
        if not self.whole or self._query is None or not self._rows.changed():
            return
        self.forget()
        if self._rows.newest() > self._newest:
            self._work(self._feed.grow, self._query, self._newest)

    def _on_grew(self, message: Grew) -> None:
        if message.generation != self._generation or self._query is None:
            return
        self._newest = message.newest
        grown, was_empty = len(message.ids), not self.ids
        if not self._query.by_id:
            self.arrived += grown
        elif self._query.sort == "id":
            self.ids.append(message.ids)
            self.marks.append(grown)
        else:
            self.ids.prepend(message.ids)
            self.marks.prepend(grown)
            self.cursor += 0 if was_empty else grown
        holds = self._query.sort == "-id" and not was_empty  # what is on the screen stays there
        top = self.scroll_offset.y + grown
        if holds:  # also where there was room below the last row
            self._least = top + self.scrollable_content_region.height
        self._recount()
        if holds:
            self.scroll_to(y=top, animate=False, force=True)
        self.refresh()
        if was_empty and self.ids:
            self.post_message(self.Moved())

    def _recount(self) -> None:
        self.virtual_size = Size(0, max(len(self.ids) + 1, self._least))
        self.post_message(self.Counted())

    # rows

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.ids)

    @property
    def current(self) -> int | None:
        """The id under the cursor; None in an empty table."""
        return self.ids[self.cursor] if self.cursor < len(self.ids) else None

    def current_row(self) -> Row | None:
        """The row under the cursor; None in an empty table."""
        return self._rows.row(self.ids, self.cursor) if self.current is not None else None

    def forget(self) -> None:
        """Read the rows anew, since somebody wrote; those that are others now are drawn anew."""
        top = self.scroll_offset.y
        seen = range(top, min(len(self.ids), top + self.size.height))
        before = [self._rows.known(self.ids[index]) for index in seen]
        self._rows.forget()
        for index, row in zip(seen, before, strict=True):
            if self._rows.row(self.ids, index) != row:
                self.refresh_line_at(index)

    def on_unmount(self) -> None:
        """Release the file."""
        self._feed.interrupt()
        self._rows.close()

    # marks

    @property
    def marked(self) -> int:
        """How many rows are marked or in the range."""
        return self.marks.count(self.cursor)

    def selected_marks(self) -> list[int]:
        """The ids that are marked or in the range, in the order of the table."""
        return [self.ids[index] for index in self.marks.indices(self.cursor)]

    def toggle_mark(self) -> None:
        """Mark the cursor's row and go to the next, or end a range and keep it marked."""
        if self.marks.anchor is not None:
            self.marks.end_range(self.cursor)
            self.refresh()
        elif self.ids:
            self.marks.toggle(self.cursor)
            self.refresh_line_at(self.cursor)
            self.move_to(self.cursor + 1)
        self.post_message(self.Counted())

    def toggle_range(self) -> None:
        """Begin a range at the cursor, or end it and keep it marked."""
        if self.marks.anchor is not None:
            self.marks.end_range(self.cursor)
        elif self.ids:
            self.marks.anchor = self.cursor
        self.refresh()
        self.post_message(self.Counted())

    def mark_all(self) -> None:
        """Mark every row, once all are here; when all are marked already, none."""
        if not self.whole:
            self._all = not self._all
            return
        self.marks.toggle_all()
        self.refresh()
        self.post_message(self.Counted())

    def unmark(self) -> bool:
        """Take all marks and the range away; False when there were none."""
        had = self.marked > 0 or self._all
        self._all = False
        self.marks.clear()
        if had:
            self.refresh()
            self.post_message(self.Counted())
        return had

    # moving

    def move_to(self, index: int) -> None:
        """Put the cursor on a row that is here."""
        self._to_end = False
        super().move_to(index)

    def action_last(self) -> None:
        """To the last row; while ids are still being read to the last that is known until then."""
        super().action_last()
        self._to_end = not self.whole

    def draw_move(self, before: int) -> None:
        """Draw both rows; a whole range where there is one."""
        if self.marks.anchor is None:
            super().draw_move(before)
        else:
            self.refresh()
            self.post_message(self.Counted())

    def go_to(self, identity: int) -> bool:
        """Put the cursor on an interaction; False when it is not in this table."""
        try:
            index = self.ids.index(identity)
        except ValueError:
            return False
        self.move_to(index)
        return True

    # drawing

    def header(self, width: int) -> str:
        """The titles of the columns that fit."""
        columns = fitting(width - 2)
        return "  " + " ".join(fitted(c.title, w, right=c.right) for c, w in columns)

    def notify_style_update(self) -> None:
        """Draw in the colours of another theme."""
        self._drawn.clear()
        super().notify_style_update()

    def line(self, index: int, width: int) -> Strip:
        """One row's cells, behind its marks; Textual keeps what it makes of a strip with it."""
        row, marked = self._rows.row(self.ids, index), self.marks.holds(index, self.cursor)
        key = (row, self.ids[index], marked, index == self.cursor, width)
        if key not in self._drawn:
            if len(self._drawn) > LINES_KEPT:
                self._drawn.clear()
            self._drawn[key] = self._draw(*key)
        return self._drawn[key]

    def _draw(
        self, row: Row | None, identity: int, marked: bool, at_cursor: bool, width: int
    ) -> Strip:
        pointer = ("▸" if at_cursor else " ") + ("●" if marked else " ")
        over = Style()
        if marked:
            over += self.get_component_rich_style("lines--marked", partial=True)
        if at_cursor:
            over += self.get_component_rich_style("lines--cursor", partial=True)
        columns = fitting(width - 2)
        plain = self.get_component_rich_style("lines--plain") + over
        segments = [Segment(pointer, plain)]
        if row is None:
            segments.append(Segment(f"{identity:>7} (no longer in the store)", plain))
            return Strip(segments).adjust_cell_length(width, plain)
        for (column, _), cell in zip(columns, cells(row, columns), strict=True):
            name = column.style
            if name == "outcome" and row.success == 0:
                name = "failed"
            segments.append(Segment(cell, self.get_component_rich_style(f"lines--{name}") + over))
            segments.append(Segment(" ", plain))
        return Strip(segments[:-1]).adjust_cell_length(width, plain)
