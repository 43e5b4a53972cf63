"""What the numbered screens share: a status line above, messages and keys below."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from studio import acting
from studio.acting import Outcome
from studio.commands import Command
from studio.screen_text import screen_text
from studio.widgets.bindings import bind
from studio.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from studio.app import AdapterStudio


class StudioScreen(Screen[None]):
    """A numbered screen. Its `compose` yields Statics `#status` and `#message`, and a KeyLine."""

    PLACE: ClassVar[str]
    """Its place in the command table."""

    def __init__(self, path: Path, table: Sequence[Command]) -> None:
        super().__init__()
        self.path, self.commands = path, table
        bind(self, table, self.PLACE)

    @property
    def studio(self) -> AdapterStudio:
        """The app."""
        return cast("AdapterStudio", self.app)

    def say(self, text: str, *, wrong: bool = False) -> None:
        """Show a line for the user, above the keys."""
        line = self.query_one("#message", Static)
        line.set_class(wrong, "-wrong")
        line.update(Content(" " + screen_text(text, one_line=True)), layout=False)

    def draw_status(self, parts: Sequence[str], counts: Sequence[str] = ()) -> None:
        """The first line: what is shown on the left, how much of it on the right."""
        left = " " + screen_text(" ─ ".join(parts), one_line=True)
        right = " ─ ".join(counts) + " "
        gap = self.size.width - len(left) - len(right)
        line = f"{left[: max(0, self.size.width - len(right) - 3)]} {'─' * max(1, gap - 2)} {right}"
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

    def acted(self, outcome: Outcome) -> None:
        """An act was written: say so."""
        self.say(acting.report(outcome, None), wrong=outcome.error is not None)
