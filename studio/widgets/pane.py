"""A text that can be scrolled."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from studio.commands import Command
from studio.widgets.bindings import bind


class Pane(VerticalScroll, can_focus=True, inherit_bindings=False):
    """Some lines of text, as wide as there is room."""

    def __init__(self, commands: Iterable[Command], id: str | None = None) -> None:
        super().__init__(id=id)
        bind(self, commands, "pane")

    def compose(self) -> ComposeResult:
        """The text."""
        yield Static("", markup=False)

    def show(self, text: Content) -> None:
        """Show another text, from its top."""
        self.query_one(Static).update(text)
        self.scroll_to(y=0, animate=False, force=True)

    @property
    def text(self) -> str:
        """What is shown, without its styles."""
        return str(self.query_one(Static).render())
