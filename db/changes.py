"""What acts changed since one of them: for whoever keeps what was worked out from the rows."""

from __future__ import annotations

from sqlalchemy import Connection, text

# undo and redo are acts without items of their own: their value is the act that they turn
_TOUCHED = text(
    "SELECT DISTINCT interaction_id FROM act_item WHERE act_id IN ("
    "SELECT id FROM act WHERE (:kind IS NULL OR kind = :kind) AND id IN ("
    "SELECT CASE WHEN undoes_id IS NULL THEN id ELSE CAST(value_json AS INTEGER) END "
    "FROM act WHERE id > :act))"
)


def newest_act(connection: Connection) -> int:
    """The id of the newest act, 0 before the first."""
    return int(connection.execute(text("SELECT coalesce(max(id), 0) FROM act")).scalar_one())


def touched_since(connection: Connection, act: int, kind: str | None = None) -> list[int]:
    """The interactions that acts after `act` changed, undone and redone ones included.

    With `kind` only those that acts of this kind changed.
    """
    found = connection.execute(_TOUCHED, {"act": act, "kind": kind})
    return sorted(int(identity) for identity in found.scalars())
