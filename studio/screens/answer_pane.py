"""Both answers to the item under the cursor, each under the name and the verdict of its arm."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.worker import get_current_worker

from studio.commands import Command
from studio.evals import stored
from studio.evals.stored import Comparison
from studio.screen_text import screen_text
from studio.screens import answers
from studio.widgets.columns import fitted
from studio.widgets.side_by_side import Section, SideBySide, column

Item = Mapping[str, Any]  # as `compare` lists it


class AnswerPane(Vertical):
    """Reads the answers in a worker and shows them beside each other."""

    class Read(Message):
        """Both answers to an item, or why they could not be read."""

        def __init__(self, item: Item, sections: list[Section], error: str = "") -> None:
            self.item, self.sections, self.error = item, sections, error
            super().__init__()

    def __init__(self, path: Path, commands: Iterable[Command], id: str | None = None) -> None:
        super().__init__(id=id)
        self.path, self._commands = path, commands
        self.item: Item | None = None  # whose answers are shown
        self.sections: list[Section] = []
        self._comparison: Comparison | None = None
        self._asked: tuple[object, ...] | None = None
        self._whole = False  # whether long requests are shown in full

    def compose(self) -> ComposeResult:
        """The names above both answers."""
        yield Static("", id="names", markup=False)
        yield SideBySide(self._commands, id="sides")

    @property
    def sides(self) -> SideBySide:
        """Both answers."""
        return self.query_one(SideBySide)

    def show(self, comparison: Comparison, item: Item | None) -> None:
        """Show the answers of a comparison to one of its items."""
        self._comparison = comparison
        if item is None:
            self._asked = None
            self._draw(None, [])
            return
        asked = (comparison.a.id, comparison.b.id, item["item"], self._whole)
        if asked != self._asked:
            self._asked = asked
            job = partial(self._read, comparison, item, self._whole)
            # with a description of its own, else Textual makes one of the whole comparison
            self.run_worker(job, thread=True, exclusive=True, group="answers", description="read")

    def _read(self, comparison: Comparison, item: Item, whole: bool) -> None:
        try:
            found = stored.sides(self.path, (comparison.a, comparison.b), item["item"])
        except sqlite3.Error as error:
            self.post_message(self.Read(item, [], str(error)))
            return
        if found is not None and not get_current_worker().is_cancelled:
            case = stored.item_of(comparison.suite, item["item"])
            shown = answers.sections(case, comparison.why, found[0], found[1], whole=whole)
            self.post_message(self.Read(item, shown))

    def on_answer_pane_read(self, message: Read) -> None:
        """Draw what the worker has read; the screen says what is wrong."""
        if not message.error:
            message.stop()
            self._draw(message.item, message.sections)

    def _draw(self, item: Item | None, sections: list[Section]) -> None:
        same = item is not None and self.item is not None and item["item"] == self.item["item"]
        self.item, self.sections = item, sections
        self.sides.show(sections, anew=not same)
        self._draw_names()

    def on_resize(self) -> None:
        """Draw the names over their sides."""
        self._draw_names()

    def _draw_names(self) -> None:
        """Which side is which, with the verdict of each."""
        if self._comparison is None:
            return
        names = []
        for side, name, key in zip("AB", self._comparison.names, "ab", strict=True):
            verdict = f": {self.item[key]}" if self.item else ""
            names.append(screen_text(f"{side} {name}{verdict}", one_line=True))
        half = column(self.size.width - 1)
        line = f"{fitted(names[0], half)} │ {fitted(names[1], half)}"
        self.query_one("#names", Static).update(Content(line), layout=False)

    def toggle_whole(self) -> None:
        """Show long requests in full, or their first lines."""
        self._whole = not self._whole
        if self._comparison is not None:
            self.show(self._comparison, self.item)

    def text(self) -> str:
        """All that is shown, for the clipboard and the pager."""
        if self._comparison is None or self.item is None:
            return ""
        return answers.as_text(self.item["item"], self._comparison.names, self.sections)
