"""Runs: started in a child process, listed, stopped, resumed; a dead one is shown as dead."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from db.errors import BadInput, NotFound, Refused
from db.interactions import dumps, loads
from db.models.base import table
from db.models.datasets import Dataset
from db.models.runs import Checkpoint, Metric, Run
from db.store import Store, now_ms
from exports.frozen import find_dataset
from studio import jobs
from studio.training.bases import base_digest, base_for
from studio.training.dry_run import runs_folder
from studio.training.pace import pace_of, seconds_left
from studio.training.preflight import preflight
from studio.training.recipe import read_recipe

RUNS, DATASETS, CHECKPOINTS = table(Run), table(Dataset), table(Checkpoint)
METRICS = table(Metric)
ACTIVE = ("running", "queued")
OVER = ("finished", "stopped", "stopped_by_guard", "failed", "dead")
Progress = Callable[[float, float, str], None]


def start(
    store: Store,
    dataset: str,
    recipe: str,
    *,
    base: str | None = None,
    suites: Sequence[str] = (),
    force: bool = False,
    progress: Progress | None = None,
) -> int:
    """Preflight, then start the run's child process; returns the run's number.

    Raises Refused when preflight blocks and `force` is not given; a forced run is stamped.
    """
    name, read = read_recipe(recipe)
    frozen = find_dataset(store, dataset)
    found = base_for(frozen, base, read.base)
    checked = preflight(
        store, frozen.label, recipe=recipe, base=found.name, suites=suites, progress=progress
    )
    if not checked["ok"] and not force:
        blocked = [check for check in checked["checks"] if check["status"] == "block"]
        raise Refused(
            f"preflight blocks {frozen.label}: {blocked[0]['id']}: {blocked[0]['detail']} "
            f"(studio preflight {frozen.label} shows all; --force-preflight overrides)"
        )
    values = {
        "dataset_id": frozen.id,
        "recipe": name,
        "recipe_json": dumps(read.model_dump()),
        "base": found.name,
        "base_digest": base_digest(found.folder),
        "folder": "",
        **_queued(),
        "forced": not checked["ok"],
        "created_ms": now_ms(),
    }
    with store.write(durable=True) as connection:
        identity = int(
            connection.execute(insert(RUNS).values(values).returning(RUNS.c.id)).scalar_one()
        )
        folder = runs_folder(store) / str(identity)
        connection.execute(update(RUNS).where(RUNS.c.id == identity).values(folder=str(folder)))
    folder.mkdir(parents=True)
    _spawn(store, identity, folder, read.threads, resume=False)
    return identity


def _spawn(store: Store, run: int, folder: Path, threads: int | None, *, resume: bool) -> None:
    assert store.path is not None
    queued = _queued()
    with store.write() as connection:
        connection.execute(update(RUNS).where(RUNS.c.id == run).values(queued))
    arguments = ["--store", str(store.path.resolve()), "--run", str(run)]
    job = jobs.spawn(
        "studio.training.worker",
        [*arguments, "--resume"] if resume else arguments,
        folder / "log.txt",
        jobs.environment(threads),
        held=[signal.SIGTERM],  # who stops a run that still loads means the run, not its process
    )
    with store.write() as connection:
        connection.execute(
            update(RUNS)
            .where(RUNS.c.id == run, RUNS.c.pid == queued["pid"], RUNS.c.state == queued["state"])
            .values(pid=job.pid, pid_started=job.started, heartbeat_ms=now_ms())
        )


def _queued() -> dict[str, Any]:
    """This process stands for the child until that is there: without one, a run is dead."""
    pid = os.getpid()
    mine = {"pid": pid, "pid_started": jobs.started_at(pid)}
    return {"state": "queued", **mine, "heartbeat_ms": None}


def stop(store: Store, run: int, *, wait_seconds: float = 60.0) -> dict[str, Any]:
    """Ask a run to save and stop; returns its number and state, waiting until it has."""
    end = time.monotonic() + wait_seconds
    row, state = _read(store, run)
    while state == "queued" and row.heartbeat_ms is None and time.monotonic() < end:
        time.sleep(0.05)  # its process is not there yet, and this may be our own
        row, state = _read(store, run)
    if state == "queued" and row.heartbeat_ms is None:
        raise BadInput(f"run {run} is still being started; stop it in a moment")
    # A run that is over may still be closing down: its process must not be sent a signal.
    if state in OVER or not jobs.ask_to_stop(row.pid, row.pid_started):
        raise BadInput(f"run {run} is {state}: there is nothing to stop")
    while time.monotonic() < end and _read(store, run)[1] not in OVER:
        time.sleep(0.2)
    return {"run": run, "state": _read(store, run)[1]}


def resume(store: Store, run: int) -> dict[str, Any]:
    """Go on from the last checkpoint of a run that was stopped, failed or died."""
    row, state = _read(store, run)
    if state not in ("stopped", "stopped_by_guard", "failed", "dead"):
        raise BadInput(f"run {run} is {state}; only a stopped, failed or dead run can be resumed")
    _spawn(store, run, Path(row.folder), loads(row.recipe_json).get("threads"), resume=True)
    return {"run": run, "state": _read(store, run)[1]}


def wait(store: Store, run: int, progress: Progress | None = None) -> str:
    """Follow a run until it is over; returns the state it ended in."""
    while True:
        row, state = _read(store, run)
        if progress is not None:
            loss = f" loss {row.loss:.3f}" if row.loss is not None else ""
            progress(row.step, row.total_steps or 0, f"run {run} {state} step {row.step}{loss}")
        if state in OVER:
            return state
        time.sleep(0.3)


def list_runs(store: Store, run: int | None = None) -> list[dict[str, Any]]:
    """Runs with their state and checkpoints, newest first; only `run` when it is given."""
    statement = select(RUNS, DATASETS.c.name, DATASETS.c.version).join_from(
        RUNS, DATASETS, RUNS.c.dataset_id == DATASETS.c.id
    )
    if run is not None:
        _read(store, run)
        statement = statement.where(RUNS.c.id == run)
    found = _with_state(store, statement.order_by(RUNS.c.id.desc()))
    with store.read() as connection:
        saved = _checkpoints(connection, run)
    return [_as_dict(row, state, saved.get(row.id, [])) for row, state in found]


def losses(store: Store, run: int) -> list[tuple[int, float]]:
    """(step, validation loss) of a run, in order."""
    with store.read() as connection:
        rows = connection.execute(
            select(METRICS.c.step, METRICS.c.value)
            .where(METRICS.c.run_id == run, METRICS.c.name == "eval_loss")
            .order_by(METRICS.c.step)
        ).all()
    return [(row.step, row.value) for row in rows]


def _checkpoints(connection: Connection, run: int | None) -> dict[int, list[dict[str, Any]]]:
    statement = select(CHECKPOINTS).order_by(CHECKPOINTS.c.run_id, CHECKPOINTS.c.step)
    if run is not None:
        statement = statement.where(CHECKPOINTS.c.run_id == run)
    found: dict[int, list[dict[str, Any]]] = {}
    for row in connection.execute(statement):
        values = {"step": row.step, "path": row.path, "score": row.score, "score_n": row.score_n}
        found.setdefault(row.run_id, []).append(values)
    return found


def _eta(row: Row[Any]) -> float | None:
    """Seconds until a running run ends, by its pace; by its steps alone while that is unknown."""
    pace, total = pace_of(Path(row.folder)), int(row.total_steps or 0)
    if pace is not None and total:
        return round(seconds_left(pace, total, now_ms()), 1)
    return None if row.step_seconds is None else round((total - row.step) * row.step_seconds, 1)


def _as_dict(row: Row[Any], state: str, checkpoints: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row.id,
        "dataset": f"{row.name}@{row.version}",
        "recipe": row.recipe,
        "base": row.base,
        "state": state,
        "step": row.step,
        "total_steps": row.total_steps,
        "eta_seconds": _eta(row) if state == "running" else None,
        "loss": row.loss,
        "eval_loss": row.eval_loss,
        "tokens_per_second": row.tokens_per_second,
        "forced": bool(row.forced),
        "selected_step": row.selected_step,
        "error": row.error,
        "folder": row.folder,
        "log": jobs.tail(Path(row.folder) / "log.txt") if state in ("failed", "dead") else [],
        "checkpoints": checkpoints,
    }


def _read(store: Store, run: int) -> tuple[Row[Any], str]:
    """A run's row and its state."""
    found = _with_state(store, select(RUNS).where(RUNS.c.id == run))
    if not found:
        raise NotFound(f"no run {run} in {store.location}; studio runs lists them")
    return found[0]


def _with_state(store: Store, statement: Select[Any]) -> list[tuple[Row[Any], str]]:
    """Runs, each with what it wrote last; a running or queued one without its process is dead."""
    dead: set[int] = set()
    while True:
        with store.read() as connection:
            rows = connection.execute(statement).all()
        gone = {r.id for r in rows if r.state in ACTIVE and not jobs.alive(r.pid, r.pid_started)}
        if gone <= dead:  # they were gone before this look: no last word of theirs was missed
            return [(row, "dead" if row.id in gone else str(row.state)) for row in rows]
        dead = gone
