"""An evaluation suite: JSONL, one item a line, named by the hash of what counts in it.

    {"id", "category", "agent", "messages", "tools"?, "scorer": {"kind": …}, "max_tokens"?}

Scorers: `tool_call` with `calls: [{name, arguments}]`, `code` with `entry_point` and `tests` (or
`cases: [{stdin, stdout}]`), `answer` with the `answer` after the last "Answer:" (or ####, \\boxed).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.errors import BadInput

SCORERS = {
    "tool_call": ("calls",),
    "code": (),
    "answer": ("answer",),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One case of a suite with its scorer."""

    id: str
    category: str
    agent: str | None
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    scorer: dict[str, Any]
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite as it was read: `name` finds it again, `sha256` is over the items alone."""

    name: str
    items: list[Item]
    sha256: str


def read_suite(path: Path, name: str | None = None) -> Suite:
    """Read and check a suite, named by its path unless it has a name of its own.

    Raises BadInput with file, line, cause and what is wanted.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise BadInput(f"{path}: the suite cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: the suite is not UTF-8: {error.reason}") from error
    items: list[Item] = []
    lines_of: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        item = _item(line, f"{path}:{number}")
        if item.id in lines_of:
            raise BadInput(
                f"{path}:{number}: id {item.id!r} stands already in line {lines_of[item.id]}"
            )
        lines_of[item.id] = number
        items.append(item)
    if not items:
        raise BadInput(f"{path}: the suite holds no items")
    return Suite(name or str(path), items, _digest(items))


def _item(line: str, place: str) -> Item:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{place}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise BadInput(f"{place}: an item is an object")
    for key, kind in (("id", str), ("category", str), ("messages", list), ("scorer", dict)):
        if not isinstance(row.get(key), kind):
            raise BadInput(f"{place}: the key {key!r} is missing or no {kind.__name__}")
    if not row["messages"] or not all(
        isinstance(m, dict) and isinstance(m.get("role"), str) for m in row["messages"]
    ):
        raise BadInput(f"{place}: messages are objects with a role, at least one")
    scorer = row["scorer"]
    kind_name = scorer.get("kind")
    if kind_name not in SCORERS:
        raise BadInput(f"{place}: scorer kind {kind_name!r}; there are {', '.join(SCORERS)}")
    missing = [key for key in SCORERS[kind_name] if key not in scorer]
    if kind_name == "code" and not ({"entry_point", "tests"} <= set(scorer) or "cases" in scorer):
        missing = ["entry_point and tests (or cases)"]
    if missing:
        raise BadInput(f"{place}: a {kind_name} scorer needs {missing[0]}")
    return Item(
        id=row["id"],
        category=row["category"],
        agent=row.get("agent"),
        messages=row["messages"],
        tools=row.get("tools") or [],
        scorer=scorer,
        max_tokens=row.get("max_tokens"),
    )


def _digest(items: list[Item]) -> str:
    digest = hashlib.sha256()
    for item in sorted(items, key=lambda item: item.id):
        parts = [item.id, item.category, item.agent, item.messages, item.tools, item.scorer]
        digest.update(json.dumps([*parts, item.max_tokens], sort_keys=True).encode())
    return digest.hexdigest()


def last_request(messages: list[dict[str, Any]]) -> str:
    """The text of the last user message: what an item asks."""
    for message in reversed(messages):
        if message["role"] == "user":
            return str(message.get("content") or "")
    return ""
