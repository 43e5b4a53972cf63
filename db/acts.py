"""Acts: one decision of a person or a program, appended with what it changed, undone and redone.

An act changes the same columns on every interaction that it names. The narrow columns are the
current state; `act_item` holds each value before and after, so that undo works after a restart.
Undo takes back the newest act that still applies; redo brings back the oldest that was taken back
since the last new act.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, text

from db.errors import BadInput, NotFound
from db.interactions import dumps, loads, write_messages
from db.store import Store, now_ms

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
SUMMARY_CHARS = 200  # of an edited answer in its act's own summary
ACT_NUMBERS_MAX = 20  # distinct values that an act's own summary lists

Selection = Sequence[int] | Select[int]


@dataclass(frozen=True, slots=True)
class Done:
    """What an act, an undo or a redo did: the acts' ids and how many interactions changed."""

    acts: list[int]
    changed: int


def set_columns(
    store: Store,
    selection: Selection,
    *,
    actor: str,
    kind: str,
    value: object,
    values: Mapping[str, object],
) -> Done:
    """Set columns to the same values on all selected interactions, as one act.

    Interactions that already have these values do not count; when none changes there is no act.
    """
    names = _checked(values)
    expressions = {name: f":{name}" for name in names}
    return _append(store, selection, actor, kind, value, expressions, dict(values))


def add_tag(store: Store, selection: Selection, tag: str, *, actor: str) -> Done:
    """Add a tag where it is missing."""
    expression = (
        "CASE WHEN EXISTS (SELECT 1 FROM json_each(i.tags) WHERE value = :tag) THEN i.tags "
        "ELSE json_insert(i.tags, '$[#]', :tag) END"
    )
    return _append(store, selection, actor, "tag", tag, {"tags": expression}, {"tag": tag})


def set_rows(
    store: Store,
    rows: Iterable[tuple[int, Mapping[str, object]]],
    *,
    actor: str,
    kind: str,
    value: object,
) -> Done:
    """Set columns to values of each interaction's own (a classifier's answers), as one act."""
    listed = [(identity, dict(values)) for identity, values in rows]
    if not listed:
        return Done([], 0)
    names = _checked(listed[0][1])
    with store.write(durable=True) as connection:
        _empty_table(connection, "wanted", "id INTEGER PRIMARY KEY, after_json")
        connection.execute(
            text("INSERT INTO wanted VALUES (:id, :after)"),
            [{"id": identity, "after": dumps(values)} for identity, values in listed],
        )
        expressions = {
            name: f"(SELECT json_extract(w.after_json, '$.{name}') FROM temp.wanted w "
            "WHERE w.id = i.id)"
            for name in names
        }
        return _write(connection, "SELECT id FROM wanted", actor, kind, value, expressions, {})


def edit_answer(store: Store, identity: int, answer: str, *, actor: str) -> Done:
    """Replace the text of the last assistant message (or append one), as one act."""
    with store.write(durable=True) as connection:
        before = _messages(connection, identity)
        after = loads(before)
        last = next((m for m in reversed(after) if m["role"] == "assistant"), None)
        old = last.get("content") if last else None
        if last is None:
            after.append({"role": "assistant", "content": answer})
        elif old == answer:
            return Done([], 0)
        else:
            last["content"] = answer
        act = _insert_act(connection, actor, "edit", identity, 1, _brief(old), _brief(answer))
        _insert_items(
            connection, act, [(identity, {"messages": before}, {"messages": dumps(after)})]
        )
        write_messages(connection, identity, after)
        return Done([act], 1)


def _brief(answer: str | None) -> dict[str, str | None]:
    """An answer as an act's own summary shows it; the whole one stands in `act_item`."""
    return {"answer": answer and answer[:SUMMARY_CHARS]}


def undo(store: Store, count: int = 1, *, actor: str) -> Done:
    """Take back the newest `count` acts that still apply; fewer when there are fewer."""
    return _step(store, count, actor, "undo")


def redo(store: Store, count: int = 1, *, actor: str) -> Done:
    """Bring back what was undone last, until a new act has been made."""
    return _step(store, count, actor, "redo")


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
                "id": row["id"],
                "at_ms": row["at_ms"],
                "actor": row["actor"],
                "kind": row["kind"],
                "value": loads(row["value_json"]),
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
            "id": row["id"],
            "at_ms": row["at_ms"],
            "actor": row["actor"],
            "kind": row["kind"],
            "value": loads(row["value_json"]),
            "before": _values(row["before_json"]),
            "after": _values(row["after_json"]),
        }
        for row in rows
    ]


def _values(item_json: str) -> dict[str, Any]:
    """The columns of an `act_item`; messages, which are JSON there too, as messages."""
    values: dict[str, Any] = loads(item_json)
    return {name: loads(v) if name == "messages" else v for name, v in values.items()}


def _checked(values: Mapping[str, object]) -> list[str]:
    unknown = set(values) - COLUMNS
    if unknown:
        raise BadInput(f"an act cannot change {', '.join(sorted(unknown))}")
    return list(values)


def _append(
    store: Store,
    selection: Selection,
    actor: str,
    kind: str,
    value: object,
    expressions: Mapping[str, str],
    parameters: dict[str, object],
) -> Done:
    with store.write(durable=True) as connection:
        _select(connection, selection)
        return _write(
            connection, "SELECT id FROM selected", actor, kind, value, expressions, parameters
        )


def _select(connection: Connection, selection: Selection) -> None:
    """Put the selected ids into a temporary table. Raises NotFound for an id that is not there."""
    _empty_table(connection, "selected", "id INTEGER PRIMARY KEY")
    if isinstance(selection, Select):
        compiled = selection.compile(connection, compile_kwargs={"render_postcompile": True})
        connection.exec_driver_sql(
            f"INSERT INTO selected {compiled.string}",
            tuple(compiled.params[name] for name in compiled.positiontup or ()),
        )
        return
    if selection:
        connection.execute(
            text("INSERT OR IGNORE INTO selected SELECT value FROM json_each(:ids)"),
            {"ids": dumps(list(selection))},
        )
    missing = connection.execute(
        text("SELECT id FROM selected WHERE id NOT IN (SELECT id FROM interaction) LIMIT 1")
    ).scalar()
    if missing is not None:
        raise NotFound(f"no interaction {missing} in this store")


def _empty_table(connection: Connection, name: str, columns: str) -> None:
    """A table of this connection's own. It is made once: a new one makes SQLite parse all anew."""
    connection.execute(text(f"CREATE TEMP TABLE IF NOT EXISTS {name} ({columns})"))
    connection.execute(text(f"DELETE FROM temp.{name}"))


def _write(
    connection: Connection,
    ids: str,
    actor: str,
    kind: str,
    value: object,
    expressions: Mapping[str, str],
    parameters: dict[str, object],
) -> Done:
    """Work out what changes, append the act and its items, then write the columns."""
    old = ", ".join(f"'{name}', i.{name}" for name in expressions)
    new = ", ".join(f"'{name}', {sql}" for name, sql in expressions.items())
    differs = " OR ".join(f"i.{name} IS NOT {sql}" for name, sql in expressions.items())
    _empty_table(connection, "changed", "id INTEGER PRIMARY KEY, before_json, after_json")
    connection.execute(
        text(
            f"INSERT INTO changed SELECT i.id, json_object({old}), json_object({new}) "
            f"FROM interaction i WHERE i.id IN ({ids}) AND ({differs})"
        ),
        parameters,
    )
    count = int(connection.execute(text("SELECT count(*) FROM changed")).scalar_one())
    if not count:
        return Done([], 0)
    before, after = _summaries(connection, count, list(expressions))
    act = _insert_act(connection, actor, kind, value, count, before, after)
    connection.execute(
        text(
            "INSERT INTO act_item (act_id, interaction_id, before_json, after_json) "
            "SELECT :act, id, before_json, after_json FROM changed"
        ),
        {"act": act},
    )
    _apply_items(connection, act, "after_json")
    return Done([act], count)


def _summaries(
    connection: Connection, count: int, names: list[str]
) -> tuple[dict[str, object], dict[str, object]]:
    """What the columns were and what they become, in an act's own words."""
    if count == 1:  # as most acts of a person: nothing has to be counted
        row = connection.execute(text("SELECT before_json, after_json FROM changed")).one()
        return loads(row.before_json), loads(row.after_json)
    return _summary(connection, "before_json", names), _summary(connection, "after_json", names)


def _summary(connection: Connection, side: str, names: list[str]) -> dict[str, object]:
    """One value where all agree, else how often each of the commonest occurs."""
    summary: dict[str, object] = {}
    for name in names:
        rows = connection.execute(
            text(
                f"SELECT json_extract({side}, '$.{name}') AS value, count(*) AS n FROM changed "
                "GROUP BY 1 ORDER BY 2 DESC LIMIT :limit"
            ),
            {"limit": ACT_NUMBERS_MAX},
        ).all()
        summary[name] = (
            rows[0].value
            if len(rows) == 1
            else {"null" if row.value is None else str(row.value): row.n for row in rows}
        )
    return summary


def _insert_act(
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


def _insert_items(
    connection: Connection,
    act: int,
    items: list[tuple[int, Mapping[str, object], Mapping[str, object]]],
) -> None:
    connection.execute(
        text("INSERT INTO act_item VALUES (:act, :id, :before, :after)"),
        [
            {"act": act, "id": identity, "before": dumps(before), "after": dumps(after)}
            for identity, before, after in items
        ],
    )


def _step(store: Store, count: int, actor: str, kind: str) -> Done:
    """Undo or redo `count` acts, each appended as an act of its own, in one transaction."""
    if count < 1:
        raise BadInput(f"cannot {kind} {count} acts; give a number from 1")
    find = {
        "undo": "SELECT act_id, head_id FROM act_state WHERE applied = 1 ORDER BY act_id DESC",
        "redo": "SELECT act_id, head_id FROM act_state WHERE redoable = 1 ORDER BY act_id",
    }[kind]
    done, changed = [], 0
    with store.write(durable=True) as connection:
        for _ in range(count):
            row = connection.execute(text(find + " LIMIT 1")).one_or_none()
            if row is None:
                break
            changed += _turn(connection, row.act_id, row.head_id, actor, kind)
            done.append(int(row.act_id))
    return Done(done, changed)


def _turn(connection: Connection, original: int, head: int, actor: str, kind: str) -> int:
    """Take one act back, or bring it back; returns how many interactions it concerned."""
    act = connection.execute(
        text("SELECT ids_count, before_json, after_json FROM act WHERE id = :id"), {"id": original}
    ).one()
    sides = [loads(act.before_json), loads(act.after_json)]
    before, after = reversed(sides) if kind == "undo" else sides
    new = _insert_act(
        connection,
        actor,
        kind,
        original,
        act.ids_count,
        before,
        after,
        undoes=head,
        original=original,
    )
    _apply_items(connection, original, "before_json" if kind == "undo" else "after_json")
    connection.execute(
        text(
            "UPDATE act_state SET head_id = :new, applied = :applied, redoable = :redoable "
            "WHERE act_id = :act"
        ),
        {"new": new, "applied": kind == "redo", "redoable": kind == "undo", "act": original},
    )
    return int(act.ids_count)


def _apply_items(connection: Connection, act: int, side: str) -> None:
    """Write one side of an act's items to the interactions."""
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
        f"{name} = json_extract(x.{side}, '$.{name}')" for name in _checked(dict.fromkeys(names))
    )
    connection.execute(
        text(
            f"UPDATE interaction SET {columns} FROM act_item x "
            "WHERE x.act_id = :act AND x.interaction_id = interaction.id"
        ),
        {"act": act},
    )


def _messages(connection: Connection, identity: int) -> str:
    found = connection.execute(
        text("SELECT messages FROM interaction_body WHERE id = :id"), {"id": identity}
    ).scalar()
    if found is None:
        raise NotFound(f"no interaction {identity} in this store")
    return str(found)
