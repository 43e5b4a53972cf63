"""mini-SWE-agent trajectories: a bare list of messages, or `{"messages", "info"}` around it.

One interaction a file (or document). The command that the model wrote in a fence is a call of
`shell`; what came back in the user's name is its result, and failed when its return code says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from db.interactions import Record
from studio.collect.formats.swe_agent import SHELL
from studio.collect.log import Head, Log, Rejected, Unusable, as_object
from studio.collect.messages import Conversation, add_openai
from studio.collect.values import count, moment, name

NAME = "mini_swe_agent"
_COMMAND = re.compile(r"```(?:mswea_bash_command|bash)\s*\n(.*?)\n?```", re.DOTALL)
_RETURNED = re.compile(r"\s*<returncode>(-?\d+)</returncode>")


def sniff(head: Head) -> bool:
    """The rows are messages with commands and return codes, or documents that hold such."""
    rows = [row for row in head.rows if isinstance(row, dict)]
    if any(str(row.get("trajectory_format")).startswith("mini-swe-agent") for row in rows):
        return True
    return all("role" in row for row in rows) and any(map(_is_ours, rows))


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a document; messages that are rows of their own are one."""
    alone: list[tuple[Any, int]] = []

    def read_row(row: dict[str, Any], line: int) -> Iterator[Record]:
        if isinstance(row.get("messages"), list):
            yield _record(log, row["messages"], row, line)
        else:
            _add(Conversation(), row)  # it can be read at all
            alone.append((row, line))

    yield from log.each(read_row)
    if alone:
        yield _record(log, [row for row, _ in alone], {}, alone[0][1])


def _record(log: Log, messages: list[Any], row: dict[str, Any], line: int) -> Record:
    conversation = Conversation()
    for message in messages:
        _add(conversation, message)
    if not conversation.messages:
        raise Unusable("no messages")
    info = row.get("info")
    info = info if isinstance(info, dict) else {}
    status = name(info.get("exit_status"))
    failed = status is not None and status.lower() != "submitted"
    stats = info.get("model_stats")
    config = info.get("config")
    model = config.get("model") if isinstance(config, dict) else None
    extras = [extra for one in messages if isinstance(extra := as_object(one).get("extra"), dict)]
    answers = [answer for e in extras if isinstance(answer := e.get("response"), dict)]
    times = [when for e in extras if (when := moment(e.get("timestamp"))) is not None]
    told = {"submission": info.get("submission"), "model_stats": stats}
    return Record(
        external_id=log.content_id(NAME, row or messages),
        line=line,
        messages=conversation.messages,
        model=name(model.get("model_name")) if isinstance(model, dict) else None,
        success=False if failed else None,
        error=status if failed else None,
        started_ms=min(times, default=None),
        duration_ms=max(times) - min(times) if times[1:] else None,
        prompt_tokens=_tokens(answers, "prompt_tokens"),
        completion_tokens=_tokens(answers, "completion_tokens"),
        stop_reason=status,
        raw={key: value for key, value in told.items() if value} | conversation.raw(),
    )


def _tokens(answers: list[dict[str, Any]], key: str) -> int | None:
    """Summed over the requests, whose answers newer versions keep beside the messages."""
    usages = [one["usage"] for one in answers if isinstance(one.get("usage"), dict)]
    told = [number for usage in usages if (number := count(usage.get(key))) is not None]
    return sum(told) if told else None


def _add(conversation: Conversation, message: object) -> None:
    message = as_object(message)
    role, content = message.get("role"), message.get("content")
    if role == "exit":
        return  # the program's note of how it ended, which `info` tells
    if role == "assistant" and isinstance(content, str) and not message.get("tool_calls"):
        command = _COMMAND.search(content)
        if command is not None:
            call = conversation.call(SHELL, {"command": command.group(1)})
            rest = content[: command.start()] + content[command.end() :]
            conversation.say("assistant", rest.strip(), calls=[call])
            return
    if role == "user" and isinstance(content, str) and conversation.open_calls():
        code = _RETURNED.match(content)
        conversation.answer(content, is_error=bool(code and code.group(1) != "0"))
        return
    add_openai(conversation, message)


def _is_ours(row: dict[str, Any]) -> bool:
    content = row.get("content")
    return isinstance(content, str) and bool(
        "```mswea_bash_command" in content or _RETURNED.match(content)
    )
