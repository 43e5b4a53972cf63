"""One recorded request to OpenAI's Responses, streamed or not."""

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
from studio.collect.messages import openai_tools
from studio.collect.response_items import Items
from studio.collect.values import count, name


def looks_like_exchange(row: Mapping[str, Any]) -> bool:
    """Whether a row is a request with `input` that was sent to, or answered by, Responses."""
    request, response = request_of(row), response_of(row, merged)
    if not isinstance(request.get("input"), str | list) or not has_response(row):
        return False
    return isinstance(response.get("output"), list) or path_of(row).endswith("/responses")


def exchange_of(row: Mapping[str, Any]) -> Exchange:
    """The exchange that a row records. Raises Unusable for what is none."""
    if not looks_like_exchange(row):
        raise Unusable("no request to OpenAI's Responses")
    request, response = request_of(row), response_of(row, merged)
    items = _asked(request)
    conversation = items.conversation
    asked = len(conversation.messages)
    raw = told_role(conversation)
    output = response.get("output")
    for item in output if isinstance(output, list) else []:
        items.add(item)
    error = error_of(row, response)
    answered = len(conversation.messages) > asked and not error
    state = name(response.get("status"))
    if not answered and not error:
        conversation.problem(f"the response holds no output: {state or 'no status'}")
    usage = response.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    for key in ("previous_response_id", "conversation"):
        if request.get(key):
            raw[key] = request[key]
            conversation.problem("the turns before are kept by the server and not told")
    return Exchange(
        conversation=conversation,
        asked=asked,
        answered=answered,
        success=False if error else (True if answered and state != "incomplete" else None),
        tools=openai_tools(request.get("tools")),
        provider=provider_of(row),
        model=name(response.get("model")) or name(request.get("model")),
        completion_id=name(response.get("id")),
        started_ms=started_of(row, response),
        duration_ms=duration_of(row),
        prompt_tokens=count(usage.get("input_tokens")),
        completion_tokens=count(usage.get("output_tokens")),
        stop_reason=_reason(response) or state,
        error=error,
        raw=beside(row) | raw,
    )


def _asked(request: Mapping[str, Any]) -> Items:
    """The instructions and the input of a request. Raises Unusable."""
    items = Items()
    if name(request.get("instructions")):
        items.message("system", request["instructions"])
    given = request["input"]
    for item in given if isinstance(given, list) else [{"role": "user", "content": given}]:
        items.add(item)
    items.end_turn()
    if not items.conversation.messages:
        raise Unusable("no messages")
    return items


def merged(events: list[Any]) -> dict[str, Any]:
    """The response that the last event of a stream holds; with the items that ended before it."""
    response: dict[str, Any] = {}
    items: list[Any] = []
    for event in events:
        if not isinstance(event, dict):
            continue
        if isinstance(event.get("response"), dict):
            response |= event["response"]
        if event.get("type") == "response.output_item.done":
            items.append(event.get("item"))
        if event.get("type") == "error":
            response["error"] = event.get("error") or event.get("message")
    if items and not response.get("output"):
        response["output"] = items
    return response


def _reason(response: Mapping[str, Any]) -> str | None:
    """Why it is incomplete: `max_output_tokens` or `content_filter`."""
    details = response.get("incomplete_details")
    return name(details.get("reason")) if isinstance(details, dict) else None
