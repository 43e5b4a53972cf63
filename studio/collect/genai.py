"""OpenTelemetry's attributes for generative AI, in the spellings that are about.

`gen_ai.*` as the conventions have it, pydantic-ai's own, OpenInference's `llm.*`, and the
numbered keys (`gen_ai.prompt.0.role`) of older instrumentations. Values may be JSON in strings.
"""

from __future__ import annotations

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
_OUTPUT_TOKENS = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
)
Attributes = Mapping[str, Any]


def kind_of(attributes: Attributes) -> Kind:
    """Whether the span is of a model, a tool or an agent."""
    told = attributes.get("gen_ai.operation.name") or attributes.get("openinference.span.kind")
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
        "answered": answered or _value(attributes, _RESULTS if tool else _ANSWERED),
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


def _numbered(attributes: Attributes, *prefixes: str) -> list[Any] | None:
    """`PREFIX0.role`, `PREFIX0.message.content`, … as a list of messages."""
    found: dict[int, dict[str, Any]] = {}
    for key, value in attributes.items():
        prefix = next((one for one in prefixes if key.startswith(one)), None)
        number, _, rest = key[len(prefix or key) :].partition(".")
        if prefix and rest and number.isdecimal() and len(number) < 6:
            rest = rest.removeprefix("message.")
            found.setdefault(int(number), {})[rest] = value
    return [found[number] for number in sorted(found)] or None
