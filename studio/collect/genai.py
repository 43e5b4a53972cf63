"""OpenTelemetry's attributes for generative AI, in the spellings that are about.

`gen_ai.*` as the conventions have it, pydantic-ai's own, OpenInference's `llm.*`, and the
numbered keys (`gen_ai.prompt.0.role`) of older instrumentations; Vercel's `ai.*`. Values may be
JSON in strings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from studio.collect.any_messages import decoded
from studio.collect.spans import Kind
from studio.collect.values import count, name

_KINDS: dict[str, Kind] = {
    "chat": "model",
    "text_completion": "model",
    "generate_content": "model",
    "llm": "model",
    "completion": "model",
    "execute_tool": "tool",
    "tool": "tool",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "agent": "agent",
}
_ASKED = ("gen_ai.input.messages", "gen_ai.prompt", "ai.prompt.messages", "input.value")
_ANSWERED = ("gen_ai.output.messages", "gen_ai.completion", "output.value")
_ARGUMENTS = ("gen_ai.tool.call.arguments", "tool_arguments", "input.value")
_RESULTS = ("gen_ai.tool.call.result", "tool_response", "output.value")
_INPUT_TOKENS = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.token_count.prompt",
)
_KIND_KEYS = (
    "gen_ai.operation.name",
    "openinference.span.kind",
    "llm.request.type",
    "traceloop.span.kind",
)
_PARTS_MAX = 9  # of a dotted key
_WRAPPERS = re.compile(r"\b(?:message|message_content|tool_call)\.")  # OpenInference's
_OUTPUT_TOKENS = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
)
Attributes = Mapping[str, Any]


def kind_of(attributes: Attributes) -> Kind:
    """Whether the span is of a model, a tool or an agent."""
    told = next((attributes[key] for key in _KIND_KEYS if attributes.get(key)), None)
    if told is None and name(attributes.get("gen_ai.request.model")):
        return "model"  # the innermost span of an SDK that names no operation
    return _KINDS.get(str(told).lower(), "other")


def facts_of(attributes: Attributes, kind: Kind) -> dict[str, Any]:
    """What the attributes tell, by the fields of `studio.collect.spans.Span`."""
    asked, answered = _events(attributes)
    tool = kind == "tool"
    if asked is None:
        asked = _numbered(attributes, "gen_ai.prompt.", "llm.input_messages.")
    if answered is None:
        answered = _numbered(attributes, "gen_ai.completion.", "llm.output_messages.")
    return {
        "asked": asked or _value(attributes, _ARGUMENTS if tool else _ASKED),
        "answered": answered
        or _value(attributes, _RESULTS if tool else _ANSWERED)
        or _vercel_answer(attributes),
        "system": _value(attributes, ("gen_ai.system_instructions",)),
        "tools": _value(attributes, ("gen_ai.tool.definitions",)),
        "agent": _name(attributes, ("gen_ai.agent.name", "agent_name")),
        "provider": _name(attributes, ("gen_ai.provider.name", "gen_ai.system", "llm.provider")),
        "model": _name(
            attributes, ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name")
        ),
        "prompt_tokens": _count(attributes, _INPUT_TOKENS),
        "completion_tokens": _count(attributes, _OUTPUT_TOKENS),
        "stop_reason": _reason(attributes),
        "call_id": _name(attributes, ("gen_ai.tool.call.id", "tool_call.id")),
    }


def _value(attributes: Attributes, keys: tuple[str, ...]) -> Any:
    return next((attributes[key] for key in keys if attributes.get(key)), None)


def _name(attributes: Attributes, keys: tuple[str, ...]) -> str | None:
    return next((found for key in keys if (found := name(attributes.get(key)))), None)


def _count(attributes: Attributes, keys: tuple[str, ...]) -> int | None:
    numbers = (count(attributes.get(key)) for key in keys)
    return next((number for number in numbers if number is not None), None)


def _reason(attributes: Attributes) -> str | None:
    reasons = decoded(attributes.get("gen_ai.response.finish_reasons"))
    return name(reasons[0]) if isinstance(reasons, list) and reasons else name(reasons)


def _events(attributes: Attributes) -> tuple[Any, Any]:
    """pydantic-ai's first version: one list of events, the last of which is the choice."""
    events = decoded(attributes.get("events"))
    if not isinstance(events, list) or not all(isinstance(one, dict) for one in events):
        return None, None
    choices = [one for one in events if one.get("event.name") == "gen_ai.choice"]
    asked = [one for one in events if one.get("event.name") != "gen_ai.choice"]
    return asked or None, choices or None


def _vercel_answer(attributes: Attributes) -> dict[str, Any] | None:
    """The text and the calls of a response, which Vercel's SDK keeps apart."""
    text, calls = name(attributes.get("ai.response.text")), attributes.get("ai.response.toolCalls")
    listed = decoded(calls)
    parts = [{"type": "text", "text": text}] if text else []
    parts += listed if isinstance(listed, list) else []
    return {"role": "assistant", "content": parts} if parts else None


def _numbered(attributes: Attributes, *prefixes: str) -> list[Any] | None:
    """`PREFIX0.role`, `PREFIX0.tool_calls.0.name`, … as a list of messages."""
    found: dict[str, Any] = {}
    for key, value in attributes.items():
        prefix = next((one for one in prefixes if key.startswith(one)), None)
        if prefix is not None:
            path = _WRAPPERS.sub("", key[len(prefix) :]).replace(".contents.", ".content.")
            _place(found, path.split(".", _PARTS_MAX), value)
    messages = [found[key] for key in sorted(filter(_is_index, found), key=int)]
    return [_listed(one) for one in messages if isinstance(one, dict)] or None


def _place(tree: dict[str, Any], path: list[str], value: object) -> None:
    """Put a value where its path says, unless a value stands in the way."""
    for part in path[:-1]:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    tree.setdefault(path[-1], value)


def _listed(tree: Any) -> Any:
    """Objects whose keys are all numbers as lists."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(map(_is_index, tree)):
        return [_listed(tree[key]) for key in sorted(tree, key=int)]
    return {key: _listed(value) for key, value in tree.items()}


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdecimal() and len(key) < 6
