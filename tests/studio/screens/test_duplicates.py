"""Duplicates, driven by keys on a real store: what is shown, decided, and taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from db import rows
from db.history import history
from db.store import Store
from studio.app import AdapterStudio
from studio.curation import cluster_acts, named_acts
from studio.curation.clusters import clusters
from studio.curation.duplicates import dedupe
from studio.screens import cluster_words
from studio.screens.duplicates import DuplicatesScreen
from tests.conftest import exchange
from tests.studio.screens.conftest import SIZES, SMALL, Add, Compare, Driven
from tests.studio.screens.hostile import HOSTILE

CODE = "def get(self, key):\n    value = self.items[key]\n    return value\n"
PROSE = "The parser reads the tokens one by one and keeps the place where each of them begins. " * 2


class Reviewing(Driven):
    """The app on its second screen."""

    @property
    def screen(self) -> DuplicatesScreen:
        """The screen of clusters."""
        assert isinstance(self.app.screen, DuplicatesScreen)
        return self.app.screen

    def line(self, selector: str) -> str:
        """What one of the screen's lines shows."""
        return str(self.screen.query_one(selector).render())

    async def read(self) -> None:
        """Wait until the clusters, their figures and the two members are there."""
        screen = self.screen
        await self.until(
            lambda: (
                screen.searched is not None
                and not screen.writing
                and not screen.workers._workers
                and (screen.current is None or screen.pair_of == screen.current.number)
                and all(cluster.number in screen._alike for cluster in screen.shown)
            )
        )
        await self.pilot.pause()

    @property
    def number(self) -> int | None:
        """The cluster under the cursor."""
        return self.screen.current.number if self.screen.current else None

    @property
    def states(self) -> list[str]:
        """The states in the list."""
        return [cluster.state for cluster in self.screen.shown]

    def compares(self, words: str) -> bool:
        """Whether these words stand above the members."""
        return words in self.line("#titles")

    @property
    def text(self) -> str:
        """The two members as they are drawn."""
        sides = self.screen.sides
        return "\n".join(
            "".join(segment.text for segment in sides.render_line(y))
            for y in range(sides.size.height)
        )


@asynccontextmanager
async def reviewing(store: Store, size: tuple[int, int] = SMALL) -> AsyncIterator[Reviewing]:
    """The app on a store, on its second screen, with everything read."""
    app = AdapterStudio(store.location)
    async with app.run_test(size=size) as pilot:
        found = Reviewing(pilot)
        await Driven.settled(found)
        await found.press("2")
        await found.read()
        yield found


@pytest.fixture
def three(store: Store, add: Add) -> Store:
    """Clusters of three, two and two members; then one interaction without any."""
    add(
        exchange("Cache it", CODE, agent="coder", model="qwen-7b", success=True, started_ms=10_000),
        exchange("Cache it", CODE.replace("value", "found"), agent="coder", model="qwen-1.5b",
                 success=True, started_ms=20_000, duration_ms=900),
        exchange("Cache it", CODE, agent="coder", success=False),
        exchange("Explain the parser", PROSE, agent="researcher"),
        exchange("Explain the parser", PROSE.replace("keeps", "notes"), agent="researcher"),
        exchange("Test it", "assert get(1) == 2", agent="tester"),
        exchange("Test it", "assert get(1) == 2", agent="tester"),
        exchange("Alone", "nothing like it", agent="coder"),
    )  # fmt: skip
    dedupe(store, threshold=80)
    return store


def statuses(store: Store) -> list[str]:
    return [row["status"] for row in sorted(rows.page(store)[0], key=lambda row: row["id"])]


async def test_a_cluster_is_shown_with_its_proposal_and_two_members(three: Store) -> None:
    async with reviewing(three) as app:
        assert "3 open of 3" in app.line("#status")
        assert app.states == ["open"] * 3
        assert app.screen._alike[3] == 100
        assert 80 < (app.screen._alike[1] or 0) < 100
        titles = app.line("#titles")
        assert titles.startswith("2 proposed: the newest that succeeded")
        assert "1 · 1 of 2 others" in titles
        assert "task, the same in both" in app.text
        assert "≠" in app.text
        assert "found = self" in app.text
        assert "value = self" in app.text


async def test_other_members_are_compared_in_turn(three: Store) -> None:
    async with reviewing(three) as app:
        for key, right in (("l", " 3 · "), ("right_square_bracket", " 1 · "), ("h", " 3 · ")):
            await app.press(key)
            await app.until(partial(app.compares, right))
        await app.press("j")
        await app.read()
        await app.press("l")
        await app.says("no other member")


async def test_accepting_the_proposal_goes_on_to_the_next_open_cluster(three: Store) -> None:
    async with reviewing(three) as app:
        await app.press("a")
        await app.says("2 rows dropped, 2 stays · u undoes")
        await app.read()
        assert app.number == 2
        assert app.states == ["one kept", "open", "open"]
        assert statuses(three)[:3] == ["dropped", "new", "dropped"]
        await app.press("u")
        await app.says("undone")
        await app.read()
        assert app.number == 1
        assert app.states == ["open"] * 3
        assert statuses(three)[:3] == ["new"] * 3
        await app.press("ctrl+r")
        await app.says("redone")
        await app.read()
        assert app.states[0] == "one kept"


async def test_a_decision_before_the_list_is_there_waits_for_it(three: Store) -> None:
    studio = AdapterStudio(three.location)
    async with studio.run_test(size=SMALL) as pilot:
        app = Reviewing(pilot)
        await app.until(lambda: studio.store is not None)
        for key in ("2", "a"):  # at once: no worker can have read a cluster between them
            studio.post_message(events.Key(key, key))
        await app.until(lambda: statuses(three)[:3] == ["dropped", "new", "dropped"])


async def test_three_decisions_in_a_row_by_three_keys(three: Store) -> None:
    async with reviewing(three) as app:
        await app.press("a", "m", "a")
        await app.until(lambda: app.states == ["one kept", "distinct", "one kept"])
        await app.read()
        assert len(history(three)) == 4
        assert "0 open of 3" in app.line("#status")
        again = dedupe(three, threshold=80)
        assert again["clusters"] == 0


async def test_the_member_on_the_right_is_kept_or_dropped(three: Store) -> None:
    async with reviewing(three) as app:
        await app.press("x")
        await app.says("1 row dropped")
        await app.read()
        assert app.number == 1  # two others are left to decide on
        assert statuses(three)[:3] == ["dropped", "new", "new"]
        await app.until(lambda: " 3 · 1 of 2" in app.line("#titles"))
        await app.press("equals_sign")
        await app.says("1 row dropped, 3 stays")
        await app.read()
        assert statuses(three)[:3] == ["dropped", "dropped", "new"]
        assert app.number == 2
        assert cluster_words.cells(app.screen.shown[0], None)[-2:] == ("3", "chosen before 2")
        await app.press("u")
        await app.says("undone")
        await app.press("u")
        await app.says("undone: 1 row dropped ·")
        await app.read()
        assert statuses(three)[:3] == ["new"] * 3
        assert app.number == 1


async def test_all_members_are_dropped_by_one_key(three: Store) -> None:
    async with reviewing(three) as app:
        await app.press("D")
        await app.says("3 rows dropped · u undoes")
        await app.read()
        assert app.states[0] == "dropped"


async def test_a_proposal_that_was_dropped_elsewhere_is_refused(three: Store) -> None:
    async with reviewing(three) as app:
        named_acts.set_status(three, [2], "drop")
        await app.press("a")
        await app.says("error: 2, which cluster 1 proposes, was dropped")
        await app.read()
        assert app.states == ["open"] * 3


async def test_only_open_clusters_until_none_is_left(three: Store) -> None:
    cluster_acts.accept(three, 1)
    cluster_acts.keep_distinct(three, 3)
    async with reviewing(three) as app:
        assert app.states == ["one kept", "open", "distinct"]
        await app.press("f")
        assert app.states == ["open"]
        assert "open ones only" in app.line("#status")
        await app.read()
        await app.press("a")
        await app.until(lambda: app.screen.shown == [])
        assert "Every cluster is decided." in app.line("#no-clusters")
        await app.press("u")
        await app.until(lambda: app.states == ["open"])
        await app.press("escape")
        assert len(app.screen.shown) == 3
        assert app.number == 2


async def test_differences_are_gone_through_from_the_list(three: Store) -> None:
    async with reviewing(three) as app:
        await app.press("n")
        assert app.screen.sides.at == 0
        await app.press(*"nnnnnnnn")
        await app.says("no difference below")
        await app.press("p")
        assert app.screen.sides.at == len(app.screen.sides.laid.differences) - 2
        await app.press("enter")
        assert app.screen.sides.has_focus
        await app.press("J")
        assert app.number == 2
        await app.press("escape")
        assert app.screen.listing.has_focus


async def test_an_empty_store_is_searched_by_one_key(store: Store, add: Add) -> None:
    add(exchange("x", PROSE), exchange("x", PROSE.replace("keeps", "notes")), exchange("y", "no"))
    async with reviewing(store) as app:
        assert "Nobody has looked for duplicates" in app.line("#no-clusters")
        await app.press("a")
        await app.says("there is no cluster to decide on")
        await app.press("d")
        await app.says("3 interactions: 0 exact and 1 near duplicate in 1 cluster · u undoes")
        await app.read()
        assert app.states == ["open"]
        assert app.screen.focused is app.screen.listing
        await app.press("u")
        await app.until(lambda: app.screen.shown == [])


async def test_a_search_can_be_stopped(store: Store, add: Add) -> None:
    add(exchange("x", PROSE), exchange("x", PROSE))
    async with reviewing(store) as app:
        await app.press("d")
        await app.says("looking for duplicates")
        await app.press("escape")
        await app.says("stopped; nothing was changed")
        assert not app.screen.working
        assert app.app.is_running


async def test_what_other_programs_decide_is_there_on_return(three: Store) -> None:
    async with reviewing(three) as app:
        await app.press("1")
        cluster_acts.accept(three, 1)
        await app.press("2")
        await app.until(lambda: app.states == ["one kept", "open", "open"])


async def test_a_difference_deep_in_huge_texts_is_shown(store: Store, add: Add) -> None:
    long = "one line of many\n" * 200_000
    add(exchange("x", long + "the old end"), exchange("x", long + "the new end"))
    dedupe(store)
    async with reviewing(store) as app:
        assert "before it both are the same" in app.text
        await app.press("n")
        assert "the old end" in app.text
        assert "the new end" in app.text


async def test_what_was_compared_is_named_where_it_is_not_all(store: Store, add: Add) -> None:
    add(exchange("Sort it", "one way"), exchange("Sort it", "quite another"))
    dedupe(store, on="task")
    async with reviewing(store) as app:
        assert app.line("#titles").rstrip().endswith("1 · the other · task equal")
        assert "quite another" in app.text


def test_a_likeness_is_rounded_but_never_up_to_equal() -> None:
    assert [cluster_words.percent(each) for each in (None, 100.0, 99.99, 90.04)] == [
        "·", "equal", "99.9", "90.0",
    ]  # fmt: skip


# pictures


def after(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Go to the second screen and press keys, waiting after each until all is read."""

    async def run(pilot: Pilot[Any]) -> None:
        app = Reviewing(pilot)
        await Driven.settled(app)
        await app.press("2")
        await app.read()
        for key in keys:
            await app.press(key)
            await app.read()

    return run


@SIZES
def test_normal(three: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    cluster_acts.accept(three, 3)
    app = AdapterStudio(three.location)
    assert snap_compare(app, terminal_size=size, run_before=after("n"))


@SIZES
def test_empty(store: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdapterStudio(store.location)
    assert snap_compare(app, terminal_size=size, run_before=after())


@SIZES
def test_error(three: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    named_acts.set_status(three, [2], "drop")
    app = AdapterStudio(three.location)
    assert snap_compare(app, terminal_size=size, run_before=after("a"))


@SIZES
def test_hostile(store: Store, add: Add, snap_compare: Compare, size: tuple[int, int]) -> None:
    for text in HOSTILE:
        found = text[:5_000] + "y" * 200
        add(exchange(found, found, agent=text[:20], model=text[:50]))
        add(exchange(found, found + "\x1b[2J[/x]", agent=text[:20], model=text[:50]))
    dedupe(store)
    assert len(clusters(store)) > 1
    app = AdapterStudio(store.location)
    assert snap_compare(app, terminal_size=size, run_before=after("j", "j"))
