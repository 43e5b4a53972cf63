"""Put the keys of the command table on a screen or a widget."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode

from studio.commands import Command


def bind(node: DOMNode, commands: Iterable[Command], *places: str) -> None:
    """Give a node exactly the keys of the commands of these places."""
    node._bindings = BindingsMap(
        Binding(",".join(command.keys), command.action, command.label, show=False)
        for command in commands
        if command.where in places and command.keys
    )
