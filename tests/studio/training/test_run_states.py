"""The state of a run whose process comes or goes while one looks: it is never called dead early."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import update

from db.errors import BadInput
from db.store import Store
from studio import jobs
from studio.training import runs
from tests.studio.screens.test_runs_screen import put_run

ME = jobs.Job(os.getpid(), jobs.started_at(os.getpid()))


def test_a_run_that_ends_while_it_is_looked_at_is_finished(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = put_run(store, state="running", pid=ME.pid, pid_started=ME.started)

    def ends(_pid: int, _started: float) -> bool:
        """Its last word comes after its row was read and before its process is looked for."""
        with store.write() as connection:
            connection.execute(update(runs.RUNS).values(state="finished", step=100))
        return False

    monkeypatch.setattr(jobs, "alive", ends)
    (row,) = runs.list_runs(store, run)
    assert (row["state"], row["step"]) == ("finished", 100)


def test_a_run_that_ended_without_a_word_is_dead(store: Store) -> None:
    run = put_run(store, state="running", pid=2**22 + 1, pid_started=1.0)
    assert runs.list_runs(store, run)[0]["state"] == "dead"
    assert runs.wait(store, run) == "dead"


def test_a_run_is_queued_until_its_process_is_there(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = put_run(store, tmp_path, state="failed", pid=2**22 + 1, pid_started=1.0)
    seen = []

    def spawn(*_: object, **__: object) -> jobs.Job:
        seen.append(runs.list_runs(store, run)[0]["state"])
        return ME

    monkeypatch.setattr(jobs, "spawn", spawn)
    assert runs.resume(store, run) == {"run": run, "state": "queued"}
    assert seen == ["queued"]


def test_what_the_process_wrote_first_is_not_written_over(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = put_run(store, tmp_path, state="stopped", pid=2**22 + 1, pid_started=1.0)

    def fails(*_: object, **__: object) -> jobs.Job:
        with store.write() as connection:
            connection.execute(update(runs.RUNS).values(state="failed", error="no memory"))
        return jobs.Job(2**22 + 2, 1.0)

    monkeypatch.setattr(jobs, "spawn", fails)
    assert runs.resume(store, run)["state"] == "failed"


def test_nobody_is_sent_the_signal_that_is_meant_for_a_process_to_come(store: Store) -> None:
    run = put_run(store, state="queued", pid=ME.pid, pid_started=ME.started, heartbeat_ms=None)
    with pytest.raises(BadInput, match="still being started"):
        runs.stop(store, run, wait_seconds=0.1)
