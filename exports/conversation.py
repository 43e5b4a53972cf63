"""From a stored interaction to a training conversation: canonical messages, old calls converted.

A training conversation is OpenAI-form messages that end with the assistant. Tool calls that a log
holds as text (the old ```json template, or any other form that `tool_calls.parse` reads) become
structured calls, so that the base's own template writes them; each conversion is recorded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from exports.call_values import Call
from exports.tool_calls import parse, render_legacy_call

Message = dict[str, Any]
Tool = dict[str, Any]

TEMPLATES = ("tool_call", "legacy")
_HARMLESS = frozenset({"wrong_keys", "unclosed", "repaired_json", "no_open_tag", "no_close_tag"})
_KEPT = ("reasoning_content", "name")


@dataclass(slots=True)
class Conversation:
    """Messages and tools as they are trained on. `converted` counts the calls by their old form."""

    messages: list[Message]
    tools: list[Tool]
    converted: Counter[str] = field(default_factory=Counter)


def training_conversation(
    messages: Sequence[Message], tools: Sequence[Tool] | None
) -> Conversation | None:
    """The conversation up to the last thing that the assistant said; None if it said nothing."""
    conversation = Conversation([], list(tools or ()))
    for message in messages:
        conversation.messages.append(_canonical(message, conversation))
    while conversation.messages and not _says_something(conversation.messages[-1]):
        conversation.messages.pop()
    if not any(message["role"] == "user" for message in conversation.messages):
        return None
    _link_results(conversation.messages)
    return conversation if conversation.messages else None


def in_legacy_template(messages: Sequence[Message]) -> list[Message]:
    """The same conversation with its calls written as text in the old template.

    It exists to show what goes wrong: the evaluation's parser does not read it.
    """
    written: list[Message] = []
    for message in messages:
        if not message.get("tool_calls"):
            written.append(dict(message))
            continue
        calls = [
            render_legacy_call(call["function"]["name"], call["function"]["arguments"])
            for call in message["tool_calls"]
        ]
        text = "\n".join([message["content"], *calls] if message["content"] else calls)
        written.append({"role": "assistant", "content": text})
    return written


def calls_of(message: Message) -> list[Call]:
    """The structured calls of one message."""
    return [
        Call(call["function"]["name"], call["function"]["arguments"])
        for call in message.get("tool_calls") or ()
    ]


def offered_names(tools: Sequence[Tool]) -> set[str]:
    """The names of the tools of a conversation."""
    return {str(tool.get("function", tool).get("name")) for tool in tools}


def _says_something(message: Message) -> bool:
    return message["role"] == "assistant" and bool(message["content"] or message.get("tool_calls"))


def _canonical(message: Message, conversation: Conversation) -> Message:
    content = message.get("content")
    result: Message = {"role": message["role"], "content": content if content else ""}
    for key in _KEPT:
        if message.get(key):
            result[key] = message[key]
    if message["role"] == "tool":
        result["tool_call_id"] = message.get("tool_call_id") or ""
    if message["role"] != "assistant":
        return result
    if message.get("tool_calls"):
        result["tool_calls"] = [dict(call) for call in message["tool_calls"]]
    elif result["content"]:
        _convert(result, conversation)
    return result


def _convert(message: Message, conversation: Conversation) -> None:
    """Turn calls that stand in the text into structured ones, where it is sure what they mean."""
    tools = conversation.tools or None
    found = parse(message["content"], tools)
    calls = found.calls or found.legacy
    if not calls or not set(found.problems) <= _HARMLESS:
        return
    if tools is not None and not {call.name for call in calls} <= offered_names(conversation.tools):
        return
    number = len(conversation.messages)
    message["content"] = found.text
    message["tool_calls"] = [
        {
            "id": f"call_{number}_{index}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for index, call in enumerate(calls)
    ]
    form = "legacy" if not found.calls else found.format or "tags"
    conversation.converted[form] += len(calls)


def _link_results(messages: Sequence[Message]) -> None:
    """Give tool results without an id the ids of the calls before them, in order."""
    waiting: list[str] = []
    for message in messages:
        if message.get("tool_calls"):
            waiting = [str(call.get("id") or "") for call in message["tool_calls"]]
        elif message["role"] == "tool":
            if message["tool_call_id"] in waiting:
                waiting.remove(message["tool_call_id"])
            elif not message["tool_call_id"] and waiting:
                message["tool_call_id"] = waiting.pop(0)
