"""Interactions as rows: what the narrow columns say is derived here from the messages, once.

Messages have the OpenAI form: `{"role", "content", "tool_calls"?, "tool_call_id"?, "name"?}`,
with `tool_calls[].function.arguments` an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import msgspec
import xxhash
from sqlalchemy import Connection, Table, bindparam, insert, select, text, update

from db.changes import changed_by_import
from db.models.interactions import BODIES, INTERACTIONS
from db.secrets import kinds_in, masked

Message = dict[str, Any]
TITLE_CHARS = 160
_SPACE = re.compile(r"\s+")


@dataclass(slots=True)
class Record:
    """An interaction as an importer read it, before it has a row. Unknown values are None.

    `resumable`: another log may begin with a copy of this one, under a name of its own.
    """

    external_id: str
    line: int
    messages: list[Message]
    tools: list[dict[str, Any]] | None = None
    task: str | None = None
    agent: str | None = None
    provider: str | None = None
    model: str | None = None
    success: bool | None = None
    error: str | None = None
    started_ms: int | None = None
    duration_ms: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    stop_reason: str | None = None
    parent: str | None = None
    raw: dict[str, Any] = field(default_factory=dict)
    resumable: bool = False
    texts: Texts | None = None  # set by `prepare`


@dataclass(frozen=True, slots=True)
class Texts:
    """What a record's texts are in the store: its body, and what follows from them."""

    output: str
    body: dict[str, object]
    columns: dict[str, object]


def dumps(value: object) -> str:
    """Compact JSON, as the store keeps it."""
    return msgspec.json.encode(value).decode()


def loads(value: str) -> Any:
    """JSON of the store, read back."""
    return msgspec.json.decode(value)


def task_of(messages: Sequence[Message]) -> str:
    """What was asked: the text of the first user message."""
    return next((str(m.get("content") or "") for m in messages if m["role"] == "user"), "")


def output_of(messages: Sequence[Message]) -> str:
    """Everything that the model wrote: assistant text and its tool calls as JSON."""
    parts: list[str] = []
    for message in messages:
        if message["role"] != "assistant":
            continue
        if message.get("content"):
            parts.append(str(message["content"]))
        for call in message.get("tool_calls") or ():
            function = call["function"]
            parts.append(dumps({"name": function["name"], "arguments": function["arguments"]}))
    return "\n".join(parts)


def answer_of(messages: Sequence[Message]) -> str:
    """The text of the last assistant message that has any, else everything that it wrote."""
    for message in reversed(messages):
        if message["role"] == "assistant" and message.get("content"):
            return str(message["content"])
    return output_of(messages)


def content_hash(messages: Sequence[Message], tools: object) -> str:
    """128 bits over the conversation and its tools; equal conversations have equal hashes."""
    return xxhash.xxh3_128_hexdigest(
        msgspec.json.encode([list(messages), tools], order="deterministic")
    )


def normalised(task: str) -> str:
    """A task with case and white space folded: what makes two requests the same request."""
    return _SPACE.sub(" ", task).strip().casefold()


def hash_of_task(task: str) -> str:
    """128 bits over a task; the same requests have the same hash."""
    return xxhash.xxh3_128_hexdigest(normalised(task).encode())


def _calls_made(messages: Sequence[Message]) -> int:
    """Structured calls, or the results where the calls stand in the text, as old logs have them."""
    calls = sum(len(message.get("tool_calls") or ()) for message in messages)
    return calls or sum(message["role"] == "tool" for message in messages)


def derived(
    messages: Sequence[Message], tools: object, task: str, output: str
) -> dict[str, object]:
    """The narrow columns that follow from the text; `output` is `output_of` the messages."""
    return {
        "title": _title(task),
        "turns": sum(m["role"] in ("user", "assistant") for m in messages),
        "tool_calls": _calls_made(messages),
        "task_chars": len(task),
        "output_chars": len(output),
        "task_hash": hash_of_task(task),
        "content_hash": content_hash(messages, tools),
    }


def secrets_of(body: Mapping[str, Any], error: str | None) -> dict[str, object]:
    """The narrow columns that tell how many secrets an interaction holds, and of which kinds.

    Where there are any, the title is among them: it is shown, so it is made of the masked task.
    """
    told = [body["messages"], body["tools"], body["raw"]]
    task = dumps(body["task"])
    if task[1:-1] not in body["messages"]:
        told.append(task)
    if error is not None:
        told.append(dumps(error))
    kinds = kinds_in(*told)
    if not kinds:
        return {"secrets": 0, "secret_kinds": None}
    return {
        "secrets": kinds.total(),
        "secret_kinds": ", ".join(sorted(kinds)),
        "title": _title(masked(body["task"])),
    }


def _title(task: str) -> str:
    return _SPACE.sub(" ", task[: 4 * TITLE_CHARS]).strip()[:TITLE_CHARS]


def prepare(record: Record) -> Texts:
    """Work out what follows from a record's texts; nobody need hold the write lock for that."""
    if record.texts is None:
        task = record.task if record.task is not None else task_of(record.messages)
        body, output = _body(record, task), output_of(record.messages)
        columns = derived(record.messages, record.tools, task, output)
        record.texts = Texts(output, body, columns | secrets_of(body, record.error))
    return record.texts


def insert_records(connection: Connection, records: Sequence[Record], source_id: int) -> list[int]:
    """Insert records that are not in the store yet; returns their ids in order."""
    first = int(
        connection.execute(text("SELECT coalesce(max(id), 0) FROM interaction")).scalar_one()
    )
    rows, bodies, texts = [], [], []
    for number, record in enumerate(records, first + 1):
        prepared = prepare(record)
        rows.append(
            {
                "id": number,
                "external_id": record.external_id,
                "source_id": source_id,
                "line": record.line,
                "parent_external": record.parent,
                "agent": record.agent,
                "agent_method": "declared" if record.agent else None,
                "agent_confidence": 1.0 if record.agent else None,
                "declared_agent": record.agent,
                "provider": record.provider,
                "model": record.model,
                "success": record.success,
                "error": record.error,
                "started_ms": record.started_ms,
                "duration_ms": record.duration_ms,
                "prompt_tokens": record.prompt_tokens,
                "completion_tokens": record.completion_tokens,
                "stop_reason": record.stop_reason,
                "status": "new",
                "tags": "[]",
                **prepared.columns,
            }
        )
        bodies.append({"id": number, **prepared.body})
        texts.append((number, prepared.body["task"], prepared.output))
    if rows:
        _insert_many(connection, INTERACTIONS, rows)
        _insert_many(connection, BODIES, bodies)
        connection.exec_driver_sql(
            "INSERT INTO interaction_fts (rowid, task, answer) VALUES (?, ?, ?)", texts
        )
    return list(range(first + 1, first + 1 + len(rows)))


def replace_record(connection: Connection, identity: int, record: Record, source_id: int) -> None:
    """Put a longer version of the same interaction in its place; acts on it stay as they are."""
    prepared = prepare(record)
    _drop_from_search(connection, identity)
    connection.execute(
        update(INTERACTIONS)
        .where(INTERACTIONS.c.id == identity)
        .values(
            source_id=source_id,
            line=record.line,
            parent_external=record.parent,
            provider=record.provider,
            model=record.model,
            success=record.success,
            error=record.error,
            started_ms=record.started_ms,
            verified=None,
            duration_ms=record.duration_ms,
            prompt_tokens=record.prompt_tokens,
            completion_tokens=record.completion_tokens,
            stop_reason=record.stop_reason,
            **prepared.columns,
        )
    )
    connection.execute(update(BODIES).where(BODIES.c.id == identity).values(**prepared.body))
    connection.execute(
        _FTS_INSERT,
        {"id": identity, "task": prepared.body["task"], "answer": prepared.output},
    )
    changed_by_import(connection, identity)


def write_messages(connection: Connection, identity: int, messages: list[Message]) -> None:
    """Replace the messages of one interaction and everything that is derived from them."""
    stored = connection.execute(
        select(BODIES.c.task, BODIES.c.tools, BODIES.c.raw, INTERACTIONS.c.error)
        .join_from(BODIES, INTERACTIONS, BODIES.c.id == INTERACTIONS.c.id)
        .where(BODIES.c.id == identity)
    ).one()
    task, tools = stored.task, stored.tools
    body = {"task": task, "messages": dumps(messages), "tools": tools, "raw": stored.raw}
    output = output_of(messages)
    _drop_from_search(connection, identity)
    connection.execute(
        update(BODIES).where(BODIES.c.id == identity).values(messages=body["messages"])
    )
    connection.execute(
        update(INTERACTIONS)
        .where(INTERACTIONS.c.id == identity)
        # what tests said of the old answer says nothing of the new one
        .values(
            verified=None,
            **(
                derived(messages, loads(tools) if tools else None, task, output)
                | secrets_of(body, stored.error)
            ),
        )
    )
    connection.execute(_FTS_INSERT, {"id": identity, "task": task, "answer": output})


def bodies(connection: Connection, ids: Iterable[int]) -> dict[int, tuple[str, str, str | None]]:
    """(task, messages, tools) of interactions by id, as stored."""
    found: dict[int, tuple[str, str, str | None]] = {}
    wanted = list(ids)
    statement = select(BODIES.c.id, BODIES.c.task, BODIES.c.messages, BODIES.c.tools).where(
        BODIES.c.id.in_(bindparam("ids", expanding=True))
    )
    for start in range(0, len(wanted), 500):
        for row in connection.execute(statement, {"ids": wanted[start : start + 500]}):
            found[row.id] = (row.task, row.messages, row.tools)
    return found


def _insert_many(connection: Connection, into: Table, rows: list[dict[str, object]]) -> None:
    """The driver's own executemany: SQLAlchemy's handling of each row costs more than SQLite's."""
    statement = insert(into).compile(dialect=connection.dialect, column_keys=list(rows[0]))
    values = itemgetter(*statement.positiontup or ())
    connection.exec_driver_sql(str(statement), [values(row) for row in rows])


def _body(record: Record, task: str) -> dict[str, object]:
    return {
        "task": task,
        "messages": dumps(record.messages),
        "tools": dumps(record.tools) if record.tools else None,
        "raw": dumps(record.raw) if record.raw else None,
    }


_FTS_INSERT = text("INSERT INTO interaction_fts (rowid, task, answer) VALUES (:id, :task, :answer)")
_FTS_DELETE = text(
    "INSERT INTO interaction_fts (interaction_fts, rowid, task, answer) "
    "VALUES ('delete', :id, :task, :answer)"
)


def _drop_from_search(connection: Connection, identity: int) -> None:
    """A contentless index forgets a row only when told exactly what it holds."""
    task, messages, _ = bodies(connection, [identity])[identity]
    connection.execute(
        _FTS_DELETE, {"id": identity, "task": task, "answer": output_of(loads(messages))}
    )
