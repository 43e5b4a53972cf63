"""One recorded chat completion, of OpenAI's API and of the many that speak it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.collect.exchange import (
    Exchange,
    beside,
    duration_of,
    error_of,
    has_response,
    path_of,
    provider_of,
    request_of,
    response_of,
    started_of,
    told_role,
)
from studio.collect.log import Unusable
from studio.collect.messages import add_openai, openai_conversation, openai_tools
from studio.collect.openai_stream import merged
from studio.collect.outcome import ended_well
from studio.collect.values import count, name

_OTHER_PATHS = ("/messages", "/responses")


def looks_like_exchange(row: Mapping[str, Any]) -> bool:
    """Whether a row is a recorded chat completion, and not of some other API with `messages`."""
    request, response = request_of(row), response_of(row, merged)
    if not isinstance(request.get("messages"), list):
        return False
    if isinstance(response.get("choices"), list):
        return True
    if name(row.get("url")) is not None:
        return "/chat/completions" in path_of(row)
    return bool(response.get("error")) and not _of_another_api(row, response)


def exchange_of(row: Mapping[str, Any]) -> Exchange | None:
    """The exchange that a row records; None when it is none. Raises Unusable for damaged ones."""
    request, response = request_of(row), response_of(row, merged)
    if not has_response(row) or not isinstance(request.get("messages"), list):
        return None
    if _of_another_api(row, response):
        raise Unusable("a request of another API than chat completions")
    conversation = openai_conversation(request["messages"])
    asked = len(conversation.messages)
    raw = told_role(conversation)
    choice = _choice(response)
    error = error_of(row, response)
    answered = choice is not None and not error
    if choice is not None and (answered or _says_anything(choice["message"])):
        add_openai(conversation, {**choice["message"], "role": "assistant"})
    elif not error:
        conversation.problem("the response holds no chat completion")
    reason = name(choice.get("finish_reason")) if choice else None
    broken_off = choice is not None and choice.get("finish_reason", "") is None
    if answered and broken_off:
        conversation.problem("the stream ended before the answer did")
    usage = response.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Exchange(
        conversation=conversation,
        asked=asked,
        answered=answered,
        success=ended_well(error, answered and not broken_off, reason),
        tools=openai_tools(request.get("tools") or request.get("functions")),
        provider=provider_of(row),
        model=name(response.get("model")) or name(request.get("model")),
        completion_id=name(response.get("id")),
        started_ms=started_of(row, response),
        duration_ms=duration_of(row),
        prompt_tokens=count(usage.get("prompt_tokens")),
        completion_tokens=count(usage.get("completion_tokens")),
        stop_reason=reason,
        error=error,
        raw=beside(row) | _other_choices(response) | raw,
    )


def _of_another_api(row: Mapping[str, Any], response: Mapping[str, Any]) -> bool:
    """Anthropic's messages have a `type`; its path, and that of Responses, tell as well."""
    return response.get("type") in ("message", "error") or path_of(row).endswith(_OTHER_PATHS)


def _choice(response: Mapping[str, Any]) -> dict[str, Any] | None:
    choices = response.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict) or not isinstance(first.get("message"), dict):
        return None
    return first


def _other_choices(response: Mapping[str, Any]) -> dict[str, Any]:
    choices = response.get("choices")
    return {"other_choices": choices[1:]} if isinstance(choices, list) and choices[1:] else {}


def _says_anything(message: Mapping[str, Any]) -> bool:
    return bool(message.get("content") or message.get("tool_calls"))
