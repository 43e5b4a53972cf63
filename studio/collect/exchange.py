"""One recorded chat completion: the request, the response, how long it took, how it ended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from db.interactions import Record
from studio.collect.decoding import Damaged, decode
from studio.collect.log import Unusable
from studio.collect.messages import Conversation, add_openai, openai_conversation, openai_tools
from studio.collect.openai_stream import events, merged
from studio.collect.outcome import ERROR_CHARS, error_text
from studio.collect.values import count, moment, name
from studio.settings import agent_named

_REQUESTS = ("request", "request_body", "requestBody")
_RESPONSES = ("response", "response_body", "responseBody")
_STARTS = ("started_at", "start_time", "startTime", "timestamp", "created_at")
_DURATIONS = ("duration_ms", "latency_ms", "response_ms")
_STATUSES = ("status", "status_code", "response_status")
_ROLE = re.compile(r"You are ([^.\n]{1,80})\.")  # how crewAI tells an agent its role
_OTHER_PATHS = ("/messages", "/responses")
_PROVIDERS = {"googleapis": "google"}


@dataclass(slots=True)
class Exchange:
    """A request and what came back. `answered` is false for an error or an empty response.

    `success` is true when an answer came and came to its end, false for an error.
    """

    conversation: Conversation
    answered: bool
    success: bool | None
    tools: list[dict[str, Any]] | None
    provider: str | None
    model: str | None
    completion_id: str | None
    started_ms: int | None
    duration_ms: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    stop_reason: str | None
    error: str | None
    raw: dict[str, Any] = field(default_factory=dict)

    def record(self, external_id: str, line: int) -> Record:
        """This exchange as an interaction."""
        raw = self.raw | self.conversation.raw()
        declared = name(raw.get("agent")) or name(raw.get("role"))
        return Record(
            external_id=external_id,
            line=line,
            messages=self.conversation.messages,
            tools=self.tools,
            agent=agent_named(declared),
            provider=self.provider,
            model=self.model,
            success=self.success,
            error=self.error,
            started_ms=self.started_ms,
            duration_ms=self.duration_ms,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            stop_reason=self.stop_reason,
            raw=raw,
        )


def looks_like_exchange(row: Mapping[str, Any]) -> bool:
    """Whether a row is a recorded chat completion, and not of some other API with `messages`."""
    request, response = _request(row), _response(row)
    if not isinstance(request.get("messages"), list):
        return False
    if isinstance(response.get("choices"), list):
        return True
    url = name(row.get("url"))
    if url is not None:
        return "/chat/completions" in url
    return bool(response.get("error")) and not _of_another_api(row, response)


def exchange_of(row: Mapping[str, Any]) -> Exchange | None:
    """The exchange that a row records; None when it is none. Raises Unusable for damaged ones."""
    request, response = _request(row), _response(row)
    has_response = any(key in row for key in _RESPONSES)
    if not has_response or not isinstance(request.get("messages"), list):
        return None
    if _of_another_api(row, response):
        raise Unusable("a request of another API than chat completions")
    conversation = openai_conversation(request["messages"])
    raw = _told_role(conversation)
    choice = _choice(response)
    error = _error(row, response)
    answered = choice is not None and not error
    if choice is not None and (answered or _says_anything(choice["message"])):
        add_openai(conversation, {**choice["message"], "role": "assistant"})
    elif not error:
        conversation.problem("the response holds no chat completion")
    broken_off = choice is not None and choice.get("finish_reason", "") is None
    if answered and broken_off:
        conversation.problem("the stream ended before the answer did")
    usage = _object(response.get("usage"))
    return Exchange(
        conversation=conversation,
        answered=answered,
        success=False if error else (True if answered and not broken_off else None),
        tools=openai_tools(request.get("tools") or request.get("functions")),
        provider=name(row.get("provider")) or _provider(row.get("url")),
        model=name(response.get("model")) or name(request.get("model")),
        completion_id=name(response.get("id")),
        started_ms=_started(row, response),
        duration_ms=_first_count(row, _DURATIONS),
        prompt_tokens=count(usage.get("prompt_tokens")),
        completion_tokens=count(usage.get("completion_tokens")),
        stop_reason=name(choice.get("finish_reason")) if choice else None,
        error=error,
        raw=_beside(row, response) | raw,
    )


def _of_another_api(row: Mapping[str, Any], response: Mapping[str, Any]) -> bool:
    """Anthropic's messages have a `type`; its path, and that of Responses, tell as well."""
    path = (name(row.get("url")) or "").partition("?")[0]
    return response.get("type") in ("message", "error") or path.endswith(_OTHER_PATHS)


def _request(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request's body, wherever a gateway puts it."""
    found = _body(next((row[key] for key in _REQUESTS if key in row), None))
    return found if isinstance(found, dict) else row


def _response(row: Mapping[str, Any]) -> Mapping[str, Any]:
    found = _body(next((row[key] for key in _RESPONSES if key in row), None))
    if isinstance(found, str) and "data:" in found:
        found = events(found)
    if isinstance(found, list):
        found = merged(found)
    return _object(found)


def _body(value: object) -> object:
    """A body as it is, or inside `{"body": …}`, and decoded when it is JSON in a string."""
    if isinstance(value, dict) and "body" in value and "messages" not in value:
        value = value["body"]
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return decode(value.encode())
        except Damaged:
            return value
    return value


def _choice(response: Mapping[str, Any]) -> dict[str, Any] | None:
    choices = response.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict) or not isinstance(first.get("message"), dict):
        return None
    return first


def _says_anything(message: Mapping[str, Any]) -> bool:
    return bool(message.get("content") or message.get("tool_calls"))


def _error(row: Mapping[str, Any], response: Mapping[str, Any]) -> str | None:
    told = error_text(response.get("error")) or error_text(row.get("error"))
    if told:
        return told
    status = _first_count(row, _STATUSES)
    if status is None or status < 400:
        return None
    body = next((row[key] for key in _RESPONSES if key in row), None)
    return f"HTTP {status}" + (f": {body[:ERROR_CHARS]}" if isinstance(body, str) and body else "")


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _first_count(row: Mapping[str, Any], keys: tuple[str, ...]) -> int | None:
    return next((number for key in keys if (number := count(row.get(key))) is not None), None)


def _started(row: Mapping[str, Any], response: Mapping[str, Any]) -> int | None:
    """When it began: told by the row, or by `created`; a `date` header is of its end."""
    told = next((when for key in _STARTS if (when := moment(row.get(key))) is not None), None)
    return told or moment(response.get("created")) or moment(row.get("date"))


def _told_role(conversation: Conversation) -> dict[str, Any]:
    """The role that the prompt gives the agent: "You are Researcher. …"."""
    match = _ROLE.match(conversation.messages[0]["content"])
    return {"role": match.group(1)} if match else {}


def _beside(row: Mapping[str, Any], response: Mapping[str, Any]) -> dict[str, Any]:
    """What else the row tells: its own other keys, and answers after the first."""
    body = {*_REQUESTS, *_RESPONSES, *_DURATIONS, "messages", "tools", "error"}
    kept = {key: value for key, value in row.items() if key not in body}
    choices = response.get("choices")
    if isinstance(choices, list) and len(choices) > 1:
        kept["other_choices"] = choices[1:]
    return kept


def _provider(url: object) -> str | None:
    """`openai` for api.openai.com: the name before the top-level domain, else the whole host."""
    try:
        host = urlsplit(url).hostname if isinstance(url, str) else None
    except ValueError:
        return None
    if not host:
        return None
    labels = host.split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        return host
    return _PROVIDERS.get(labels[-2], labels[-2])
