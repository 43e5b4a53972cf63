"""The acts that keys and commands name: label, accept, drop, reset, tag, note, edit."""

from __future__ import annotations

import getpass

from db import acts
from db.acts import Done
from db.bulk_change import Selection
from db.errors import BadInput
from db.store import Store
from studio import settings

_STATUS_OF = {"accept": "accepted", "drop": "dropped", "reset": "new"}


def actor() -> str:
    """Who acts: the name of the user at this terminal."""
    try:
        return getpass.getuser()
    except OSError:  # no such user in this container
        return "unknown"


def turn(store: Store, kind: str) -> Done:
    """Take the last act back (`undo`), or bring back what was undone last (`redo`)."""
    turned = acts.undo if kind == "undo" else acts.redo
    return turned(store, 1, actor=actor())


def label(store: Store, selection: Selection, agent: str) -> Done:
    """Say whose task these interactions are. Raises BadInput for an agent that is not ours."""
    if agent not in settings.agents():
        raise BadInput(f"no agent {agent!r}; there are {', '.join(settings.agents())}")
    values = {
        "agent": agent,
        "agent_method": "human",
        "agent_confidence": 1.0,
        "agent_reason": None,
    }
    return acts.set_columns(
        store, selection, actor=actor(), kind="label", value=agent, values=values
    )


def set_status(store: Store, selection: Selection, kind: str) -> Done:
    """Accept, drop or reset (`kind`) interactions."""
    values = {"status": _STATUS_OF[kind]}
    return acts.set_columns(store, selection, actor=actor(), kind=kind, value=None, values=values)


def tag(store: Store, selection: Selection, name: str) -> Done:
    """Tag interactions. Raises BadInput for a name that the filter language could not find."""
    check_tag(name)
    return acts.add_tag(store, selection, name, actor=actor())


def check_tag(name: str) -> None:
    """Raises BadInput for a tag that the filter language could not find."""
    if not name or any(character.isspace() or character in '",:' for character in name):
        raise BadInput(f"a tag is one word without quotes, commas or colons, not {name!r}")


def note(store: Store, selection: Selection, text: str) -> Done:
    """Write a note on interactions; an empty one removes it."""
    values = {"note": text or None}
    return acts.set_columns(
        store, selection, actor=actor(), kind="note", value=text or None, values=values
    )


def edit(store: Store, identity: int, answer: str) -> Done:
    """Replace the answer of one interaction by a better one."""
    return acts.edit_answer(store, identity, answer, actor=actor())
