"""Events that Claude Code sends by OpenTelemetry: `{"name", "ts", "attrs": {"session.id", …}}`.

One interaction a session. The log tells what was asked (when it may), which tools ran and how
long, tokens and errors, but neither what the model said nor what the tools were given: an
assistant's turn is a run of calls without arguments. Lines are in no order; their times are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from db.interactions import Message, Record
from studio.collect.anthropic_api import usage_sum
from studio.collect.log import Head, Log, Rejected, Unusable, as_object
from studio.collect.messages import Conversation
from studio.collect.outcome import error_text
from studio.collect.values import moment, name
from studio.settings import agent_named

NAME = "otel_events"
_TOKENS = ("input_tokens", "cache_read_tokens", "cache_creation_tokens")
_UNTOLD = "neither the model's words nor the arguments of its calls are in the log"


def sniff(head: Head) -> bool:
    """Some row is an event of a session, or a metric beside such events."""
    return any(isinstance(row, dict) and _session(row) is not None for row in head.rows)


@dataclass(slots=True)
class _Event:
    when: int
    line: int
    name: str
    attrs: dict[str, Any]


@dataclass(slots=True)
class _Told:
    """What a session's events add up to."""

    conversation: Conversation = field(default_factory=Conversation)
    turn: Message | None = None  # the assistant message whose calls are being collected
    results: list[tuple[str, bool]] = field(default_factory=list)
    prompt: list[int] = field(default_factory=list)
    completion: list[int] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    called: list[str] = field(default_factory=list)
    error: str | None = None


def read(log: Log) -> Iterator[Record | Rejected]:
    """The sessions, after the last line; lines that are no events at once."""
    sessions: dict[str, list[_Event]] = {}
    for item in log.items():
        if isinstance(item, Rejected):
            yield item
            continue
        try:
            row = as_object(item.value)
            session, attrs = _session(row), row.get("attrs")
            when = moment(row.get("ts"))
            if session is None or not isinstance(attrs, dict):
                raise Unusable("no event of a session: it has no attrs with a session.id")
            if when is None:
                raise Unusable("the event has no time")
        except Unusable as error:
            yield log.rejected(item.line, str(error))
            continue
        event = _Event(when, item.line, name(row.get("name")) or "", attrs)
        sessions.setdefault(session, []).append(event)
    for session, events in sessions.items():
        try:
            yield _record(session, events)
        except Unusable as error:
            yield log.rejected(events[0].line, f"session {session}: {error}")


def _record(session: str, events: list[_Event]) -> Record:
    told = _Told()
    line = events[0].line
    events.sort(key=lambda event: event.when)
    for event in events:
        _add(told, event)
    _end_turn(told)
    conversation = told.conversation
    if not conversation.messages:
        raise Unusable("neither a prompt nor a call")
    conversation.problem(_UNTOLD)
    agents = {source.partition(":")[2] for source in told.sources if source.startswith("agent:")}
    role = agents.pop() if len(agents) == len(told.sources) == 1 else None
    branches = (name(event.attrs.get("git_branch")) for event in events)
    about = {
        "subagent_type": role,
        "agents_called": told.called,
        "git_branch": next((branch for branch in branches if branch), None),
    }
    return Record(
        external_id=f"{NAME}:{session}",
        line=line,
        messages=conversation.messages,
        agent=agent_named(role),
        provider="anthropic",
        model=told.models[-1] if told.models else None,
        success=False if told.error else None,
        error=told.error,
        started_ms=events[0].when,
        duration_ms=events[-1].when - events[0].when,
        prompt_tokens=sum(told.prompt) if told.prompt else None,
        completion_tokens=sum(told.completion) if told.completion else None,
        raw={key: value for key, value in about.items() if value} | conversation.raw(),
    )


def _add(told: _Told, event: _Event) -> None:
    attrs = event.attrs
    if event.name == "user_prompt":
        _end_turn(told)
        told.error = None
        told.conversation.say("user", name(attrs.get("prompt")) or "[prompt]")
    elif event.name == "tool_result" and name(attrs.get("tool_name")):
        given = attrs.get("tool_input") or attrs.get("tool_parameters")
        call = told.conversation.call(attrs["tool_name"], given, attrs.get("tool_use_id"))
        told.turn = told.turn or told.conversation.say("assistant", "")
        told.turn.setdefault("tool_calls", []).append(call)
        failed = str(attrs.get("success")).lower() == "false"
        told.results.append((call["id"], failed))
    elif event.name == "api_request":
        _end_turn(told)
        told.error = None
        told.prompt += _list(usage_sum(attrs, _TOKENS))
        told.completion += _list(usage_sum(attrs, ("output_tokens",)))
        told.models += [model] if (model := name(attrs.get("model"))) else []
        told.sources.add(name(attrs.get("query_source")) or "")
    elif event.name == "api_error":
        told.error = error_text(attrs.get("error")) or "api_error"
    elif event.name == "subagent_completed" and name(attrs.get("agent_type")):
        told.called.append(attrs["agent_type"])


def _end_turn(told: _Told) -> None:
    for call_id, failed in told.results:
        told.conversation.answer("", call_id, is_error=failed)
    told.results.clear()
    told.turn = None


def _list(number: int | None) -> list[int]:
    return [] if number is None else [number]


def _session(row: dict[str, Any]) -> str | None:
    attrs = row.get("attrs")
    if not isinstance(attrs, dict) or not isinstance(row.get("ts"), str):
        return None
    return name(attrs.get("session.id")) or name(attrs.get("session_id"))
