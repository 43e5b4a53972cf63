"""Conversations as asked and answered in turn, for formats that know nothing else.

LLaMA-Factory skips a row whose turns do not alternate, with a warning that is easily missed; so
such a row is told apart here and counted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from exports.conversation import Message, Tool, calls_of
from exports.tool_calls import render_call


class Untold(Exception):
    """The format has no way to say this example; the message is the reason's code."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked (one user message, or the results of a turn's calls) and what was said."""

    asked: list[Message]
    said: Message


def exchanges(messages: Sequence[Message]) -> tuple[str, list[Exchange]]:
    """The system prompt (empty where there is none) and the exchanges in their order.

    Raises Untold where the turns do not alternate.
    """
    rest = list(messages)
    system = rest.pop(0)["content"] if rest and rest[0]["role"] == "system" else ""
    found: list[Exchange] = []
    asked: list[Message] = []
    for message in rest:
        if message["role"] == "assistant" and asked:
            found.append(Exchange(asked, message))
            asked = []
        elif message["role"] == "user" and not asked:
            asked = [message]
        elif message["role"] == "tool" and all(turn["role"] == "tool" for turn in asked):
            asked.append(message)
        else:
            raise Untold("turns_do_not_alternate")
    return str(system), found


def text_with_calls(message: Message) -> str:
    """What the assistant said, its calls written in the tool-call template below its text."""
    calls = [render_call(call.name, call.arguments) for call in calls_of(message)]
    return "\n".join([message["content"], *calls] if message["content"] else calls)


def tools_text(tools: Sequence[Tool]) -> str:
    """The tools as JSON text, empty where there are none: every row has the same columns."""
    return json.dumps(tools, ensure_ascii=False) if tools else ""
