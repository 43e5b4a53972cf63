"""What happened to stored interactions since: for whoever keeps what was worked out from them.

Acts say what they changed. An import that finds a longer version of an interaction, or whose it is,
is no act, so it leaves a row in `imported_change`.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, text


class Stamp(NamedTuple):
    """How far what happened is known: the newest act and the newest change by an import."""

    act: int = 0
    imported: int = 0


# undo and redo are acts without items of their own: their value is the act that they turn
_TOUCHED = text(
    "SELECT interaction_id FROM imported_change WHERE id > :imported UNION "
    "SELECT interaction_id FROM act_item WHERE act_id IN ("
    "SELECT id FROM act WHERE (:kind IS NULL OR kind = :kind) AND id IN ("
    "SELECT CASE WHEN undoes_id IS NULL THEN id ELSE CAST(value_json AS INTEGER) END "
    "FROM act WHERE id > :act))"
)
_NEWEST = text(
    "SELECT (SELECT coalesce(max(id), 0) FROM act) AS act, "
    "(SELECT coalesce(max(id), 0) FROM imported_change) AS imported"
)
_IMPORTED = text("INSERT INTO imported_change (interaction_id) VALUES (:id)")


def now(connection: Connection) -> Stamp:
    """The stamp of what happened up to now."""
    return Stamp(*connection.execute(_NEWEST).one())


def touched_since(connection: Connection, stamp: Stamp) -> list[int]:
    """The interactions that acts, undone and redone ones included, or imports changed; by id."""
    return _since(connection, stamp, None)


def rewritten_since(connection: Connection, stamp: Stamp) -> list[int]:
    """Those of them whose texts may be others now."""
    return _since(connection, stamp, "edit")


def changed_by_import(connection: Connection, identity: int) -> None:
    """Note that an import changed an interaction that was there before."""
    connection.execute(_IMPORTED, {"id": identity})


def _since(connection: Connection, stamp: Stamp, kind: str | None) -> list[int]:
    found = connection.execute(_TOUCHED, {**stamp._asdict(), "kind": kind})
    return sorted(int(identity) for identity in found.scalars())
