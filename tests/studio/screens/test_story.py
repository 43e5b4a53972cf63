"""The whole story by keys alone, on the embedded base: from an empty store to a decision."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from db import rows
from db.history import history
from db.store import Store
from studio.app import AdapterStudio
from tests.studio.screens.patience import until
from tests.studio.screens.story_files import write_story_files


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user stands: logs, a recipe of two steps and a suite of nine items."""
    write_story_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


class Hands:
    """A keyboard, and eyes on the screen."""

    def __init__(self, pilot: Pilot[Any]) -> None:
        self.pilot = pilot

    @property
    def text(self) -> str:
        """All that is drawn."""
        return "\n".join(
            "".join(segment.text for segment in line).rstrip()
            for line in self.pilot.app.screen._compositor.render_strips()
        )

    async def press(self, *keys: str) -> None:
        """Press keys, and let what follows from them happen."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str, *then: str) -> None:
        """Type a text, then press keys."""
        await self.press(*text, *then)

    async def until(self, holds: Callable[[str], object]) -> str:
        """Wait until something holds for what is drawn; returns it."""
        found = self.text

        def look() -> object:
            nonlocal found
            found = self.text
            return holds(found)

        await until(self.pilot, look, lambda: self.text)
        return found

    async def shows(self, *words: str) -> str:
        """Wait until all these words are on the screen; returns all that is drawn."""
        return await self.until(lambda text: all(word in text for word in words))


async def test_from_an_empty_store_to_a_decision(store: Store, beside: Path) -> None:
    async with AdapterStudio(store.location).run_test(size=(160, 48)) as pilot:
        hands = Hands(pilot)
        await collect(hands)
        await curate(hands, store)
        await build(hands)
        await train(hands)
        await judge(hands)
    (report,) = beside.glob("report-few-*.md")
    assert "undecided" in report.read_text("utf-8")
    kinds = [act["kind"] for act in reversed(history(store))]
    assert kinds == ["label", "undo", "accept", "dedupe", "keep"]


async def collect(hands: Hands) -> None:
    await hands.shows("no interactions yet: i imports logs", "c coder")
    await hands.type("ilogs", "enter")
    await hands.shows("import: 302 imported, 0 were there already", "302 of 302")


async def curate(hands: Hands, store: Store) -> None:
    await hands.press("g", "j", "enter")  # rows that arrived stand above the first ones
    await hands.shows("row 2")
    await hands.press("escape", "t")
    await hands.shows("1 row → tester · u undoes")
    await hands.press("u")
    await hands.shows("undone: 1 row → tester")
    await hands.type("fsuccess:true", "enter")
    await hands.until(lambda text: "302 of 302" not in text and "success:true ─" in text)
    await hands.press("*", "a")
    await hands.shows("rows accepted · u undoes")
    accepted = rows.page(store, "status:accepted")[1]
    assert accepted == rows.page(store, "success:true")[1] > 200
    await hands.press("2")
    await hands.shows("Nobody has looked for duplicates")
    await hands.press("d")
    await hands.shows("4 exact and 22 near duplicates in 23 clusters", "23 open of 23")
    await hands.shows("a person accepted it")
    await hands.press("a")
    await hands.shows("22 open of 23")


async def build(hands: Hands) -> None:
    await hands.press("3")
    await hands.shows("No dataset yet")
    await hands.press("b")
    await hands.shows("would come out")
    await hands.type("tools", "down", "home")
    await hands.type("tools:>0 ", "down", "down", "down")
    await hands.type("24", "down", "down", "ctrl+u")
    await hands.type("0.4", "down", "down")
    await hands.type("nano", "enter")
    await hands.shows("tools@1 built: ", "p checks it", "general")
    await hands.press("p", "enter")  # without a recipe: the data alone
    await hands.shows("the data alone", "leakage", "ready")
    await hands.press("escape")


async def train(hands: Hands) -> None:
    await hands.type("tquick.yaml", "enter")
    await hands.shows("2 of 2 examples each", "Enter starts the training")
    await hands.press("enter")
    await hands.shows("run 1 is queued; it goes on when the app is closed")
    await hands.press("escape", "4")
    await hands.shows("tools@1", "quick", "1 running")
    await hands.shows("run 1 is finished", "step 2 of 2", "loss by step")


async def judge(hands: Hands) -> None:
    await hands.press("E", "ctrl+u")
    await hands.type("few.jsonl", "enter")
    await hands.shows("the evaluation of run:1@2 on few.jsonl is over")
    await hands.press("5")
    await hands.shows("A base ─ B run:1@2", "overall", "items needed", "undecided")
    await hands.press("enter")
    await hands.shows("── answer ──", "── outcome ──")
    await hands.press("escape", "6")
    await hands.shows("UNDECIDED  the suite is too small to tell", "suite_can_tell", "routes")
    await hands.press("w", "enter")
    await hands.shows("kept as decision 1")
