"""A screen on which interactions are marked and decided on: one key, one act, one undo."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

from db.reader import Body, Reader
from studio import acting
from studio.acting import Outcome
from studio.screens.frame import StudioScreen
from studio.widgets.conversation import Conversation
from studio.widgets.prompt import Prompt
from studio.widgets.row_table import RowTable

if TYPE_CHECKING:
    from db.acts import Done
    from db.store import Store


class CuratedScreen(StudioScreen):
    """Marks and acts on the rows of a table, with a conversation and a line for messages."""

    @property
    def rows(self) -> RowTable:
        """The table."""
        return self.query_one("#rows", RowTable)

    @property
    def conversation(self) -> Conversation:
        """The pane that follows the cursor."""
        return self.query_one("#conversation", Conversation)

    @property
    def prompt(self) -> Prompt:
        """The line that asks."""
        return self.query_one("#prompt", Prompt)

    def follow(self) -> None:
        """Show the conversation of the row under the cursor."""
        self.conversation.show(self.rows.current)

    def body(self, to: str) -> Body | None:
        """The interaction under the cursor in full, `to` edit it, say; None, and said, for none."""
        current, found = self.rows.current, None
        try:
            if current is not None:
                with contextlib.closing(Reader(self.path)) as store:
                    found = store.body(current)
        except sqlite3.Error as error:
            self.say(f"error: {self.path.name}: {error}", wrong=True)
            return None
        if found is None:
            self.say(f"there is no row to {to}")
        return found

    # marks

    def action_mark(self) -> None:
        """Mark this row."""
        self.rows.toggle_mark()

    def action_range(self) -> None:
        """Begin or end a range."""
        self.rows.toggle_range()

    def action_mark_all(self) -> None:
        """Mark every row that matches."""
        self.rows.mark_all()

    # acts

    def act(self, run: Callable[[Store, list[int]], Done], *, advance: bool = False) -> None:
        """Let an act write the marked rows, or the cursor's; then go on to the next row."""
        self.rows.when_settled(lambda: self._act(run, advance=advance))

    def _act(self, run: Callable[[Store, list[int]], Done], *, advance: bool) -> None:
        rows, marked = self.rows, self.rows.marked
        ids = rows.selected_marks() if marked else [rows.current] if rows.ids else []
        chosen = [identity for identity in ids if identity is not None]
        if not chosen:
            self.say("there is no row to act on")
            return
        if not self.write(lambda store: run(store, chosen)):
            return
        if marked:
            self.say(f"writing {acting.rows(len(chosen))} …")
            rows.unmark()
        elif advance:
            rows.action_down()

    def acted(self, outcome: Outcome) -> None:
        """An act was written: say so, and draw what it changed."""
        act = self.act_of(outcome)
        self.say(acting.report(outcome, act), wrong=outcome.error is not None)
        self.rows.forget()
        if outcome.kind != "act" and act is not None and act.only is not None:
            self.rows.go_to(act.only)
        if act is None or act.only in (None, self.rows.current):  # else it is not on the screen
            self.follow()

    def action_run_label(self, agent: str) -> None:
        """Say whose task it is."""
        from studio.curation import named_acts

        self.act(lambda store, ids: named_acts.label(store, ids, agent), advance=True)

    def _set_status(self, kind: str) -> None:
        from studio.curation import named_acts

        self.act(lambda store, ids: named_acts.set_status(store, ids, kind), advance=True)

    def action_accept(self) -> None:
        """Take into datasets."""
        self._set_status("accept")

    def action_drop(self) -> None:
        """Keep out of datasets."""
        self._set_status("drop")

    def action_reset(self) -> None:
        """Neither accepted nor dropped."""
        self._set_status("reset")

    def turn(self, kind: str) -> None:
        """`undo` or `redo` the last act, after those that wait for their rows."""
        turn = super().turn
        self.rows.when_settled(lambda: turn(kind))
