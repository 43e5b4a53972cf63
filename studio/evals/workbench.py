"""Evaluate and compare by spec: arms and suites found, answers made once, differences judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from db.store import Store
from exports.suites import Suite
from studio.evals.arms import Arm, base_of_runs, dataset_of_runs, find_arm
from studio.evals.compare import MARGIN, Verdict, compare
from studio.evals.evaluate import Progress, drawn_items, evaluate, stored_verdicts
from studio.evals.known_suites import find_suite


def find_arms(store: Store, specs: Sequence[str], examples: str | None) -> list[Arm]:
    """The arms of specs that stand beside each other: runs tell what base and examples mean."""
    base = base_of_runs(store, specs) or "nano"
    dataset = examples or dataset_of_runs(store, specs)
    return [find_arm(store, spec, default_base=base, examples=dataset) for spec in specs]


def evaluate_specs(
    store: Store,
    specs: Sequence[str],
    suite: str,
    *,
    limit: int | None = None,
    workers: int = 2,
    examples: str | None = None,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """The reports of `evaluate` for arms by their specs."""
    arms = find_arms(store, specs, examples)
    return evaluate(store, arms, find_suite(suite), limit=limit, workers=workers, progress=progress)


def verdicts_of(
    store: Store,
    arms: Sequence[Arm],
    suite: Suite,
    *,
    limit: int | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> list[list[Verdict]]:
    """The verdicts of every arm; only arms that were not evaluated yet are evaluated now."""
    n = len(drawn_items(suite, limit))
    found = [stored_verdicts(store, arm, suite, n) for arm in arms]
    missing = [arm for arm, verdicts in zip(arms, found, strict=True) if verdicts is None]
    if missing:
        evaluate(store, missing, suite, limit=limit, workers=workers, progress=progress)
        found = [stored_verdicts(store, arm, suite, n) for arm in arms]
    return [verdicts or [] for verdicts in found]


def compare_specs(
    store: Store,
    a: str,
    b: str,
    suite: str,
    *,
    margin: float = MARGIN,
    limit: int | None = None,
    workers: int = 2,
    examples: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The answer of `compare` for two arms by their specs."""
    arms = find_arms(store, (a, b), examples)
    left, right = verdicts_of(
        store, arms, find_suite(suite), limit=limit, workers=workers, progress=progress
    )
    return compare(left, right, margin=margin)
