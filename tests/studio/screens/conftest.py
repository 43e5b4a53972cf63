"""The app on a real store file, driven by keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from db.store import Store
from studio.app import AdapterStudio
from studio.screens.browse import BrowseScreen
from tests.conftest import exchange
from tests.studio.screens.patience import idle, until

Add = Callable[..., list[int]]
Compare = Callable[..., bool]  # a picture with the one that was accepted
SMALL, LARGE = (80, 24), (160, 48)
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings and cache of a user of our own; returns the folder of the settings."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "config" / "adapter-studio"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is done before the next one, however little of the processor the test gets."""
    for module in ("app", "pilot"):
        monkeypatch.setattr(f"textual.{module}.wait_for_idle", idle)


class Driven:
    """The app with its keyboard."""

    def __init__(self, pilot: Pilot[Any]) -> None:
        self.pilot = pilot
        assert isinstance(pilot.app, AdapterStudio)
        self.app: AdapterStudio = pilot.app

    @property
    def browse(self) -> BrowseScreen:
        """The screen of interactions."""
        found = self.app.screen_stack[0]
        assert isinstance(found, BrowseScreen)
        return found

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait for what a worker or a thread brings about."""
        await until(self.pilot, holds, lambda: self.message)

    async def settled(self) -> None:
        """Wait until rows, their number and the conversation are there."""
        browse = self.browse
        await self.until(
            lambda: (
                self.app.store is not None
                and browse.rows.loaded
                and browse.rows.whole
                and browse.total is not None
                and browse.conversation.identity == browse.rows.current
            )
        )
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Press keys; `agent:coder` and the like through `type`."""
        await self.pilot.press(*keys)

    async def type(self, text: str, *then: str) -> None:
        """Type a text, then press keys."""
        names = {" ": "space", ":": "colon", "/": "slash", "_": "underscore", "-": "minus"}
        await self.pilot.press(*(names.get(character, character) for character in text), *then)

    async def says(self, words: str) -> None:
        """Wait until the message line says so."""
        await self.until(lambda: words in self.message)

    @property
    def message(self) -> str:
        """What stands above the keys, in one line."""
        return self.line("#message").replace("\n", "")

    def line(self, selector: str) -> str:
        """What one of the screen's lines shows."""
        return str(self.browse.query_one(selector).render())

    @property
    def shown(self) -> list[int]:
        """The ids in the table."""
        return list(self.browse.rows.ids)


@asynccontextmanager
async def driven(store: Store, size: tuple[int, int] = SMALL) -> AsyncIterator[Driven]:
    """The app on a store, with everything read."""
    app = AdapterStudio(store.location)
    async with app.run_test(size=size) as pilot:
        found = Driven(pilot)
        await found.settled()
        yield found


@pytest.fixture
def filled(store: Store, add: Add) -> Store:
    """Six interactions of three agents, one with a tool call."""
    call = {"id": "c1", "type": "function",
            "function": {"name": "read_file", "arguments": {"path": "a.py"}}}  # fmt: skip
    code = (
        "Here it is:\n\n```python\ndef get(self, key):\n    return self.items[key]  # fast\n```\n"
    )
    add(
        exchange("Implement an LRU cache", code, agent="coder", model="qwen-7b", success=True,
                 provider="replicate", duration_ms=10_300, completion_tokens=681,
                 started_ms=1_759_276_800_000),
        exchange("Write tests for the tokenizer", "def test_it(): ...", agent="tester",
                 model="qwen-1.5b", duration_ms=23_400, completion_tokens=54, success=True),
        exchange("Fix the peer header", "fixed", agent="coder", duration_ms=900, success=False,
                 error="timeout"),
        {"messages": [
            {"role": "system", "content": "You are helpful."},
            {"role": "user", "content": "What is in a.py?"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "print('retry loop')"},
            {"role": "assistant", "content": "A print of the retry loop."}]},
        exchange("Compare three vector databases", "compared", agent="researcher"),
        exchange("Fix the tokenizer", "done", agent="coder", duration_ms=12_000),
    )  # fmt: skip
    return store
