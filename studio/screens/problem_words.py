"""Problems in words: the cells of the list, two solutions as sections to compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from db.counted import counted
from studio.screens.cluster_words import SAME_MOST, compared
from studio.widgets.listing import ListColumn
from studio.widgets.side_by_side import Section

if TYPE_CHECKING:
    from studio.curation.problems import Solution

COLUMNS = (
    ListColumn("", 1),
    ListColumn("problem", 7, right=True),
    ListColumn("asked", 5, right=True),
    ListColumn("solutions", 9, right=True),
    ListColumn("verified", 8, right=True),
    ListColumn("refuted", 7, 1, right=True),
    ListColumn("task"),
)
IDS_MOST = 4  # interactions of a solution that are named


def cells(row: Mapping[str, Any], *, marked: bool) -> tuple[str, ...]:
    """What the list shows of a problem."""
    counts = (f"{row[key]:,}" for key in ("interactions", "solutions", "verified", "refuted"))
    return ("●" if marked else " ", str(row["id"]), *counts, row["task"] or "(no request)")


def titles(found: Sequence[Solution], position: int) -> tuple[str, str]:
    """What stands above the best solution, and above the other one at a position."""
    left = _title("1", found[0])
    if len(found) < 2:
        return left, ""
    return left, _title(f"{position + 2} of {len(found)}", found[position + 1])


def _title(number: str, solution: Solution) -> str:
    said = f"refuted: {solution.verdict}" if solution.state == "refuted" else solution.state
    return f"solution {number} · {said} · {_ids(solution.ids)}"


def _ids(ids: Sequence[int]) -> str:
    named = ", ".join(map(str, ids[:IDS_MOST]))
    return named if len(ids) <= IDS_MOST else f"{named} and {len(ids) - IDS_MOST:,} more"


def sections(found: Sequence[Solution], position: int) -> list[Section]:
    """The best solution and another one, to compare; the only one over the whole width."""
    left = found[0]
    if len(found) < 2:
        return [
            Section("about", _facts(left)),
            Section("task", left.task, most=SAME_MOST),
            Section("answer", left.text),
        ]
    right = found[position + 1]
    return [
        Section("about", _facts(left), _facts(right), marked=True),
        compared("task", left.task, right.task, most=SAME_MOST),
        compared("answer", left.text, right.text),
    ]


def _facts(solution: Solution) -> str:
    given = "given once" if len(solution.ids) == 1 else f"given {len(solution.ids):,} times"
    return " · ".join([solution.agent or "no agent", solution.model or "no model", given])


def totals(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many problems, solutions and verified ones."""
    solutions, verified = (sum(row[key] for row in rows) for key in ("solutions", "verified"))
    return (
        f"{counted(len(rows), 'problem')}, {counted(solutions, 'solution')}, {verified:,} verified"
    )


def verdicts(value: Mapping[str, Any]) -> str:
    """What `studio verify` found, in one line."""
    said = f"{value['verified']:,} verified, {value['failed']:,} failed"
    for key, words in (
        ("without_tests", "without tests say nothing"),
        ("without_code", "without code"),
        ("not_run", "could not be run"),
    ):
        if value[key]:
            said += f", {value[key]:,} {words}"
    return f"{said} · {value['ran']:,} ran now" + (f", {value['tier']}" if value["tier"] else "")
