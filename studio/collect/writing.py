"""Records into the store: each batch is one short transaction, and nothing is stored twice.

Of two versions of one interaction the longer one is kept, whichever comes first, so that files
can be imported in any order; what a person edited is left alone. A session that another one
repeats and goes on with is that one's beginning (`studio.collect.resumed`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, text

from db.interactions import (
    Record,
    content_hash,
    dumps,
    insert_records,
    loads,
    output_of,
    prepare,
    replace_record,
    task_of,
)
from db.store import Store
from studio.collect.linking import declare, link
from studio.collect.resumed import remember, resumed

Rank = tuple[object, ...]
_KNOWN = text(
    "SELECT i.id, i.external_id, json_array_length(b.messages) AS messages, i.output_chars, "
    "i.content_hash, i.completion_tokens, i.prompt_tokens, i.duration_ms, i.started_ms, "
    "i.success, i.error, i.stop_reason, i.model, i.provider, b.task, b.raw "
    "FROM interaction i JOIN interaction_body b ON b.id = i.id WHERE i.external_id IN :ids"
).bindparams(bindparam("ids", expanding=True))
_THERE = text("SELECT external_id FROM interaction WHERE external_id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)
_EDITED = text(
    "SELECT DISTINCT x.interaction_id FROM act_item x JOIN act a ON a.id = x.act_id "
    "JOIN act_state s ON s.act_id = a.id "
    "WHERE a.kind = 'edit' AND s.applied = 1 AND x.interaction_id IN :ids"
).bindparams(bindparam("ids", expanding=True))


@dataclass(slots=True)
class Counts:
    """What became of records: new rows, longer versions of rows, and rows that were there.

    `projects` counts the folders that the agents of new rows worked in, by their last part.
    """

    imported: int = 0
    updated: int = 0
    already_present: int = 0
    projects: Counter[str] = field(default_factory=Counter)


def prepare_new(store: Store, records: Sequence[Record]) -> None:
    """Work out, before the write lock is held, what new ones need; what is there is passed over."""
    with store.read() as connection:
        rows = connection.execute(_THERE, {"ids": [record.external_id for record in records]})
        there = set(rows.scalars())
    for record in records:
        if record.external_id not in there:
            prepare(record)


def write_records(connection: Connection, records: Sequence[Record], source_id: int) -> Counts:
    """Insert what is new, replace what has grown, leave the rest."""
    best: dict[str, Record] = {}
    for record in records:
        rival = best.get(record.external_id)
        if rival is None or _rank(record) > _rank(rival):
            best[record.external_id] = record
    rows = connection.execute(_KNOWN, {"ids": list(best)}).mappings()
    known = {row["external_id"]: row for row in rows}
    unknown = [record for identity, record in best.items() if identity not in known]
    grown = _grown(connection, best, known.values())
    _replace(connection, grown, source_id)
    found = resumed(connection, unknown, lambda ids: _edited(connection, ids))
    new = [r for r in unknown if r.external_id not in {**found.repeated, **found.replaced}]
    insert_records(connection, new, source_id)
    longer = {identity: best[name] for name, (identity, _) in found.replaced.items()}
    _replace(connection, longer, source_id)
    remember(connection, found, unknown)
    grown |= longer
    link(connection, list(best.values()))
    folders = (record.raw.get("cwd") for record in new)
    projects = Counter(re.split(r"[/\\]", told.rstrip("/\\"))[-1] for told in folders if told)
    return Counts(len(new), len(grown), len(records) - len(new) - len(grown), projects)


def _replace(connection: Connection, longer: Mapping[int, Record], source_id: int) -> None:
    for identity, record in longer.items():
        replace_record(connection, identity, record, source_id)
        if record.agent is not None:
            declare(connection, identity, record.agent)


def _edited(connection: Connection, ids: Collection[int]) -> set[int]:
    """Those whose text a person changed."""
    return set(connection.execute(_EDITED, {"ids": list(ids)}).scalars()) if ids else set()


def _grown(
    connection: Connection, best: Mapping[str, Record], known: Iterable[Any]
) -> dict[int, Record]:
    """Longer versions by the id of the row that they replace; none of what a person edited."""
    grown = {
        int(row["id"]): best[row["external_id"]]
        for row in known
        if _rank(best[row["external_id"]]) > _stored_rank(row)
    }
    edited = _edited(connection, grown)
    return {identity: record for identity, record in grown.items() if identity not in edited}


def _rank(record: Record) -> Rank:
    """The greater one is the version to keep; equal ones are the same."""
    return (
        len(record.messages),
        len(output_of(record.messages)),
        content_hash(record.messages, record.tools),
        *_numbers(record.completion_tokens, record.prompt_tokens, record.duration_ms),
        *_numbers(record.started_ms, record.success),
        *_texts(record.error, record.stop_reason, record.model, record.provider),
        record.task if record.task is not None else task_of(record.messages),
        _raw(record.raw),
    )


def _stored_rank(row: Any) -> Rank:
    return (
        row["messages"],
        row["output_chars"],
        row["content_hash"],
        *_numbers(row["completion_tokens"], row["prompt_tokens"], row["duration_ms"]),
        *_numbers(row["started_ms"], row["success"]),
        *_texts(row["error"], row["stop_reason"], row["model"], row["provider"]),
        row["task"],
        _raw(loads(row["raw"]) if row["raw"] else {}),
    )


def _numbers(*values: int | None) -> list[int]:
    return [-1 if value is None else int(value) for value in values]


def _texts(*values: str | None) -> list[str]:
    return [value or "" for value in values]


def _raw(raw: Mapping[str, Any]) -> str:
    """Without what linking may have added since."""
    return dumps({key: value for key, value in raw.items() if key != "subagent_type"})
