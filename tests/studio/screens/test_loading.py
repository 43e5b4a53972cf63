"""What each screen looks like before anything was read: it says so, and offers its keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.worker import Worker

from db.store import Store
from studio.app import SCREENS, AdapterStudio
from studio.commands import COMMANDS
from tests.studio.screens.conftest import LARGE, SMALL, Compare


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that has not answered yet: what reads in threads waits for ever."""
    start = Worker._start

    def begin(self: Worker[Any], *arguments: Any) -> None:
        if not self._thread_worker:
            start(self, *arguments)

    monkeypatch.setattr(Worker, "_start", begin)


def to(key: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Go to a screen by its key."""

    async def run(pilot: Pilot[Any]) -> None:
        await pilot.press(key)
        await pilot.pause()

    return run


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
def test_loading(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    snap_compare: Compare,
    size: tuple[int, int],
    name: str,
) -> None:
    assert store.path is not None
    monkeypatch.chdir(store.path.parent)  # else the picture shows the folder of the test
    (key,) = next(command.keys for command in COMMANDS if command.id == f"go.{name}")
    app = AdapterStudio("studio.db")
    assert snap_compare(app, terminal_size=size, run_before=to(key))
