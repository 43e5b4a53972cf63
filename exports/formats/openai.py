"""The chat format of OpenAI's fine-tuning: `messages` and `tools`, arguments as JSON text.

https://platform.openai.com/docs/guides/fine-tuning
"""

from __future__ import annotations

import json
from typing import Any

from exports.frozen import StoredExample

DESCRIPTION = "OpenAI chat fine-tuning: `messages`, `tools`; arguments are JSON text"
_KEYS = ("role", "content", "tool_calls", "tool_call_id", "name")


def row(example: StoredExample) -> dict[str, Any]:
    """One line of the file; reasoning is left out, since the format has no place for it."""
    line: dict[str, Any] = {"messages": [_message(message) for message in example.messages]}
    if example.tools:
        line["tools"] = example.tools
    return line


def _message(message: dict[str, Any]) -> dict[str, Any]:
    written = {key: message[key] for key in _KEYS if key in message}
    if message.get("tool_calls"):
        written["content"] = message["content"] or None
        written["tool_calls"] = [
            {
                "id": call.get("id") or f"call_{number}",
                "type": "function",
                "function": {
                    "name": call["function"]["name"],
                    "arguments": json.dumps(call["function"]["arguments"], ensure_ascii=False),
                },
            }
            for number, call in enumerate(message["tool_calls"])
        ]
    return written
