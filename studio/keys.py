"""Keys of the commands: what the user chose, their names, the footer, the list of the docs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character

from db.errors import BadInput
from studio.commands import COMMANDS, PLACES, Command

# ctrl+h is backspace, ctrl+i tab, ctrl+j and ctrl+m enter; ctrl+s and ctrl+z are the terminal's.
FORBIDDEN = frozenset(f"ctrl+{letter}" for letter in "hijmsz")

_WITH_PANES = ("datasets", "examples", "checks", "plan", "duplicates", "problems", "classes",
               "runs", "compare", "decide")  # fmt: skip
# Places that take keys at once, the innermost first: among their commands a key means one thing.
AT_ONCE: tuple[tuple[str, ...], ...] = (
    ("table", "browse", "everywhere"),
    ("conversation", "browse", "everywhere"),
    ("list", "views", "everywhere"),
    ("question", "everywhere"),
    ("prompt",),
    ("form",),
    *((pane, screen, "everywhere") for screen in _WITH_PANES for pane in ("lines", "pane")),
)


def with_keys(commands: Iterable[Command], chosen: Mapping[str, str]) -> tuple[Command, ...]:
    """The commands with the keys that the user chose; a key that another had is taken from it.

    `chosen` maps command ids to keys separated by blanks. Raises BadInput for a key that does not
    exist, that a terminal cannot tell from another, that was given to two commands of a place, or
    that a command of another place has which takes keys at the same time.
    """
    listed = list(commands)
    given: dict[tuple[str, str], str] = {}
    for identity, keys in chosen.items():
        _check_keys(identity, keys.split())
        at = next((n for n, command in enumerate(listed) if command.id == identity), None)
        if at is None:
            continue
        mine = replace(listed[at], keys=tuple(keys.split()))
        for key in mine.keys:
            other = given.setdefault((mine.where, key), identity)
            if other != identity:
                raise BadInput(f"keys: {key} is given to {other} and to {identity}")
        listed = [
            replace(other, keys=tuple(key for key in other.keys if key not in mine.keys))
            if _same_place(other, mine)
            else other
            for other in listed
        ]
        listed[at] = mine
    _check_shadows(listed, chosen)
    return tuple(listed)


def _check_shadows(listed: Sequence[Command], chosen: Mapping[str, str]) -> None:
    """Raise BadInput where a chosen key would hide another command's, or be hidden by it."""
    for mine in (command for command in listed if command.id in chosen):
        for other in listed:
            both = [key for key in mine.keys if key in other.keys]
            if other is not mine and both and _at_once(mine, other):
                raise BadInput(
                    f"keys: {mine.id}: {both[0]} is also {other.id}'s "
                    f"({PLACES[other.where].lower()}), and only one of them would get it; "
                    f"choose another key, or give {other.id} another one here too"
                )


def _at_once(one: Command, other: Command) -> bool:
    """Whether both take keys at the same time."""
    return any(one.where in places and other.where in places for places in AT_ONCE)


def _check_keys(identity: str, keys: Iterable[str]) -> None:
    for key in keys:
        if key in FORBIDDEN:
            raise BadInput(f"keys: {identity}: {key} cannot be used, terminals need it")
        if not _exists(key):
            raise BadInput(
                f"keys: {identity}: there is no key {key!r}; a character, or a name as in f5, "
                "ctrl+g, pagedown, question_mark"
            )


def _exists(key: str) -> bool:
    """Whether Textual knows a key of that name: a character, a key's or a character's name."""
    *modifiers, name = [key] if len(key) == 1 else key.split("+")
    if not set(modifiers) <= {"ctrl", "shift", "alt"}:
        return False
    return len(name) == 1 or name in _NAMED or len(key_to_character(name) or "") == 1


_NAMED = frozenset(key.value for key in Keys) | frozenset(KEY_NAME_REPLACEMENTS.values())


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
