"""Sessions that Claude Code's web app exports: `{"loglines": [{"type", "timestamp", "message"}]}`.

The lines are those of `studio.collect.formats.claude_code`, without ids: one interaction a
document, told from others by its first line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from db.interactions import Record
from studio.collect.claude_turns import Turns
from studio.collect.log import Head, Log, Rejected, Unusable, as_object, digest
from studio.collect.values import name

NAME = "claude_code_export"
_TURNS = ("user", "assistant")


def sniff(head: Head) -> bool:
    """Some row is an object with lines of a session."""
    return any(isinstance(row, dict) and _lines(row) is not None for row in head.rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a document; lines of it that are no events are told and passed over."""
    return log.each(lambda row, line: _session(log, row, line))


def _session(log: Log, row: dict[str, Any], at: int) -> Iterator[Record | Rejected]:
    lines = _lines(row)
    if lines is None:
        raise Unusable("no loglines of a session")
    turns = Turns(at)
    for number, line in enumerate(lines, 1):
        try:
            line = as_object(line)
            if line.get("type") in _TURNS:
                turns.add(line)
        except Unusable as error:
            yield log.rejected(at, f"logline {number}: {error}")
    if not turns.messages() and not turns.error:
        raise Unusable("no turn of a person or of the model")
    own = name(row.get("sessionId")) or name(row.get("id"))
    about = {key: value for key, value in row.items() if key != "loglines"}
    yield turns.record(f"{NAME}:{own or digest(lines[0])}", about)


def _lines(row: dict[str, Any]) -> list[Any] | None:
    lines = row.get("loglines")
    return lines if isinstance(lines, list) and lines else None
