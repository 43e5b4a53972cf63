"""Acts: one decision of a person or a program, appended with what it changed, undone and redone.

An act changes the same columns on every interaction that it names. The narrow columns are the
current state; `act_item` holds each value before and after, so that undo works after a restart.
Undo takes back the newest act that still applies; redo brings back the oldest that was taken back
since the last new act.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from db.act_rows import apply_items, checked, insert_act, insert_items
from db.bulk_change import Selection, change_all, change_each
from db.errors import BadInput, NotFound
from db.interactions import dumps, loads, write_messages
from db.store import Store

SUMMARY_CHARS = 200  # of an edited answer in its act's own summary


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
    names = checked(values)
    expressions = {name: f":{name}" for name in names}
    with store.write(durable=True) as connection:
        return Done(
            *change_all(connection, selection, actor, kind, value, expressions, dict(values))
        )


def add_tag(store: Store, selection: Selection, tag: str, *, actor: str) -> Done:
    """Add a tag where it is missing."""
    expression = (
        "CASE WHEN EXISTS (SELECT 1 FROM json_each(i.tags) WHERE value = :tag) THEN i.tags "
        "ELSE json_insert(i.tags, '$[#]', :tag) END"
    )
    with store.write(durable=True) as connection:
        changes = {"tags": expression}
        return Done(*change_all(connection, selection, actor, "tag", tag, changes, {"tag": tag}))


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
    checked(listed[0][1])
    with store.write(durable=True) as connection:
        return Done(*change_each(connection, listed, actor, kind, value))


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
        act = insert_act(connection, actor, "edit", identity, 1, _brief(old), _brief(answer))
        insert_items(
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
    new = insert_act(
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
    apply_items(connection, original, "before_json" if kind == "undo" else "after_json")
    connection.execute(
        text(
            "UPDATE act_state SET head_id = :new, applied = :applied, redoable = :redoable "
            "WHERE act_id = :act"
        ),
        {"new": new, "applied": kind == "redo", "redoable": kind == "undo", "act": original},
    )
    return int(act.ids_count)


def _messages(connection: Connection, identity: int) -> str:
    found = connection.execute(
        text("SELECT messages FROM interaction_body WHERE id = :id"), {"id": identity}
    ).scalar()
    if found is None:
        raise NotFound(f"no interaction {identity} in this store")
    return str(found)
