"""The columns of the table of interactions: which ones fit, and what each shows of a row."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

from db.reader import Row
from studio.screen_text import screen_text

STATES = {"new": "·", "accepted": "acc", "dropped": "drop"}
OUTCOMES = {1: "✓", 0: "✗", None: "·"}
TASK_LEAST = 20  # cells that the task keeps before another column gives way


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `rank` says when it gives way: the highest goes first."""

    title: str
    width: int
    rank: int
    text: Callable[[Row], str]
    right: bool = False
    style: str = "quiet"


def _when(row: Row) -> str:
    if row.started_ms is None:
        return "·"
    return time.strftime("%y-%m-%d", time.gmtime(row.started_ms / 1000))


def _seconds(row: Row) -> str:
    if row.duration_ms is None:
        return "·"
    seconds = row.duration_ms / 1000
    return f"{seconds:.1f}" if seconds < 1000 else f"{seconds:.0f}"


def _certainty(row: Row) -> str:
    return "·" if row.agent_confidence is None else f"{row.agent_confidence:.2f}"


def _tags(row: Row) -> str:
    return "" if row.tags == "[]" else row.tags[1:-1].replace('"', "").replace(",", " ")


COLUMNS = (
    Column("id", 7, 0, lambda row: str(row.id), right=True),
    Column("agent", 11, 0, lambda row: row.agent or "·", style="agent"),
    Column("sure", 4, 3, _certainty, right=True),
    Column("model", 14, 4, lambda row: row.model or "·"),
    Column("provider", 10, 6, lambda row: row.provider or "·"),
    Column("when", 8, 5, _when),
    Column("s", 6, 2, _seconds, right=True),
    Column("tok", 6, 2, lambda row: str(row.completion_tokens or "·"), right=True),
    Column("ok", 2, 0, lambda row: OUTCOMES[row.success], style="outcome"),
    Column("state", 5, 0, lambda row: STATES.get(row.status, row.status), style="state"),
    Column("tags", 12, 7, _tags),
    Column("task", 0, 0, lambda row: row.title, style="plain"),
)


@lru_cache(maxsize=8)  # asked for every line that is drawn
def fitting(width: int) -> Sequence[tuple[Column, int]]:
    """The columns that fit into so many cells, each with its width; the task takes the rest."""
    shown = [column for column in COLUMNS if column.title != "task"]

    def taken() -> int:
        return sum(column.width + 1 for column in shown)

    while shown and taken() + TASK_LEAST > width:
        highest = max(column.rank for column in shown)
        if highest == 0:
            break
        last = max(n for n, column in enumerate(shown) if column.rank == highest)
        del shown[last]
    return (*((column, column.width) for column in shown), (COLUMNS[-1], max(1, width - taken())))


def cells(row: Row, columns: Sequence[tuple[Column, int]]) -> list[str]:
    """What each column shows of a row, cut and padded to its width."""
    return [
        fitted(screen_text(column.text(row)[:400], one_line=True), width, right=column.right)
        for column, width in columns
    ]


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """The text in exactly so many cells; what does not fit ends with an ellipsis."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(set_cell_size(text, width - 1).rstrip() + "…", width)
    gap = " " * (width - length)
    return gap + text if right else text + gap
