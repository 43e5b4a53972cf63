"""What the numbered screens share: a status line above, messages and keys below."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from db.reader import ActLine, Reader
from studio import acting
from studio.acting import Act, Outcome
from studio.commands import Command
from studio.screen_text import screen_text
from studio.widgets.bindings import bind
from studio.widgets.columns import fitted
from studio.widgets.hanging import lines_at_most
from studio.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from studio.app import AdapterStudio

SLOW = 1.0  # seconds after which an act that is not written yet is worth a word
WRONG_LINES = 3  # that say what is wrong


class StudioScreen(Screen[None]):
    """A numbered screen. Its `compose` yields Statics `#status` and `#message`, and a KeyLine."""

    PLACE: ClassVar[str]
    """Its place in the command table."""

    def __init__(self, path: Path, table: Sequence[Command]) -> None:
        super().__init__()
        self.path, self.commands = path, table
        self._slow: Timer | None = None
        bind(self, table, self.PLACE)

    @property
    def studio(self) -> AdapterStudio:
        """The app."""
        return cast("AdapterStudio", self.app)

    def say(self, text: str, *, wrong: bool = False) -> None:
        """Show a line above the keys; the way on, which follows its last `·`, is never cut off.

        What is `wrong` has more lines where it needs them.
        """
        line = self.query_one("#message", Static)
        line.set_class(wrong, "-wrong")
        said, room = screen_text(text, one_line=True), self.size.width - 1
        what, _, way = said.rpartition(" · ")
        lines = [Content(said)]
        if cell_len(said) > room and wrong:
            lines = lines_at_most(lines[0], room, WRONG_LINES)
        elif cell_len(said) > room and what and cell_len(way) < room // 2:
            lines = [Content(f"{fitted(what, room - cell_len(way) - 3).rstrip()} · {way}")]
        line.update(Content("\n").join(Content(" ") + part for part in lines), layout=False)
        line.styles.height = len(lines)

    def draw_status(self, parts: Sequence[str], counts: Sequence[str] = ()) -> None:
        """The first line: what is shown on the left, how much of it on the right."""
        right = " ─ ".join(counts) + " "
        left = screen_text(" ─ ".join(parts), one_line=True)
        room = self.size.width - cell_len(right) - 4  # blanks around both, a line between them
        if cell_len(left) > room:
            left = fitted(left, max(1, room)).rstrip()
        line = f" {left} {'─' * max(1, room + 1 - cell_len(left))} {right}"
        self.query_one("#status", Static).update(Content(line), layout=False)

    def draw_keys(self) -> None:
        """The last line: the keys of what has the focus."""
        places = self.places()
        if places not in (["prompt"], ["form"]):
            places = [*places, "everywhere"]
        self.query_one(KeyLine).show(self.commands, places)

    def places(self) -> list[str]:
        """The places of the command table that have the focus, the innermost first."""
        return [self.PLACE]

    def on_descendant_focus(self) -> None:
        """Other keys matter now."""
        self.draw_keys()

    def back(self) -> bool:
        """Close the innermost thing that is open; False when nothing is."""
        return False

    def opened(self, table: Sequence[Command]) -> None:
        """The store is open: acts can be written, and every agent has its command."""
        self.commands = table
        bind(self, table, self.PLACE)
        self.draw_keys()

    def act_of(self, outcome: Outcome) -> ActLine | None:
        """What was written, undone or redone; None where nothing was, or the file is gone."""
        if outcome.done is not None and outcome.done.acts:
            with contextlib.suppress(sqlite3.Error), contextlib.closing(Reader(self.path)) as store:
                return store.act(outcome.done.acts[-1])
        return None

    def acted(self, outcome: Outcome) -> None:
        """An act was written: say so."""
        self.say(acting.report(outcome, self.act_of(outcome)), wrong=outcome.error is not None)

    def write(self, act: Act, kind: str = "act") -> bool:
        """Write an act after those before it; False, and said, while the store is not open yet."""
        opened = self.studio.act(act, kind)
        if not opened:
            self.say("the store is still being opened; again in a moment")
        elif self._slow is None:
            self._slow = self.set_timer(SLOW, self._say_slow)
        return opened

    def _say_slow(self) -> None:
        self._slow = None
        if self.studio.acts_wait:
            self.say("still writing: another program may hold the store; tried for 10 s")

    def turn(self, kind: str) -> None:
        """`undo` or `redo` the last act."""
        from studio.curation.named_acts import turn

        self.write(lambda store: turn(store, kind), kind)

    def action_undo(self) -> None:
        """Take the last act back."""
        self.turn("undo")

    def action_redo(self) -> None:
        """Bring back what was undone."""
        self.turn("redo")
