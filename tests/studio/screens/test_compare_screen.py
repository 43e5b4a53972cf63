"""Compare: figures, items and answers of stored evaluations, driven by keys on a real store."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select
from textual.pilot import Pilot

from db.models.base import table
from db.models.evaluations import Outcome
from db.store import Store
from exports.suites import Suite
from studio.app import AdapterStudio
from studio.evals import stored
from studio.screens.choosing import ChoosingScreen
from studio.screens.compare import CompareScreen
from tests.conftest import ROOT
from tests.studio.screens.conftest import LARGE, SIZES, SMALL, Compare
from tests.studio.screens.evaluations import BASE, TUNED, put_evaluation, write_suite
from tests.studio.screens.hostile import HOSTILE, harmless
from tests.studio.screens.shown import Shown


@asynccontextmanager
async def shown(store: Store, size: tuple[int, int] = SMALL) -> AsyncIterator[Shown[CompareScreen]]:
    """The screen on a store."""
    async with AdapterStudio(store.location).run_test(size=size) as pilot:
        found = Shown(pilot, CompareScreen)
        await found.go("5")
        yield found


def listed(app: Shown[CompareScreen]) -> list[str]:
    """The ids of the items that are listed."""
    return [str(item["item"]) for item in app.screen.items]


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Eight items in a file."""
    return write_suite(tmp_path / "suite.jsonl")


@pytest.fixture
def evaluated(store: Store, suite: Suite) -> Store:
    """A base, few-shot and an adapter on the same suite."""
    put_evaluation(store, suite, "base", BASE)
    put_evaluation(store, suite, "base+random4", {**BASE, "sum3": ("passed", "", "Answer: 6")})
    put_evaluation(store, suite, "run:7", TUNED, adapter="/runs/7/checkpoint-50")
    return store


async def test_the_newest_adapter_stands_beside_its_base_with_n_rates_and_verdict(
    evaluated: Store,
) -> None:
    async with shown(evaluated, LARGE) as app:
        await app.shows("A base ─ B run:7", "8 items", "overall")
        overall = next(line for line in app.text.splitlines() if " overall " in line)
        assert overall.split()[1:4] == ["overall", "8", "50.0"]
        assert "21.5–78.5" in overall
        assert "62.5" in overall
        assert "+12.5" in overall
        assert overall.endswith("undecided")
        rows = [line.split()[0] for line in app.text.splitlines() if line.startswith("  ")]
        assert {"code", "reasoning", "tool_call", "@coder", "@researcher"} <= set(rows)
        assert "overall: undecided: +12.5 points" in app.text
        assert "8 items detect" in app.text


async def test_broken_fixed_and_both_wrong_are_one_key_each(evaluated: Store) -> None:
    async with shown(evaluated) as app:
        await app.shows("broken 1", "fixed 2", "both wrong 2", "[all 8]")
        await app.press("b")
        assert listed(app) == ["sum1"]
        assert "[broken 1]" in app.text
        await app.press("f")
        assert listed(app) == ["call1", "call3"]
        await app.press("w")
        assert listed(app) == ["sum3", "code2"]
        await app.press("A")
        assert len(listed(app)) == 8


async def test_a_row_of_the_delta_table_lists_the_items_behind_it(evaluated: Store) -> None:
    async with shown(evaluated) as app:
        await app.shows("[all 8]")
        await app.press("tab", "j", "j", "j")
        await app.shows("tool_call: undecided", "[all 3] in tool_call")
        assert listed(app) == ["call1", "call2", "call3"]
        await app.press("enter", "f")
        assert listed(app) == ["call1", "call3"]
        assert app.screen.focused is app.screen.item_list
        await app.press("escape", "escape")
        assert len(listed(app)) == 8
        await app.press("tab", "G")
        await app.shows("@ = agent", "agent researcher: ", "in agent researcher")
        assert listed(app) == ["sum1", "sum2", "sum3"]


async def test_enter_shows_both_answers_with_request_parse_and_outcome(evaluated: Store) -> None:
    async with shown(evaluated) as app:
        await app.shows("call1")
        await app.press("enter")
        await app.shows("A base: unparsed", "B run:7: passed")
        assert "user: Read file 1.py" in app.text
        assert "tools: read_file" in app.text
        assert 'read_file {"path": "1.py"}' in app.text
        assert "problems: wrong_keys" in app.text
        assert 'meant: read_file {"path": "1.py"}' in app.text
        assert "tags, strict" in app.text
        assert "a call that cannot be read" in app.text
        assert "20 tokens in 0.25 s, ended by stop" in app.text
        await app.press("l", "l", "l")
        await app.shows("sum1 ─ reasoning ─ researcher ─ broken", "4 of 8 all")
        assert "final answer: 2" in app.text
        assert "answered '3', wanted '2'" in app.text
        await app.press("J", "J", "J")
        await app.shows("2 lines of Python")
        await app.press("J", "r", "G")
        await app.shows("NameError: name 'x' is not defined", "assert f() == 1")
        await app.press("escape")
        await app.shows("[all 8]")


async def test_what_is_the_same_stands_opposite_and_what_differs_is_marked(
    evaluated: Store,
) -> None:
    async with shown(evaluated) as app:
        await app.shows("[all 8]")
        await app.press("b", "enter")
        await app.shows("First line.")
        lines = app.text.splitlines()
        same = next(line for line in lines if line.startswith("First line."))
        assert same.split(" │ ")[1] == "First line.", "though it is the second line of B"
        assert any(line.strip() == "≠ Well." for line in lines)
        marked = [
            piece.text[start:end]
            for line in app.screen.sides.laid.lines
            for piece in (line.left, line.right)
            if piece is not None
            for start, end in piece.spans
        ]
        assert marked == ["Well.", "two", "three", "2", "3"]


async def test_next_difference_goes_through_the_answers_and_on_to_the_next_item(
    evaluated: Store,
) -> None:
    async with shown(evaluated) as app:
        await app.shows("[all 8]")
        await app.press("n")
        assert app.screen.item_list.cursor == 2, "the next item that is broken or fixed"
        await app.press("n")
        assert app.screen.item_list.cursor == 3
        await app.press("enter")
        await app.until(lambda: len(app.screen.sides.laid.differences) == 2)
        await app.press("n")
        assert "▸ Well." in app.text
        await app.press("n", "p")
        assert "▸ Well." in app.text
        await app.press("n", "n")
        await app.shows("sum2 ─ reasoning")
        await app.press("escape", "G", "n")
        await app.shows("no other difference that way")


async def test_both_answers_scroll_together(store: Store, suite: Suite) -> None:
    long = "\n".join(f"line {n}" for n in range(200))
    put_evaluation(store, suite, "base", {**BASE, "call1": ("unparsed", "", long)})
    tuned = {**TUNED, "call1": ("unparsed", "", "other\n" + long)}
    put_evaluation(store, suite, "run:7", tuned, adapter="/a")
    async with shown(store) as app:
        await app.shows("[all 8]")
        await app.press("enter")
        await app.shows("line 3")
        await app.press("ctrl+d", "ctrl+d", "j", "j", "k")
        rows = [line.split(" │ ") for line in app.text.splitlines() if line.startswith("line ")]
        assert len(rows) > 10
        assert all(left.split() == right.split()[:2] for left, right in rows)
        assert rows[0][0].strip() != "line 0"
        await app.press("G")
        assert "ended by stop" in app.text
        await app.press("g")
        assert "request" in app.text


async def test_a_long_request_is_cut_until_one_asks_for_it(evaluated: Store) -> None:
    async with shown(evaluated, LARGE) as app:
        await app.shows("[all 8]")
        await app.press("G")
        await app.shows("… 4 more lines")
        await app.press("r")
        await app.until(lambda: app.text.count("Write a function") >= 9)
        assert "more lines" not in app.text


async def test_arms_are_swapped_and_chosen(evaluated: Store) -> None:
    async with shown(evaluated) as app:
        await app.shows("A base ─ B run:7")
        await app.press("x")
        await app.shows("A run:7 ─ B base", "broken 2", "fixed 1")
        await app.press("less_than_sign")
        await app.asks(ChoosingScreen)
        assert "A, beside base" in app.text
        await app.press("j", "enter")
        await app.shows("A base+random4 ─ B base", "broken 1", "fixed 0")
        await app.press("greater_than_sign")
        await app.asks(ChoosingScreen)
        await app.press("k", "enter")
        await app.shows("A base+random4 ─ B run:7")


async def test_another_suite_can_be_chosen_and_new_evaluations_are_found(
    evaluated: Store, tmp_path: Path
) -> None:
    async with shown(evaluated) as app:
        await app.shows("A base ─ B run:7", "8 items")
        items = [{"id": "one", "category": "reasoning", "messages": [{"role": "user"}],
                  "scorer": {"kind": "answer", "answer": "1"}}]  # fmt: skip
        other = write_suite(tmp_path / "other.jsonl", items)
        for spec, adapter in (("base", None), ("run:8", "/runs/8/checkpoint-1")):
            answers = {"one": ("passed", "", "Answer: 1")}
            put_evaluation(evaluated, other, spec, answers, adapter=adapter)
        await app.press("R")
        await app.until(lambda: len(app.screen.boards) == 2)
        assert "B run:7" in app.text, "what one reads does not change under one's eyes"
        await app.press("s")
        await app.asks(ChoosingScreen)
        await app.press("g", "enter")
        await app.shows("A base ─ B run:8", "1 item")


async def test_arms_of_the_same_name_are_told_apart(store: Store, suite: Suite) -> None:
    put_evaluation(store, suite, "base", BASE)
    put_evaluation(store, suite, "base", BASE, base="qwen")
    put_evaluation(store, suite, "run:7", BASE, adapter="/runs/7/checkpoint-50", base="qwen")
    put_evaluation(store, suite, "run:7", TUNED, adapter="/runs/7/checkpoint-100", base="nano")
    async with shown(store) as app:
        await app.shows("A base (nano) ─ B run:7 (checkpoint-100)")


async def test_runs_whose_checkpoints_have_the_same_step_are_told_apart(
    store: Store, suite: Suite
) -> None:
    put_evaluation(store, suite, "base", BASE)
    put_evaluation(store, suite, "adapter:a", TUNED, adapter="/runs/7/checkpoint-50")
    put_evaluation(store, suite, "adapter:a", BASE, adapter="/runs/8/checkpoint-50")
    board = stored.boards(Path(store.location))[0]
    assert len({board.label(arm) for arm in board.arms}) == 3


async def test_without_evaluations_the_next_command_is_named(store: Store) -> None:
    async with shown(store) as app:
        await app.shows("Nothing was evaluated yet.")
        shown_command = "".join(line.strip() for line in app.text.splitlines()[5:8])
        command = f"studio evaluate base --suite nano --store {store.location}"
        assert command.replace(" ", "") in shown_command.replace(" ", "")
        await app.press("b", "n", "x", "less_than_sign", "enter", "tab", "r", "s")
        await app.shows("nothing was evaluated yet")


async def test_an_arm_that_stands_alone_is_told_what_it_lacks(store: Store, suite: Suite) -> None:
    put_evaluation(store, suite, "run:7", TUNED, adapter="/runs/7/checkpoint-50")
    async with shown(store, LARGE) as app:
        await app.shows("Only run:7 was evaluated")
        assert f"studio evaluate base --suite {suite.name}" in app.text
        put_evaluation(store, suite, "base", BASE)
        await app.press("R")
        await app.shows("A base ─ B run:7")


async def test_a_suite_that_changed_leaves_figures_and_answers(
    evaluated: Store, suite: Suite
) -> None:
    Path(suite.name).write_text(
        '{"id": "x", "category": "c", "messages": [{"role": "user"}],'
        ' "scorer": {"kind": "answer", "answer": "1"}}\n'
    )
    async with shown(evaluated, LARGE) as app:
        await app.shows("A base ─ B run:7", "has changed since it was evaluated")
        assert "tags, strict" in app.text


async def test_answers_that_were_not_kept_are_said_to_be_so(store: Store, suite: Suite) -> None:
    put_evaluation(store, suite, "base", BASE, keep=False)
    put_evaluation(store, suite, "run:7", TUNED, adapter="/a")
    async with shown(store) as app:
        await app.shows("[all 8]")
        await app.press("enter")
        await app.shows("(the answer was not kept)", "tags, strict")


async def test_figures_and_answers_are_copied(evaluated: Store) -> None:
    async with shown(evaluated) as app:
        await app.shows("[all 8]")
        await app.press("y")
        await app.shows("characters copied")
        copied = app.pilot.app.clipboard
        assert "run:7 against base" in copied
        assert "| overall | 8 | 50.0% (21.5–78.5) | 62.5% (30.6–86.3) | 2 | 1 |" in copied
        await app.press("enter")
        await app.shows("A base: unparsed")
        await app.press("y")
        copied = app.pilot.app.clipboard
        assert "── answer: base\n" in copied
        assert "── answer: run:7\n<tool_call>" in copied


async def test_an_answer_of_ten_megabytes_opens(store: Store, suite: Suite) -> None:
    huge = "word " * 2_000_000
    put_evaluation(store, suite, "base", {**BASE, "call1": ("truncated", "", huge)})
    put_evaluation(store, suite, "run:7", TUNED, adapter="/a")
    async with shown(store) as app:
        await app.shows("[all 8]")
        await app.press("enter")
        await app.shows("A base: truncated", "word word")
        await app.press("G")
        assert "ended by stop" in app.text


@SIZES
async def test_hostile_text_is_drawn_harmlessly(
    store: Store, tmp_path: Path, size: tuple[int, int]
) -> None:
    put_hostile(store, tmp_path)
    async with shown(store, size) as app:
        await app.until(lambda: len(listed(app)) == len(HOSTILE))
        for _ in HOSTILE:
            await app.press("enter")
            await app.until(lambda: app.screen.pane.item is app.screen.item)
            await app.press("n", "G")
            harmless(app.text)
            await app.press("y", "escape", "j")
            harmless(app.text)
        await app.press("less_than_sign")
        harmless(app.text)
        await app.press("escape", "s")
        harmless(app.text)


def put_hostile(store: Store, folder: Path) -> None:
    """Two arms whose names, items, requests, answers and details are hostile."""
    items: list[dict[str, Any]] = [
        {"id": text[:40] + str(n), "category": text[:30], "agent": text[:30],
         "messages": [{"role": text[:20], "content": text}],
         "scorer": {"kind": "answer", "answer": text[:50]}}
        for n, text in enumerate(HOSTILE)
    ]  # fmt: skip
    suite = write_suite(folder / "suite.jsonl", items)
    for spec, adapter, end in ((HOSTILE[0], None, "a"), (HOSTILE[1], "/\x1b[2J", "b")):
        answers = {
            item["id"]: ("passed" if n % 2 else text[:20], text[:2_000], text + end)
            for n, (item, text) in enumerate(zip(items, HOSTILE, strict=True))
        }
        put_evaluation(store, suite, spec, answers, adapter=adapter)


async def test_an_evaluation_that_lost_items_is_an_error_in_one_line(evaluated: Store) -> None:
    lose_an_item(evaluated)
    async with shown(evaluated) as app:
        await app.shows("error: 1 item is only in the first of the two (sum1)")
        await app.press("b", "n", "enter", "y", "x", "tab", "j")
        await app.shows("there is nothing to read yet")


def lose_an_item(store: Store) -> None:
    """Take one outcome of the newest evaluation away."""
    outcomes = table(Outcome)
    newest = select(func.max(outcomes.c.evaluation_id)).scalar_subquery()
    with store.write() as connection:
        connection.execute(
            delete(outcomes).where(outcomes.c.item == "sum1", outcomes.c.evaluation_id == newest)
        )


def test_comparing_loads_no_model_library(evaluated: Store) -> None:
    code = (
        "import sys; from pathlib import Path; from studio.evals import stored; "
        "from studio.decisions.stored import decide_board; "
        f"path = Path({evaluated.location!r}); board = stored.boards(path)[0]; "
        "pair = board.pair(); stored.comparison(path, board, *pair); "
        "print(decide_board(path, board, pair[0])['verdict'], "
        "[m for m in ('torch', 'transformers', 'peft', 'numba') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "undecided []"


# pictures


def after(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Go to the screen, wait until it is drawn, press keys, wait again."""

    async def run(pilot: Pilot[Any]) -> None:
        app = Shown(pilot, CompareScreen)
        await app.go("5")
        screen = app.screen
        await app.until(lambda: screen.comparison is not None or screen.alone)
        await pilot.press(*keys)
        await pilot.pause(0.1)
        if not screen.alone and (screen.zoomed or screen.has_class("-tall")):
            await app.until(lambda: screen.pane.item is screen.item and screen.sides.laid.width)
        await pilot.pause(0.1)

    return run


@pytest.fixture
def pictured(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store in its own folder, so that no path of the test is in the picture."""
    assert store.path is not None
    monkeypatch.chdir(store.path.parent)
    suite = write_suite(Path("suite.jsonl"))
    put_evaluation(store, suite, "base", BASE)
    put_evaluation(store, suite, "run:7", TUNED, adapter="/runs/7/checkpoint-50")
    return store


@SIZES
@pytest.mark.usefixtures("pictured")
def test_picture_of_figures_and_items(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdapterStudio("studio.db")
    assert snap_compare(app, terminal_size=size, run_before=after("n", "n"))


@SIZES
@pytest.mark.usefixtures("pictured")
def test_picture_of_both_answers(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdapterStudio("studio.db")
    assert snap_compare(app, terminal_size=size, run_before=after("b", "enter"))


@SIZES
def test_picture_of_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert store.path is not None
    monkeypatch.chdir(store.path.parent)
    assert snap_compare(AdapterStudio("studio.db"), terminal_size=size, run_before=after())


@SIZES
def test_picture_of_hostile_text(
    store: Store, monkeypatch: pytest.MonkeyPatch, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert store.path is not None
    monkeypatch.chdir(store.path.parent)
    put_hostile(store, Path())
    app = AdapterStudio("studio.db")
    assert snap_compare(app, terminal_size=size, run_before=after("j"))


@SIZES
def test_picture_of_an_error(pictured: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    lose_an_item(pictured)

    async def run(pilot: Pilot[Any]) -> None:
        app = Shown(pilot, CompareScreen)
        await app.go("5")
        await app.shows("error: ")

    assert snap_compare(AdapterStudio("studio.db"), terminal_size=size, run_before=run)


async def test_items_are_searched_as_one_types_and_n_goes_from_hit_to_hit(evaluated: Store) -> None:
    async with shown(evaluated) as app:
        await app.shows("[all 8]")
        await app.press("slash")
        await app.type("read file")
        await app.shows("/read file: 1 of 3 hits", "search: read file")
        await app.type(" 2")
        await app.shows("/read file 2: 1 of 1 hit")
        assert app.screen.item_list.cursor == 1
        await app.press("escape")
        assert app.screen.item_list.cursor == 0
        assert "hits" not in app.text
        await app.press("slash")
        await app.type("WHAT is", "enter")
        await app.shows("/WHAT is: 1 of 3 hits")
        assert [await cursor(app, key) for key in "nnnN"] == [4, 5, 3, 5]
        await app.press("f")
        await app.shows("/WHAT is: 0 hits")
        await app.press("n")
        await app.shows("nothing holds WHAT is")
        await app.press("A", "G", "enter", "N")
        await app.shows("sum3 ─ reasoning ─ research")
        await app.press("escape", "escape", "n")
        assert "hits" not in app.text
        await app.press("N")
        await app.shows("/ searches")


async def cursor(app: Shown[CompareScreen], key: str) -> int:
    """Where the cursor is after a key."""
    await app.press(key)
    return app.screen.item_list.cursor
