"""Claude Code sessions: one line an event, `{"type", "sessionId", "uuid", "message", …}`.

One interaction a session, and one for each subagent: lines with `isSidechain`, in the session's
own file or in an `agent-*.jsonl`, linked to the session by `parent`. Summaries, snapshots,
progress and the program's own commands are no turns. Lines are taken in file order: what a person
went back from and asked again stays in the conversation, and `raw.rewinds` counts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from db.interactions import Record
from studio.collect.claude_turns import Turns
from studio.collect.log import Head, Item, Log, Rejected, Unusable, as_object
from studio.collect.values import name
from studio.settings import agent_named

NAME = "claude_code"
_TURNS = ("user", "assistant")


def sniff(head: Head) -> bool:
    """Some row is an event of a session."""
    return any(isinstance(row, dict) and _is_event(row) for row in head.rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """The interactions of a file, after its last line; lines that are no events at once."""
    threads: dict[tuple[str, str | None], _Thread] = {}
    roots: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    for item in log.items():
        if isinstance(item, Rejected):
            yield item
            continue
        try:
            _add(threads, roots, seen, item)
        except Unusable as error:
            yield log.rejected(item.line, str(error))
    for thread in threads.values():
        if thread.turns.messages() or thread.turns.error:
            yield thread.record(threads)


@dataclass(slots=True)
class _Thread:
    """A session's main conversation, or one of its subagents'."""

    session: str
    agent_id: str | None
    turns: Turns
    about: dict[str, Any]

    def record(self, threads: dict[tuple[str, str | None], _Thread]) -> Record:
        turns = self.turns
        session = f"{NAME}:{self.session}"
        kind = self._subagent_type(threads.get((self.session, None)))
        told = {
            "subagent_type": kind,
            "subagents": {f"{session}/{agent}": kind for agent, kind in turns.subagents.items()},
            "interruptions": turns.interruptions,
            "rewinds": turns.rewinds,
        }
        began, ended = turns.first_ms, turns.last_ms
        raw = self.about | {key: value for key, value in told.items() if value}
        return Record(
            external_id=f"{session}/{self.agent_id}" if self.agent_id else session,
            line=turns.line,
            messages=turns.messages(),
            task=turns.task,
            agent=agent_named(kind),
            provider="anthropic",
            model=turns.model,
            success=False if turns.error else None,
            error=turns.error,
            started_ms=began,
            duration_ms=None if began is None or ended is None else ended - began,
            prompt_tokens=turns.prompt_tokens,
            completion_tokens=turns.completion_tokens,
            stop_reason=turns.stop_reason,
            parent=session if self.agent_id else None,
            raw=raw | turns.conversation.raw(),
        )

    def _subagent_type(self, main: _Thread | None) -> str | None:
        """What the session's call asked for, when the session is in the same file."""
        if self.agent_id is None or main is None:
            return None
        if self.agent_id in main.turns.subagents:
            return main.turns.subagents[self.agent_id]
        prompts = {prompt: kind for kind, prompt in main.turns.spawned.values()}
        return prompts.get(self.turns.task or "")


def _add(
    threads: dict[tuple[str, str | None], _Thread],
    roots: dict[str, str],
    seen: set[tuple[str, str]],
    item: Item,
) -> None:
    row = as_object(item.value)
    kind = row.get("type")
    if not isinstance(kind, str):
        raise Unusable("not an event of a session: it has no type")
    row = _queued(row) or row
    if row["type"] not in _TURNS:
        return
    session = name(row.get("sessionId"))
    if session is None:
        raise Unusable("not an event of a session: it has no sessionId")
    uuid = name(row.get("uuid"))
    if uuid is not None and (session, uuid) in seen:
        return
    key = (session, _agent_id(row, uuid, roots))
    thread = threads.get(key) or _Thread(session, key[1], Turns(item.line), _about(row))
    thread.turns.add(row)
    threads[key] = thread
    if uuid is not None:
        seen.add((session, uuid))


def _agent_id(row: dict[str, Any], uuid: str | None, roots: dict[str, str]) -> str | None:
    """Whose line it is: None for the main conversation. Older logs name no agent: by its root."""
    if row.get("isSidechain") is not True:
        return None
    agent = name(row.get("agentId"))
    if agent is None and uuid is not None:
        agent = roots[uuid] = roots.get(name(row.get("parentUuid")) or "", uuid)
    return agent or "unnamed"


def _queued(row: dict[str, Any]) -> dict[str, Any] | None:
    """What a person typed while the agent worked is logged as an attachment."""
    attached = row.get("attachment")
    if row["type"] != "attachment" or not isinstance(attached, dict):
        return None
    if attached.get("type") != "queued_command":
        return None
    return {**row, "type": "user", "message": {"role": "user", "content": attached.get("prompt")}}


def _about(row: dict[str, Any]) -> dict[str, Any]:
    keys = (("cwd", "cwd"), ("gitBranch", "git_branch"), ("version", "version"))
    return {new: row[old] for old, new in keys if name(row.get(old))}


def _is_event(row: dict[str, Any]) -> bool:
    kind = row.get("type")
    if kind in _TURNS:
        return "sessionId" in row and isinstance(row.get("message"), dict)
    if kind == "summary":
        return "leafUuid" in row
    if kind == "file-history-snapshot":
        return isinstance(row.get("snapshot"), dict)
    return {"sessionId", "uuid", "isSidechain"} <= row.keys()
