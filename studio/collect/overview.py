"""What an import brought, in figures that make one want to look, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from db.models.interactions import INTERACTIONS
from db.rows import iso
from studio.evals.statistics import wilson

WIDTH = 68  # characters of a line behind its name: it fits a terminal of 80
_COLUMNS = INTERACTIONS.c


def overview(
    connection: Connection, after: int, projects: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """Figures of the interactions with an id above `after`; tokens, calls and times are totals.

    `repeated_tasks` ask what an earlier one of them asks, `secrets` is `{kind: interactions}`.
    `projects` counts the folders that the agents worked in, where the logs tell them.
    """
    new = _COLUMNS.id > after
    passed = func.count().filter(_COLUMNS.success.is_(True))
    failed = func.count().filter(_COLUMNS.success.is_(False))
    asking = func.count().filter(_COLUMNS.task_chars > 0)
    asked = func.count(_COLUMNS.task_hash.distinct()).filter(_COLUMNS.task_chars > 0)
    row = connection.execute(
        select(
            func.count().label("n"),
            passed.label("passed"),
            failed.label("failed"),
            func.min(_COLUMNS.started_ms).label("first"),
            func.max(_COLUMNS.started_ms).label("last"),
            func.sum(_COLUMNS.prompt_tokens).label("prompt"),
            func.sum(_COLUMNS.completion_tokens).label("completion"),
            func.sum(_COLUMNS.tool_calls).label("calls"),
            (asking - asked).label("repeated"),
            func.count().filter(_COLUMNS.secrets > 0).label("secret"),
        ).where(new)
    ).one()
    known = row.passed + row.failed
    return {
        "interactions": row.n,
        "agents": _counted(connection, _COLUMNS.agent, new),
        "models": _counted(connection, _COLUMNS.model, new),
        "projects": dict(Counter(projects or {}).most_common()),
        "first_started_at": iso(row.first),
        "last_started_at": iso(row.last),
        "successful": row.passed,
        "failed": row.failed,
        "success_rate": row.passed / known if known else None,
        "success_ci95": list(wilson(row.passed, known)),
        "prompt_tokens": row.prompt,
        "completion_tokens": row.completion,
        "tool_calls": row.calls or 0,
        "repeated_tasks": row.repeated,
        "with_secrets": row.secret,
        "secrets": _kinds(connection, new),
    }


def newest(connection: Connection) -> int:
    """The highest id, 0 in an empty store: what comes later is new."""
    return int(connection.execute(select(func.coalesce(func.max(_COLUMNS.id), 0))).scalar_one())


def overview_lines(figures: Mapping[str, Any]) -> list[str]:
    """The same for a person, at most eight lines; nothing where nothing came."""
    if not figures["interactions"]:
        return []
    lines = [
        ("agents", _shares(figures["agents"], figures["interactions"])),
        ("models", _shares(figures["models"], figures["interactions"])),
        ("projects", _named(figures["projects"])),
        ("when", _span(figures["first_started_at"], figures["last_started_at"])),
        ("outcome", _outcome(figures)),
        ("work", _work(figures)),
        ("repeats", _repeats(figures)),
        ("secrets", _secrets(figures)),
    ]
    return [f"  {name:<9}{text}" for name, text in lines if text]


def next_steps(figures: Mapping[str, Any], location: str) -> str:
    """The commands that suit what came."""
    steps = ["studio", "studio stats"]
    if "" in figures["agents"]:
        steps.append("studio classify")
    if figures["repeated_tasks"]:
        steps.append("studio dedupe")
    at = "" if location == "./studio.db" else f" (--store {location})"
    return f"Next{at}: {' · '.join(steps)}"


def _counted(
    connection: Connection, column: ColumnElement[str], new: ColumnElement[bool]
) -> dict[str, int]:
    """How many have each value, most first; those without one under the empty name."""
    statement = select(func.coalesce(column, ""), func.count()).where(new).group_by(column)
    return dict(Counter({row[0]: row[1] for row in connection.execute(statement)}).most_common())


def _kinds(connection: Connection, new: ColumnElement[bool]) -> dict[str, int]:
    statement = select(_COLUMNS.secret_kinds, func.count()).where(new, _COLUMNS.secrets > 0)
    kinds: Counter[str] = Counter()
    for names, n in connection.execute(statement.group_by(_COLUMNS.secret_kinds)):
        kinds.update(dict.fromkeys(names.split(", "), n))
    return dict(kinds.most_common())


def _shares(counts: Mapping[str, int], total: int) -> str:
    told = {name: n for name, n in counts.items() if name}
    if not told:
        return ""
    silent = counts.get("", 0)
    after = f"not told {_percent(silent / total)}" if silent else ""
    return fitting([f"{name} {_percent(n / total)}" for name, n in told.items()], after)


def fitting(parts: list[str], after: str = "") -> str:
    """As many parts as a line has room for, how many more there are, and what stands last."""
    for shown in range(len(parts), 0, -1):
        rest = [f"{len(parts) - shown} more"] if shown < len(parts) else []
        line = ", ".join([*parts[:shown], *rest, *([after] if after else [])])
        if len(line) <= WIDTH or shown == 1:
            return line
    return after


def _percent(share: float) -> str:
    """Whole percents; a share that is not nothing, or not all, is never shown as if it were."""
    if 0 < share < 0.005 or 0.995 <= share < 1:
        return "<1%" if share < 0.5 else ">99%"
    return f"{100 * share:.0f}%"


def _named(counts: Mapping[str, int]) -> str:
    return fitting([f"{name} {n:,}" for name, n in counts.items()])


def _span(first: str | None, last: str | None) -> str:
    if first is None or last is None:
        return ""
    return first[:10] if first[:10] == last[:10] else f"{first[:10]} to {last[:10]}"


def _outcome(figures: Mapping[str, Any]) -> str:
    known = figures["successful"] + figures["failed"]
    if not known:
        return ""
    low, high = (100 * bound for bound in figures["success_ci95"])
    unknown = figures["interactions"] - known
    return (
        f"{figures['successful']:,} of {known:,} succeeded, "
        f"{100 * figures['success_rate']:.1f}% ({low:.1f}–{high:.1f}%)"
        + (f"; {unknown:,} do not tell" if unknown else "")
    )


def _work(figures: Mapping[str, Any]) -> str:
    parts = [f"{figures['tool_calls']:,} tool calls"] if figures["tool_calls"] else []
    for key, word in (("prompt_tokens", "read"), ("completion_tokens", "written")):
        if figures[key]:
            parts.append(f"{_short(figures[key])} tokens {word}")
    return ", ".join(parts)


def _short(number: int) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f}{unit}"
    return str(number)


def _repeats(figures: Mapping[str, Any]) -> str:
    n = figures["repeated_tasks"]
    return f"{n:,} ask what another one asks, word for word" if n else ""


def _secrets(figures: Mapping[str, Any]) -> str:
    if not figures["with_secrets"]:
        return ""
    n = figures["with_secrets"]
    return f"keys or tokens in {n:,}, masked and kept out of exports: secrets:>0"
