"""Evaluate a run's checkpoint and its base in a child process; it goes on when its starter ends.

What was started is written beside the run (`evaluation.json`, with its output in
`evaluation.log`), so that whoever looks later finds it, be it still running or over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select

from db.errors import BadInput, Refused
from db.interactions import loads
from db.models.base import table
from db.models.evaluations import Arm, Evaluation
from db.store import Store, now_ms
from studio import jobs
from studio.evals.known_suites import find_suite

ARMS, EVALUATIONS = table(Arm), table(Evaluation)
THREADS = 2


@dataclass(frozen=True, slots=True)
class EvaluationJob:
    """One evaluation that was started: which arm on which suite, and its process."""

    arm: str
    suite: str
    started_ms: int
    pid: int
    pid_started: float

    @property
    def running(self) -> bool:
        """Whether its process is still there."""
        return jobs.alive(self.pid, self.pid_started)


class Result(NamedTuple):
    """An evaluation in short; `step` is the checkpoint's, None for the base."""

    step: int | None
    suite: str
    n: int
    rate: float
    ci95: tuple[float, float]
    created_ms: int


def log_of(folder: Path) -> Path:
    """Where the output of the last evaluation of a run lies."""
    return folder / "evaluation.log"


def start_evaluation(store: Store, run: Mapping[str, Any], suite: str) -> EvaluationJob:
    """Start `studio evaluate run:N@STEP base` for a run of `list_runs`.

    Raises BadInput for a suite that cannot be read or a run without a checkpoint, Refused while
    an evaluation of the run is still running.
    """
    if not run["checkpoints"]:
        raise BadInput(f"run {run['id']} has no checkpoint yet: there is nothing to evaluate")
    folder = Path(run["folder"])
    before = evaluation_job(folder)
    if before is not None and before.running:
        raise Refused(f"{before.arm} is being evaluated on {before.suite}; wait until that is over")
    find_suite(suite)
    step = run["selected_step"] or run["checkpoints"][-1]["step"]
    arm = f"run:{run['id']}@{step}"
    log_of(folder).write_bytes(b"")
    began = now_ms()
    child = jobs.spawn(
        "studio",
        ["evaluate", arm, "base", "--suite", suite, "--store", str(store.path)],
        log_of(folder),
        jobs.environment(THREADS) | {"STUDIO_PROGRESS_SECONDS": "2"},
    )
    job = EvaluationJob(arm, suite, began, child.pid, child.started)
    (folder / "evaluation.json").write_text(json.dumps(asdict(job)), encoding="utf-8")
    return job


def evaluation_job(folder: Path) -> EvaluationJob | None:
    """The evaluation of a run that was started last, if there was one."""
    try:
        return EvaluationJob(**json.loads((folder / "evaluation.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def results_of(store: Store, run: Mapping[str, Any]) -> list[Result]:
    """The newest evaluations of a run's checkpoints, without examples, and of its base beside
    them: one a checkpoint, suite and number of items."""
    steps = {checkpoint["path"]: checkpoint["step"] for checkpoint in run["checkpoints"]}
    newest: dict[tuple[int | None, str, int], Result] = {}
    with store.read() as connection:
        rows = connection.execute(
            select(
                ARMS.c.details_json, EVALUATIONS.c.suite, EVALUATIONS.c.n,
                EVALUATIONS.c.created_ms, EVALUATIONS.c.report_json,
            )
            .join_from(EVALUATIONS, ARMS, EVALUATIONS.c.arm_id == ARMS.c.id)
            .where(ARMS.c.spec.not_like("%+%"))
            .order_by(EVALUATIONS.c.id)
        ).all()  # fmt: skip
    for row in rows:
        details, report = loads(row.details_json), loads(row.report_json)
        adapter = details.get("adapter")
        if details.get("base") != run["base"] or (adapter and adapter not in steps):
            continue
        step = steps[adapter] if adapter else None
        low, high = report["ci95"]
        newest[step, row.suite, row.n] = Result(
            step, row.suite, row.n, report["rate"], (low, high), row.created_ms
        )
    tested = {(result.suite, result.n) for result in newest.values() if result.step is not None}
    return [result for result in newest.values() if (result.suite, result.n) in tested]
