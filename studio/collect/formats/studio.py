"""The studio's own form: one interaction a line.

`{"id", "agent", "provider", "model", "task", "messages", "tools", "success", "error",
"started_at", "duration_ms", "prompt_tokens", "completion_tokens", "stop_reason", "parent",
"metadata"}`; only `messages` is needed. `parent` is the `id` of another interaction; other keys
are kept beside the messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from db.interactions import Record
from studio.collect.log import Head, Log, Rejected
from studio.collect.messages import openai_conversation, openai_tools
from studio.collect.outcome import error_text
from studio.collect.values import count, moment, name

NAME = "studio"
_OWN = {"agent", "success", "started_at", "duration_ms", "prompt_tokens", "completion_tokens"}
_KEYS = _OWN | {
    "id",
    "provider",
    "model",
    "task",
    "messages",
    "tools",
    "error",
    "stop_reason",
    "parent",
}


def sniff(head: Head) -> bool:
    """Some row has messages and, at its own level, what only this form tells about them."""
    return any(isinstance(row, dict) and _is_studio(row) for row in head.rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a row; its `id`, or its content, says which."""

    def convert(row: dict[str, Any], line: int) -> Record:
        conversation = openai_conversation(row.get("messages"))
        own, parent = row.get("id"), row.get("parent")
        has_id = isinstance(own, str | int) and own != ""
        return Record(
            external_id=f"{NAME}:{own}" if has_id else log.content_id(NAME, row),
            line=line,
            messages=conversation.messages,
            tools=openai_tools(row.get("tools")),
            task=row["task"] if isinstance(row.get("task"), str) else None,
            agent=name(row.get("agent")),
            provider=name(row.get("provider")),
            model=name(row.get("model")),
            success=row["success"] if isinstance(row.get("success"), bool) else None,
            error=error_text(row.get("error")),
            started_ms=moment(row.get("started_at")),
            duration_ms=count(row.get("duration_ms")),
            prompt_tokens=count(row.get("prompt_tokens")),
            completion_tokens=count(row.get("completion_tokens")),
            stop_reason=name(row.get("stop_reason")),
            parent=f"{NAME}:{parent}" if isinstance(parent, str | int) else None,
            raw={k: v for k, v in row.items() if k not in _KEYS} | conversation.raw(),
        )

    return log.records(convert)


def _is_studio(row: dict[str, Any]) -> bool:
    messages = row.get("messages")
    if not isinstance(messages, list) or not _OWN & row.keys() or "response" in row:
        return False
    return any(isinstance(message, dict) and "role" in message for message in messages)
