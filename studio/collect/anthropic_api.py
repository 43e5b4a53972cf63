"""One recorded request to Anthropic's messages, streamed or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.collect.anthropic_blocks import add_anthropic
from studio.collect.decoding import Damaged, decode
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
from studio.collect.messages import Conversation, openai_tools
from studio.collect.outcome import ended_well
from studio.collect.values import count, name

PROMPT_TOKENS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "input"}


def looks_like_exchange(row: Mapping[str, Any]) -> bool:
    """Whether a row is a request with `messages` that Anthropic's API was asked or answered."""
    request, response = request_of(row), response_of(row, merged)
    if not isinstance(request.get("messages"), list) or not has_response(row):
        return False
    if response.get("type") == "message" and isinstance(response.get("content"), list):
        return True
    return path_of(row).endswith("/messages") or response.get("type") == "error"


def exchange_of(row: Mapping[str, Any]) -> Exchange:
    """The exchange that a row records. Raises Unusable for what is none."""
    if not looks_like_exchange(row):
        raise Unusable("no request to Anthropic's messages")
    request, response = request_of(row), response_of(row, merged)
    conversation = _asked(request)
    asked = len(conversation.messages)
    raw = told_role(conversation)
    error = error_of(row, response)
    content = response.get("content")
    said = isinstance(content, list) and (content or not error)
    if said:
        add_anthropic(conversation, {"role": "assistant", "content": content})
    elif not error:
        conversation.problem("the response holds no message")
    answered = bool(said) and not error
    reason = name(response.get("stop_reason"))
    if answered and reason is None:
        conversation.problem("the stream ended before the answer did")
    return Exchange(
        conversation=conversation,
        asked=asked,
        answered=answered,
        success=ended_well(error, answered and reason is not None, reason),
        tools=openai_tools(request.get("tools")),
        provider=provider_of(row) or "anthropic",
        model=name(response.get("model")) or name(request.get("model")),
        completion_id=name(response.get("id")),
        started_ms=started_of(row, response),
        duration_ms=duration_of(row),
        prompt_tokens=usage_sum(response.get("usage"), PROMPT_TOKENS),
        completion_tokens=usage_sum(response.get("usage"), ("output_tokens",)),
        stop_reason=reason,
        error=error,
        raw=beside(row) | raw,
    )


def _asked(request: Mapping[str, Any]) -> Conversation:
    """The system prompt and the messages of a request. Raises Unusable."""
    conversation = Conversation()
    if request.get("system"):
        conversation.say("system", request["system"])
    for message in request["messages"]:
        add_anthropic(conversation, message)
    if not conversation.messages:
        raise Unusable("no messages")
    return conversation


def usage_sum(usage: object, keys: tuple[str, ...]) -> int | None:
    """Tokens under any of the keys, added up; None when none is told."""
    told = usage if isinstance(usage, dict) else {}
    numbers = [number for key in keys if (number := count(told.get(key))) is not None]
    return sum(numbers) if numbers else None


def merged(events: list[Any]) -> dict[str, Any]:
    """One message of the events of its stream; an `error` event makes it an error."""
    message: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    for event in events:
        if not isinstance(event, dict):
            continue
        index = event.get("index")
        index = index if isinstance(index, int) else len(blocks)
        begun, delta = event.get("content_block"), event.get("delta")
        if isinstance(event.get("message"), dict):
            message |= event["message"]
        elif isinstance(event.get("error"), dict):
            message |= {"error": event["error"]}
        elif isinstance(begun, dict):
            blocks[index] = {**begun, "_input": ""}
        elif event.get("type") == "content_block_delta" and isinstance(delta, dict):
            _extend(blocks.setdefault(index, {"type": "text", "_input": ""}), delta)
        elif event.get("type") == "message_delta":
            message |= delta if isinstance(delta, dict) else {}
            _use(message, event.get("usage"))
    if message:
        message["content"] = [_closed(blocks[index]) for index in sorted(blocks)]
    return message


def _use(message: dict[str, Any], usage: object) -> None:
    """The last usage of each kind counts: the first event's output tokens are a stub."""
    before = message.get("usage")
    if isinstance(usage, dict):
        told = {key: value for key, value in usage.items() if value is not None}
        message["usage"] = (before if isinstance(before, dict) else {}) | told


def _extend(block: dict[str, Any], delta: dict[str, Any]) -> None:
    key = _DELTAS.get(str(delta.get("type")))
    if delta.get("type") == "citations_delta":
        known = block.get("citations")
        block["citations"] = [*(known if isinstance(known, list) else []), delta.get("citation")]
    elif key == "input":
        block["_input"] += str(delta.get("partial_json") or "")
    elif key is not None:
        block[key] = str(block.get(key) or "") + str(delta.get(key) or "")


def _closed(block: dict[str, Any]) -> dict[str, Any]:
    written = block.pop("_input")
    if written:
        try:
            block["input"] = decode(written.encode())
        except Damaged:
            block["input"] = written
    return block
