"""How far the classes can be trusted: confusion, reliability, and where the opinions differ."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import select

from db import filters
from db.models.interactions import BODIES, INTERACTIONS
from db.rows import count
from db.secrets import mask_secrets
from db.store import Store
from studio import settings
from studio.curation.classify import Answer, classify_text
from studio.curation.learned import FEWEST_LABELS, Labelled, Learned, labelled_requests, learn
from studio.evals.statistics import wilson

BINS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95)
"""Where the bins of confidence begin; the last ends at 1."""
_REMEMBERED = 50_000  # tasks whose answers are kept for their copies


def class_report(
    store: Store,
    where: str = "",
    *,
    limit: int = 50,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """What the labels of people say of the rules and of the model; nothing is written.

    `confusion` (`{by: {label: {answered: n}}}`) and `reliability` (`{by: [bin]}`) for the rules
    and, with labels enough, for the model held out; `disagreements` are the `limit` interactions
    of a filter with the least sure answers where declared agent, rules and model differ.
    """
    learned = learn(store)
    items = learned.items if learned is not None else labelled_requests(store)
    answers = {"rules": [classify_text(item.text) for item in items]}
    if learned is not None:
        answers["model"] = learned.held_out
    found, total = _disagreements(store, where, learned, limit, progress)
    return {
        "labels": len(items),
        "labels_needed": FEWEST_LABELS,
        "model": learned.summary() if learned is not None else None,
        "by_agent": learned.by_agent if learned is not None else {},
        "confusion": {by: confusion(items, given) for by, given in answers.items()},
        "reliability": {by: reliability(items, given) for by, given in answers.items()},
        "disagreements": found,
        "disagreements_total": total,
    }


def confusion(items: Sequence[Labelled], answers: Sequence[Answer]) -> dict[str, dict[str, int]]:
    """`{label: {answered: n}}` in the team's order, all combinations."""
    agents = list(settings.agents())
    counted = Counter(
        (item.agent, answer.agent) for item, answer in zip(items, answers, strict=True)
    )
    return {label: {answered: counted[label, answered] for answered in agents} for label in agents}


def reliability(items: Sequence[Labelled], answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """How often answers of about one confidence were right: `{low, high, n, confidence, right,
    accuracy, ci95}` for each bin, accuracy with its 95% Wilson interval; empty bins too.
    """
    rows = []
    for low, high in zip(BINS, (*BINS[1:], 1.0), strict=True):
        inside = [
            (answer.confidence, answer.agent == item.agent)
            for item, answer in zip(items, answers, strict=True)
            if low <= answer.confidence and (answer.confidence < high or high == 1.0)
        ]
        n, right = len(inside), sum(is_right for _, is_right in inside)
        rows.append(
            {
                "low": low,
                "high": high,
                "n": n,
                "confidence": sum(sure for sure, _ in inside) / n if n else None,
                "right": right,
                "accuracy": right / n if n else None,
                "ci95": list(wilson(right, n)),
            }
        )
    return rows


def _disagreements(
    store: Store,
    where: str,
    learned: Learned | None,
    limit: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[list[dict[str, Any]], int]:
    """The least sure of those whose opinions differ, and how many there are."""
    total = 0

    def differing() -> Iterator[dict[str, Any]]:
        nonlocal total
        for row in _opinions(store, where, learned, progress):
            given = {row[by] for by in ("declared", "rules", "model") if row[by] is not None}
            if len(given) > 1:
                total += 1
                yield row

    found = heapq.nsmallest(
        max(limit, 1), differing(), key=lambda row: (row["confidence"], row["id"])
    )  # of none it would not look at any
    shown = [{**row, "task": mask_secrets(row["task"])} for row in found[:limit]]
    return shown, total


def _opinions(
    store: Store,
    where: str,
    learned: Learned | None,
    progress: Callable[[int, int], None] | None,
) -> Iterator[dict[str, Any]]:
    """What each has to say of each interaction; equal tasks are asked once."""
    judged = _held_out_by_id(learned)
    known: dict[str, tuple[Answer, Answer | None]] = {}
    statement = (
        select(
            INTERACTIONS.c.id,
            INTERACTIONS.c.agent,
            INTERACTIONS.c.agent_method,
            INTERACTIONS.c.declared_agent,
            INTERACTIONS.c.task_hash,
            BODIES.c.task,
        )
        .join_from(INTERACTIONS, BODIES, INTERACTIONS.c.id == BODIES.c.id)
        .where(filters.where(where))
    )
    with store.read() as connection:
        total = count(connection, where)
        for done, row in enumerate(connection.execute(statement), 1):
            if row.task_hash not in known:
                if len(known) >= _REMEMBERED:
                    known.clear()
                rule = classify_text(row.task)
                model = learned.answer(row.task) if learned is not None else None
                known[row.task_hash] = rule, model
            rule, model = known[row.task_hash]
            told = _opinion(rule, judged.get(row.id, model))
            yield {
                "id": row.id,
                "task": row.task,
                "agent": row.agent,
                "method": row.agent_method,
                "declared": settings.agent_named(row.declared_agent),
                **told,
            }
            if progress is not None:
                progress(done, total)


def _opinion(rule: Answer, model: Answer | None) -> dict[str, Any]:
    surest = model if model is not None else rule
    return {
        "rules": rule.agent,
        "model": model.agent if model is not None else None,
        "confidence": round(surest.confidence, 4),
        "reason": surest.reason,
    }


def _held_out_by_id(learned: Learned | None) -> dict[int, Answer]:
    """For labelled interactions, what a model said that had not seen their label."""
    if learned is None:
        return {}
    return {
        identity: answer
        for item, answer in zip(learned.items, learned.held_out, strict=True)
        for identity in item.ids
    }
