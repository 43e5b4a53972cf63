"""The logs database of the `llm` command (SQLite), in both of its schemas.

Older versions wrote `responses`, a row a request, without the turns before it: one interaction a
conversation. Since 0.32 a message store holds each message once: one interaction a thread, read
from the tip of its last turn, and one more for each branch that was left. A thread has the id of
the conversation that it continues, so that of both the longer is kept. `line` is a row's number.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from db.interactions import Record
from studio.collect.any_messages import AnyMessages, decoded
from studio.collect.exchange import told_role
from studio.collect.log import Head, Log, Rejected, Unusable
from studio.collect.messages import openai_tools
from studio.collect.values import count, moment, name
from studio.settings import agent_named

NAME = "llm_logs"
_MAGIC = b"SQLite format 3\0"
_CHAIN_LIMIT = 100_000  # messages; a longer chain is a loop
_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'"
_RESPONSES = "SELECT rowid AS line, * FROM responses ORDER BY datetime_utc, rowid"
_TURNS = "SELECT rowid AS line, * FROM turns ORDER BY datetime_utc, rowid"
_MESSAGE = "SELECT role, parent_hash FROM messages WHERE hash = ?"
_PARTS = "SELECT type, tool_name, text, payload FROM parts WHERE message_hash = ? ORDER BY position"
_FRAGMENTS = (
    "SELECT f.content FROM {0}_fragments x JOIN fragments f ON f.id = x.fragment_id "
    'WHERE x.response_id = ? ORDER BY x."order"'
)
_OFFERED = (
    "SELECT t.name, t.description, t.input_schema FROM {0} x JOIN tools t ON t.id = x.tool_id "
    "WHERE x.{1} = ?"
)
Row = dict[str, Any]


def sniff(head: Head) -> bool:
    """An SQLite database with the tables of one of the schemas."""
    if not head.start.startswith(_MAGIC) or head.path is None:
        return False
    try:
        with _opened(head.path) as database:
            tables = _tables(database)
    except sqlite3.Error:
        return False
    return {"turns", "threads", "messages", "parts"} <= tables or (
        {"responses", "conversations"} <= tables
    )


def read(log: Log) -> Iterator[Record | Rejected]:
    """The threads and the conversations; what cannot be read is told with its row."""
    try:
        with _opened(log.path) as database:
            tables = _tables(database)
            if "responses" in tables:
                yield from _conversations(log, _Reader(database, tables))
            if {"turns", "messages", "parts"} <= tables:
                yield from _threads(log, _Reader(database, tables))
    except sqlite3.Error as error:
        yield log.rejected(0, f"not a whole SQLite database: {error}")


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Read-only. What another process is writing beside it is read as well, when there is any."""
    beside = path.with_name(path.name + "-wal")
    mode = "mode=ro" if beside.exists() else "mode=ro&immutable=1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)) as database:
        database.text_factory = lambda data: data.decode(errors="replace").replace("\0", "\ufffd")
        database.execute("PRAGMA trusted_schema = 0")
        yield database


def _tables(database: sqlite3.Connection) -> set[str]:
    return {row[0] for row in database.execute(_TABLES)}


class _Reader:
    """Rows as dictionaries; of a table that an older version lacks, none."""

    def __init__(self, database: sqlite3.Connection, tables: set[str]) -> None:
        self.database = database
        self.tables = tables

    def rows(self, query: str, *values: object) -> list[Row]:
        """The rows of a query, by the names of its columns."""
        cursor = self.database.execute(query, values)
        keys = [column[0] for column in cursor.description]
        return [dict(zip(keys, row, strict=True)) for row in cursor]

    def each(self, query: str, table: str, *values: object) -> list[Row]:
        """The rows of a query over a table; none where the table is lacking."""
        return self.rows(query, *values) if table in self.tables else []


def _conversations(log: Log, reader: _Reader) -> Iterator[Record | Rejected]:
    talks: dict[str, list[Row]] = {}
    for row in reader.rows(_RESPONSES):
        talks.setdefault(name(row.get("conversation_id")) or str(row.get("id")), []).append(row)
    for own, rows in talks.items():
        try:
            said = AnyMessages()
            for row in rows:
                _add_response(reader, said, row)
            tools = reader.each(
                _OFFERED.format("tool_responses", "response_id"),
                "tool_responses",
                rows[-1].get("id"),
            )
            yield _record(said, own, rows, tools)
        except Unusable as error:
            yield log.rejected(rows[0]["line"], str(error))


def _add_response(reader: _Reader, said: AnyMessages, row: Row) -> None:
    own, conversation = row.get("id"), said.conversation
    system = [part["content"] for part in _fragments(reader, "system", own)]
    told = "\n".join(str(text) for text in [*system, row.get("system")] if text)
    if told and not any(
        m["role"] == "system" and m["content"] == told for m in conversation.messages
    ):
        conversation.say("system", told)
    query = "SELECT * FROM tool_results WHERE response_id = ? ORDER BY id"
    for result in reader.each(query, "tool_results", own):
        output, failed = result.get("output"), result.get("exception")
        call_id, called = result.get("tool_call_id"), result.get("name")
        conversation.answer(output or failed, call_id, called, is_error=bool(failed))
    asked = [part["content"] for part in _fragments(reader, "prompt", own)]
    prompt = "\n".join(str(text) for text in [*asked, row.get("prompt")] if text)
    parts: list[Any] = [prompt] if prompt else []
    query = "SELECT attachment_id FROM prompt_attachments WHERE response_id = ?"
    for attached in reader.each(query, "prompt_attachments", own):
        parts.append({"type": "attachment", "id": attached["attachment_id"]})
    if parts:
        conversation.say("user", parts)
    query = "SELECT * FROM tool_calls WHERE response_id = ? ORDER BY id"
    calls = [
        conversation.call(call.get("name"), call.get("arguments"), call.get("tool_call_id"))
        for call in reader.each(query, "tool_calls", own)
    ]
    conversation.say("assistant", row.get("response"), calls=calls, reasoning=row.get("reasoning"))


def _fragments(reader: _Reader, kind: str, response: object) -> list[Row]:
    return reader.each(_FRAGMENTS.format(kind), f"{kind}_fragments", response)


def _threads(log: Log, reader: _Reader) -> Iterator[Record | Rejected]:
    threads: dict[str | None, list[Row]] = {}
    for turn in reader.rows(_TURNS):
        threads.setdefault(name(turn.get("thread_id")), []).append(turn)
    for thread, turns in threads.items():
        covered: set[str] = set()  # tips of turns that a later turn continues
        for number, turn in enumerate(reversed(turns)):
            if str(turn.get("tip_message_hash")) in covered:
                continue
            try:
                chain = _chain(reader, turn.get("tip_message_hash"))
                covered |= set(chain)
                said = AnyMessages()
                for message in chain.values():
                    said.request(message)
                mine = [one for one in turns if str(one.get("tip_message_hash")) in chain]
                last = number == 0 and thread is not None
                own = str(thread) if last else f"{thread or 'none'}/{turn.get('id')}"
                tools = reader.each(
                    _OFFERED.format("turn_tools", "turn_id"), "turn_tools", turn.get("id")
                )
                yield _record(said, own, mine, tools)
            except Unusable as error:
                yield log.rejected(turn["line"], str(error))


def _chain(reader: _Reader, tip: object) -> dict[str, Row]:
    """The messages that end in `tip`, the first one first, by their hashes. Raises Unusable."""
    found: list[tuple[str, Row]] = []
    here = tip
    while here is not None:
        rows = reader.rows(_MESSAGE, here)
        if not rows or len(found) == _CHAIN_LIMIT:
            raise Unusable(f"the message {here} is missing or in a loop")
        parts = [_part(reader, part) for part in reader.rows(_PARTS, here)]
        found.append((str(here), {"role": str(rows[0]["role"]), "content": parts}))
        here = rows[0]["parent_hash"]
    return dict(reversed(found))


def _part(reader: _Reader, row: Row) -> Row:
    """A part with what it refers to put back, in the form of Anthropic's blocks."""
    payload = decoded(row.get("payload"))
    payload = payload if isinstance(payload, dict) else {}
    text = row.get("text")
    pieces = payload.get("text_ref")
    if text is None and isinstance(pieces, list):
        text = "".join(_piece(reader, piece) for piece in pieces if isinstance(piece, dict))
    text = text if text is not None else payload.get("text")
    kind = str(row.get("type"))
    if kind == "tool_call":
        call_id = payload.get("tool_call_id")
        given = payload.get("arguments")
        return {"type": kind, "name": row.get("tool_name"), "arguments": given, "id": call_id}
    if kind == "tool_result":
        failed = payload.get("exception")
        return {
            "type": kind,
            "tool_use_id": payload.get("tool_call_id"),
            "content": payload.get("output") or failed,
            "is_error": bool(failed),
        }
    return {**payload, "type": kind} if text is None else {"type": kind, "text": text}


def _piece(reader: _Reader, piece: Row) -> str:
    if "fragment" not in piece:
        return str(piece.get("literal", ""))
    query = "SELECT content FROM fragments WHERE id = ?"
    rows = reader.each(query, "fragments", count(piece["fragment"]))
    return str(rows[0]["content"]) if rows else ""


def _record(said: AnyMessages, own: str, rows: list[Row], tools: list[Row]) -> Record:
    """`rows` are the requests of the conversation, in their order."""
    conversation = said.conversation
    if not conversation.messages:
        raise Unusable("no messages")
    last = rows[-1]
    raw = told_role(conversation) | conversation.raw()
    offered = [{**tool, "parameters": decoded(tool.get("input_schema"))} for tool in tools]
    return Record(
        external_id=f"{NAME}:{own}",
        line=rows[0]["line"],
        messages=conversation.messages,
        tools=openai_tools(offered),
        agent=agent_named(raw.get("role")),
        model=name(last.get("resolved_model")) or name(last.get("model")),
        started_ms=moment(rows[0].get("datetime_utc")),
        duration_ms=_sum(rows, "duration_ms"),
        prompt_tokens=count(last.get("input_tokens")),
        completion_tokens=_sum(rows, "output_tokens"),
        raw=raw | ({"requests": len(rows)} if len(rows) > 1 else {}),
    )


def _sum(rows: list[Row], key: str) -> int | None:
    told = [number for row in rows if (number := count(row.get(key))) is not None]
    return sum(told) if told else None
