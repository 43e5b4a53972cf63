"""AutoGen histories: `{"messages": [{"type": "UserMessage", "source", "content"}, …]}`.

One interaction a history. Each message names who spoke; the last agent that spoke gives the role.
A history has neither ids nor times: its content tells it from others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from db.interactions import Record
from studio.collect.log import Head, Log, Rejected, Unusable, as_object
from studio.collect.messages import Conversation
from studio.collect.values import name
from studio.settings import agent_named

NAME = "autogen"
_TYPES = {
    "SystemMessage": "system",
    "UserMessage": "user",
    "AssistantMessage": "assistant",
    "FunctionExecutionResultMessage": "tool",
}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def sniff(head: Head) -> bool:
    """Some row has messages of AutoGen's types."""
    return any(isinstance(row, dict) and _is_history(row) for row in head.rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a history."""

    def convert(row: dict[str, Any], line: int) -> Record:
        if not _is_history(row):
            raise Unusable("no messages of AutoGen's types")
        conversation = Conversation()
        agents: list[str] = []
        for message in row["messages"]:
            _add(conversation, as_object(message), agents)
        role = _words(agents[-1]) if agents else None
        raw = {"role": role, "agents": list(dict.fromkeys(agents))} if role else {}
        return Record(
            external_id=log.content_id(NAME, row),
            line=line,
            messages=conversation.messages,
            agent=agent_named(role),
            raw=raw | conversation.raw(),
        )

    return log.records(convert)


def _add(conversation: Conversation, message: dict[str, Any], agents: list[str]) -> None:
    role, content = _TYPES.get(str(message.get("type"))), message.get("content")
    if role is None:
        raise Unusable(f"unknown type of message {message.get('type')}")
    listed = content if isinstance(content, list) else []
    if role == "tool":
        for result in map(as_object, listed):
            conversation.answer(
                result.get("content"),
                result.get("call_id"),
                result.get("name"),
                result.get("is_error"),
            )
        return
    source = name(message.get("source"))
    if role == "assistant" and source:
        agents.append(source)
    made = [one for one in listed if isinstance(one, dict) and "arguments" in one]
    calls = [conversation.call(o.get("name"), o.get("arguments"), o.get("id")) for o in made]
    said = [one for one in listed if one not in made] if listed else content
    speaker = source if role == "assistant" else None
    thought = message.get("thought")
    conversation.say(role, said, calls=calls, name=speaker, reasoning=thought)


def _words(agent: str) -> str:
    """`CodeReviewerAgent` as `Code Reviewer`."""
    return _CAMEL.sub(" ", agent).removesuffix(" Agent").removesuffix("_agent")


def _is_history(row: dict[str, Any]) -> bool:
    messages = row.get("messages")
    if not isinstance(messages, list):
        return False
    return any(isinstance(one, dict) and str(one.get("type")) in _TYPES for one in messages)
