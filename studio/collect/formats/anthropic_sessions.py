"""Sessions of Anthropic's managed agents: pairs of a client's method and what came with it.

`["client.beta.sessions.create", {…}]`, `["client.beta.sessions.events.stream", {"type", …}]`, one
pair after the other. One interaction a session; what was sent comes back in the stream and counts
there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from db.interactions import Message, Record
from studio.collect.anthropic_api import PROMPT_TOKENS, usage_sum
from studio.collect.log import Head, Item, Log, Rejected, Unusable
from studio.collect.messages import Conversation, openai_tools
from studio.collect.outcome import error_text
from studio.collect.values import moment, name
from studio.settings import agent_named

NAME = "anthropic_sessions"
_METHODS = "client.beta.sessions."
_IDS = ("tool_use_id", "mcp_tool_use_id", "custom_tool_use_id")


def sniff(head: Head) -> bool:
    """Some row is a method of the client, or a pair that begins with one."""
    return any(_is_method(row[0] if isinstance(row, list) and row else row) for row in head.rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """The sessions, each when the next begins; values that belong to no pair at once."""
    session: _Session | None = None
    for found in _pairs(log):
        if isinstance(found, Rejected):
            yield found
            continue
        method, (line, value, _) = found
        try:
            if not isinstance(value, dict | list):
                raise Unusable(f"{method} came with no object")
            if method.endswith("sessions.create"):
                yield from [session.record(log)] if session and session.says_anything else []
                session = _Session(line, value)
            elif method.endswith("events.stream"):
                session = session or _Session(line, {})
                session.add(value)
        except Unusable as error:
            yield log.rejected(line, str(error))
    if session and session.says_anything:
        yield session.record(log)


def _pairs(log: Log) -> Iterator[tuple[str, Item] | Rejected]:
    """Methods with their values; each pair is a row, or two rows, by how the file is laid out."""
    method: str | None = None
    for item in log.items():
        if isinstance(item, Rejected):
            yield item
        elif isinstance(item.value, list) and len(item.value) == 2 and _is_method(item.value[0]):
            yield item.value[0], Item(item.line, item.value[1])
        elif _is_method(item.value):
            method = item.value
        elif method is not None:
            yield method, item
            method = None
        else:
            yield log.rejected(item.line, "no method of the client before this value")


class _Session:
    def __init__(self, line: int, created: object) -> None:
        self.line = line
        self.about = created if isinstance(created, dict) else {}
        agent = self.about.get("agent")
        self.agent: dict[str, Any] = agent if isinstance(agent, dict) else {}
        self.conversation = Conversation()
        if name(self.agent.get("system")):
            self.conversation.say("system", self.agent["system"])
        self.says_anything = False
        self.turn: Message | None = None
        self.times: list[int] = []
        self.prompt: list[int] = []
        self.completion: list[int] = []
        self.stop_reason: str | None = None
        self.error: str | None = None

    def add(self, event: dict[str, Any] | list[Any]) -> None:
        """The next event of the stream. Raises Unusable."""
        if not isinstance(event, dict) or not isinstance(event.get("type"), str):
            raise Unusable("an event has no type")
        when = moment(event.get("processed_at"))
        self.times += [] if when is None else [when]
        kind, conversation = event["type"], self.conversation
        if kind == "user.message":
            self.turn = self.error = None
            conversation.say("user", event.get("content"))
        elif kind == "agent.message":
            self._extend("content", conversation.text(event.get("content"), self._number()))
        elif kind == "agent.thinking":
            self._extend("reasoning_content", conversation.text(event.get("content")))
        elif kind.endswith("tool_use"):
            call = conversation.call(event.get("name"), event.get("input"), event.get("id"))
            self._message().setdefault("tool_calls", []).append(call)
        elif kind.endswith("tool_result"):
            self.turn = None
            call_id = next((event[key] for key in _IDS if event.get(key)), None)
            conversation.answer(event.get("content"), call_id, is_error=event.get("is_error"))
        elif kind == "span.model_request_end":
            self._count(event.get("model_usage"))
        elif kind == "session.status_idle" and isinstance(event.get("stop_reason"), dict):
            self.stop_reason = name(event["stop_reason"].get("type"))
        elif kind == "session.error":
            self.error = error_text(event.get("error")) or "session.error"
        self.says_anything = self.says_anything or not kind.startswith(("session.", "span."))

    def _message(self) -> Message:
        if self.turn is None:
            self.turn = self.conversation.say("assistant", "")
        return self.turn

    def _number(self) -> int:
        return len(self.conversation.messages) - (self.turn is not None)

    def _extend(self, key: str, text: str) -> None:
        if text:
            message = self._message()
            message[key] = f"{message[key]}\n{text}" if message.get(key) else text

    def _count(self, usage: object) -> None:
        prompt, completion = usage_sum(usage, PROMPT_TOKENS), usage_sum(usage, ("output_tokens",))
        self.prompt += [] if prompt is None else [prompt]
        self.completion += [] if completion is None else [completion]

    def record(self, log: Log) -> Record:
        """The session so far. It succeeded where its last turn ended by itself without an error."""
        own, model = name(self.about.get("id")), self.agent.get("model")
        model = model.get("id") if isinstance(model, dict) else model
        called = name(self.agent.get("name"))
        raw = {"role": called} if called else {}
        messages = self.conversation.messages
        done = self.stop_reason == "end_turn" and not self.error
        return Record(
            external_id=f"{NAME}:{own}" if own else log.content_id(NAME, messages),
            line=self.line,
            messages=messages,
            tools=openai_tools(self.agent.get("tools")),
            agent=agent_named(called),
            provider="anthropic",
            model=name(model),
            success=False if self.error else (True if done else None),
            error=self.error,
            started_ms=min(self.times, default=None),
            duration_ms=max(self.times) - min(self.times) if self.times else None,
            prompt_tokens=sum(self.prompt) if self.prompt else None,
            completion_tokens=sum(self.completion) if self.completion else None,
            stop_reason=self.stop_reason,
            raw=raw | self.conversation.raw(),
        )


def _is_method(value: object) -> bool:
    return isinstance(value, str) and value.startswith(_METHODS)
