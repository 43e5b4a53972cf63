"""The rows of an act: appended with what it changed, and written to the interactions.

`act` and `act_item` are append-only. `act_state` says whether an act applies now, which undo and
redo change.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

from db.errors import BadInput
from db.interactions import dumps, loads, write_messages
from db.store import now_ms

# The columns that an act may change; their names are written into SQL.
COLUMNS = frozenset(
    {
        "agent",
        "agent_method",
        "agent_confidence",
        "agent_reason",
        "status",
        "tags",
        "note",
        "cluster",
        "problem",
    }
)


def checked(values: Mapping[str, object]) -> list[str]:
    """The names of columns to change. Raises BadInput for one that no act may change."""
    unknown = set(values) - COLUMNS
    if unknown:
        raise BadInput(f"an act cannot change {', '.join(sorted(unknown))}")
    return list(values)


def insert_act(
    connection: Connection,
    actor: str,
    kind: str,
    value: object,
    count: int,
    before: object,
    after: object,
    *,
    undoes: int | None = None,
    original: int | None = None,
) -> int:
    """Append an act and return its id. A new one ends what could be redone.

    `value` is what was said, `before` and `after` sum up what it changed on `count` interactions.
    For an undo or a redo, `undoes` is the act that it turns and `original` where that began.
    """
    act = connection.execute(
        text(
            "INSERT INTO act (at_ms, actor, kind, value_json, ids_count, before_json, after_json, "
            "undoes_id) VALUES (:at, :actor, :kind, :value, :count, :before, :after, :undoes) "
            "RETURNING id"
        ),
        {
            "at": now_ms(),
            "actor": actor,
            "kind": kind,
            "value": dumps(value),
            "count": count,
            "before": dumps(before),
            "after": dumps(after),
            "undoes": undoes,
        },
    ).scalar_one()
    if original is None:
        connection.execute(text("UPDATE act_state SET redoable = 0 WHERE redoable = 1"))
        connection.execute(
            text(
                "INSERT INTO act_state (act_id, head_id, applied, redoable) "
                "VALUES (:act, :act, 1, 0)"
            ),
            {"act": act},
        )
    return int(act)


def insert_items(
    connection: Connection,
    act: int,
    items: list[tuple[int, Mapping[str, object], Mapping[str, object]]],
) -> None:
    """Append what an act changed: each interaction with its values before and after."""
    connection.execute(
        text("INSERT INTO act_item VALUES (:act, :id, :before, :after)"),
        [
            {"act": act, "id": identity, "before": dumps(before), "after": dumps(after)}
            for identity, before, after in items
        ],
    )


def apply_items(connection: Connection, act: int, side: str) -> None:
    """Write one side of an act's items (before_json or after_json) to the interactions."""
    first = connection.execute(
        text(f"SELECT {side} FROM act_item WHERE act_id = :act LIMIT 1"), {"act": act}
    ).scalar_one()
    names = list(loads(first))
    if names == ["messages"]:
        rows = connection.execute(
            text(f"SELECT interaction_id, {side} AS side FROM act_item WHERE act_id = :act"),
            {"act": act},
        ).all()
        for row in rows:
            write_messages(connection, row.interaction_id, loads(loads(row.side)["messages"]))
        return
    columns = ", ".join(
        f"{name} = json_extract(x.{side}, '$.{name}')" for name in checked(dict.fromkeys(names))
    )
    connection.execute(
        text(
            f"UPDATE interaction SET {columns} FROM act_item x "
            "WHERE x.act_id = :act AND x.interaction_id = interaction.id"
        ),
        {"act": act},
    )
