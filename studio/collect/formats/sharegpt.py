"""ShareGPT: `{"conversations": [{"from", "value"}], "tools"?, "system"?, "id"?}`.

Turns may be written as `role` and `content` too. A `function_call` turn holds JSON
`{"name", "arguments"}` or a list of them, an `observation` what the tool answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from db.interactions import Record
from studio.collect.decoding import Damaged, decode
from studio.collect.log import Head, Log, Rejected, Unusable
from studio.collect.messages import Conversation, add_openai, openai_tools

NAME = "sharegpt"
_KEYS = {"id", "conversations", "tools", "system"}
_ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "function_call": "call",
    "observation": "tool",
    "function_response": "tool",
    "tool": "tool",
}


def sniff(head: Head) -> bool:
    """Some row has `conversations` of turns that say who speaks."""
    return any(isinstance(row, dict) and _turns(row) for row in head.rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a row. Ids are only unique inside a file, so the content counts as well."""

    def convert(row: dict[str, Any], line: int) -> Record:
        turns = _turns(row)
        if turns is None:
            raise Unusable("no conversations of {from, value} turns")
        conversation = Conversation()
        if isinstance(row.get("system"), str) and row["system"]:
            conversation.say("system", row["system"])
        for turn in turns:
            _add(conversation, turn)
        own = row.get("id")
        prefix = f"{NAME}:{own}" if isinstance(own, str | int) and own != "" else NAME
        return Record(
            external_id=log.content_id(prefix, row),
            line=line,
            messages=conversation.messages,
            tools=openai_tools(row.get("tools")),
            raw={k: v for k, v in row.items() if k not in _KEYS} | conversation.raw(),
        )

    return log.records(convert)


def _turns(row: dict[str, Any]) -> list[Any] | None:
    turns = row.get("conversations")
    if not isinstance(turns, list) or not turns or not isinstance(turns[0], dict):
        return None
    keys = turns[0].keys()
    return turns if {"from", "value"} <= keys or {"role", "content"} <= keys else None


def _add(conversation: Conversation, turn: object) -> None:
    where = f"turn {len(conversation.messages) + 1}"
    if not isinstance(turn, dict):
        raise Unusable(f"{where} is not an object")
    speaker = turn.get("from", turn.get("role"))
    role = _ROLES.get(speaker.lower()) if isinstance(speaker, str) else None
    if role is None:
        raise Unusable(f"{where}: unknown speaker {speaker}")
    value = turn.get("value", turn.get("content"))
    if role == "call":
        conversation.say("assistant", "", calls=_calls(conversation, value))
    elif role == "tool":
        conversation.answer(value, turn.get("tool_call_id"), turn.get("name"))
    elif "tool_calls" in turn:
        add_openai(conversation, {**turn, "role": role, "content": value})
    else:
        conversation.say(role, value, reasoning=turn.get("reasoning_content"))


def _calls(conversation: Conversation, value: object) -> list[dict[str, Any]]:
    if isinstance(value, str):
        try:
            value = decode(value.encode())
        except Damaged as error:
            raise Unusable(f"a function_call turn: {error}") from error
    calls = []
    for call in value if isinstance(value, list) else [value]:
        if not isinstance(call, dict):
            raise Unusable("a function_call turn is not an object")
        calls.append(conversation.call(call.get("name"), call.get("arguments"), call.get("id")))
    return calls
