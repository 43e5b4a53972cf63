"""What a collection is, in figures that say how far they can be trusted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, func, select

from db import filters
from db.models.interactions import BODIES, INTERACTIONS
from db.store import Store
from exports.atomic import atomic
from studio import settings
from studio.curation.classify import classify_text
from studio.evals.statistics import wilson

KEYWORD_TASKS = 5_000  # distinct tasks that the keyword rules are asked about, newest first
BASELINE_KEYS = (
    "total_interactions",
    "successful",
    "failed",
    "success_rate",
    "duration_stats",
    "agent_distribution",
    "provider_distribution",
)


def collection_stats(store: Store, where: str = "") -> dict[str, Any]:
    """Counts, success rate (of those whose outcome is known), durations and mixes."""
    condition = filters.where(where)
    columns = INTERACTIONS.c
    with store.read() as connection:
        totals = connection.execute(
            select(
                func.count(),
                func.count().filter(columns.success.is_(True)),
                func.count().filter(columns.success.is_(False)),
                func.avg(columns.task_chars),
                func.avg(columns.output_chars),
            ).where(condition)
        ).one()
        durations = sorted(
            connection.execute(
                select(columns.duration_ms).where(condition, columns.duration_ms.is_not(None))
            ).scalars()
        )
        mixes = [
            {
                (name if name is not None else "unknown"): n
                for name, n in connection.execute(_distribution(column, condition))
            }
            for column in (columns.agent, columns.provider)
        ]
    total, passed, failed, task_chars, output_chars = totals
    return {
        "total_interactions": total,
        "successful": passed,
        "failed": failed,
        "success_rate": _rounded_rate(passed, passed + failed),
        "duration_stats": _durations(durations),
        "agent_distribution": mixes[0],
        "provider_distribution": mixes[1],
        "success_ci95": list(wilson(passed, passed + failed)),
        "unknown_outcome": total - passed - failed,
        "task_chars_avg": round(float(task_chars), 1) if task_chars is not None else None,
        "output_chars_avg": round(float(output_chars), 1) if output_chars is not None else None,
        "planned_distribution": {name: agent.planned for name, agent in settings.agents().items()},
        **_keyword_mix(store, condition),
    }


def _keyword_mix(store: Store, condition: ColumnElement[bool]) -> dict[str, Any]:
    """What the words of the tasks alone would say, beside what the collection says.

    `keyword_distribution` counts interactions of the newest `KEYWORD_TASKS` distinct tasks,
    `keyword_agreement` on how many of those that were declared or labelled both agree.
    """
    columns = INTERACTIONS.c
    newest = func.max(columns.id)
    distinct = (
        select(columns.task_hash, newest.label("id"))
        .where(condition)
        .group_by(columns.task_hash)
        .order_by(newest.desc())
        .limit(KEYWORD_TASKS)
        .subquery()
    )
    with store.read() as connection:
        named = {
            row.task_hash: classify_text(row.task).agent
            for row in connection.execute(
                select(distinct.c.task_hash, BODIES.c.task).join_from(
                    distinct, BODIES, BODIES.c.id == distinct.c.id
                )
            )
        }
        rows = connection.execute(
            select(
                columns.task_hash,
                columns.agent,
                func.count(),
                func.count().filter(columns.agent_method.in_(("declared", "human"))),
            )
            .where(condition, columns.task_hash.in_(select(distinct.c.task_hash)))
            .group_by(columns.task_hash, columns.agent)
        ).all()
    mix: Counter[str] = Counter()
    agreed = compared = 0
    for task, agent, n, told in rows:
        mix[named[task]] += n
        compared += told
        agreed += told if agent == named[task] else 0
    return {
        "keyword_distribution": dict(mix.most_common()),
        "keyword_agreement": {
            "n": compared,
            "agreed": agreed,
            "rate": agreed / compared if compared else None,
            "ci95": list(wilson(agreed, compared)),
        },
    }


def write_baseline(path: Path, metrics: dict[str, Any]) -> None:
    """Write the metrics as JSON, whole or not at all."""
    with atomic(path) as file:
        file.write(json.dumps(metrics, indent=2, ensure_ascii=False) + "\n")


def _distribution(column: ColumnElement[str], condition: ColumnElement[bool]) -> Any:
    return (
        select(column, func.count())
        .where(condition)
        .group_by(column)
        .order_by(func.count().desc(), column)
    )


def _rounded_rate(part: int, whole: int) -> float | None:
    """Three decimals, and more where three would claim all or nothing."""
    if whole == 0:
        return None
    digits = 3
    while 0 < part < whole and round(part / whole, digits) in (0.0, 1.0):
        digits += 1
    return round(part / whole, digits)


def _durations(values: list[int]) -> dict[str, int | None]:
    """Average, median, least and greatest, in whole milliseconds."""
    if not values:
        return dict.fromkeys(("avg_ms", "median_ms", "min_ms", "max_ms"))
    middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
    return {
        "avg_ms": round(sum(values) / len(values)),
        "median_ms": round(middle),
        "min_ms": values[0],
        "max_ms": values[-1],
    }
