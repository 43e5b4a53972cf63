"""What the screen of runs reads, in its worker: all runs, and what is known of one of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio import jobs

if TYPE_CHECKING:
    from db.store import Store
    from studio.evals.evaluation_job import EvaluationJob, Result
    from studio.training.curves import Curve

Run = Mapping[str, Any]  # as `list_runs` answers
LOG_LINES = 40


@dataclass(frozen=True, slots=True)
class Known:
    """What was read of one run, with the curves of those that are laid over its own."""

    run: Run
    log: list[str]
    options: dict[str, Any]
    results: list[Result]
    job: EvaluationJob | None
    job_runs: bool
    job_log: list[str]
    curves: dict[tuple[int, str], Curve]


def read_runs(
    store: Store, wanted: int | None, overlaid: Sequence[int], metrics: Sequence[str]
) -> tuple[list[dict[str, Any]], Known | None]:
    """All runs, newest first, and what is known of the wanted one (else of the newest)."""
    from studio.training.runs import list_runs

    runs = list_runs(store)
    run = next((run for run in runs if run["id"] == wanted), runs[0] if runs else None)
    return runs, None if run is None else _known(store, run, overlaid, metrics)


def _known(store: Store, run: Run, overlaid: Sequence[int], metrics: Sequence[str]) -> Known:
    from studio.evals.evaluation_job import evaluation_job, log_of, results_of
    from studio.training.curves import curves

    folder = Path(run["folder"])
    job = evaluation_job(folder)
    return Known(
        run,
        [line for line in jobs.tail(folder / "log.txt", LOG_LINES) if line.strip()],
        _options(folder),
        results_of(store, run),
        job,
        job is not None and job.running,
        jobs.tail(log_of(folder), 1) if job else [],
        curves(store, [run["id"], *overlaid], metrics),
    )


def _options(folder: Path) -> dict[str, Any]:
    """The options that the run's trainer wrote down; none before it has."""
    try:
        found = json.loads((folder / "options.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
