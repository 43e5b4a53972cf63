"""The last line of a screen: the keys that matter here, as many as fit."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from studio import keys
from studio.commands import Command
from studio.screen_text import screen_text

LABEL_MOST = 10  # cells of a label, so that all agents fit into 80 columns


class KeyLine(Static):
    """Keys and labels from the command table; a click on one does it."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._shown: list[Command] = []

    def show(self, table: Sequence[Command], places: Sequence[str]) -> None:
        """Show the commands of these places."""
        self._shown = keys.footer(table, places)
        self._draw()

    def on_resize(self) -> None:
        """Show as many as fit now."""
        self._draw()

    def _draw(self) -> None:
        width = self.size.width or self.app.size.width
        parts: list[Content] = []
        room = width - sum(map(_width, self._shown[-1:]))  # the last one, help, always fits
        for command in self._shown[:-1]:
            if _width(command) > room:
                break
            parts.append(_part(command))
            room -= _width(command)
        parts.extend(map(_part, self._shown[-1:]))
        self.update(Content.assemble(*parts), layout=False)


def _label(command: Command) -> str:
    label = screen_text(command.label, one_line=True)
    return label if len(label) <= LABEL_MOST else label[: LABEL_MOST // 2] + "."


def _width(command: Command) -> int:
    return cell_len(f" {keys.first_key(command)} {_label(command)}")


def _part(command: Command) -> Content:
    key = Content.styled(f" {keys.first_key(command)}", "bold $footer-key-foreground")
    part = Content.assemble(key, f" {_label(command)}")
    return part.stylize(Style.from_meta({"@click": f"app.run_command({command.id!r})"}))
