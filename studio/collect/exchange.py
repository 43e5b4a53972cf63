"""One recorded request to a model's API: what was asked, what came back, how long it took.

A row is `{"request", "response", "status"?, "date"?, "duration_ms"?, "url"?}` as gateways and
cassettes write it; the names differ (`request_body`), bodies may be JSON strings or event streams.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from db.interactions import Record
from studio.collect.decoding import Damaged, decode
from studio.collect.messages import Conversation
from studio.collect.openai_stream import events
from studio.collect.outcome import ERROR_CHARS, error_text
from studio.collect.values import count, moment, name
from studio.settings import agent_named

REQUESTS = ("request", "request_body", "requestBody")
RESPONSES = ("response", "response_body", "responseBody")
_STARTS = ("started_at", "start_time", "startTime", "timestamp", "created_at")
_ENDS = ("ended_at", "end_time", "endTime")
_DURATIONS = ("duration_ms", "latency_ms", "response_ms")
_STATUSES = ("status", "status_code", "response_status")
_ROLE = re.compile(r"You are (?:(?:an?|the) )?([^.\n]{1,80})\.")  # how prompts tell a role
_PROVIDERS = {"googleapis": "google"}
Merge = Callable[[list[Any]], dict[str, Any]]


@dataclass(slots=True)
class Exchange:
    """A request and what came back. `answered` is false for an error or an empty response.

    `success` is true when an answer came and came to its end, false for an error. The first
    `asked` messages of the conversation are the request's.
    """

    conversation: Conversation
    asked: int
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


def request_of(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request's body, wherever a gateway puts it; the row itself when it is in none of them."""
    found = _body(next((row[key] for key in REQUESTS if key in row), None))
    if isinstance(found, dict):
        return found
    told = _body(row.get("messages"))
    return {**row, "messages": told} if isinstance(told, list) else row


def response_of(row: Mapping[str, Any], merge: Merge) -> Mapping[str, Any]:
    """The response's body; `merge` makes one of the events of a stream."""
    found = _body(next((row[key] for key in RESPONSES if key in row), None))
    if isinstance(found, str) and "data:" in found:
        found = events(found)
    if isinstance(found, list):
        found = merge(found)
    return found if isinstance(found, dict) else {}


def has_response(row: Mapping[str, Any]) -> bool:
    """Whether the row says what came back, even if that is null."""
    return any(key in row for key in RESPONSES)


def path_of(row: Mapping[str, Any]) -> str:
    """The URL that was asked, without what follows a question mark."""
    return (name(row.get("url")) or "").partition("?")[0]


def error_of(row: Mapping[str, Any], response: Mapping[str, Any]) -> str | None:
    """The error that the response or the row tells, or the HTTP status that is one."""
    for told in (response.get("error"), row.get("error"), row.get("error_str")):
        if (text := error_text(told)) is not None:
            return text
    status = _first_count(row, _STATUSES)
    if status is None or status < 400:
        return None
    body = next((row[key] for key in RESPONSES if key in row), None)
    return f"HTTP {status}" + (f": {body[:ERROR_CHARS]}" if isinstance(body, str) and body else "")


def started_of(row: Mapping[str, Any], response: Mapping[str, Any]) -> int | None:
    """When it began: told by the row, or by `created`; a `date` header is of its end."""
    told = _first_moment(row, _STARTS)
    created = moment(response.get("created")) or moment(response.get("created_at"))
    return told or created or moment(row.get("date"))


def duration_of(row: Mapping[str, Any]) -> int | None:
    """Milliseconds that the row tells, or that lie between the start and the end that it tells."""
    told = _first_count(row, _DURATIONS)
    began, ended = _first_moment(row, _STARTS), _first_moment(row, _ENDS)
    if told is not None or began is None or ended is None:
        return told
    return max(0, ended - began)


def told_role(conversation: Conversation) -> dict[str, Any]:
    """The role that the prompt gives the agent: "You are Researcher. …"."""
    match = _ROLE.match(conversation.messages[0]["content"]) if conversation.messages else None
    return {"role": match.group(1)} if match else {}


def beside(row: Mapping[str, Any]) -> dict[str, Any]:
    """What else the row tells: its own other keys."""
    body = {*REQUESTS, *RESPONSES, *_DURATIONS, "messages", "tools", "error"}
    return {key: value for key, value in row.items() if key not in body}


def provider_of(row: Mapping[str, Any]) -> str | None:
    """As the row says it, else `openai` for api.openai.com: the name before the top-level domain,
    or the whole host.
    """
    try:
        url = row.get("url")
        host = urlsplit(url).hostname if isinstance(url, str) else None
    except ValueError:
        host = None
    labels = (host or "").split(".")
    if len(labels) >= 2 and not labels[-1].isdigit():
        host = _PROVIDERS.get(labels[-2], labels[-2])
    return name(row.get("provider")) or name(row.get("custom_llm_provider")) or host


def _body(value: object) -> object:
    """A body as it is, or inside `{"body": …}`, and decoded when it is JSON in a string."""
    if isinstance(value, dict) and "body" in value and not {"messages", "input"} & value.keys():
        value = value["body"]
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return decode(value.encode())
        except Damaged:
            return value
    return value


def _first_moment(row: Mapping[str, Any], keys: tuple[str, ...]) -> int | None:
    return next((when for key in keys if (when := moment(row.get(key))) is not None), None)


def _first_count(row: Mapping[str, Any], keys: tuple[str, ...]) -> int | None:
    return next((number for key in keys if (number := count(row.get(key))) is not None), None)
