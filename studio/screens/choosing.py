"""Choose one of a few: a suite, an arm."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList

from studio.commands import Command
from studio.screen_text import screen_text
from studio.widgets.bindings import bind


class Choices(OptionList, inherit_bindings=False):
    """One line a choice."""


class ChoosingScreen(ModalScreen[int | None]):
    """Answers with the number of the choice, None when nothing was chosen."""

    def __init__(
        self, table: Sequence[Command], title: str, choices: Sequence[str], chosen: int = 0
    ) -> None:
        super().__init__()
        bind(self, table, "everywhere")
        self._table, self._title, self._choices, self._chosen = table, title, choices, chosen

    def compose(self) -> ComposeResult:
        """One line a choice, with the cursor on the present one."""
        lines = [Content(screen_text(choice, one_line=True)) for choice in self._choices]
        listed = Choices(*lines, id="choices", markup=False)
        listed.border_title = Content(screen_text(self._title, one_line=True))
        listed.border_subtitle = "Enter takes · Esc leaves it"
        bind(listed, self._table, "list")
        yield listed

    def on_mount(self) -> None:
        """Begin at what is chosen now."""
        listed = self.query_one(Choices)
        listed.highlighted = self._chosen
        listed.focus()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index)
