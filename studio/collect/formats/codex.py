"""Codex rollouts: `{"timestamp", "type", "payload"}` a line, older ones the bare payloads, the
oldest one document of them.

One interaction a file, which is a session. Texts are logged twice, as an event and as an item, in
either order, and count once. What the program tells the model in a user's name (the environment,
AGENTS.md) is a system message. Tokens are summed over the requests, and an event that repeats the
last one's total is no request; the duration is that of the turns, without the time between them,
where the log tells it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeGuard

from db.interactions import Record
from studio.collect.log import Head, Log, Rejected, Unusable, as_object
from studio.collect.outcome import error_text
from studio.collect.response_items import Items
from studio.collect.values import count, moment, name
from studio.settings import agent_named

NAME = "codex"
_WRAPPERS = {"session_meta", "turn_context", "response_item", "event_msg", "compacted"}
_BARE_ITEMS = {"message", "reasoning", "function_call", "function_call_output"}
_PROGRAM = re.compile(
    r"\s*(?:<(?:environment_context|user_instructions|turn_aborted|permissions|"
    r"skill|subagent_notification|user_shell_command)\b|# AGENTS\.md instructions)"
)
_PICTURE = re.compile(r"</?image[^>]{0,200}>")
_EXIT = re.compile(r"^(?:Process exited with code|Exit code:) (\d+)", re.MULTILINE)


def sniff(head: Head) -> bool:
    """Some row is a wrapped line of a rollout, or the first row is an old rollout's header."""
    rows = [row for value in head.rows for row in _lines(value) if isinstance(row, dict)]
    if any(
        name(row.get("type")) in _WRAPPERS and isinstance(row.get("payload"), dict) for row in rows
    ):
        return True
    return (
        bool(rows)
        and _is_old_header(rows[0])
        and any(name(r.get("type")) in _BARE_ITEMS for r in rows)
    )


def read(log: Log) -> Iterator[Record | Rejected]:
    """The session, after its last line; lines that are none of it at once."""
    session = _Session()
    for item in log.items():
        if isinstance(item, Rejected):
            yield item
            continue
        for row in _lines(item.value):
            try:
                session.add(as_object(row), item.line)
            except Unusable as error:
                yield log.rejected(item.line, str(error))
    if session.items.conversation.messages or session.error:
        yield session.record(log)


def _lines(value: object) -> list[object]:
    """The lines of a rollout, which the oldest kept in one document: `{"session", "items"}`."""
    if not _is_oldest(value):
        return [value]
    return [{"instructions": None, **value["session"]}, *value["items"]]


class _Session:
    def __init__(self) -> None:
        self.items = Items()
        self.line = 0
        self.about: dict[str, Any] = {}
        self.model: str | None = None
        self.error: str | None = None
        self.stop_reason: str | None = None
        self.times: list[int] = []  # of the first and the last line
        self.durations: list[int] = []
        self.prompt_tokens: int | None = None
        self.completion_tokens: int | None = None
        self._total: object = None  # the cumulative usage of the last request
        self.subagents: dict[str, str] = {}
        self._said: tuple[str, str] | None = None  # the text that the last line told

    def add(self, row: dict[str, Any], line: int) -> None:
        """The next line. Raises Unusable."""
        if name(row.get("type")) in _BARE_ITEMS:
            row = {"type": "response_item", "payload": row}
        elif _is_old_header(row):
            row = {"type": "session_meta", "payload": row, "timestamp": row["timestamp"]}
        elif row.get("record_type"):
            return
        kind, payload = row.get("type"), row.get("payload")
        if not isinstance(kind, str) or not isinstance(payload, dict):
            raise Unusable("not a line of a rollout: no type and payload")
        self.line = self.line or line
        when = moment(row.get("timestamp"))
        if when is not None:
            self.times = [min([when, *self.times]), max([when, *self.times])]
        if kind == "session_meta":
            self._meta(payload)
        elif kind == "turn_context":
            self.model = name(payload.get("model")) or self.model
        elif kind == "event_msg":
            self._event(payload)
        elif kind in ("response_item", "request_item"):
            self._item(payload)

    def _meta(self, payload: dict[str, Any]) -> None:
        if self.about:
            return  # a fork repeats the session that it came from
        self.about = payload
        base = payload.get("base_instructions")
        base = base.get("text") if isinstance(base, dict) else payload.get("instructions")
        if name(base):
            self.items.message("system", base)

    def _item(self, payload: dict[str, Any]) -> None:
        kind = payload.get("type", "message")
        if kind == "message":
            content = payload.get("content")
            if (str(payload.get("role")), _typed(content)) != self._said:
                text = self.items.conversation.text(content)
                self._text(payload.get("role"), text, _typed(content))
            return
        self._said = None
        if kind in ("function_call_output", "custom_tool_call_output"):
            result = self.items.result(payload.get("output"), payload.get("call_id"))
            code = _EXIT.search(result["content"][:400])
            if code and code.group(1) != "0":
                result["is_error"] = True
        elif kind != "ghost_snapshot":
            self.error = None
            self.items.add(payload)

    def _text(self, role: object, text: str, typed: str) -> None:
        """A text that an event or an item tells; `typed` is it without pictures."""
        if (str(role), typed) == self._said:
            return
        self._said = (str(role), typed)
        if role == "user" and _PROGRAM.match(text):
            role = "system"
        known = self.items.conversation.messages
        if role in ("system", "developer") and any(
            m["role"] == "system" and m["content"] == text for m in known
        ):
            return  # each turn repeats them
        if role in ("user", "assistant"):  # an error that somebody spoke after was got over
            self.error = None
        if role == "user":
            self.stop_reason = None
        self.items.message(role, text)

    def _event(self, payload: dict[str, Any]) -> None:
        kind = payload.get("type")
        if kind in ("user_message", "agent_message") and name(payload.get("message")):
            text = payload["message"]
            self._text("user" if kind == "user_message" else "assistant", text, text)
        elif kind == "token_count" and isinstance(payload.get("info"), dict):
            self._usage(payload["info"])
        elif kind in ("task_complete", "turn_complete"):
            duration = count(payload.get("duration_ms"))
            self.durations += [] if duration is None else [duration]
            self.stop_reason = "task_complete"
        elif kind == "turn_aborted":
            self.stop_reason = name(payload.get("reason")) or "interrupted"
        elif kind in ("error", "stream_error"):
            self.error = error_text(payload.get("message")) or "error"
        elif kind == "collab_agent_spawn_end" and name(payload.get("new_thread_id")):
            role = name(payload.get("new_agent_role"))
            if role:
                self.subagents[f"{NAME}:{payload['new_thread_id']}"] = role

    def _usage(self, info: dict[str, Any]) -> None:
        total, last = info.get("total_token_usage"), info.get("last_token_usage")
        if total == self._total or not isinstance(last, dict):
            return
        self._total = total
        prompt, completion = count(last.get("input_tokens")), count(last.get("output_tokens"))
        if prompt is not None:
            self.prompt_tokens = (self.prompt_tokens or 0) + prompt
        if completion is not None:
            self.completion_tokens = (self.completion_tokens or 0) + completion

    def record(self, log: Log) -> Record:
        """The session so far. Its duration is its tasks', else from the first line to the last."""
        own, git = name(self.about.get("id")), self.about.get("git")
        git = git if isinstance(git, dict) else {}
        spawned = _spawned(self.about.get("source"))
        told = {
            "cwd": self.about.get("cwd"),
            "version": self.about.get("cli_version") or self.about.get("version"),
            "git_branch": git.get("branch"),
            "subagent_type": spawned.get("agent_role"),
            "subagents": self.subagents,
        }
        messages = self.items.conversation.messages
        parent = name(spawned.get("parent_thread_id"))
        spent = sum(self.durations) if self.durations else None
        if spent is None and self.times:
            spent = self.times[1] - self.times[0]
        return Record(
            external_id=f"{NAME}:{own}" if own else log.content_id(NAME, messages),
            line=self.line,
            messages=messages,
            agent=agent_named(name(spawned.get("agent_role"))),
            provider=name(self.about.get("model_provider")),
            model=self.model,
            success=False if self.error else None,
            error=self.error,
            started_ms=self.times[0] if self.times else None,
            duration_ms=spent,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            stop_reason=self.stop_reason,
            parent=f"{NAME}:{parent}" if parent else None,
            raw={k: v for k, v in told.items() if v} | self.items.conversation.raw(),
        )


def _typed(content: object) -> str:
    """The texts of an item's content, without what stands for pictures: as its event tells it."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return "\n".join(t for t in texts if isinstance(t, str) and not _PICTURE.fullmatch(t))


def _spawned(source: object) -> dict[str, Any]:
    """`{"subagent": {"thread_spawn": {"parent_thread_id", "agent_role"}}}`, when it is that."""
    for key in ("subagent", "thread_spawn"):
        source = source.get(key) if isinstance(source, dict) else None
    return source if isinstance(source, dict) else {}


def _is_oldest(value: object) -> TypeGuard[dict[str, Any]]:
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        return False
    session = value.get("session")
    return isinstance(session, dict) and {"id", "timestamp"} <= session.keys()


def _is_old_header(row: dict[str, Any]) -> bool:
    return {"id", "timestamp", "instructions"} <= row.keys() and "type" not in row
