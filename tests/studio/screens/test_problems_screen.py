"""Problems, driven by keys: verified, split, merged and taken back, on a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from db import rows
from db.history import history
from db.store import Store
from studio.app import AdapterStudio
from studio.curation.problems import assign_problems, list_problems
from studio.sandbox import probe
from studio.screens.problems import ProblemsScreen
from tests.conftest import exchange
from tests.studio.screens.conftest import LARGE, SIZES, SMALL, Add, Compare
from tests.studio.screens.hostile import HOSTILE, harmless
from tests.studio.screens.shown import Shown

TESTS = {"entry_point": "double", "tests": "assert double(2) == 4\nassert double(3) == 6"}


def code(body: str) -> str:
    return f"```python\ndef double(x):\n    return {body}\n```"


@pytest.fixture
def asked(store: Store, add: Add) -> Store:
    """Two wordings of one problem with three solutions (one wrong), and two other problems."""
    add(
        exchange("Write double(x)", code("x ** 2"), agent="coder", raw=TESTS),
        exchange("Write double(x)", code("x * 2"), agent="coder", model="qwen-7b", raw=TESTS),
        exchange("write  double(x).", code("x + x"), agent="tester", raw=TESTS),
        exchange("Write double(x)", code("x  *  2") + "\nDone.", agent="coder"),
        exchange("Plan the sprint", "First this, then that.", agent="coordinator"),
        exchange("Put the sprint in order", "Begin with the tests.", agent="coordinator"),
    )
    return store


class Solving(Shown[ProblemsScreen]):
    """The app on the problems."""

    async def settled(self) -> None:
        """Wait until the list and the solutions of the problem under the cursor are there."""
        screen = self.screen
        await self.until(
            lambda: (
                screen.all is not None
                and not screen.working
                and (screen.current is None or screen.solutions_of == screen.current["id"])
            )
        )

    @property
    def message(self) -> str:
        """The line above the keys."""
        return str(self.screen.query_one("#message").render())

    @property
    def counts(self) -> list[tuple[int, int, int]]:
        """(interactions, solutions, verified) of each problem."""
        return [(r["interactions"], r["solutions"], r["verified"]) for r in self.screen.shown]


async def open_problems(pilot: Pilot[Any]) -> Solving:
    app = pilot.app
    assert isinstance(app, AdapterStudio)
    found = Solving(pilot, ProblemsScreen)
    await found.until(lambda: app.store is not None)
    await pilot.press("2", "P")
    await found.until(lambda: isinstance(app.screen, ProblemsScreen))
    await found.settled()
    return found


@asynccontextmanager
async def solving(store: Store, size: tuple[int, int] = SMALL) -> AsyncIterator[Solving]:
    async with AdapterStudio(store.location).run_test(size=size) as pilot:
        yield await open_problems(pilot)


async def test_problems_are_listed_with_their_solutions_beside_each_other(asked: Store) -> None:
    async with solving(asked) as app:
        assert app.counts == [(4, 3, 0), (1, 1, 0), (1, 1, 0)]
        await app.shows("solution 1 · untested · 1", "solution 2 of 3 · untested · 2, 4")
        await app.shows("return x ** 2", "return x * 2", "task, the same in both")
        await app.press("right_square_bracket")
        await app.shows("solution 3 of 3", "return x + x")
        await app.press("f")
        assert app.counts == [(4, 3, 0)]
        await app.press("q")
        assert len(app.counts) == 3
        await app.press("q")
        assert not isinstance(app.pilot.app.screen, ProblemsScreen)


@pytest.mark.skipif(probe().tier is None, reason="hostile code cannot be held on this machine")
async def test_verifying_runs_the_tests_and_puts_verified_problems_first(asked: Store) -> None:
    async with solving(asked) as app:
        await app.press("v")
        await app.shows("3 verified, 1 failed")
        await app.settled()
        assert app.counts[0] == (4, 3, 2)
        await app.shows("solution 1 · verified · 2, 4")
        await app.press("left_square_bracket")
        await app.shows("refuted: partial · 1")
        await app.press("V")
        assert app.screen.verifying
        await app.until(lambda: not app.screen.verifying)
        await app.shows("4 ran now")


async def test_a_solution_is_split_off_and_comes_back(asked: Store) -> None:
    async with solving(asked) as app:
        await app.press("s")
        await app.shows("2 rows split off as a problem · u undoes")
        await app.settled()
        assert sorted(app.counts) == [(1, 1, 0), (1, 1, 0), (2, 1, 0), (2, 2, 0)]
        await app.press("u")
        await app.shows("undone: 2 rows split off")
        await app.settled()
        assert app.counts[0] == (4, 3, 0)
        await app.press("ctrl+r")
        await app.shows("redone: 2 rows split off")
    assert len(list_problems(asked)) == 4
    assert history(asked)[0]["kind"] == "redo"


async def test_marked_problems_become_one_and_part_again(asked: Store) -> None:
    async with solving(asked) as app:
        await app.press("m")
        assert "mark two problems or more" in app.message
        await app.press("j", "space", "space")
        await app.shows("2 marked", "●")
        await app.press("m")
        await app.shows("1 row merged into one problem · u undoes")
        await app.settled()
        assert app.counts == [(4, 3, 0), (2, 2, 0)]
        assert app.screen.marked == []
        await app.press("u")
        await app.shows("undone: 1 row merged")
        await app.settled()
        assert len(app.counts) == 3


async def test_an_undo_while_the_list_is_read_is_said_and_shown(asked: Store) -> None:
    async with solving(asked) as app:
        before = app.counts
        await app.press("space", "space", "m")
        await app.until(lambda: "merged into one problem · u undoes" in app.message)
        assert app.screen.working
        await app.press("u")
        await app.until(lambda: "undone: " in app.message)
        await app.settled()
        assert "undone: " in app.message
        assert app.counts == before


async def test_what_cannot_be_split_says_why(asked: Store) -> None:
    async with solving(asked) as app:
        await app.press("G")
        await app.settled()
        await app.press("s")
        assert "no solution on the right" in app.message
        await app.press("right_square_bracket")
        assert "no other solution" in app.message
    assert {row["problem"] for row in rows.page(asked)[0]} == {1, 2, 3}


async def test_hostile_texts_reach_no_terminal(store: Store, add: Add) -> None:
    add(*(exchange(f"{text[:3_000]}", f"{text[:3_000]} {n}") for text in HOSTILE for n in "ab"))
    async with solving(store, LARGE) as app:
        for _ in app.screen.shown:
            await app.settled()
            harmless(app.text)
            await app.press("j")


def after(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def run(pilot: Pilot[Any]) -> None:
        app = await open_problems(pilot)
        for key in keys:
            await app.press(key)
            await app.settled()
        await app.pilot.pause(0.1)

    return run


@SIZES
def test_normal(asked: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdapterStudio(asked.location)
    assert snap_compare(app, terminal_size=size, run_before=after("space", "k", "n"))


@SIZES
def test_empty(store: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdapterStudio(store.location)
    assert snap_compare(app, terminal_size=size, run_before=after())


@SIZES
def test_hostile(store: Store, add: Add, snap_compare: Compare, size: tuple[int, int]) -> None:
    for text in HOSTILE:
        add(exchange(text[:3_000], text[:3_000], agent=text[:20], model=text[:50]))
        add(exchange(text[:3_000], "other \x1b[2J[/x]", agent=text[:20], model=text[:50]))
    assign_problems(store)
    app = AdapterStudio(store.location)
    assert snap_compare(app, terminal_size=size, run_before=after("j"))
