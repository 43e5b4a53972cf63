"""A question that is answered by yes or no."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from studio.commands import Command
from studio.screen_text import screen_text
from studio.widgets.bindings import bind


class ConfirmScreen(ModalScreen[bool]):
    """Asks before something is done; answers whether it is to be done (None when it was left)."""

    def __init__(self, table: Sequence[Command], question: str) -> None:
        super().__init__()
        bind(self, table, "question", "everywhere")
        self.question = question

    def compose(self) -> ComposeResult:
        """The question in a frame."""
        shown = Static(Content(screen_text(self.question)), id="question", markup=False)
        shown.border_subtitle = "y or Enter yes · n or Esc no"
        yield shown

    def action_yes(self) -> None:
        """Do it."""
        self.dismiss(True)

    def action_no(self) -> None:
        """Leave everything as it is."""
        self.dismiss(False)
