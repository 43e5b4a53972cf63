"""What was decided: the newest acts, and the acts on one interaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, text

from db.interactions import loads
from db.store import Store


def history(store: Store, limit: int = 50) -> list[dict[str, Any]]:
    """The newest acts first, each with who, when, what, before, after and what undid it."""
    with store.read() as connection:
        rows = connection.execute(
            text(
                "SELECT a.*, CASE WHEN s.applied = 0 THEN s.head_id END AS undone_by FROM act a "
                "LEFT JOIN act_state s ON s.act_id = a.id ORDER BY a.id DESC LIMIT :limit"
            ),
            {"limit": limit},
        ).mappings()
        return [
            {
                **_said(row),
                "ids_count": row["ids_count"],
                "before": loads(row["before_json"]),
                "after": loads(row["after_json"]),
                "undone_by": row["undone_by"],
            }
            for row in rows
        ]


def acts_on(connection: Connection, identity: int) -> list[dict[str, Any]]:
    """The acts that touched one interaction, oldest first."""
    rows = connection.execute(
        text(
            "SELECT a.id, a.at_ms, a.actor, a.kind, a.value_json, i.before_json, i.after_json "
            "FROM act_item i JOIN act a ON a.id = i.act_id WHERE i.interaction_id = :id "
            "ORDER BY a.id"
        ),
        {"id": identity},
    ).mappings()
    return [
        {
            **_said(row),
            "before": _values(row["before_json"]),
            "after": _values(row["after_json"]),
        }
        for row in rows
    ]


def _said(row: RowMapping) -> dict[str, Any]:
    """Who decided what, and when."""
    return {
        "id": row["id"],
        "at_ms": row["at_ms"],
        "actor": row["actor"],
        "kind": row["kind"],
        "value": loads(row["value_json"]),
    }


def _values(item_json: str) -> dict[str, Any]:
    """The columns of an `act_item`; messages, which are JSON there too, as messages."""
    values: dict[str, Any] = loads(item_json)
    return {name: loads(v) if name == "messages" else v for name, v in values.items()}
