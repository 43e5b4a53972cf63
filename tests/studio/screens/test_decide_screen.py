"""Decide: the verdict, the rules, the routes and the report of stored evaluations, by keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from textual.pilot import Pilot
from textual.widgets import Input

from db.interactions import loads
from db.models.base import table
from db.models.datasets import Dataset
from db.models.evaluations import Decision, Evaluation
from db.models.runs import Run
from db.store import Store
from exports.suites import Suite
from studio.app import AdapterStudio
from studio.screens.choosing import ChoosingScreen
from studio.screens.decide import DecideScreen
from tests.studio.screens.conftest import LARGE, SIZES, SMALL, Compare
from tests.studio.screens.evaluations import (
    BASE,
    TUNED,
    many,
    many_items,
    put_evaluation,
    write_suite,
)
from tests.studio.screens.hostile import HOSTILE, harmless
from tests.studio.screens.shown import Shown
from tests.studio.screens.test_compare_screen import put_hostile


@asynccontextmanager
async def shown(store: Store, size: tuple[int, int] = LARGE) -> AsyncIterator[Shown[DecideScreen]]:
    """The screen on a store that is open for writing."""
    app = AdapterStudio(store.location)
    async with app.run_test(size=size) as pilot:
        found = Shown(pilot, DecideScreen)
        await found.until(lambda: app.store is not None)
        await found.go("6")
        yield found


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Sixty items in a file."""
    return write_suite(tmp_path / "suite.jsonl", many_items())


@pytest.fixture
def evaluated(store: Store, suite: Suite) -> Store:
    """A base, few-shot that does as well, an adapter that is better and one that is worse."""
    put_evaluation(store, suite, "base", many(30))
    put_evaluation(store, suite, "base+random4", many(31))
    put_evaluation(store, suite, "run:7", many(58), adapter="/runs/7/checkpoint-50")
    put_evaluation(store, suite, "run:8", many(2), adapter="/runs/8/checkpoint-10")
    return store


async def test_the_verdict_stands_above_its_rules_and_routes(evaluated: Store) -> None:
    async with shown(evaluated) as app:
        await app.shows("DEPLOY  run:7 is better, and shown to be worse nowhere")
        assert "against base ─ suite.jsonl" in app.text
        assert "3 arms judged ─ 60 items" in app.text
        row = next(line for line in app.text.splitlines() if line.startswith("▸ run:7"))
        assert row.split()[1:6] == ["run:7", "60", "96.7", "88.6–99.1", "+46.7"]
        assert row.endswith("deploy")
        assert "✓ holds   better_somewhere   overall better: +46.7 points" in app.text
        assert "✓ holds   preflight_passed   its examples passed preflight" in app.text
        assert "coder  → run:7" in app.text
        assert "tester → run:7" in app.text
        assert "better: +46.7 points" in app.text


async def test_rules_are_those_of_the_arm_under_the_cursor(evaluated: Store) -> None:
    async with shown(evaluated) as app:
        await app.shows("rules on run:7")
        await app.press("j")
        await app.shows("rules on base+random4", "? unknown beats_few_shot")
        assert "this arm is not trained" in app.text
        await app.press("J")
        await app.shows("rules on run:8", "✗ no      better_somewhere", "worse for coder, tester")
        await app.press("tab")
        assert app.screen.rules.has_focus
        await app.press("K", "K")
        await app.shows("rules on run:7")
        await app.press("escape")
        assert app.screen.arms.has_focus


async def test_a_run_that_was_forced_through_preflight_may_not_serve(evaluated: Store) -> None:
    with evaluated.write() as connection:
        dataset = connection.execute(
            insert(table(Dataset))
            .values(
                name="d", version=1, created_ms=0, recipe_json="{}", report_json="{}", sha256=""
            )
            .returning(table(Dataset).c.id)
        ).scalar_one()
        connection.execute(
            insert(table(Run)).values(
                dataset_id=dataset, recipe="r", recipe_json="{}", base="nano", folder="/runs/7",
                state="finished", forced=True, created_ms=0, step=0,
            )
        )  # fmt: skip
    async with shown(evaluated) as app:
        await app.shows("RETRAIN", "✗ no      preflight_passed   it was forced through preflight")


async def test_another_arm_can_be_the_one_to_beat(evaluated: Store) -> None:
    async with shown(evaluated) as app:
        await app.shows("against base")
        await app.press("a")
        await app.asks(ChoosingScreen)
        await app.press("g", "j", "enter")  # the newest first: run:8, run:7
        await app.shows("against run:7", "2 arms judged")
        assert "DEPLOY" not in app.text


async def test_nothing_is_evaluated_or_kept_by_looking(evaluated: Store) -> None:
    async with shown(evaluated) as app:
        await app.shows("DEPLOY")
    with evaluated.read() as connection:
        assert connection.execute(select(table(Decision).c.id)).all() == []
        assert len(connection.execute(select(table(Evaluation).c.id)).all()) == 4


async def test_the_summary_has_n_and_intervals(evaluated: Store) -> None:
    async with shown(evaluated) as app:
        await app.shows("DEPLOY")
        await app.press("y")
        await app.shows("characters copied")
        lines = app.pilot.app.clipboard.splitlines()
        assert lines[0] == "DEPLOY: run:7 is better, and shown to be worse nowhere"
        assert lines[1].endswith("60 items. base: 30 of 60, 50.0% (37.7–62.3%)")
        assert lines[2].startswith("run:7: 58 of 60, 96.7% (88.6–99.1%); better: +46.7 points (")
        assert "- better_somewhere holds: overall better" in app.pilot.app.clipboard
        assert lines[-1] == "run:7 serves coder, tester"


async def test_the_report_is_written_where_one_says_and_the_decision_is_kept(
    evaluated: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shown(evaluated) as app:
        await app.shows("DEPLOY")
        await app.press("w")
        await app.shows("write the report to: report-suite-20")
        await app.press("ctrl+u")
        await app.type("nowhere/out.md", "enter")
        await app.shows("nowhere does not exist")
        await app.press("ctrl+u")
        await app.type("out.md", "enter")
        await app.shows(f"written to {tmp_path / 'out.md'}; kept as decision 1")
    text = (tmp_path / "out.md").read_text()
    assert text.startswith("# Deploy it\n\nrun:7 is better, and shown to be worse nowhere\n")
    assert "| run:7 | 3 | 58 of 60, 96.7% (88.6–99.1%) | better: +46.7 points" in text
    assert "| better_somewhere | true | overall better" in text
    assert "| agent tester | " in text
    assert "| coder | run:7 |" in text
    assert [path.name for path in tmp_path.glob("*.part")] == []
    with evaluated.read() as connection:
        kept = connection.execute(select(table(Decision))).one()
    assert kept.verdict == "deploy"
    assert loads(kept.report_json)["evaluations"]["run:7"] == 3


async def test_esc_writes_nothing(
    evaluated: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shown(evaluated, SMALL) as app:
        await app.shows("DEPLOY")
        await app.press("w", "escape")
        assert not app.screen.prompt.display
        await app.press("j")
        await app.shows("rules on base+random4")
    assert list(tmp_path.glob("*.md")) == []


async def test_without_evaluations_the_next_command_is_named(store: Store) -> None:
    async with shown(store) as app:
        await app.shows("Nothing was evaluated yet.", "studio evaluate base --suite nano")
        await app.press("y", "w", "a", "j", "tab", "O")
        await app.shows("there is no decision yet")


async def test_another_base_is_no_candidate(store: Store, suite: Suite) -> None:
    put_evaluation(store, suite, "base", many(30))
    put_evaluation(store, suite, "base:qwen", many(58), base="qwen")
    async with shown(store) as app:
        await app.shows("error: nothing on")  # the suite's path may push the rest off the line


async def test_a_suite_that_is_too_small_decides_nothing(store: Store, tmp_path: Path) -> None:
    small = write_suite(tmp_path / "small.jsonl")
    put_evaluation(store, small, "base", BASE)
    put_evaluation(store, small, "run:7", TUNED, adapter="/runs/7/checkpoint-50")
    async with shown(store) as app:
        await app.shows("UNDECIDED  the suite is too small to tell", "items are needed")
        assert "coder      → base" in app.text


@SIZES
async def test_hostile_text_is_drawn_harmlessly(
    store: Store, tmp_path: Path, size: tuple[int, int]
) -> None:
    put_hostile(store, tmp_path)
    async with shown(store, size) as app:
        await app.until(lambda: app.screen.value is not None)
        for keys in (
            ("j",),
            ("tab", "ctrl+d", "G"),
            ("y",),
            ("a",),
            ("escape", "s"),
            ("escape", "w"),
        ):
            await app.press(*keys)
            harmless(app.text)
        assert app.screen.value is not None
        assert HOSTILE[1] in app.screen.value["arm"]


async def test_a_long_name_stands_above_its_figures_and_breaks_none_of_their_words(
    store: Store, tmp_path: Path
) -> None:
    long = "refactoring across several repositories"
    items = [{**item, "category": long} for item in many_items()]
    suite = write_suite(tmp_path / "long.jsonl", items)
    put_evaluation(store, suite, "base", many(10))
    put_evaluation(store, suite, "run:1", many(50), adapter="run:1")
    async with shown(store, SMALL) as app:
        lines = app.screen.rules.text.split("\n")
        at = next(n for n, line in enumerate(lines) if line.strip() == long)
        assert "better: +66.7 points (" in lines[at + 1]


# pictures


def after(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Go to the screen, wait until it has decided, press keys."""

    async def run(pilot: Pilot[Any]) -> None:
        app = Shown(pilot, DecideScreen)
        await app.go("6")
        screen = app.screen
        await app.until(lambda: screen.value is not None or screen.alone)
        await pilot.press(*keys)
        for line in screen.query(Input):
            line.cursor_blink = False
        await pilot.pause(0.1)

    return run


@SIZES
def test_picture_of_a_decision(
    evaluated: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    app = AdapterStudio(evaluated.location)
    assert snap_compare(app, terminal_size=size, run_before=after("j"))


@SIZES
def test_picture_of_a_path_that_is_wrong(
    evaluated: Store, monkeypatch: pytest.MonkeyPatch, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert evaluated.path is not None
    monkeypatch.chdir(evaluated.path.parent)
    app = AdapterStudio(evaluated.location)
    keys = ("w", "ctrl+u", *"nowhere", "slash", *"out")
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


@SIZES
def test_picture_of_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert store.path is not None
    monkeypatch.chdir(store.path.parent)
    assert snap_compare(AdapterStudio("studio.db"), terminal_size=size, run_before=after())


@SIZES
def test_picture_of_hostile_text(
    store: Store, tmp_path: Path, snap_compare: Compare, size: tuple[int, int]
) -> None:
    put_hostile(store, tmp_path)
    app = AdapterStudio(store.location)
    assert snap_compare(app, terminal_size=size, run_before=after("j"))
