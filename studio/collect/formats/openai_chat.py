"""OpenAI chat completions: recorded requests with their responses, or training conversations.

A recorded row is `{"request", "response", "status"?, "date"?, "duration_ms"?, "url"?}` as
gateways and cassettes write it (also `request_body`/`response_body`, bodies as JSON strings,
responses as event streams); a training row is `{"messages", "tools"?}`.

Requests that repeat and continue a conversation are one interaction (`studio.collect.chains`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from db.interactions import Record
from studio.collect.chains import conversations
from studio.collect.chat_completions import exchange_of, looks_like_exchange
from studio.collect.log import Head, Log, Rejected, Unusable
from studio.collect.messages import ROLES, openai_conversation, openai_tools

NAME = "openai_chat"


def sniff(head: Head) -> bool:
    """Some row is a recorded chat completion, or a conversation with OpenAI's roles."""
    rows = [row for row in head.rows if isinstance(row, dict)]
    return any(looks_like_exchange(row) or _is_training(row) for row in rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a conversation."""

    def training(row: dict[str, Any], line: int) -> Record:
        return _training_record(log, row, line)

    return conversations(log, NAME, exchange_of, training)


def _training_record(log: Log, row: dict[str, Any], line: int) -> Record:
    if not isinstance(row.get("messages"), list):
        raise Unusable("neither a chat completion with its request nor a list of messages")
    conversation = openai_conversation(row["messages"])
    kept = {k: v for k, v in row.items() if k not in ("messages", "tools", "functions")}
    return Record(
        external_id=log.content_id(NAME, row),
        line=line,
        messages=conversation.messages,
        tools=openai_tools(row.get("tools") or row.get("functions")),
        raw=kept | conversation.raw(),
    )


def _is_training(row: dict[str, Any]) -> bool:
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        return False
    return all(
        isinstance(message, dict)
        and message.get("role") in ROLES
        and ("content" in message or "tool_calls" in message)
        for message in messages
    )
