"""What keeps the screen answering: no long SQL and no long diff in the thread that draws."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from sqlite3 import dbapi2
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.css.stylesheet import Stylesheet

from db.store import Store
from studio.commands import COMMANDS
from studio.widgets import colouring, side_by_side
from studio.widgets.code_styles import Span, spans_of
from studio.widgets.differences import aligned
from studio.widgets.side_by_side import Section, SideBySide
from tests.conftest import exchange
from tests.studio.screens.conftest import LARGE, driven
from tests.studio.screens.patience import until

Add = Callable[..., list[int]]
ROWS = 4_000
STEP = 1_000  # steps of SQLite's machine between two looks
MOST = 12 * STEP  # of one statement: a page of 128 rows takes 5,000, one scan of all rows 20,000


@pytest.fixture
def long_statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that took the drawing thread longer than a page of rows would."""
    found: list[str] = []
    drawing = threading.get_ident()
    connect = sqlite3.connect

    def watched(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        statement, steps = "", 0

        def begins(text: str) -> None:
            nonlocal statement, steps
            statement, steps = text, 0

        def goes_on() -> int:
            nonlocal steps
            steps += STEP
            if steps == MOST and threading.get_ident() == drawing:
                found.append(statement)
            return 0

        connection.set_trace_callback(begins)
        connection.set_progress_handler(goes_on, STEP)
        return connection

    for module in (sqlite3, dbapi2):
        monkeypatch.setattr(module, "connect", watched)
    return found


@pytest.fixture
def many(store: Store, add: Add) -> Store:
    """A store of thousands, of which a full scan is felt by the counter."""
    agents = ("coder", "tester", "researcher")
    add(*(exchange(f"Fix item {n}", "done", agent=agents[n % 3]) for n in range(ROWS)))
    return store


def test_a_full_scan_is_found(many: Store, long_statements: list[str]) -> None:
    assert many.path is not None
    connection = sqlite3.connect(many.path)
    connection.execute("SELECT sum(length(title)) FROM interaction").fetchall()
    connection.close()
    assert len(long_statements) == 1


async def test_no_key_makes_the_screen_wait_for_sql(
    many: Store, long_statements: list[str]
) -> None:
    async with driven(many) as app:
        await app.press("j", "ctrl+d", "G", "g", "space", "V", "j", "t")
        await app.says("→ tester")
        await app.press("a")
        await app.says("accepted")
        await app.press("u")
        await app.says("undone")
        await app.press("f")
        await app.type("agent:coder", "enter")
        await app.until(lambda: app.browse.rows.whole and len(app.shown) < ROWS)
        await app.press("slash")
        await app.type("item", "enter")
        await app.press("asterisk", "r")
        await app.says("→ researcher")
        await app.press("u")
        await app.says("undone")
        for screen in "23456":
            await app.press(screen, "j", "k", "G", "g", "R")
            await app.pilot.pause(0.1)
        await app.press("1")
        await app.settled()
    assert long_statements == []


class Told(str):
    """A text that must not be written into anybody's description."""

    def __repr__(self) -> str:
        raise AssertionError("a worker described itself by all that it was given")


async def test_long_texts_are_compared_outside_the_drawing_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[int] = []

    def seen(left: str, right: str) -> Any:
        threads.append(threading.get_ident())
        return aligned(left, right)

    monkeypatch.setattr(side_by_side, "aligned", seen)
    sides = SideBySide(COMMANDS)

    class Alone(App[None]):
        def compose(self) -> ComposeResult:
            yield sides

    async with Alone().run_test() as pilot:
        sides.show([Section("answer", Told("one\n" * 9_000), Told("two\n" * 9_000), marked=True)])
        await until(pilot, lambda: sides.laid.differences, lambda: "no differences")
    assert threads
    assert threading.get_ident() not in threads


async def test_the_first_text_waits_for_one_reading_of_the_styles_only(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    again: list[Stylesheet] = []
    monkeypatch.setattr(Stylesheet, "reparse", again.append)
    async with driven(filled):
        assert again == []


async def test_code_gets_its_colours_and_the_drawing_thread_reads_none(
    store: Store, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = set()

    def spans_told(code: str, language: str) -> tuple[Span, ...]:
        readers.add(threading.get_ident())
        return spans_of(code, language)

    monkeypatch.setattr(colouring, "spans_of", spans_told)
    short = "def first(): ...\n"
    long = "def last(): ...\n" * 1_000  # the first page does not wait for it
    add(exchange("Write them", f"```python\n{short}```\n" + "so\n" * 40 + f"```python\n{long}```"))
    async with driven(store, LARGE) as app:
        pane = app.browse.conversation

        def keywords() -> int:
            style = pane.get_component_rich_style("conversation--keyword")
            lines = [pane.render_line(y) for y in range(pane.size.height)]
            return sum(
                piece.text == "def" and piece.style == style for line in lines for piece in line
            )

        assert keywords() == 1
        await app.press("tab", "G")
        await app.until(lambda: keywords() > 20)
    assert readers
    assert threading.get_ident() not in readers
