"""Screen 1, Browse: the table of interactions, the conversation beside it, and curation by key."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from db import reader, search
from db.errors import StudioError
from db.reader import Reader
from studio.commands import Command
from studio.preferences import View
from studio.screen_text import screen_text
from studio.screens import asking, leaving
from studio.screens.importing import ImportingScreen
from studio.widgets.conversation import Conversation
from studio.widgets.id_feed import Failed
from studio.widgets.import_line import ImportLine
from studio.widgets.key_line import KeyLine
from studio.widgets.prompt import Prompt
from studio.widgets.row_table import RowTable

FOLLOW = 0.03  # seconds that the cursor rests before the conversation follows it
TYPING = 0.02  # seconds without a key before a search runs
POLL = 1.0  # seconds between looks at what others have written
ONE_FRAME = 0.025  # seconds that the closing prompt waits for the first rows, to be drawn with them
WIDE = 120  # columns from which the conversation stands beside the table
QUEUE = View("status:new -method:human,declared", "", "confidence")


class BrowseScreen(ImportingScreen):
    """Interactions to filter, read and curate."""

    PLACE = "browse"

    class Totalled(Message):
        """How many interactions the store has, up to its highest id."""

        def __init__(self, total: int, newest: int) -> None:
            self.total, self.newest = total, newest
            super().__init__()

    def __init__(self, path: Path, table: Sequence[Command]) -> None:
        super().__init__(path, table)
        self.view = View()
        self.total: int | None = None
        self._newest = 0  # the highest id that the total counts
        self.values: dict[str, list[str]] = {}
        self._timer: Timer | None = None
        self._looks: Timer | None = None
        self._typing: Timer | None = None

    def compose(self) -> ComposeResult:
        """Status, table and conversation, a line for messages, the prompt, the keys."""
        self.set_class(self.app.size.width >= WIDE, "-wide")  # before there is much to style anew
        yield Static("", id="status", markup=False)
        with Container(id="panes"):
            yield RowTable(self.path, self.commands, id="rows")
            yield Static("", id="empty", markup=False)
            yield Conversation(self.path, self.commands, id="conversation")
        yield ImportLine(self.path, id="import")
        yield Static("", id="message", markup=False)
        yield Prompt(self.commands, id="prompt")
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Read the newest rows."""
        self.prompt.display = False
        self.rows.focus()
        self.call_after_refresh(self.show_view, self.view)  # the first frame waits for no row
        self._looks = self.set_interval(POLL, self._poll)
        self._draw_status()
        self.draw_keys()

    def on_screen_resume(self) -> None:
        """Draw what other screens have changed meanwhile."""
        if self.rows.loaded:
            self.rows.forget()
            self.follow()

    def on_resize(self) -> None:
        """Put the conversation beside the table where there is room."""
        self.set_class(self.size.width >= WIDE, "-wide")
        self._draw_status()

    def opened(self, table: Sequence[Command]) -> None:
        """The store is open: acts can be written, and every agent has its command."""
        super().opened(table)
        self.import_line.follow()
        if not self.rows.loaded:  # an older store, which has been upgraded meanwhile
            self.show_view(self.view)

    # the view

    def show_view(self, view: View, *, keep: int | None = None) -> None:
        """Show a view from its top, or with the cursor on the interaction `keep`."""
        try:
            wanted = reader.query(view.filter, view.search, view.sort)
        except StudioError as error:
            self.say(f"error: {error}", wrong=True)
            return
        self.view = view
        self.conversation.hits = search.hit_pattern(view.search)
        self.rows.show(wanted, keep=keep)
        self._draw_status()

    def _poll(self) -> None:
        if self.prompt.display or self.studio.acts_wait:  # what is asked for comes first
            return
        with contextlib.suppress(sqlite3.Error):
            self.rows.poll()

    @on(RowTable.Counted)
    def _counted(self) -> None:
        self.studio.open()
        self._draw_status()
        self._draw_empty()
        self._count((self.total or 0, self._newest))

    @work(thread=True, exclusive=True, group="total")
    def _count(self, since: tuple[int, int]) -> None:
        with contextlib.suppress(sqlite3.Error), contextlib.closing(Reader(self.path)) as store:
            self.post_message(self.Totalled(*store.total(since)))

    def on_browse_screen_totalled(self, message: Totalled) -> None:
        """Draw the total that a worker counted."""
        if message.newest < self._newest:  # an older count that came later
            return
        self.total, self._newest = message.total, message.newest
        self._draw_status()
        self._draw_empty()

    @on(Failed)
    def _failed(self, event: Failed) -> None:
        self.studio.open()
        if self.studio.store is not None:  # else the store is still being opened, or upgraded
            self.say(f"error: {self.path.name}: {event.reason}", wrong=True)

    @on(RowTable.Moved)
    def _moved(self) -> None:
        if self.has_class("-zoomed"):
            self._draw_status()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(FOLLOW, self._rested)

    def _rested(self) -> None:
        """Show the conversation: what an act did is said before, unless it has to wait."""
        if self.studio.acts_wait:
            self._timer = self.set_timer(FOLLOW, self.follow)
        else:
            self.follow()

    @on(RowTable.Opened)
    def _row_opened(self) -> None:
        self.action_zoom()

    # drawing

    def _draw_status(self) -> None:
        rows = self.rows
        parts = [f"1 Browse ─ {self.path.name}"]
        wanted = [self.view.filter, f"/{self.view.search}" if self.view.search else ""]
        if shown := " ".join(part for part in wanted if part):
            parts.append(shown)
        if self.view.sort != "-id":
            parts.append(f"by {self.view.sort}")
        count = (f"{len(rows.ids):,}" if rows.ids or rows.whole else "") + "…" * (not rows.whole)
        if self.has_class("-zoomed") and rows.ids:
            parts.append(f"{rows.current}, row {rows.cursor + 1:,}")
        counts = [f"{count} of {'…' if self.total is None else f'{self.total:,}'}"]
        if marked := rows.marked:
            counts.insert(0, f"{marked:,} marked")
        if rows.marks.anchor is not None:
            counts.insert(0, "RANGE")
        if rows.arrived:
            counts.append(f"+{rows.arrived:,} new (R)")
        self.draw_status(parts, counts)

    def _draw_empty(self) -> None:
        rows = self.rows
        empty = rows.loaded and rows.whole and not rows.ids
        self.set_class(empty, "-empty")
        if not empty:
            return
        if self.total:
            search = ["/ changes the search"] if self.view.search else []
            ways = [*search, *["f changes the filter"] * bool(self.view.filter)]
            text = f"Nothing matches.\n\n{' · '.join(ways)} · Esc takes it away."
        else:
            text = (
                "no interactions yet: i imports logs\n\n"
                "Files or folders of your agents' logs, recognised by their content.\n"
                "They appear here as they arrive. The same from a shell:\n\n"
                f"studio import PATH --store {screen_text(self.studio.location, one_line=True)}"
            )
        self.query_one("#empty", Static).update(Content(text))

    def places(self) -> list[str]:
        """The places of the command table that have the focus, the innermost first."""
        if self.prompt.display:
            return ["prompt"]
        return ["conversation" if self.focused is self.conversation else "table", "browse"]

    def on_descendant_focus(self) -> None:
        """Other keys matter now."""
        super().on_descendant_focus()
        self.conversation.refresh()

    # moving about

    def back(self) -> bool:
        """Close the innermost thing that is open; False when nothing is."""
        if self.has_class("-zoomed"):
            self.remove_class("-zoomed")
            self._draw_status()
            self.rows.focus()
        elif self.rows.unmark():
            self.say("")
        elif self.focused is self.conversation:
            self.rows.focus()
        elif self.view.search:
            self.show_view(View(self.view.filter, "", self.view.sort), keep=self.rows.current)
        elif self.view.filter:
            self.show_view(View(), keep=self.rows.current)
        else:
            return False
        return True

    def action_zoom(self) -> None:
        """Show this conversation in full."""
        if self.rows.current is not None:
            self.add_class("-zoomed")
            self._draw_status()
            self.conversation.focus()

    def action_next_row(self) -> None:
        """One row down, wherever the focus is."""
        self.rows.action_down()

    def action_previous_row(self) -> None:
        """One row up, wherever the focus is."""
        self.rows.action_up()

    def action_pane_right(self) -> None:
        """To the conversation; in full view to the next row."""
        if self.has_class("-zoomed"):
            self.action_next_row()
        else:
            self.conversation.focus()

    def action_pane_left(self) -> None:
        """To the table; in full view to the row before."""
        if self.has_class("-zoomed"):
            self.action_previous_row()
        else:
            self.rows.focus()

    def action_switch(self) -> None:
        """To the other pane."""
        if not self.has_class("-zoomed"):
            (self.rows if self.focused is self.conversation else self.conversation).focus()

    def action_next_hit(self) -> None:
        """The next place that the search found, in this conversation or the next one."""
        if not self.view.search:
            self.say("nothing is searched for; / searches")
        elif not self.conversation.next_hit(1):
            self.rows.action_down()

    def action_previous_hit(self) -> None:
        """The place before that the search found."""
        if not self.view.search:
            self.say("nothing is searched for; / searches")
        elif not self.conversation.next_hit(-1):
            self.rows.action_up()

    def action_refresh(self) -> None:
        """Ask again, with the cursor where it is."""
        self.say("")
        self.show_view(self.view, keep=self.rows.current)

    # asking and leaving

    def action_filter(self) -> None:
        """Ask for a filter."""
        asking.filter(self)

    def action_search(self) -> None:
        """Search as the user types."""
        asking.search(self)

    def action_sort(self) -> None:
        """Ask for an order."""
        asking.sort(self)

    def action_tag(self) -> None:
        """Ask for a tag."""
        asking.tag(self)

    def action_note(self) -> None:
        """Ask for a note."""
        asking.note(self)

    def action_save_view(self) -> None:
        """Ask for a name for this view."""
        asking.view_name(self)

    def action_views(self) -> None:
        """Open a saved view."""
        asking.views(self)

    def action_queue(self) -> None:
        """Bring what the classifier is least sure of first."""
        self.show_view(QUEUE)
        self.say("least certain first; a label takes you to the next one · Esc leaves the queue")

    def action_classes(self) -> None:
        """The mix, and how far the classes can be trusted."""
        from studio.screens.classes import ClassesScreen

        self.app.push_screen(ClassesScreen(self.path, self.commands))

    def action_edit(self) -> None:
        """Write a better answer in $EDITOR."""
        leaving.edit(self)

    def action_pager(self) -> None:
        """Read the conversation in $PAGER."""
        leaving.page(self)

    def action_copy(self) -> None:
        """Copy the answer or the chosen message."""
        leaving.copy(self)

    @on(Prompt.Changed)
    def _typed(self, event: Prompt.Changed) -> None:
        if event.kind == "search":
            if self._typing is not None:
                self._typing.stop()
            self._typing = self.set_timer(TYPING, lambda: asking.search_for(self, event.value))

    @on(Prompt.Answered)
    def _answered(self, event: Prompt.Answered) -> None:
        self.app.delay_update(ONE_FRAME)
        if self._looks is not None:
            self._looks.reset()
        if self._typing is not None:
            self._typing.stop()
        self.rows.focus()
        asking.answered(self, event.kind, event.value)

    @on(Prompt.Cancelled)
    def _cancelled(self, event: Prompt.Cancelled) -> None:
        if self._typing is not None:
            self._typing.stop()
        self.rows.focus()
        if event.kind == "search" and event.value != self.view.search:
            asking.search_for(self, event.value)
