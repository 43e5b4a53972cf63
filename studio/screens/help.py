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
from studio.widgets.hanging import hanging

WIDTH, FRAME = 78, 6  # cells: of the list at most (app.tcss), and of its border, padding and bar


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
        """Take the keys."""
        self.query_one(KeyList).focus()

    def on_resize(self) -> None:
        """Fill the list, as wide as there is room."""
        listed = self.query_one(KeyList)
        at = listed.highlighted
        listed.clear_options()
        width = min(WIDTH, self.app.size.width - 4) - FRAME
        for place in self._places:
            listed.add_option(None)
            listed.add_option(Content.styled(PLACES[place], "bold"))
            for command in self._table:
                if command.where == place and command.keys:
                    listed.add_option(_line(command, width))
        listed.highlighted = at


def _line(command: Command, width: int) -> Content:
    label = Content.assemble(
        Content.styled(f"{_short(key_names(command)):>15}  ", "$text-accent"),
        f"{screen_text(command.label, one_line=True):<17}",
    )
    return hanging(label, Content.styled(command.help, "$text-muted"), width)


def _short(names: str) -> str:
    """As many of the keys as there is room for; the first ones say enough."""
    while len(names) > 15:
        names = names.rpartition(" ")[0]
    return names
