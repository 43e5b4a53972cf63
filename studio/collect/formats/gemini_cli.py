"""Gemini CLI sessions: `{"sessionId", "messages": [{"type", "timestamp", "content", …}]}`.

Newer versions write the session a line at a time: a header without messages, messages (again when
they grew), `{"$set": …}` for the header and `{"$rewindTo": id}`.

One interaction a session. A call and its result are in the same message; notes of the program
(`info`, `warning`) are no turns. What a person went back from stays, and `raw.rewinds` counts it.
Completion tokens are output and thoughts. The `logs.json` beside the sessions holds only what a
person typed: it is no session.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from db.interactions import Record, dumps
from studio.collect.anthropic_api import usage_sum
from studio.collect.log import Head, Log, Rejected, Unusable
from studio.collect.messages import Conversation
from studio.collect.values import moment, name

NAME = "gemini_cli"
_SPEAKERS = ("user", "gemini")
_KEYS = ("projectHash", "kind", "summary", "rewinds")


def sniff(head: Head) -> bool:
    """Some row is a session with messages of a person, of Gemini or of the program, or its header
    before lines that are such messages.
    """
    rows = [row for row in head.rows if isinstance(row, dict)]
    if any(map(_is_session, rows)):
        return True
    return any(map(_is_header, rows)) and any(_is_line(row) for row in rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a session; one that is written a line at a time after its last line."""
    session: _Lines | None = None

    def read_row(row: dict[str, Any], line: int) -> Iterator[Record]:
        nonlocal session
        if _is_session(row):
            yield _record(row, line)
        elif _is_header(row):
            if session is not None and session.header["sessionId"] == row["sessionId"]:
                session.header |= {k: v for k, v in row.items() if k != "messages"}
                return
            yield from session.records() if session is not None else ()
            session = _Lines(row, line)
        elif session is None or not _is_line(row):
            raise Unusable("no session with messages of a person or of Gemini")
        else:
            session.add(row)

    yield from log.each(read_row)
    if session is not None:
        try:
            yield from session.records()
        except Unusable as error:
            yield log.rejected(session.line, str(error))


class _Lines:
    """A session that is written a line at a time. A message that is told again takes its place."""

    def __init__(self, header: dict[str, Any], line: int) -> None:
        self.header = dict(header)
        self.line = line
        self.messages: dict[str, object] = {}
        self.rewinds = 0

    def add(self, row: dict[str, Any]) -> None:
        """The next line after the header."""
        if "$rewindTo" in row:
            self.rewinds += 1
            return
        patch = row.get("$set")
        if isinstance(patch, dict):
            told = patch.get("messages")
            self.header |= {k: v for k, v in patch.items() if k not in ("messages", "sessionId")}
        else:
            told = [row]
        for message in told if isinstance(told, list) else []:
            own = message.get("id") if isinstance(message, dict) else None
            self.messages[str(own or f"unnamed {len(self.messages)}")] = message

    def records(self) -> Iterator[Record]:
        """The session so far, when anybody said anything. Raises Unusable."""
        row = {**self.header, "messages": list(self.messages.values()), "rewinds": self.rewinds}
        if _is_session(row):
            yield _record(row, self.line)


def _record(row: dict[str, Any], line: int) -> Record:
    conversation = Conversation()
    told: dict[str, Any] = {"model": None, "error": None}
    times: list[int] = []
    usages: list[object] = []
    for number, message in enumerate(row["messages"], 1):
        if not isinstance(message, dict):
            raise Unusable(f"message {number} is not an object")
        kind = message.get("type")
        if (when := moment(message.get("timestamp"))) is not None:
            times.append(when)
        if kind == "error":
            told["error"] = conversation.text(message.get("content")) or "error"
        if kind not in _SPEAKERS:
            continue
        told["error"] = None  # it was got over
        if kind == "user":
            conversation.say("user", message.get("content"))
            continue
        told["model"] = name(message.get("model")) or told["model"]
        usages.append(message.get("tokens"))
        _reply(conversation, message)
    if not conversation.messages:
        raise Unusable("no turn of a person or of the model")
    return Record(
        external_id=f"{NAME}:{row['sessionId']}",
        line=line,
        messages=conversation.messages,
        provider="google",
        model=told["model"],
        success=False if told["error"] else None,
        error=told["error"],
        started_ms=min(times, default=None),
        duration_ms=max(times) - min(times) if times else None,
        prompt_tokens=_total(usages, ("input",)),
        completion_tokens=_total(usages, ("output", "thoughts")),
        raw={k: row[k] for k in _KEYS if row.get(k)} | conversation.raw(),
    )


def _reply(conversation: Conversation, message: dict[str, Any]) -> None:
    listed = message.get("toolCalls")
    made = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    calls = [conversation.call(one.get("name"), one.get("args"), one.get("id")) for one in made]
    content = conversation.text(message.get("content"))
    thoughts = _thoughts(message.get("thoughts"))
    if not (content or thoughts or calls):
        return  # broken off before it said anything
    conversation.say("assistant", content, calls=calls, reasoning=thoughts)
    for one, call in zip(made, calls, strict=True):
        result, failed = _result(one.get("result"))
        failed = failed or one.get("status") in ("error", "cancelled")
        if result or "result" in one:
            conversation.answer(result, call["id"], is_error=failed)


def _thoughts(listed: object) -> str:
    told = []
    for thought in listed if isinstance(listed, list) else []:
        if isinstance(thought, dict):
            parts = [name(thought.get(key)) for key in ("subject", "description")]
            told.append(": ".join(part for part in parts if part))
    return "\n".join(told)


def _result(parts: object) -> tuple[object, bool]:
    """The output of `[{"functionResponse": {"response": {"output" | "error"}}}]`."""
    if not isinstance(parts, list):
        return parts, False
    told: list[Any] = []
    failed = False
    for part in parts:
        answer = part.get("functionResponse") if isinstance(part, dict) else None
        response = answer.get("response") if isinstance(answer, dict) else None
        if not isinstance(response, dict):
            told.append(part)
            continue
        failed = failed or "error" in response
        text = response.get("error", response.get("output"))
        told.append(text if isinstance(text, str) else dumps(response))
    return told, failed


def _total(usages: list[object], keys: tuple[str, ...]) -> int | None:
    told = [number for usage in usages if (number := usage_sum(usage, keys)) is not None]
    return sum(told) if told else None


def _is_session(row: dict[str, Any]) -> bool:
    messages = row.get("messages")
    if not name(row.get("sessionId")) or not isinstance(messages, list):
        return False
    kinds = [one.get("type") for one in messages if isinstance(one, dict) and "role" not in one]
    return any(kind in (*_SPEAKERS, "info", "error", "warning") for kind in kinds)


def _is_header(row: dict[str, Any]) -> bool:
    """The first line of a session whose messages have lines of their own."""
    known = {"projectHash", "startTime", "lastUpdated"} & row.keys()
    return bool(name(row.get("sessionId")) and known and "type" not in row)


def _is_line(row: dict[str, Any]) -> bool:
    if "$set" in row or "$rewindTo" in row:
        return True
    return bool(name(row.get("id"))) and "role" not in row and isinstance(row.get("type"), str)
