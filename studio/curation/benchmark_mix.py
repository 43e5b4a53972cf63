"""The mix of a benchmark by agent, to hold against the mix of what was collected.

A benchmark that was made by keywords looks different from the work that it is to stand for: 85%
coding tasks against 59% is a difference that a person must see before trusting its score.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import text

from db.errors import BadInput
from db.store import Store
from studio import settings
from studio.curation.classify import classify_text
from studio.nano import SUITE

_TEXTS = ("task", "text", "prompt", "question", "problem")


def evaluated_suite(store: Store) -> str | None:
    """The suite that was evaluated last, where it still lies; None without any."""
    with store.read() as connection:
        name = connection.execute(
            text("SELECT suite FROM evaluation ORDER BY id DESC LIMIT 1")
        ).scalar()
    return name if name is not None and (name == "nano" or Path(name).is_file()) else None


def benchmark_mix(name: str) -> dict[str, Any]:
    """`{name, n, distribution}` of a JSONL file, a folder `<agent>/benchmark_all.jsonl`, or `nano`.

    A task's agent is the one that its row names, else its folder, else what its words say.
    Raises BadInput with file and line.
    """
    path = SUITE if name == "nano" else Path(name)
    files = sorted(path.glob("*/benchmark_all.jsonl")) if path.is_dir() else [path]
    if not files:
        raise BadInput(f"{path}: no */benchmark_all.jsonl in this folder")
    found = Counter(agent for file in files for agent in _agents(file))
    if not found:
        raise BadInput(f"{path}: the benchmark holds no tasks")
    return {"name": name, "n": found.total(), "distribution": dict(found.most_common())}


def _agents(path: Path) -> Iterator[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read: {error}") from error
    folder = path.parent.name if path.parent.name in settings.agents() else None
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _agent(line, f"{path}:{number}", folder)


def _agent(line: str, place: str, folder: str | None) -> str:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{place}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise BadInput(f"{place}: not an object")
    if isinstance(row.get("agent"), str):
        return settings.agent_named(row["agent"]) or row["agent"]
    return folder or classify_text(_task(row, place)).agent


def _task(row: dict[str, Any], place: str) -> str:
    for key in _TEXTS:
        if isinstance(row.get(key), str):
            return str(row[key])
    messages = row.get("messages")
    for message in reversed(messages if isinstance(messages, list) else []):
        if isinstance(message, dict) and message.get("role") == "user":
            return str(message.get("content") or "")
    raise BadInput(f"{place}: no agent, and no task ({', '.join(_TEXTS)} or messages)")
