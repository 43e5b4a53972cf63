"""Streamed chat completions (server-sent events or a list of chunks) merged into one response."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from studio.collect.decoding import Damaged, decode

_TEXTS = ("content", "refusal", "reasoning_content", "reasoning")


def events(stream: str) -> list[Any]:
    """The JSON of each `data:` field; comments, other fields, `[DONE]` and damage are left out."""
    found = []
    for block in stream.replace("\r\n", "\n").split("\n\n"):
        fields = [line[5:].strip() for line in block.split("\n") if line.startswith("data:")]
        data = "\n".join(fields)
        if not data or data == "[DONE]":
            continue
        try:
            found.append(decode(data.encode()))
        except Damaged:
            continue
    return found


def merged(chunks: Iterable[object]) -> dict[str, Any]:
    """One `chat.completion` of its chunks: deltas by choice, tool calls by their `index`.

    Usage, id and model are the last ones told. An `error` chunk is kept as `error`.
    """
    response: dict[str, Any] = {}
    choices: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        if not isinstance(chunk, dict):
            continue
        for key in ("id", "model", "created", "usage", "error"):
            if chunk.get(key):
                response[key] = chunk[key]
        listed = chunk.get("choices")
        for choice in listed if isinstance(listed, list) else []:
            if isinstance(choice, dict):
                _add_choice(choices, choice)
    if choices:
        response["choices"] = [choices[index] for index in sorted(choices)]
        for choice in response["choices"]:
            calls = choice["message"].pop("_calls")
            if calls:
                choice["message"]["tool_calls"] = [calls[index] for index in sorted(calls)]
    return response


def _add_choice(choices: dict[int, dict[str, Any]], choice: dict[str, Any]) -> None:
    index = choice.get("index")
    merged_choice = choices.setdefault(
        index if isinstance(index, int) else 0,
        {"message": {"role": "assistant", "content": None, "_calls": {}}, "finish_reason": None},
    )
    if choice.get("finish_reason"):
        merged_choice["finish_reason"] = choice["finish_reason"]
    delta = choice.get("delta") or choice.get("message")
    if not isinstance(delta, dict):
        return
    message = merged_choice["message"]
    for key in _TEXTS:
        if isinstance(delta.get(key), str):
            message[key] = (message.get(key) or "") + delta[key]
    calls = delta.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        if isinstance(call, dict):
            _add_call(message["_calls"], call)


def _add_call(calls: dict[int, dict[str, Any]], delta: dict[str, Any]) -> None:
    """Its `index` says which call a delta belongs to; where it is missing, a new id begins one."""
    index = delta.get("index")
    if not isinstance(index, int):
        begins = bool(delta.get("id")) or not calls
        index = len(calls) if begins else next(reversed(calls))
    call = calls.setdefault(
        index, {"id": None, "type": "function", "function": {"name": "", "arguments": ""}}
    )
    if isinstance(delta.get("id"), str):
        call["id"] = delta["id"]
    function = delta.get("function")
    for key in ("name", "arguments"):
        value = function.get(key) if isinstance(function, dict) else None
        if isinstance(value, str):
            call["function"][key] += value
        elif isinstance(value, dict):
            call["function"][key] = value
