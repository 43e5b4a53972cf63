"""OpenHands: runs with their `history` of events, one a row, or the events of one trajectory.

Every action but a message is a call: as the model wrote it where `tool_call_metadata` holds its
response, else named by the action. Observations answer by `cause`; older events have neither ids
nor times and answer the last call. Notes of the program (state changes, recalled context) are no
turns. Times have no zone and are taken as UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from db.interactions import Message, Record
from studio.collect.log import Head, Log, Rejected, Unusable, as_object, digest
from studio.collect.messages import Conversation, openai_tools
from studio.collect.outcome import error_text
from studio.collect.values import count, moment, name

NAME = "openhands"
_SILENT = {"null", "recall", "change_agent_state", "agent_state_changed", "condensation", ""}
_ASIDE = {
    "thought",
    "action",
    "action_risk",
    "is_confirmed",
    "keep_prompt",
    "kernel_init_code",
    "confirmation_state",
    "security_risk",
    "is_static",
    "is_input",
    "blocking",
    "hidden",
}
_ABOUT = ("instance_id", "issue", "git_patch", "test_result", "result_explanation")


def sniff(head: Head) -> bool:
    """Some row is a run with a history of events, or most rows are events."""
    rows = [row for row in head.rows if isinstance(row, dict)]
    if any(isinstance(row.get("history"), list) and _is_run(row["history"]) for row in rows):
        return True
    return 2 * sum(_is_event(row) and "source" in row for row in rows) > len(rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a run; events that are rows of their own are one run."""
    alone = _Run(0)

    def read_row(row: dict[str, Any], line: int) -> Iterator[Record | Rejected]:
        if isinstance(row.get("history"), list):
            yield from _run(log, row, line)
        else:
            alone.line = alone.line or line
            alone.add(row)

    yield from log.each(read_row)
    if alone.conversation.messages:
        yield alone.record(log, {})


def _run(log: Log, row: dict[str, Any], line: int) -> Iterator[Record | Rejected]:
    run = _Run(line)
    number = 0
    for entry in row["history"]:
        for event in entry if isinstance(entry, list) else [entry]:  # older ones are in pairs
            number += 1
            try:
                run.add(as_object(event))
            except Unusable as error:
                yield log.rejected(line, f"event {number}: {error}")
    if not run.conversation.messages:
        raise Unusable("a history without any turn")
    yield run.record(log, row)


class _Run:
    def __init__(self, line: int) -> None:
        self.line = line
        self.conversation = Conversation()
        self.tools: list[dict[str, Any]] | None = None
        self.model: str | None = None
        self.error: str | None = None
        self.times: list[int] = []
        self.first: dict[str, Any] | None = None
        self._calls: dict[object, str] = {}  # an action's id: its call's
        self._replies: dict[str, Message] = {}  # a response's id: what became of it
        self._usage: dict[str, dict[str, Any]] = {}

    def add(self, event: dict[str, Any]) -> None:
        """The next event. Raises Unusable."""
        if not _is_event(event):
            raise Unusable("neither an action nor an observation")
        self.first = self.first or event
        when = moment(event.get("timestamp"))
        self.times += [] if when is None else [when]
        action, observation = event.get("action"), event.get("observation")
        if isinstance(action, str) and action not in _SILENT:
            self._act(event, action)
        elif isinstance(observation, str) and observation not in _SILENT:
            self._observe(event, observation)
        elif observation == "agent_state_changed" and _object(event.get("extras")).get(
            "agent_state"
        ) in ("error", "stopped"):
            told = event["extras"]
            self.error = self.error or name(told.get("reason")) or str(told["agent_state"])

    def _act(self, event: dict[str, Any], action: str) -> None:
        given = event.get("args")
        given = given if isinstance(given, dict) else _flat(event)
        if action == "system":
            self.conversation.say("system", given.get("content"))
            self.tools = openai_tools(given.get("tools"))
        elif action == "message":
            self.conversation.say(self._speaker(event), given.get("content"))
        elif isinstance(event.get("tool_call_metadata"), dict):
            self._called(event, event["tool_call_metadata"])
        else:
            told = {key: value for key, value in given.items() if key not in _ASIDE}
            call = self.conversation.call(action, told)
            self.conversation.say("assistant", given.get("thought"), calls=[call])
            self._calls[_key(event.get("id"))] = call["id"]

    def _speaker(self, event: dict[str, Any]) -> str:
        source = event.get("source")
        if source is None:  # an older event: the first message is the task
            asked = any(message["role"] == "user" for message in self.conversation.messages)
            return "assistant" if asked else "user"
        return "user" if source == "user" else "assistant"

    def _called(self, event: dict[str, Any], told: dict[str, Any]) -> None:
        """A call as the model wrote it; the calls of one response are one message."""
        response = _object(told.get("model_response"))
        choices = response.get("choices")
        choice = _object(choices[0]) if isinstance(choices, list) and choices else {}
        message = _object(choice.get("message"))
        wrote = message.get("tool_calls")
        own = told.get("tool_call_id")
        functions = [
            _object(call.get("function"))
            for call in (wrote if isinstance(wrote, list) else [])
            if isinstance(call, dict) and call.get("id") == own
        ]
        given = functions[0].get("arguments") if functions else _object(event.get("args"))
        call = self.conversation.call(told.get("function_name"), given, own)
        self._calls[_key(event.get("id"))] = call["id"]
        self.model = name(response.get("model")) or self.model
        identity = name(response.get("id")) or f"unnamed {len(self._calls)}"
        self._usage[identity] = _object(response.get("usage"))
        reply = self._replies.get(identity)
        if reply is None:
            reply = self.conversation.say("assistant", message.get("content"))
            self._replies[identity] = reply
        reply.setdefault("tool_calls", []).append(call)

    def _observe(self, event: dict[str, Any], observation: str) -> None:
        extras = _object(event.get("extras"))
        code = event.get("exit_code", _object(extras.get("metadata")).get("exit_code"))
        failed = observation == "error" or (isinstance(code, int) and code > 0)
        call_id = self._calls.get(_key(event.get("cause"))) if "cause" in event else None
        if call_id is None and not self.conversation.open_calls():
            self.conversation.say("user", event.get("content"))  # so the model was told
            return
        self.conversation.answer(event.get("content"), call_id, is_error=failed)

    def record(self, log: Log, row: dict[str, Any]) -> Record:
        """The run so far; `row` is what its file tells about it beside the events."""
        metrics = _object(row.get("metrics"))
        total = _object(metrics.get("accumulated_token_usage"))
        config = _object(_object(row.get("metadata")).get("llm_config"))
        error = error_text(row.get("error")) or self.error
        success = row.get("success")
        began = min(self.times, default=None)
        own = name(row.get("instance_id")) or ""
        identity = f"{NAME}:{own}:{digest(self.first)}"
        return Record(
            external_id=identity if self.times else log.content_id(NAME, row or self.first),
            line=self.line,
            messages=self.conversation.messages,
            tools=self.tools,
            model=name(config.get("model")) or self.model,
            success=success if isinstance(success, bool) else (False if error else None),
            error=error,
            started_ms=began,
            duration_ms=None if began is None else max(self.times) - began,
            prompt_tokens=self._tokens(total, "prompt_tokens"),
            completion_tokens=self._tokens(total, "completion_tokens"),
            raw={key: row[key] for key in _ABOUT if row.get(key)} | self.conversation.raw(),
        )

    def _tokens(self, total: dict[str, Any], key: str) -> int | None:
        told = [number for one in self._usage.values() if (number := count(one.get(key)))]
        return count(total.get(key)) or (sum(told) if told else None)


def _flat(event: dict[str, Any]) -> dict[str, Any]:
    """Older events have what an action was given beside its name."""
    aside = {"id", "timestamp", "source", "message", "cause", "timeout", "llm_metrics"}
    return {key: value for key, value in event.items() if key not in aside}


def _key(value: object) -> object:
    return value if isinstance(value, int | str) else None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_event(row: dict[str, Any]) -> bool:
    action = isinstance(row.get("action"), str) and ("args" in row or "action_risk" in row)
    seen = isinstance(row.get("observation"), str) and "content" in row
    return action or seen or (isinstance(row.get("action"), str) and "thought" in row)


def _is_run(history: list[Any]) -> bool:
    flat = [
        event for entry in history[:9] for event in (entry if isinstance(entry, list) else [entry])
    ]
    return any(
        isinstance(event, dict) and _is_event(event) and "role" not in event for event in flat
    )
