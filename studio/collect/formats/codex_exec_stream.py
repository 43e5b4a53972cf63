"""What `codex exec --json` prints: `{"type": "thread.started" | "item.completed" | …}` a line.

One interaction a thread. The prompt is not printed, so no user speaks; there are no times. A
command is a call of `shell`, a change of files one of `apply_patch`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from db.interactions import Record
from studio.collect.log import Head, Log, Rejected, Unusable, as_object
from studio.collect.messages import Conversation
from studio.collect.outcome import error_text
from studio.collect.values import count, name

NAME = "codex_exec_stream"
_EVENTS = ("thread.", "turn.", "item.")
_CALLS = {
    "command_execution": ("shell", ("command",)),
    "file_change": ("apply_patch", ("changes",)),
    "mcp_tool_call": (None, ("arguments",)),
    "web_search": ("web_search", ("query",)),
    "todo_list": ("update_plan", ("items",)),
}


def sniff(head: Head) -> bool:
    """Some row starts a thread, or is an item of one."""
    rows = [row for row in head.rows if isinstance(row, dict)]
    return any(row.get("type") == "thread.started" or _is_item(row) for row in rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a thread, when the next begins; lines that are no events at once."""
    thread = _Thread(None, 0)

    def read_row(row: dict[str, Any], line: int) -> Iterator[Record | Rejected]:
        nonlocal thread
        if row.get("type") == "thread.started":
            if thread.line:
                yield thread.kept(log)
            thread = _Thread(name(row.get("thread_id")), line)
        else:
            thread.line = thread.line or line
            thread.add(row)

    yield from log.each(read_row)
    if thread.line:
        yield thread.kept(log)


class _Thread:
    def __init__(self, identity: str | None, line: int) -> None:
        self.identity = identity
        self.line = line
        self.conversation = Conversation()
        self.thought: list[str] = []
        self.prompt: list[int] = []
        self.completion: list[int] = []
        self.error: str | None = None
        self.completed = False

    def add(self, row: dict[str, Any]) -> None:
        """The next event. Raises Unusable."""
        kind = row.get("type")
        if kind == "error":
            self.error = error_text(row.get("message")) or "error"
        elif not isinstance(kind, str) or not kind.startswith(_EVENTS):
            raise Unusable("no event of a thread")
        elif kind == "turn.failed":
            self.error = error_text(row.get("error")) or "turn.failed"
        elif kind == "turn.completed":
            self.completed, self.error = True, None
            usage = row.get("usage")
            usage = usage if isinstance(usage, dict) else {}
            prompt, wrote = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
            self.prompt += [] if prompt is None else [prompt]
            self.completion += [] if wrote is None else [wrote]
        elif kind == "item.completed":
            self._item(as_object(row.get("item")))

    def _item(self, item: dict[str, Any]) -> None:
        kind = str(item.get("type") or item.get("item_type"))
        if kind == "reasoning":
            self.thought.append(self.conversation.text(item.get("text")))
        elif kind in ("agent_message", "assistant_message"):
            self._say(self.conversation.text(item.get("text")), [])
        elif kind == "error":
            self.conversation.problem(error_text(item.get("message")) or "error")
        elif kind in _CALLS:
            called, keys = _CALLS[kind]
            given: Any = {key: item[key] for key in keys if key in item}
            if called is None:
                called, given = item.get("tool"), item.get("arguments")
            call = self.conversation.call(called, given, item.get("id"))
            self._say("", [call])
            code = item.get("exit_code")
            failed = item.get("status") == "failed" or (isinstance(code, int) and code != 0)
            told = item.get("aggregated_output", item.get("result")) or item.get("error")
            if isinstance(told, dict) and isinstance(told.get("content"), list):  # of MCP
                told = told["content"]
            self.conversation.answer(told, call["id"], is_error=failed)

    def _say(self, text: str, calls: list[dict[str, Any]]) -> None:
        thought = "\n".join(self.thought)
        self.thought.clear()
        self.conversation.say("assistant", text, calls=calls, reasoning=thought)

    def kept(self, log: Log) -> Record | Rejected:
        """The thread as an interaction, or why it is none."""
        messages = self.conversation.messages
        if not messages and self.error is None:
            return log.rejected(self.line, "a thread in which nothing was said or done")
        own = self.identity
        return Record(
            external_id=f"{NAME}:{own}" if own else log.content_id(NAME, messages),
            line=self.line,
            messages=messages,
            provider="openai",
            success=False if self.error else (True if self.completed else None),
            error=self.error,
            prompt_tokens=sum(self.prompt) if self.prompt else None,
            completion_tokens=sum(self.completion) if self.completion else None,
            raw=self.conversation.raw(),
        )


def _is_item(row: dict[str, Any]) -> bool:
    kind, item = row.get("type"), row.get("item")
    return kind in ("item.started", "item.completed") and isinstance(item, dict)
