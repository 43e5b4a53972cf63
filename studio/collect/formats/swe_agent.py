"""SWE-agent trajectories: `{"trajectory", "history": [{"role", "content", "agent", …}], "info"}`.

One interaction a document: the history, which is what the model was told, without demonstrations.
Where the model wrote its command as text, the command is a call of `shell`, the thought is the
text and the observation its result. What it submitted was not verified: no success is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from db.interactions import Record
from studio.collect.any_messages import decoded
from studio.collect.log import Head, Log, Rejected, Unusable
from studio.collect.messages import Conversation, add_openai
from studio.collect.values import count, name

NAME = "swe_agent"
SHELL = "shell"


def sniff(head: Head) -> bool:
    """Some row has a history of messages that say which agent they are of."""
    return any(isinstance(row, dict) and _is_trajectory(row) for row in head.rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a document."""

    def convert(row: dict[str, Any], line: int) -> Record:
        if not _is_trajectory(row):
            raise Unusable("no history of an agent")
        return _record(log, row, line)

    return log.records(convert)


def _record(log: Log, row: dict[str, Any], line: int) -> Record:
    conversation = Conversation()
    agents = [message.get("agent") for message in row["history"] if isinstance(message, dict)]
    for message in row["history"]:
        if not isinstance(message, dict):
            raise Unusable("a message of the history is not an object")
        if message.get("is_demo") is True:
            continue
        if message.get("agent") != agents[0]:
            conversation.problem(f"messages of another agent are left out: {message.get('agent')}")
            continue
        _add(conversation, message)
    if not conversation.messages:
        raise Unusable("a history without any turn")
    info = row.get("info")
    info = info if isinstance(info, dict) else {}
    stats = info.get("model_stats")
    stats = stats if isinstance(stats, dict) else {}
    status = name(info.get("exit_status"))
    failed = status is not None and not status.startswith("submitted")
    told = {key: info.get(key) for key in ("submission", "model_stats")}
    told["environment"] = row.get("environment")
    return Record(
        external_id=log.content_id(NAME, row),
        line=line,
        messages=conversation.messages,
        model=_model(row),
        success=False if failed else None,
        error=status if failed else None,
        prompt_tokens=count(stats.get("tokens_sent")) or None,
        completion_tokens=count(stats.get("tokens_received")) or None,
        stop_reason=status,
        raw={key: value for key, value in told.items() if value} | conversation.raw(),
    )


def _model(row: dict[str, Any]) -> str | None:
    """The model that the run's configuration names: JSON in a string."""
    value = decoded(row.get("replay_config"))
    for key in ("agent", "model", "name"):
        value = value.get(key) if isinstance(value, dict) else None
    return name(value)


def _add(conversation: Conversation, message: dict[str, Any]) -> None:
    role, content = message.get("role"), message.get("content")
    called = message.get("tool_call_ids")
    if role == "tool":
        ids = called if isinstance(called, list) and called else [message.get("tool_call_id")]
        conversation.answer(content, ids[0])
    elif role == "assistant" and not message.get("tool_calls") and name(message.get("action")):
        call = conversation.call(SHELL, {"command": name(message["action"])})
        thought = message.get("thought")
        conversation.say("assistant", content if thought is None else thought, calls=[call])
    elif role == "user" and conversation.open_calls():
        conversation.answer(content)
    else:
        add_openai(conversation, message)


def _is_trajectory(row: dict[str, Any]) -> bool:
    history = row.get("history")
    if not isinstance(history, list):
        return False
    return any(
        isinstance(one, dict) and {"role", "content", "agent"} <= one.keys() for one in history
    )
