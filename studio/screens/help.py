"""What the keys do here: the command table, the innermost place first."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList

from studio.commands import PLACES, Command
from studio.keys import key_names
from studio.screen_text import screen_text
from studio.widgets.bindings import bind


class KeyList(OptionList, inherit_bindings=False):
    """Lines that one can move through."""


class HelpScreen(ModalScreen[None]):
    """The commands of some places."""

    def __init__(self, table: Sequence[Command], places: Sequence[str]) -> None:
        super().__init__()
        bind(self, table, "everywhere")
        self._table, self._places = table, places

    def compose(self) -> ComposeResult:
        """One line a command."""
        found = KeyList(id="help", markup=False)
        found.border_title = "Keys here"
        found.border_subtitle = "Esc closes"
        bind(found, self._table, "list")
        yield found

    def on_mount(self) -> None:
        """Fill the list."""
        listed = self.query_one(KeyList)
        for place in self._places:
            listed.add_option(None)
            listed.add_option(Content.styled(PLACES[place], "bold"))
            for command in self._table:
                if command.where == place and command.keys:
                    listed.add_option(_line(command))
        listed.focus()


def _line(command: Command) -> Content:
    return Content.assemble(
        Content.styled(f"{key_names(command):>15}  ", "$text-accent"),
        screen_text(f"{command.label:<17}", one_line=False),
        Content.styled(command.help, "$text-muted"),
    )
