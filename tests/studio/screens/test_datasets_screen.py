"""Datasets, driven by keys on a real store: build, look into, check, export, train."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import text
from textual.pilot import Pilot
from textual.widgets import Input, Static

from db.store import Store
from exports.dataset import BuildRecipe, build
from exports.frozen import list_datasets
from studio.app import AdapterStudio
from studio.screens.building import BuildScreen
from studio.screens.checks import ChecksScreen
from studio.screens.datasets import DatasetsScreen
from studio.screens.examples import ExamplesScreen
from studio.screens.plan import PlanScreen
from studio.training import runs
from tests.conftest import ROOT, exchange
from tests.studio.screens.conftest import LARGE, SIZES, SMALL, Add, Compare, Driven
from tests.studio.screens.hostile import HOSTILE, drawn, harmless
from tests.studio.training.conftest import built, write_recipe  # noqa: F401  a fixture


class OnDatasets(Driven):
    """The app, asked about the screen that is open."""

    @property
    def screen(self) -> Any:
        return self.app.screen

    @property
    def datasets(self) -> DatasetsScreen:
        found = self.app.screen_stack[0]
        assert isinstance(found, DatasetsScreen)
        return found

    def line(self, selector: str) -> str:
        return str(self.screen.query_one(selector, Static).render())

    async def opened(self, kind: type[Any]) -> Any:
        await self.until(lambda: isinstance(self.screen, kind) and self.screen.is_mounted)
        await self.pilot.pause()
        return self.screen

    async def began(self) -> None:
        await self.until(lambda: self.app.store is not None)
        await self.press("3")
        await self.opened(DatasetsScreen)
        await self.until(lambda: self.datasets.datasets is not None)
        await self.pilot.pause()


@asynccontextmanager
async def on_datasets(store: Store, size: tuple[int, int] = SMALL) -> AsyncIterator[OnDatasets]:
    app = AdapterStudio(store.location)
    async with app.run_test(size=size) as pilot:
        found = OnDatasets(pilot)
        await found.began()
        yield found


TOOL = {"type": "function", "function": {
    "name": "read_file", "description": "Read a file.",
    "parameters": {"type": "object", "properties": {"path": {"type": "string"}},
                   "required": ["path"]}}}  # fmt: skip
CALL = {"id": "c1", "type": "function",
        "function": {"name": "read_file", "arguments": {"path": "b.py"}}}  # fmt: skip


@pytest.fixture
def small(filled: Store, add: Add) -> Store:
    """Two datasets of seven interactions, made on a fixed day; one of them in the old template."""
    add({"messages": [{"role": "user", "content": "Read b.py"},
                      {"role": "assistant", "content": None, "tool_calls": [CALL]},
                      {"role": "tool", "tool_call_id": "c1", "content": "pass"},
                      {"role": "assistant", "content": "It does nothing."}],
         "tools": [TOOL], "agent": "coder", "success": True})  # fmt: skip
    build(filled, BuildRecipe("all", where="-success:false", split="60/20/20"))
    build(filled, BuildRecipe("old", where="agent:coder", split="100/0/0", template="legacy"))
    with filled.write() as connection:
        connection.execute(text("UPDATE dataset SET created_ms = 1759320000000"))
    return filled


async def test_the_newest_dataset_is_shown_with_what_is_in_it(small: Store) -> None:
    async with on_datasets(small) as app:
        assert app.datasets.current is not None
        assert app.datasets.current.label == "old@1"
        assert "2 datasets" in app.line("#status")
        report = app.datasets.report.text
        assert "! template legacy: preflight blocks it" in report
        assert "left out: 1\n      1  the interaction failed" in report
        assert "coder            3  100%  ████████│███████████████  plan 35%" in report
        assert "tester           0    0%  ·····│··················  plan 20%" in report
        await app.press("j")
        await app.until(lambda: "all@1" in app.datasets.report.text)
        assert "filter -success:false" in app.datasets.report.text


async def test_an_empty_store_says_what_to_do(store: Store) -> None:
    async with on_datasets(store) as app:
        assert "b builds one" in app.line("#no-sets")
        for key in ("p", "e", "t", "enter"):
            await app.press(key)
            assert "b builds one" in app.message
        await app.press("u")
        await app.says("nothing to undo")


async def test_the_form_counts_what_would_come_out_and_builds_it(small: Store) -> None:
    async with on_datasets(small) as app:
        await app.press("b")
        form = await app.opened(BuildScreen)
        await app.type("mine", "down")
        form.query_one("#field-where", Input).value = ""
        await app.type("agent:coder")
        await app.until(lambda: "would come out" in form.query_one("#outcome").text)
        outcome = form.query_one("#outcome").text
        assert "left out 1: 1 the interaction failed" in outcome
        assert "3 train · 0 valid · 0 test" in outcome
        assert len(list_datasets(small)) == 2  # counting builds nothing
        await app.press("enter")
        await app.opened(DatasetsScreen)
        await app.until(lambda: app.datasets.current and app.datasets.current.label == "mine@1")
        assert "mine@1 built: 3 train, 0 valid, 0 test" in app.message
        newest = list_datasets(small)[0].frozen
        assert newest.recipe["where"] == "agent:coder"
        assert newest.report["examples"]["train"] == 3


async def test_a_wrong_field_is_named_and_builds_nothing(small: Store) -> None:
    async with on_datasets(small) as app:
        await app.press("b")
        form = await app.opened(BuildScreen)
        await app.press("enter")
        assert "the dataset needs a name" in app.message
        await app.type("mine", "down", "end")
        await app.type(" sucess:true")
        await app.until(lambda: "unknown filter key 'sucess'" in app.line("#field-hint"))
        await app.press("enter")
        assert "unknown filter key" in app.message
        form.query_one("#field-where", Input).value = "agent:coder"
        form.query_one("#field-split", Input).value = "80/30"
        await app.until(lambda: "three shares that sum to 100" in app.line("#field-hint"))
        await app.press("escape", "b")
        form = await app.opened(BuildScreen)
        assert form.query_one("#field-name", Input).value == "mine"  # what was typed is kept
    assert len(list_datasets(small)) == 2


async def test_tab_completes_the_filter_and_choices(small: Store) -> None:
    async with on_datasets(small) as app:
        await app.press("b")
        form = await app.opened(BuildScreen)
        await app.press("down")
        form.query_one("#field-where", Input).value = ""
        await app.type("age")
        await app.press("tab")
        await app.type("tes")
        await app.press("tab")
        assert form.query_one("#field-where", Input).value == "agent:tester"
        await app.press("down", "tab")
        await app.pilot.pause()
        assert form.query_one("#field-strategy", Input).value == "all"


async def test_escape_ends_a_build_and_its_process(small: Store) -> None:
    before = set(psutil.Process().children())  # other tests may have left helpers of theirs
    async with on_datasets(small) as app:
        await app.press("b")
        form = await app.opened(BuildScreen)
        form.query_one("#field-where", Input).value = "agent:coder"
        await app.type("mine")
        await app.until(lambda: "would come out" in form.query_one("#outcome").text)
        await app.press("enter")
        await app.until(lambda: form.building)
        await app.press("escape")
        await app.until(lambda: "cancelled: nothing was built" in app.message)
        await app.press("escape")
        await app.opened(DatasetsScreen)
        await app.until(lambda: set(psutil.Process().children()) <= before)
    assert len(list_datasets(small)) == 2


async def test_examples_show_exactly_the_tokens_that_are_trained(small: Store) -> None:
    async with on_datasets(small, LARGE) as app:
        await app.press("enter")
        screen = await app.opened(ExamplesScreen)
        await app.until(lambda: screen.tokens.lines)
        pieces = [piece for line in screen.tokens.lines for piece in line]
        trained = "".join(piece.text for piece in pieces if piece.trained)
        asked = "".join(piece.text for piece in pieces if not piece.trained)
        assert trained.endswith("<|im_end|>⏎")
        assert '{"tool": "read_file", "arguments": {"path": "b.py"}}' in trained
        assert "It does nothing." in trained
        assert "Read b.py" in asked
        assert "Read b.py" not in trained
        drawn = {
            segment.text: bool(segment.style and segment.style.underline)
            for y in range(len(screen.tokens.lines))
            for segment in screen.tokens.render_line(y)
        }
        assert all(drawn[piece.text] for piece in pieces if piece.trained and len(piece.text) > 3)
        assert "tokens trained" in app.line("#status")
        await app.press("J")
        await app.until(lambda: "2 of 3" in app.line("#status"))
        await app.press("escape")
        await app.opened(DatasetsScreen)


async def test_preflight_is_a_list_with_evidence_and_remedy(small: Store) -> None:
    async with on_datasets(small) as app:
        await app.press("p", "enter")  # without a recipe
        screen = await app.opened(ChecksScreen)
        await app.until(lambda: screen.checks)
        await app.until(lambda: "✗ BLOCK  round trip" in screen.evidence.text)
        assert "BLOCKED" in app.line("#status")
        assert "1 block" in app.message
        wanted = screen.checks[screen.listing.cursor]["example"]["example"]
        assert f"example: {wanted}" in screen.evidence.text
        assert "what to do\n  →" in screen.evidence.text
        await app.press("g")
        await app.until(lambda: "✓ pass  render prefix" in screen.evidence.text)
        await app.press("j", "enter")
        examples = await app.opened(ExamplesScreen)
        await app.until(lambda: examples.current is not None)
        assert examples.current.id == wanted
        await app.press("escape", "escape")
        await app.opened(DatasetsScreen)


async def test_an_export_asks_for_format_and_folder(small: Store, tmp_path: Path) -> None:
    async with on_datasets(small) as app:
        await app.press("e", "enter")
        app.datasets.prompt.input.value = str(tmp_path / "out")
        await app.press("enter")
        await app.says("3 examples in 1 file written to")
        assert (tmp_path / "out" / "manifest.json").is_file()
        rows = (tmp_path / "out" / "train.jsonl").read_text().splitlines()
        assert len(rows) == 3
        assert "messages" in json.loads(rows[0]) or "prompt" in json.loads(rows[0])
        await app.press("e")
        app.datasets.prompt.input.value = "word"
        await app.press("enter")
        assert "no format 'word'" in app.line("#prompt-hint")


@pytest.fixture
def stopped(built: Store) -> Iterator[Store]:  # noqa: F811
    """The store, whose runs end with the test."""
    yield built
    for row in runs.list_runs(built):
        if row["state"] not in runs.OVER:
            runs.stop(built, row["id"])


async def test_a_training_is_planned_refused_and_forced(stopped: Store, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, steps=500)
    async with on_datasets(stopped, LARGE) as app:
        await app.press("t")
        app.datasets.prompt.input.value = "nothing"
        await app.press("enter")
        assert "no recipe 'nothing'" in app.line("#prompt-hint")
        app.datasets.prompt.input.value = recipe
        await app.press("enter")
        plan = await app.opened(PlanScreen)
        await app.until(lambda: "500 of 4 examples each" in plan.query_one("#plan").text)
        await app.until(lambda: plan.checked is not None)
        assert "✗ BLOCK  round trip" in plan.query_one("#plan").text
        assert "free memory" in plan.query_one("#plan").text
        await app.press("enter")
        assert "preflight blocks it" in app.message
        assert runs.list_runs(stopped) == []
        await app.press("F")
        await app.until(lambda: plan.run is not None)
        assert f"run {plan.run} is" in app.message
        await app.press("escape")
        await app.opened(DatasetsScreen)
        assert f"run {plan.run} is" in app.message
    (row,) = runs.list_runs(stopped)  # it goes on without the app
    assert row["forced"]
    assert row["state"] in ("queued", "running")


@SIZES
async def test_hostile_texts_are_harmless(store: Store, add: Add, size: tuple[int, int]) -> None:
    for hostile in HOSTILE:
        add(exchange(hostile[:9_000], "fine " + hostile[:9_000], agent=hostile[:20], success=True))
    build(store, BuildRecipe("bad", split="100/0/0", where='-tag:"[/]"'))
    async with on_datasets(store, size) as app:
        await app.until(lambda: "bad@1" in app.datasets.report.text)
        harmless(drawn(app.app))
        await app.press("enter")
        screen = await app.opened(ExamplesScreen)
        for _ in range(len(screen.lines)):
            await app.until(lambda: screen.tokens.lines)
            harmless(drawn(app.app))
            await app.press("J")


def test_no_model_library_is_loaded_into_the_app(built: Store) -> None:  # noqa: F811
    script = """
import asyncio, sys
from studio.app import AdapterStudio
async def drive(location):
    app = AdapterStudio(location)
    async with app.run_test(size=(120, 40)) as pilot:
        async def until(holds):
            for _ in range(12_000):
                if holds():
                    return
                await pilot.pause(0.01)
            raise SystemExit("it never came to pass")
        await until(lambda: app.store is not None)
        await pilot.press("3")
        await until(lambda: getattr(app.screen, "datasets", None))
        await pilot.press("enter")
        await until(lambda: app.screen.query("#tokens") and app.screen.tokens.lines)
        await pilot.press("escape", "b")
        await until(lambda: app.screen.query("#outcome"))
        await until(lambda: "would come out" in app.screen.query_one("#outcome").text)
        await pilot.press("escape", "t")
        await until(lambda: app.screen.query("#prompt") and app.screen.prompt.display)
asyncio.run(drive(sys.argv[1]))
heavy = ("torch", "transformers", "datasets", "peft", "trl", "sklearn", "numba", "pyarrow")
print([name for name in heavy if name in sys.modules])
"""
    found = subprocess.run(
        [sys.executable, "-c", script, built.location], cwd=ROOT, capture_output=True, text=True,
        check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert found.stdout.strip() == "[]", found.stderr


# pictures


def after(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Press keys on the screen, and wait until no command and no worker runs."""

    async def run(pilot: Pilot[Any]) -> None:
        app = OnDatasets(pilot)
        await app.began()
        for key in keys:
            await app.press(key)
            await app.pilot.pause(0.4)  # what follows the cursor begins when that rests
            await app.pilot.pause()
            await app.until(lambda: not app.screen.working)
            for field in app.screen.query(Input):
                field.cursor_blink = False
        await app.pilot.pause(0.1)

    return run


@SIZES
def test_picture_of_the_list(small: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdapterStudio(small.location)
    assert snap_compare(app, terminal_size=size, run_before=after("j"))


@SIZES
def test_picture_of_an_empty_store(
    store: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    app = AdapterStudio(store.location)
    assert snap_compare(app, terminal_size=size, run_before=after())


@SIZES
def test_picture_of_the_form(small: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdapterStudio(small.location)
    keys = ("b", "m", "down", *["backspace"] * len("accepted"), "n", "e", "w")
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


@SIZES
def test_picture_of_an_error(small: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdapterStudio(small.location)
    assert snap_compare(app, terminal_size=size, run_before=after("b", "m", "down", "x", "enter"))


@SIZES
def test_picture_of_tokens(small: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdapterStudio(small.location)
    assert snap_compare(app, terminal_size=size, run_before=after("j", "enter", "n"))


@SIZES
def test_picture_of_preflight(small: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdapterStudio(small.location)
    assert snap_compare(app, terminal_size=size, run_before=after("p", "enter"))
