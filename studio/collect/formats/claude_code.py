"""Claude Code sessions: one line an event, `{"type", "sessionId", "uuid", "message", …}`.

One interaction a session, and one for each subagent: lines with `isSidechain`, in the session's
own file or in an `agent-*.jsonl`, linked to the session by `parent`. Summaries, snapshots,
progress and the program's own commands are no turns. Lines are taken in file order: what a person
went back from and asked again stays in the conversation, and `raw.rewinds` counts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from db.interactions import Record
from studio.collect.claude_turns import Turns
from studio.collect.log import Head, Item, Log, Rejected, Unusable, as_object
from studio.collect.values import name
from studio.settings import agent_named

NAME = "claude_code"
_TURNS = ("user", "assistant")
HELD = 32 << 20  # bytes of a file whose sessions may all be held
MOST = 256 << 20  # bytes of the lines of one conversation


def sniff(head: Head) -> bool:
    """Some row is an event of a session."""
    return any(isinstance(row, dict) and _is_event(row) for row in head.rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """The interactions of a session after its last line, lines that are no events at once.

    A large file is read twice, so that no session is held after its last line.
    """
    last = _last_rows(log) if log.size > HELD or log.is_packed else {}
    sessions: dict[str, _Session] = {}
    for number, item in enumerate(log.items()):
        if isinstance(item, Rejected):
            yield item
            continue
        try:
            session = _add(sessions, item)
        except Unusable as error:
            yield log.rejected(item.line, str(error))
            continue
        if session is not None and last.get(session.name) == number:
            yield from sessions.pop(session.name).records()
    for session in sessions.values():
        yield from session.records()


def _last_rows(log: Log) -> dict[str, int]:
    """Which row is the last of each session."""
    log.readings = 2
    found = {}
    for number, item in enumerate(log.items()):
        if isinstance(item, Item) and isinstance(item.value, dict):
            session = name(item.value.get("sessionId"))
            if session is not None and item.value.get("type") in (*_TURNS, "attachment"):
                found[session] = number
    return found


@dataclass(slots=True)
class _Session:
    """A session's conversations, by their agent; None is the main one's."""

    name: str
    threads: dict[str | None, _Thread] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)  # uuids: a resumed session repeats its lines
    roots: dict[str, str] = field(default_factory=dict)

    def records(self) -> Iterator[Record]:
        """One of the main conversation and one of each subagent, if anything was said there."""
        main = self.threads.get(None)
        for thread in self.threads.values():
            if thread.turns.messages() or thread.turns.error:
                yield thread.record(main)


@dataclass(slots=True)
class _Thread:
    """A session's main conversation, or one of its subagents'."""

    session: str
    agent_id: str | None
    turns: Turns
    about: dict[str, Any]
    bytes: int = 0

    def record(self, main: _Thread | None) -> Record:
        """The thread so far; `main` knows as what a subagent was called."""
        turns = self.turns
        session = f"{NAME}:{self.session}"
        kind = self._subagent_type(main)
        told = {
            "subagent_type": kind,
            "subagents": {f"{session}/{agent}": kind for agent, kind in turns.subagents.items()},
            "interruptions": turns.interruptions,
            "rewinds": turns.rewinds,
        }
        raw = self.about | {key: value for key, value in told.items() if value}
        return turns.record(
            f"{session}/{self.agent_id}" if self.agent_id else session,
            raw,
            agent=agent_named(kind),
            parent=session if self.agent_id else None,
        )

    def add(self, row: dict[str, Any], size: int) -> None:
        """The next line. What is too long to be kept is told once, and no longer held."""
        before, self.bytes = self.bytes, self.bytes + size
        if self.bytes <= MOST:
            self.turns.add(row)
        elif before <= MOST:
            self.turns = Turns(self.turns.line)
            raise Unusable(f"a session of over {MOST >> 20} MiB; none of it is kept")

    def _subagent_type(self, main: _Thread | None) -> str | None:
        """What the session's call asked for, when the session is in the same file."""
        if self.agent_id is None or main is None:
            return None
        if self.agent_id in main.turns.subagents:
            return main.turns.subagents[self.agent_id]
        prompts = {prompt: kind for kind, prompt in main.turns.spawned.values()}
        return prompts.get(self.turns.task or "")


def _add(sessions: dict[str, _Session], item: Item) -> _Session | None:
    """Take a row; the session that it is of, None when it is nobody's turn. Raises Unusable."""
    row = as_object(item.value)
    kind = row.get("type")
    if not isinstance(kind, str):
        raise Unusable("not an event of a session: it has no type")
    row = _queued(row) or row
    own = name(row.get("sessionId"))
    if row["type"] not in _TURNS:
        return sessions.get(own or "")
    if own is None:
        raise Unusable("not an event of a session: it has no sessionId")
    session = sessions.setdefault(own, _Session(own))
    uuid = name(row.get("uuid"))
    if uuid is not None and uuid in session.seen:
        return session
    agent = _agent_id(row, uuid, session.roots)
    thread = session.threads.get(agent) or _Thread(own, agent, Turns(item.line), _about(row))
    thread.add(row, item.size)
    session.threads[agent] = thread
    if uuid is not None:
        session.seen.add(uuid)
    return session


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
