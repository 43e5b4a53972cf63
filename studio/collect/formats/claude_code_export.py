"""Sessions that Claude Code's web app exports: `{"loglines": [{"type", "timestamp", "message"}]}`.

The lines are those of `studio.collect.formats.claude_code`, without ids: one interaction a
document, told from others by its first line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from db.interactions import Record
from studio.collect.claude_turns import Turns
from studio.collect.log import Head, Item, Log, Rejected, Unusable, as_object, digest
from studio.collect.values import name

NAME = "claude_code_export"
_TURNS = ("user", "assistant")


def sniff(head: Head) -> bool:
    """Some row is an object with lines of a session."""
    return any(isinstance(row, dict) and _lines(row) is not None for row in head.rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a document; lines of it that are no events are told and passed over."""
    for item in log.items():
        if isinstance(item, Rejected):
            yield item
            continue
        try:
            yield from _session(log, item)
        except Unusable as error:
            yield log.rejected(item.line, str(error))


def _session(log: Log, item: Item) -> Iterator[Record | Rejected]:
    row = as_object(item.value)
    lines = _lines(row)
    if lines is None:
        raise Unusable("no loglines of a session")
    turns = Turns(item.line)
    for number, line in enumerate(lines, 1):
        try:
            line = as_object(line)
            if line.get("type") in _TURNS:
                turns.add(line)
        except Unusable as error:
            yield log.rejected(item.line, f"logline {number}: {error}")
    messages = turns.messages()
    if not messages and not turns.error:
        raise Unusable("no turn of a person or of the model")
    own = name(row.get("sessionId")) or name(row.get("id"))
    began, ended = turns.first_ms, turns.last_ms
    yield Record(
        external_id=f"{NAME}:{own or digest(lines[0])}",
        line=item.line,
        messages=messages,
        task=turns.task,
        provider="anthropic",
        model=turns.model,
        success=False if turns.error else None,
        error=turns.error,
        started_ms=began,
        duration_ms=None if began is None or ended is None else ended - began,
        prompt_tokens=turns.prompt_tokens,
        completion_tokens=turns.completion_tokens,
        stop_reason=turns.stop_reason,
        raw={k: v for k, v in row.items() if k != "loglines"} | turns.conversation.raw(),
    )


def _lines(row: dict[str, Any]) -> list[Any] | None:
    lines = row.get("loglines")
    return lines if isinstance(lines, list) and lines else None
