"""Runs, driven by keys on a real store: what is shown of them, overlaid, stopped and resumed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, update
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot
from textual.widgets import Static

from db.models.base import table
from db.models.datasets import Dataset
from db.models.evaluations import Arm, Evaluation
from db.models.runs import Checkpoint, Metric, Run
from db.store import Store
from studio import jobs
from studio.app import AdapterStudio
from studio.screens.run_words import _dataset, duration, number
from studio.screens.runs import RunsScreen
from studio.widgets.chart import Chart
from tests.studio.screens.conftest import LARGE, SIZES, SMALL, Compare, Driven
from tests.studio.screens.hostile import HOSTILE, drawn, harmless

RUNS = table(Run)


def put_dataset(connection: Connection, name: str) -> int:
    """A dataset without examples."""
    values = {"name": name, "version": 1, "created_ms": 0, "sha256": "0"}
    statement = insert(table(Dataset)).values(recipe_json="{}", report_json="{}", **values)
    return int(connection.execute(statement.returning(table(Dataset).c.id)).scalar_one())


def put_run(store: Store, folder: Path | None = None, **values: Any) -> int:
    """A run at step 60 of 100, with curves and checkpoints at 25 and 50."""
    row = {
        "recipe": "careful", "recipe_json": "{}", "base": "nano", "folder": str(folder or "/runs"),
        "state": "finished", "created_ms": 0, "step": 60, "total_steps": 100, "loss": 0.512,
        "eval_loss": 0.634, "tokens_per_second": 1234.0, "selected_step": 25, **values,
    }  # fmt: skip
    name = row.pop("dataset", "tools")
    with store.write() as connection:
        found = connection.execute(
            table(Dataset).select().where(table(Dataset).c.name == name)
        ).first()
        row["dataset_id"] = found.id if found else put_dataset(connection, name)
        run = int(connection.execute(insert(RUNS).values(row).returning(RUNS.c.id)).scalar_one())
        metrics = [(step, "loss", 2.0 / (1 + step / 10)) for step in range(5, 61, 5)]
        metrics += [(step, "eval_loss", 2.2 / (1 + step / 12)) for step in (0, 25, 50)]
        metrics += [(step, "score", score) for step, score in ((25, 0.75), (50, 0.5))]
        metrics += [(step, "learning_rate", 1e-4 * (1 - step / 100)) for step in range(5, 61, 5)]
        connection.execute(
            insert(table(Metric)),
            [{"run_id": run, "step": s, "name": n, "value": v} for s, n, v in metrics],
        )
        connection.execute(
            insert(table(Checkpoint)),
            [
                {"run_id": run, "step": step, "path": f"/runs/{run}/checkpoint-{step}",
                 "digest": "0", "score": score, "score_n": 32}
                for step, score in ((25, 0.75), (50, 0.5))
            ],
        )  # fmt: skip
    return run


def put_evaluation(store: Store, spec: str, adapter: str | None, rate: float) -> None:
    """An arm's evaluation on the suite `nano`."""
    with store.write() as connection:
        arm = connection.execute(
            insert(table(Arm))
            .values(spec=spec, digest=spec,
                    details_json=json.dumps({"base": "nano", "adapter": adapter}))
            .returning(table(Arm).c.id)
        ).scalar_one()  # fmt: skip
        report = {"rate": rate, "ci95": [rate - 0.05, rate + 0.05]}
        connection.execute(
            insert(table(Evaluation)).values(
                arm_id=arm, suite="nano", suite_sha256="0", n=380, created_ms=1,
                report_json=json.dumps(report),
            )
        )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's folder with a log and the options that its trainer received."""
    found = tmp_path / "runs" / "1"
    found.mkdir(parents=True)
    lines = [f"line {n}" for n in range(30)]
    (found / "log.txt").write_text("\n".join([*lines, "RuntimeError: out of memory"]) + "\n")
    (found / "options.json").write_text('{"arguments": {"learning_rate": 0.002}, "lora": {"r": 8}}')
    return found


@pytest.fixture
def sleeper() -> Iterator[jobs.Job]:
    """A process that lives until it is told to end."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield jobs.Job(process.pid, jobs.started_at(process.pid))
        process.kill()


class Following(Driven):
    """The app on its fourth screen."""

    @property
    def screen(self) -> RunsScreen:
        """The screen of runs, also below a question."""
        found = next(s for s in self.app.screen_stack if isinstance(s, RunsScreen))
        assert isinstance(found, RunsScreen)
        return found

    def line(self, selector: str) -> str:
        """What one of the screen's lines shows."""
        return str(self.screen.query_one(selector).render())

    @property
    def facts(self) -> str:
        """The text about the run under the cursor."""
        return str(self.screen.facts.query_one("Static").render())

    @property
    def chart(self) -> str:
        """The chart with its legend, line by line."""
        chart = self.screen.query_one(Chart)
        return "\n".join(chart.render_line(y).text for y in range(chart.size.height))

    @property
    def lines(self) -> list[str]:
        """The lines of the table below its header."""
        rows = self.screen.rows
        return [rows.render_line(y).text for y in range(1, len(self.screen.runs) + 1)]

    async def read(self) -> None:
        """Wait until the runs are there, and what is known of the one under the cursor."""
        screen = self.screen
        await self.until(lambda: screen.loaded)
        await self.until(
            lambda: (
                screen.current is None
                or (screen.known and screen.known.run["id"] == screen.current["id"])
            )
        )
        await self.pilot.pause()


@asynccontextmanager
async def following(store: Store, size: tuple[int, int] = SMALL) -> AsyncIterator[Following]:
    """The app on its fourth screen, with everything read."""
    app = AdapterStudio(store.location)
    async with app.run_test(size=size) as pilot:
        found = Following(pilot)
        await found.settled()
        await found.press("4")
        await found.until(lambda: isinstance(app.screen, RunsScreen))
        await found.read()
        yield found


def test_durations_and_losses_are_short_and_round() -> None:
    given = (3.2, 59.6, 725, 12_000, 187_000)
    assert [duration(s) for s in given] == ["3s", "1m00s", "12m05s", "3h20m", "2d03h"]
    shown = [number(v) for v in (None, 0, 0.1234, 12.34, 123.4, 12340.0, 1e-5, 2e6)]
    assert shown == ["·", "0", "0.123", "12.34", "123.4", "12340", "1e-05", "2e+06"]


def test_a_long_name_of_a_dataset_leaves_room_for_its_version() -> None:
    shown = [_dataset(name) for name in ("tools@1", "tool-calls@12", "tool-calls@123456789")]
    assert shown == ["tools@1", "tool-c…@12", "t…@123456789"]


async def test_a_store_without_runs_says_what_to_do(store: Store) -> None:
    async with following(store) as app:
        assert "studio train DATASET --recipe RECIPE" in app.line("#empty")
        await app.press("S", "R", "E", "y", "L", "space", "m", "enter", "j")
        assert "there is no" in app.message
        await app.press("enter")
        assert "t trains on one" in app.message


async def test_each_run_says_its_state_in_words_and_the_way_on(
    store: Store, folder: Path, sleeper: jobs.Job
) -> None:
    alive: dict[str, Any] = {"pid": sleeper.pid, "pid_started": sleeper.started}
    put_run(store, folder, state="running", pid=2**22 + 1, pid_started=1.0)
    put_run(store, folder, state="failed", error="ValueError: no such module", forced=True)
    put_run(store, state="stopped")
    put_run(store, state="queued", step=0, **alive)
    put_run(store, state="running", step_seconds=90.0, **alive)
    async with following(store) as app:
        states = ["▶ running", "… queued", "■ stopped", "✗ failed", "† dead"]
        assert all(state in line for state, line in zip(states, app.lines, strict=True))
        assert "60/100" in app.lines[0]
        assert "1h00m" in app.lines[0]
        assert "0.512 0.634" in app.lines[0]
        assert "FORCED" in app.lines[3]
        assert "FORCED" not in app.lines[4]
        assert "2 running ─ 5 runs" in app.line("#status")
        assert "running, step 60 of 100; about 1h00m left · S stops and saves" in app.facts
        await app.press("G", "k")
        await app.read()
        assert "ValueError: no such module · R goes on from step 50" in app.facts
        assert "FORCED: preflight blocked it" in app.facts
        await app.press("j")
        await app.read()
        facts = " ".join(app.facts.split())
        assert "dead: its process ended at step 60 of 100 without a word" in facts
        assert "R goes on from step 50" in facts
        assert "RuntimeError: out of memory" in facts


async def test_a_long_error_leaves_room_for_the_way_on_until_all_of_it_is_opened(
    store: Store, folder: Path
) -> None:
    put_run(store, folder, state="failed", error="CUDA error: " + "x" * 3_000 + " at the end")
    async with following(store) as app:
        assert "CUDA error: xxx" in app.facts
        assert "R goes on from step 50" in " ".join(app.facts.split())
        assert "checkpoints:" in app.facts
        await app.press("enter")
        await app.until(lambda: "at the end" in app.facts)


async def test_checkpoints_have_their_score_its_n_and_the_selected_one_a_mark(
    store: Store, folder: Path
) -> None:
    put_run(store, folder)
    put_evaluation(store, "base", None, 0.5)
    put_evaluation(store, "base+random4", None, 0.9)
    put_evaluation(store, "run:1", "/runs/1/checkpoint-25", 0.72)
    async with following(store, LARGE) as app:
        assert "▸25 75% of 32 (58–87%) · 50 50% of 32" in app.facts
        assert "nano (n 380): base 50.0% (45–55%) · step 25 72.0% (67–77%)" in app.facts
        assert "90.0%" not in app.facts
        await app.press("enter")
        await app.until(lambda: "/runs/1/checkpoint-25" in app.facts)
        assert "▸ selected" in app.facts
        assert "arguments.learning_rate = 0.002" in app.facts
        assert "lora.r = 8" in app.facts
        assert "preflight let it pass" in app.facts
        assert not app.screen.rows.display
        await app.press("G", "escape")
        assert app.screen.rows.has_focus


async def test_curves_are_drawn_with_axes_and_m_goes_through_the_metrics(store: Store) -> None:
    put_run(store)
    async with following(store) as app:
        assert "loss by step (● validation ○ training)  ●○ run 1" in app.chart
        rows = app.chart.splitlines()
        assert rows[1].startswith("  2.2┤●")  # the highest value, at step 0
        assert rows[-2].lstrip().startswith("└┴")
        assert "╋ step 25 selected" in rows[0]
        assert rows[-2].count("╋") == 1
        assert rows[-1].split() == [str(step) for step in range(0, 61, 10)]
        titles = []
        for _ in range(5):
            await app.press("m")
            titles.append(app.chart.splitlines()[0].split(" by step")[0].strip())
        assert titles == [
            "validation loss", "executed score", "learning rate", "gradient norm", "loss",
        ]  # fmt: skip
        await app.press("m", "m")
        assert "100%┤" in app.chart
        assert "0%┤" in app.chart
        await app.press("m", "m")
        assert "nothing yet of run 1" in app.chart


async def test_marked_runs_are_overlaid_each_with_its_own_symbol(store: Store) -> None:
    for _ in range(8):
        put_run(store)
    async with following(store, LARGE) as app:
        await app.press("space", "space", "m")
        await app.read()
        await app.until(lambda: "■ run 7" in app.chart)
        assert "● run 6  ▲ run 8  ■ run 7" in app.chart
        assert [line[:3] for line in app.lines[:4]] == ["  ▲", "  ■", "▸ ●", "   "]
        assert "2 overlaid" in app.line("#status")
        await app.press("space", "space", "space", "space")
        assert "5 runs are overlaid already" in app.message
        await app.press("escape")
        assert app.screen.overlaid == []
        assert "▲" not in app.chart
        assert app.app.is_running


async def test_what_a_run_writes_appears_by_itself(
    store: Store, folder: Path, sleeper: jobs.Job
) -> None:
    alive: dict[str, Any] = {"pid": sleeper.pid, "pid_started": sleeper.started}
    put_run(store)
    run = put_run(store, folder, state="running", **alive)
    put_run(store)
    async with following(store) as app:
        await app.press("j")
        await app.read()
        with store.write() as connection:
            connection.execute(update(RUNS).where(RUNS.c.id == run).values(step=73))
        with (folder / "log.txt").open("a") as log:
            log.write("step 73 was quick\n")
        await app.until(lambda: "73/100" in app.lines[1])
        await app.until(lambda: "step 73 was quick" in app.facts)
        put_run(store)
        await app.until(lambda: len(app.screen.runs) == 4)
        assert app.screen.current is not None
        assert app.screen.current["id"] == run  # the cursor stays on its run
        os.kill(sleeper.pid, 9)
        await app.says(f"run {run} is dead · R resumes")


async def test_the_cursor_comes_to_a_run_that_was_started_elsewhere(store: Store) -> None:
    put_run(store)
    put_run(store)
    async with following(store) as app:
        await app.press("j")
        await app.read()
        await app.press("1", "4")
        await app.read()
        assert app.screen.current["id"] == 1  # type: ignore[index]  # nothing new: as one left it
        await app.press("1")
        put_run(store)
        await app.press("4")
        await app.until(lambda: app.screen.current["id"] == 3)  # type: ignore[index]
        await app.read()
        assert "run 3" in app.chart


async def test_of_a_progress_bar_only_its_last_state_is_shown(store: Store, folder: Path) -> None:
    bar = "".join(f"\r {n}%|█" for n in range(0, 101, 10))
    (folder / "log.txt").write_text(f"begun\r\n{bar}\nsaved\n 0%\r 50%\r", newline="")
    put_run(store, folder)
    async with following(store) as app:
        assert app.screen.known is not None
        assert app.screen.known.log == ["begun", " 100%|█", "saved", " 50%"]
        assert " 90%" not in app.facts


SAVES_AND_ENDS = """
import signal, sqlite3, sys
def end(*_):
    with sqlite3.connect(sys.argv[1], timeout=10) as store:
        store.execute("UPDATE run SET state = 'stopped', step = 61")
    raise SystemExit
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def trainer(store: Store) -> Iterator[subprocess.Popen[bytes]]:
    """A process that writes its run down as stopped when it is asked to end."""
    command = [sys.executable, "-c", SAVES_AND_ENDS, store.location]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


async def test_s_asks_and_then_stops_the_process_of_the_run(
    store: Store, folder: Path, trainer: subprocess.Popen[bytes]
) -> None:
    started = jobs.started_at(trainer.pid)
    put_run(store, folder, state="running", pid=trainer.pid, pid_started=started)
    async with following(store) as app:
        await app.press("S")
        await app.until(lambda: app.app.screen.query("#question"))
        asked = str(app.app.screen.query_one("#question").render())
        assert "Stop run 1 (tools@1, careful) at step 60?" in asked
        await app.press("n")
        await app.until(lambda: app.app.screen is app.screen)
        assert trainer.poll() is None
        await app.press("S")
        await app.until(lambda: app.app.screen.query("#question"))
        await app.press("y")
        await app.says("run 1 is stopped · R resumes")
        assert "61/100" in app.lines[0]
        await app.press("S")
        assert "run 1 is stopped: there is nothing to stop" in app.message
    assert trainer.wait(timeout=30) == 0


async def test_what_cannot_be_resumed_says_why(store: Store) -> None:
    put_run(store)
    async with following(store) as app:
        await app.press("R")
        await app.says("error: run 1 is finished; only a stopped, failed or dead run")


async def test_e_asks_for_a_suite_and_follows_the_evaluation_to_its_end(
    store: Store, folder: Path
) -> None:
    put_run(store, folder)
    async with following(store, LARGE) as app:
        await app.press("E")
        assert app.screen.prompt.input.value == "nano"
        app.screen.prompt.input.value = "nowhere.jsonl"
        await app.press("enter")
        hint = app.screen.prompt.query_one("#prompt-hint", Static)
        await app.until(lambda: "nowhere.jsonl: the suite cannot be read" in str(hint.render()))
        app.screen.prompt.input.value = "nano"
        await app.press("enter")
        await app.says("run:1@25 and its base are being evaluated on nano")
        # there are no weights in that folder: the job ends, and the screen shows its last words
        await app.says("the evaluation of run:1@25 on nano is over")
        assert "run:1@25 was not evaluated to the end on nano" in app.facts
        assert "studio: " in app.facts
        assert (folder / "evaluation.log").read_text().startswith("studio: ")


async def test_y_copies_the_selected_checkpoints_path(store: Store) -> None:
    put_run(store)
    async with following(store) as app:
        await app.press("y")
        assert app.app.clipboard == "/runs/1/checkpoint-25"
        assert "/runs/1/checkpoint-25" in app.message


async def test_the_log_opens_in_the_pager_and_cannot_drive_the_terminal(
    store: Store, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pager = tmp_path / "pager"
    pager.write_text(f'#!/bin/sh\ncp "$1" {tmp_path}/paged\n')
    pager.chmod(0o755)
    monkeypatch.setenv("PAGER", str(pager))
    monkeypatch.setattr(HeadlessDriver, "can_suspend", True)
    (folder / "log.txt").write_text("begun\n 0%\r 9%\n\x1b[2Jend\n")
    put_run(store, folder)
    async with following(store) as app:
        await app.press("L")
        assert (tmp_path / "paged").read_text() == "begun\n 9%\n␛[2Jend\n"


@SIZES
async def test_hostile_names_and_logs_are_drawn_harmlessly(
    store: Store, folder: Path, size: tuple[int, int]
) -> None:
    (folder / "log.txt").write_text("\n".join(HOSTILE))
    (folder / "options.json").write_text(json.dumps({"arguments": dict(enumerate(HOSTILE))}))
    for text in HOSTILE:
        short = text[:3_000]
        put_run(store, folder, dataset=short, recipe=short, base=short, state="failed",
                error=short)  # fmt: skip
    put_run(store, folder, state="[/]\x1b[31m")
    async with following(store, size) as app:
        for _ in range(len(HOSTILE) + 1):
            harmless(drawn(app.app))
            await app.press("j")
            await app.read()
        await app.press("enter")
        await app.read()
        harmless(drawn(app.app))


# pictures


@pytest.fixture
def shown_runs(store: Store, folder: Path, sleeper: jobs.Job) -> Store:
    """Five runs in different states."""
    put_run(store, folder, state="running", pid=2**22 + 1, pid_started=1.0, recipe="long")
    put_run(store, folder, state="failed", error="RuntimeError: out of memory", forced=True)
    put_run(store, folder, step=100)
    put_run(store, folder, state="stopped", dataset="mixed", recipe="quick")
    put_run(store, folder, state="running", step_seconds=3.5, dataset="mixed", recipe="quick",
            pid=sleeper.pid, pid_started=sleeper.started)  # fmt: skip
    put_evaluation(store, "base", None, 0.5)
    put_evaluation(store, "run:5", "/runs/5/checkpoint-25", 0.72)
    return store


def after(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Go to the screen, press keys, and wait until everything is read."""

    async def run(pilot: Pilot[Any]) -> None:
        app = Following(pilot)
        await app.settled()
        await app.press("4")
        await app.until(lambda: isinstance(app.app.screen, RunsScreen))
        await app.read()
        for key in keys:
            await app.press(key)
            await app.read()
        overlaid = set(app.screen.overlaid)
        await app.until(
            lambda: (
                app.screen.known is None or overlaid <= {run for run, _ in app.screen.known.curves}
            )
        )
        await pilot.pause()

    return run


@SIZES
@pytest.mark.parametrize(
    ("name", "keys"),
    [("running", ()), ("overlaid", ("space", "space", "m")), ("failed", ("j", "j", "j")),
     ("dead", ("G",)), ("full", ("enter",)), ("question", ("S",))],
)  # fmt: skip
def test_pictures(
    shown_runs: Store,
    snap_compare: Compare,
    size: tuple[int, int],
    name: str,
    keys: tuple[str, ...],
) -> None:
    assert name
    app = AdapterStudio(shown_runs.location)
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


@SIZES
def test_picture_of_an_empty_store(
    store: Store, monkeypatch: pytest.MonkeyPatch, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert store.path is not None
    monkeypatch.chdir(store.path.parent)  # else the picture shows the folder of the test
    assert snap_compare(AdapterStudio("studio.db"), terminal_size=size, run_before=after())


@SIZES
def test_picture_of_hostile_text(
    store: Store, folder: Path, snap_compare: Compare, size: tuple[int, int]
) -> None:
    (folder / "log.txt").write_text("\n".join(text[:200] for text in HOSTILE))
    for text in HOSTILE:
        put_run(store, folder, dataset=text[:200], recipe=text[:200], state="failed",
                error=text[:200])  # fmt: skip
    app = AdapterStudio(store.location)
    assert snap_compare(app, terminal_size=size, run_before=after("j", "j"))
