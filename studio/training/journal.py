"""What a run tells while it trains: into the store, and line by line into `events.jsonl`."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.sqlite import insert

from db.models.base import table
from db.models.runs import Checkpoint, Metric, Run
from db.store import Store, now_ms
from studio import jobs
from studio.training.bases import weights_digest

RUNS, METRICS, CHECKPOINTS = table(Run), table(Metric), table(Checkpoint)
HEARTBEAT_SECONDS = 5.0


class Journal:
    """The child's pen. Every write is a short transaction of its own."""

    def __init__(self, store: Store, run: int, folder: Path) -> None:
        self.store = store
        self.run = run
        self.events = folder / "events.jsonl"
        self._stop = threading.Event()
        self._last_step = 0.0

    def started(self, total_steps: int) -> None:
        """The run is training now, in this process."""
        self._update(
            state="running",
            pid=os.getpid(),
            pid_started=jobs.started_at(os.getpid()),
            started_ms=now_ms(),
            ended_ms=None,
            total_steps=total_steps,
            error=None,
        )
        self._event("started", total_steps=total_steps, pid=os.getpid())
        threading.Thread(target=self._beat, daemon=True).start()

    def step(self, step: int, seconds: float | None, tokens_per_second: float | None) -> None:
        """A step is done; written at most twice a second."""
        if time.monotonic() - self._last_step >= 0.5:
            self._last_step = time.monotonic()
            self._update(step=step, step_seconds=seconds, tokens_per_second=tokens_per_second)

    def metrics(self, step: int, values: dict[str, float]) -> None:
        """Numbers at a step: loss, eval_loss, learning_rate, score, …"""
        rows = [
            {"run_id": self.run, "step": step, "name": name, "value": float(value)}
            for name, value in values.items()
        ]
        with self.store.write() as connection:
            connection.execute(insert(METRICS).prefix_with("OR REPLACE"), rows)
            latest = {key: values[key] for key in ("loss", "eval_loss") if key in values}
            connection.execute(
                update(RUNS).where(RUNS.c.id == self.run).values(step=step, **latest)
            )
        self._event("metrics", step=step, **values)

    def checkpoint(self, step: int, path: Path, score: float | None, items: int) -> None:
        """An adapter was saved; the best of all so far becomes the selected one."""
        row = {
            "run_id": self.run,
            "step": step,
            "path": str(path),
            "digest": weights_digest(path),
            "score": score,
            "score_n": items or None,
        }
        with self.store.write(durable=True) as connection:
            connection.execute(insert(CHECKPOINTS).prefix_with("OR REPLACE"), [row])
            best = select_best(self._scores(connection))
            connection.execute(
                update(RUNS).where(RUNS.c.id == self.run).values(selected_step=best, step=step)
            )
        self._event("checkpoint", step=step, path=str(path), score=score)

    def last_checkpoint(self) -> str | None:
        """The newest checkpoint that was entered: one that a kill cut short never was."""
        with self.store.read() as connection:
            return connection.execute(
                select(CHECKPOINTS.c.path)
                .where(CHECKPOINTS.c.run_id == self.run)
                .order_by(CHECKPOINTS.c.step.desc())
            ).scalar()

    def ended(self, state: str, error: str | None = None) -> None:
        """The run is over: finished, stopped or failed."""
        self._stop.set()
        self._update(state=state, ended_ms=now_ms(), error=error)
        self._event("ended", state=state, error=error)

    def _scores(self, connection: Any) -> list[tuple[int, float | None, float | None]]:
        loss = select(METRICS.c.value).where(
            METRICS.c.run_id == self.run,
            METRICS.c.step == CHECKPOINTS.c.step,
            METRICS.c.name == "eval_loss",
        )
        rows = connection.execute(
            select(CHECKPOINTS.c.step, CHECKPOINTS.c.score, loss.scalar_subquery())
            .where(CHECKPOINTS.c.run_id == self.run)
            .order_by(CHECKPOINTS.c.step)
        )
        return [(step, score, value) for step, score, value in rows]

    def _update(self, **values: object) -> None:
        with self.store.write() as connection:
            connection.execute(
                update(RUNS).where(RUNS.c.id == self.run).values(heartbeat_ms=now_ms(), **values)
            )

    def _event(self, kind: str, **values: object) -> None:
        with self.events.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at_ms": now_ms(), "event": kind, **values}) + "\n")

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_SECONDS):
            self._update()


def select_best(scores: list[tuple[int, float | None, float | None]]) -> int | None:
    """The step to use out of (step, executed score, validation loss): the best score, then the
    lower loss, then the earlier step.

    The score comes first because validation loss falls while answers break.
    """
    if not scores:
        return None
    return min(
        scores,
        key=lambda row: (
            -(row[1] if row[1] is not None else -1.0),
            row[2] if row[2] is not None else float("inf"),
            row[0],
        ),
    )[0]
