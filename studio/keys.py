"""Keys of the commands: what the user chose, their names, the footer, the list of the docs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from db.errors import BadInput
from studio.commands import COMMANDS, Command

# ctrl+h is backspace, ctrl+i tab, ctrl+j and ctrl+m enter; ctrl+s and ctrl+z are the terminal's.
FORBIDDEN = frozenset(f"ctrl+{letter}" for letter in "hijmsz")


def with_keys(commands: Iterable[Command], chosen: Mapping[str, str]) -> tuple[Command, ...]:
    """The commands with the keys that the user chose; a key that another had is taken from it.

    `chosen` maps command ids to keys separated by blanks. Raises BadInput for a key that a
    terminal cannot tell from another.
    """
    listed = list(commands)
    for identity, keys in chosen.items():
        for key in keys.split():
            if key in FORBIDDEN:
                raise BadInput(f"keys: {identity}: {key} cannot be used, terminals need it")
        at = next((n for n, command in enumerate(listed) if command.id == identity), None)
        if at is None:
            continue
        mine = replace(listed[at], keys=tuple(keys.split()))
        listed = [
            replace(other, keys=tuple(key for key in other.keys if key not in mine.keys))
            if _same_place(other, mine)
            else other
            for other in listed
        ]
        listed[at] = mine
    return tuple(listed)


def _same_place(one: Command, other: Command) -> bool:
    return one.where == other.where


def check_ids(chosen: Iterable[str], known: Iterable[str]) -> None:
    """Raise BadInput for an id that is no command's."""
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        raise BadInput(f"keys: there is no command {unknown[0]!r}; ? in the app shows them all")


_NAMES = {
    "question_mark": "?", "slash": "/", "asterisk": "*", "space": "Space", "enter": "Enter",
    "escape": "Esc", "tab": "Tab", "down": "↓", "up": "↑", "left": "←", "right": "→",
    "pagedown": "PgDn", "pageup": "PgUp", "home": "Home", "end": "End", "f1": "F1", "f5": "F5",
    "equals_sign": "=", "less_than_sign": "<", "greater_than_sign": ">",
    "right_square_bracket": "]", "left_square_bracket": "[", "shift+tab": "Shift+Tab",
}  # fmt: skip


def key_names(command: Command) -> str:
    """The keys as a person reads them: `j ↓`."""
    return " ".join(_NAMES.get(key, key) for key in command.keys)


def first_key(command: Command) -> str:
    """The key that the footer shows."""
    return _NAMES.get(command.keys[0], command.keys[0]) if command.keys else ""


def footer(commands: Sequence[Command], places: Sequence[str]) -> list[Command]:
    """The commands for the footer, most wanted first; the innermost place comes first."""
    shown = [c for c in commands if c.footer and c.keys and c.where in places]
    return sorted(shown, key=lambda c: (c.footer == 99, c.footer))


def key_list(commands: Iterable[Command] = COMMANDS) -> str:
    """The key list of the docs, as Markdown."""
    lines = ["| keys | command | what it does | id |", "|---|---|---|---|"]
    for command in commands:
        keys = " ".join(f"`{name}`" for name in key_names(command).split())
        lines.append(f"| {keys} | {command.label} | {command.help} | `{command.id}` |")
    return "\n".join(lines)
