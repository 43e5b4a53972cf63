"""The mix and the trust in the classes, as a user reads them, on a real store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from db import rows
from db.store import Store
from studio.app import AdapterStudio
from studio.curation import named_acts
from studio.screens.browse import BrowseScreen
from studio.screens.classes import ClassesScreen
from tests.conftest import exchange
from tests.studio.curation.jargon import jargon
from tests.studio.screens.conftest import LARGE, SIZES, SMALL, Add, Compare
from tests.studio.screens.hostile import HOSTILE, harmless
from tests.studio.screens.shown import Shown


@pytest.fixture
def mixed(store: Store, add: Add) -> Store:
    """Three of whom two are declared, one of these against its words; one says nothing."""
    add(
        exchange("Fix the crash in the lexer", "done", agent="coder"),
        exchange("Review the pull request of team 2", "fine", agent="tester"),
        exchange("Plan the sprint", "so"),
    )
    return store


class Trusting(Shown[ClassesScreen]):
    """The app on the classes."""

    async def settled(self) -> None:
        """Wait until everything is counted."""
        screen = self.screen
        await self.until(lambda: screen.stats is not None and not screen.working)

    @property
    def figures(self) -> str:
        """The whole text above the list, with and without what is scrolled away."""
        return self.screen.figures.text


async def open_classes(pilot: Pilot[Any]) -> Trusting:
    app = pilot.app
    assert isinstance(app, AdapterStudio)
    found = Trusting(pilot, ClassesScreen)
    await found.until(lambda: app.store is not None)
    await pilot.press("m")
    await found.until(lambda: isinstance(app.screen, ClassesScreen))
    await found.settled()
    return found


@asynccontextmanager
async def trusting(store: Store, size: tuple[int, int] = SMALL) -> AsyncIterator[Trusting]:
    async with AdapterStudio(store.location).run_test(size=size) as pilot:
        yield await open_classes(pilot)


async def test_the_mix_stands_against_the_plan_and_opinions_that_differ_are_listed(
    mixed: Store,
) -> None:
    async with trusting(mixed) as app:
        await app.shows("opinions differ on 1", "by words", "35.0%", "reviewer")
        assert "no benchmark was evaluated yet" in app.figures
        assert "0 distinct requests are labelled by people; with 20" in app.figures
        assert "c classifies them" in app.figures
        assert [row["id"] for row in app.screen.rows] == [2]


async def test_classifying_is_one_act_that_u_takes_back(mixed: Store) -> None:
    async with trusting(mixed) as app:
        await app.press("c")
        await app.shows("3 classified, 0 unsure · u undoes")
        await app.settled()
        assert "c classifies them" not in app.figures
        assert rows.page(mixed, "agent:coordinator")[1] == 1
        await app.press("u")
        await app.shows("undone: 3 rows classified · ctrl+r redoes")
        await app.settled()
        assert "c classifies them" in app.figures


async def test_an_opinion_opens_in_browse_where_a_key_labels_it(mixed: Store) -> None:
    async with trusting(mixed) as app:
        await app.press("tab", "enter")
        browse = app.pilot.app.screen
        assert isinstance(browse, BrowseScreen)
        await app.until(lambda: browse.rows.current == 2)
        await app.press("v")
        await app.until(lambda: rows.page(mixed, "agent:reviewer method:human")[1] == 1)


async def test_the_model_of_ones_own_labels_is_shown_with_n_and_interval(
    store: Store, add: Add
) -> None:
    tasks = jargon(80)
    by_agent = defaultdict(list)
    for identity, (_, agent) in zip(add(*(exchange(t, "x") for t, _ in tasks)), tasks, strict=True):
        by_agent[agent].append(identity)
    for agent, ids in by_agent.items():
        named_acts.label(store, ids, agent)
    async with trusting(store, LARGE) as app:
        text = app.figures
        assert "the model of your labels answers" in text
        assert "on 80 labelled requests; better: +" in text
        assert "labelled (down) against rules (across), 80 requests" in text
        assert "labelled (down) against model (across), 80 requests" in text
        assert "reliability of the model" in text
        assert "95% interval" in text


async def test_hostile_texts_reach_no_terminal(store: Store, add: Add) -> None:
    add(*(exchange(f"Review {text[:2_000]}", "x", agent="tester") for text in HOSTILE))
    async with trusting(store, LARGE) as app:
        assert app.screen.rows
        harmless(app.text)


async def test_an_agent_of_any_name_is_one_line_of_the_mix(store: Store, add: Add) -> None:
    add(exchange("look", "x", agent="two\nlines"), exchange("see", "x", agent="漢字" * 9))
    async with trusting(store, LARGE) as app:
        lines = [line for line in app.figures.splitlines() if line.startswith(("two lin", "漢"))]
        assert len(lines) == 2
        assert len({cell_len(line[: line.index(" 50.0%")]) for line in lines}) == 1


def after(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def run(pilot: Pilot[Any]) -> None:
        app = await open_classes(pilot)
        await app.press(*keys)
        await app.settled()
        await app.pilot.pause(0.1)

    return run


@SIZES
def test_normal(mixed: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdapterStudio(mixed.location)
    assert snap_compare(app, terminal_size=size, run_before=after("tab"))


@SIZES
def test_empty(store: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdapterStudio(store.location)
    assert snap_compare(app, terminal_size=size, run_before=after())


@SIZES
def test_hostile(store: Store, add: Add, snap_compare: Compare, size: tuple[int, int]) -> None:
    add(*(exchange(f"Review {text[:2_000]}", "x", agent="tester") for text in HOSTILE))
    app = AdapterStudio(store.location)
    assert snap_compare(app, terminal_size=size, run_before=after("tab", "j"))
