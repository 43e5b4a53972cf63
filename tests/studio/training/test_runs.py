"""Runs are real processes: they finish, stop, die by kill -9, and go on where they were."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from db.errors import BadInput, NotFound, Refused
from db.models.base import table
from db.models.runs import Run
from db.store import Store
from studio.training import runs
from tests.studio.training.conftest import write_recipe


def shown(store: Store, run: int) -> dict[str, Any]:
    """The run as `studio runs RUN` shows it."""
    (row,) = runs.list_runs(store, run)
    return row


def until(holds: Callable[[], bool], says: str, seconds: float = 120.0) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"still waiting until {says}"
        time.sleep(0.05)


def events(store: Store, run: int) -> list[dict[str, Any]]:
    """What the run wrote down."""
    lines = (Path(shown(store, run)["folder"]) / "events.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_run_trains_scores_its_checkpoints_and_selects_one(built: Store, tmp_path: Path) -> None:
    run = runs.start(built, "tools", write_recipe(tmp_path))
    told: list[str] = []
    assert runs.wait(built, run, lambda _done, _total, text: told.append(text)) == "finished"
    row = shown(built, run)
    assert (row["step"], row["total_steps"], row["forced"]) == (12, 12, False)
    assert [c["step"] for c in row["checkpoints"]] == [4, 8, 12]
    assert all(c["score_n"] == 2 and 0 <= c["score"] <= 1 for c in row["checkpoints"])
    assert all(
        (Path(c["path"]) / "adapter_model.safetensors").is_file() for c in row["checkpoints"]
    )
    assert row["selected_step"] in (4, 8, 12)
    curve = runs.losses(built, run)
    assert [step for step, _ in curve] == [0, 4, 8, 12]
    assert curve[-1][1] < curve[0][1]
    assert told[-1].startswith(f"run {run} finished step 12")
    options = json.loads((Path(row["folder"]) / "options.json").read_text())
    assert options["arguments"]["learning_rate"] == 2e-3
    assert options["lora"]["r"] == 16
    with pytest.raises(BadInput, match="finished"):
        runs.resume(built, run)
    with pytest.raises(BadInput, match="nothing to stop"):
        runs.stop(built, run)


def test_a_run_that_is_stopped_before_it_has_begun_is_stopped(built: Store, tmp_path: Path) -> None:
    run = runs.start(built, "tools", write_recipe(tmp_path, steps=60, evaluate_every=5))
    assert runs.stop(built, run) == {"run": run, "state": "stopped"}
    assert shown(built, run)["state"] == "stopped"


def test_kill_9_shows_a_dead_run_that_resumes_and_can_be_stopped(
    built: Store, tmp_path: Path
) -> None:
    run = runs.start(built, "tools", write_recipe(tmp_path, steps=60, evaluate_every=5))
    until(lambda: bool(shown(built, run)["checkpoints"]), "a checkpoint is there")
    with built.read() as connection:
        pid = connection.execute(select(table(Run).c.pid).where(table(Run).c.id == run)).scalar()
    assert pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: shown(built, run)["state"] == "dead", "the run is shown as dead")
    saved = shown(built, run)["checkpoints"][-1]["step"]
    assert saved < 60

    assert runs.resume(built, run)["run"] == run
    until(lambda: shown(built, run)["state"] == "running", "the run goes on")
    until(lambda: shown(built, run)["checkpoints"][-1]["step"] > saved, "another checkpoint")
    assert runs.stop(built, run) == {"run": run, "state": "stopped"}
    row = shown(built, run)
    assert saved < row["step"] < 60
    assert row["checkpoints"][-1]["step"] == row["step"]  # nothing of the work is lost
    starts = [e["event"] for e in events(built, run) if e["event"] in ("started", "ended")]
    assert starts == ["started", "started", "ended"]
    first_after = next(
        e["step"] for e in reversed(events(built, run)) if e.get("loss") and e["step"] > saved
    )
    assert first_after > saved


def test_what_preflight_blocks_trains_only_by_force_and_is_stamped(
    built: Store, tmp_path: Path
) -> None:
    recipe = write_recipe(tmp_path, steps=2, evaluate_every=2, score_items=0)
    with pytest.raises(Refused, match=r"preflight blocks old@1: round_trip: .*--force-preflight"):
        runs.start(built, "old", recipe)
    assert all(row["dataset"] != "old@1" for row in runs.list_runs(built))
    run = runs.start(built, "old", recipe, force=True)
    assert runs.wait(built, run) == "finished"
    assert shown(built, run)["forced"]


def test_a_run_that_fails_says_why(built: Store, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, lora="{targets: [no_such_module]}")
    with pytest.raises(Refused, match=r"dry_run: .*no_such_module"):
        runs.start(built, "tools", recipe)
    run = runs.start(built, "tools", recipe, force=True)
    assert runs.wait(built, run) == "failed"
    row = shown(built, run)
    assert "no_such_module" in row["error"]
    assert any("no_such_module" in line for line in row["log"])


def test_a_run_that_is_not_there(built: Store) -> None:
    with pytest.raises(NotFound, match="no run 99"):
        runs.stop(built, 99)
