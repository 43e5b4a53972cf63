"""Runs, what they reported and the adapters that they saved."""

from __future__ import annotations

from sqlmodel import Field

from db.models.base import Row


class Run(Row, table=True):
    """One training of one dataset with one recipe on one base.

    `pid_started` is the process's start time (seconds since 1970), so that a reused pid is not
    mistaken for it. `state` is what was last written; a running one whose process is gone is dead.
    """

    __tablename__ = "run"
    id: int | None = Field(default=None, primary_key=True)
    dataset_id: int = Field(foreign_key="dataset.id", index=True)
    recipe: str
    recipe_json: str
    base: str
    base_digest: str | None = None
    folder: str
    state: str
    forced: bool = False
    created_ms: int
    started_ms: int | None = None
    ended_ms: int | None = None
    pid: int | None = None
    pid_started: float | None = None
    heartbeat_ms: int | None = None
    step: int = 0
    total_steps: int | None = None
    step_seconds: float | None = None
    loss: float | None = None
    eval_loss: float | None = None
    tokens_per_second: float | None = None
    selected_step: int | None = None
    error: str | None = None


class Metric(Row, table=True):
    """One number that a run reported at a step: loss, eval_loss, learning_rate, score, …"""

    __tablename__ = "metric"
    run_id: int = Field(foreign_key="run.id", primary_key=True)
    step: int = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: float


class Checkpoint(Row, table=True):
    """An adapter saved at a step. `score` is the executed score on the validation split."""

    __tablename__ = "checkpoint"
    run_id: int = Field(foreign_key="run.id", primary_key=True)
    step: int = Field(primary_key=True)
    path: str
    digest: str
    score: float | None = None
    score_n: int | None = None
