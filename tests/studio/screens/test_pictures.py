"""What Browse looks like in each state, at both sizes. `--snapshot-update` takes new pictures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from db import acts
from db.store import Store
from studio.app import AdapterStudio
from tests.conftest import exchange
from tests.studio.screens.conftest import LARGE, SMALL, Add, Driven
from tests.studio.screens.test_browse import HOSTILE

Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])


def after(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Press keys when all is read, and wait until all is read again."""

    async def run(pilot: Pilot[Any]) -> None:
        app = Driven(pilot)
        await app.settled()
        app.browse.prompt.input.cursor_blink = False
        for key in keys:
            await app.press(key)
        await app.settled()

    return run


@SIZES
def test_normal(filled: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    acts.set_columns(filled, [2, 3], actor="me", kind="accept", value=None,
                     values={"status": "accepted"})  # fmt: skip
    app = AdapterStudio(filled.location)
    assert snap_compare(app, terminal_size=size, run_before=after("space", "j", "j", "G"))


@SIZES
def test_empty(
    store: Store, monkeypatch: pytest.MonkeyPatch, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert store.path is not None
    monkeypatch.chdir(store.path.parent)  # else the picture shows the folder of the test
    assert snap_compare(AdapterStudio("studio.db"), terminal_size=size, run_before=after())


@SIZES
def test_error(filled: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    keys = ("f", *"agent", "colon", *"coder", "space", *"sucess", "colon", *"false")
    app = AdapterStudio(filled.location)
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


@SIZES
def test_hostile(store: Store, add: Add, snap_compare: Compare, size: tuple[int, int]) -> None:
    for text in HOSTILE:
        add(exchange(text[:5_000], text[:5_000], agent=text[:20], model=text[:50]))
    assert snap_compare(
        AdapterStudio(store.location), terminal_size=size, run_before=after("j", "j", "j", "j")
    )


@SIZES
def test_full_view(filled: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdapterStudio(filled.location)
    assert snap_compare(app, terminal_size=size, run_before=after("j", "j", "enter", "z"))


def test_help(filled: Store, snap_compare: Compare) -> None:
    app = AdapterStudio(filled.location)
    assert snap_compare(app, terminal_size=SMALL, run_before=after("question_mark"))
