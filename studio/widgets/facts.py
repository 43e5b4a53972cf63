"""A text about one thing, made for the room there is, that stays where it was scrolled to."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from studio.commands import Command
from studio.widgets.bindings import bind

Make = Callable[[int, int], Content]  # of a width and a height in cells


class Facts(VerticalScroll, inherit_bindings=False):
    """What is known of something; it changes while one reads it."""

    def __init__(self, commands: Iterable[Command], id: str | None = None) -> None:
        super().__init__(id=id)
        bind(self, commands, "lines")
        self._make: Make = lambda _width, _height: Content("")

    def compose(self) -> ComposeResult:
        """The text."""
        yield Static("", markup=False)

    def show(self, make: Make) -> None:
        """Show what `make` answers, now and whenever there is other room for it."""
        self._make = make
        self.on_resize()

    def on_resize(self) -> None:
        """Make the text anew."""
        room = self.scrollable_content_region
        if room.width > 0:
            self.query_one(Static).update(self._make(room.width, room.height))

    @property
    def text(self) -> str:
        """What is shown, without its styles."""
        return str(self.query_one(Static).render())

    def action_down(self) -> None:
        """One line down."""
        self.scroll_down(animate=False)

    def action_up(self) -> None:
        """One line up."""
        self.scroll_up(animate=False)

    def action_page_down(self) -> None:
        """One page down."""
        self.scroll_page_down(animate=False)

    def action_page_up(self) -> None:
        """One page up."""
        self.scroll_page_up(animate=False)

    def action_first(self) -> None:
        """The beginning."""
        self.scroll_home(animate=False)

    def action_last(self) -> None:
        """The end."""
        self.scroll_end(animate=False)
