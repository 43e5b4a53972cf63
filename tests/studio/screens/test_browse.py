"""Browse, driven by keys on a real store: find, read, mark, decide, take back."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from textual.drivers.headless_driver import HeadlessDriver

from db import acts, rows
from db.history import history
from db.store import Store
from studio.preferences import View
from studio.screens import browse
from tests.conftest import exchange
from tests.studio.screens.conftest import LARGE, Add, driven
from tests.studio.screens.hostile import HOSTILE, drawn, harmless


def shown(store: Store, identity: int) -> dict[str, object]:
    return rows.show(store, identity)


async def test_the_newest_rows_come_first_and_are_counted(filled: Store) -> None:
    async with driven(filled) as app:
        assert app.shown == [6, 5, 4, 3, 2, 1]
        assert app.browse.rows.current == 6
        assert "6 of 6" in app.line("#status")


async def test_moving_keys_move_and_the_conversation_follows(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("j", "down", "k")
        assert app.browse.rows.current == 5
        await app.press("G")
        await app.until(lambda: app.browse.conversation.identity == 1)
        assert [b.kind for b in app.browse.conversation.blocks] == ["about", "user", "assistant"]
        await app.press("g")
        assert app.browse.rows.current == 6


async def test_a_filter_is_applied_and_escape_takes_it_away(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("f")
        await app.type("agent:coder", "enter")
        await app.until(lambda: app.shown == [6, 3, 1])
        assert "agent:coder" in app.line("#status")
        assert "3 of 6" in app.line("#status")
        await app.press("escape")
        await app.until(lambda: len(app.shown) == 6)


async def test_a_wrong_word_is_marked_below_it_and_nothing_changes(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("f")
        await app.type("agent:coder sucess:true", "enter")
        marks, *lines = app.line("#prompt-hint").split("\n")
        says = " ".join(line.strip() for line in lines)
        assert marks == " " * len(" filter: agent:coder ") + "^" * len("sucess:true")
        assert "unknown filter key 'sucess'" in says
        assert "to search for the text itself, quote it" in says  # the way out is never cut off
        assert app.browse.prompt.display
        await app.press("escape")
        assert len(app.shown) == 6
        assert app.browse.focused is app.browse.rows


async def test_tab_completes_keys_and_values_of_the_store(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("f")
        await app.type("mod", "tab")
        assert app.browse.prompt.input.value == "model:"
        await app.until(lambda: "model" in app.browse.values)
        await app.type("qw", "tab")
        assert app.browse.prompt.input.value == "model:qwen-"
        await app.type("1", "tab", "enter")
        await app.until(lambda: app.shown == [2])


async def test_searching_finds_as_one_types_and_escape_goes_back(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("slash")
        await app.type("token")
        await app.until(lambda: app.shown == [6, 2])
        await app.type("izer write")
        await app.until(lambda: app.shown == [2])
        await app.press("escape")
        await app.until(lambda: len(app.shown) == 6)


async def test_letters_act_only_when_nothing_is_being_typed(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("slash")
        await app.type("axqctu")
        assert app.browse.prompt.input.value == "axqctu"
        await app.press("escape")
        assert history(filled) == []


async def test_n_goes_to_the_hit_inside_a_folded_result(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("slash")
        await app.type("retry", "enter")
        await app.until(lambda: app.shown == [4])
        await app.settled()
        pane = app.browse.conversation
        await app.press("n")
        assert pane.blocks[pane.chosen].text == "print('retry loop')"
        assert not pane.blocks[pane.chosen].folded
        await app.press("n")
        assert pane.blocks[pane.chosen].text == "A print of the retry loop."
        await app.press("p")
        assert pane.blocks[pane.chosen].kind == "tool"


async def test_sorting_is_asked_for_and_a_wrong_key_refused(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("s", "ctrl+u")
        await app.type("size", "enter")
        assert "cannot sort by 'size'" in app.line("#prompt-hint")
        await app.press("ctrl+u")
        await app.type("-dur", "tab", "enter")
        await app.until(lambda: app.shown[:4] == [2, 6, 1, 3])
        assert "by -duration" in app.line("#status")


async def test_a_label_is_written_and_the_cursor_advances(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("t")
        await app.says("1 row → tester · u undoes")
        assert app.browse.rows.current == 5
        assert shown(filled, 6)["agent"] == "tester"
        assert shown(filled, 6)["agent_method"] == "human"
        await app.press("u")
        await app.says("undone: 1 row → tester")
        assert shown(filled, 6)["agent"] == "coder"
        assert app.browse.rows.current == 6, "undo shows the row that it changed"
        await app.press("ctrl+r")
        await app.says("redone: 1 row → tester")
        assert shown(filled, 6)["agent"] == "tester"


async def test_every_label_key_is_the_agents_own(filled: Store) -> None:
    async with driven(filled) as app:
        for key in "ctrov":
            await app.press(key)
        await app.until(lambda: len(history(filled)) == 5)
        agents = [shown(filled, identity)["agent"] for identity in (6, 5, 4, 3, 2)]
        assert agents == ["coder", "tester", "researcher", "coordinator", "reviewer"]


async def test_accept_drop_and_reset(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("a", "x")
        await app.says("1 row dropped")
        assert [shown(filled, n)["status"] for n in (6, 5)] == ["accepted", "dropped"]
        await app.press("k", "X")
        await app.says("reset to new")
        assert shown(filled, 5)["status"] == "new"


async def test_marked_rows_are_one_act_and_one_undo(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("space", "j", "space")
        assert "2 marked" in app.line("#status")
        await app.press("t")
        await app.says("2 rows → tester · u undoes")
        assert [shown(filled, n)["agent"] for n in (6, 5, 4)] == ["tester", "researcher", "tester"]
        assert len(history(filled)) == 1
        await app.press("u")
        await app.says("undone: 2 rows → tester")
        assert [shown(filled, n)["agent"] for n in (6, 4)] == ["coder", None]


async def test_a_range_and_all_that_matches(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("V", "j", "j")
        assert "RANGE ─ 3 marked" in app.line("#status")
        await app.press("a")
        await app.says("3 rows accepted")
        await app.press("f")
        await app.type("agent:coder", "enter")
        await app.until(lambda: app.shown == [6, 3, 1])
        await app.press("asterisk", "x")
        await app.says("3 rows dropped")
        statuses = [shown(filled, n)["status"] for n in (6, 5, 4, 3, 2, 1)]
        assert statuses == ["dropped", "accepted", "accepted", "dropped", "new", "dropped"]
        assert len(history(filled)) == 2


async def test_acts_wait_for_the_rows_that_they_mean(store: Store, add: Add) -> None:
    add(*(exchange(f"task {n}", "done", agent="coder" if n % 2 else "tester") for n in range(600)))
    async with driven(store) as app:
        await app.until(lambda: app.browse.rows.whole)
        app.browse.show_view(View("agent:coder"))  # nothing of it is here before the next await
        app.browse.action_mark_all()
        app.browse.action_accept()
        await app.says("300 rows accepted")
        app.browse.show_view(View("agent:tester"))
        app.browse.action_drop()
        app.browse.action_undo()
        app.browse.action_drop()
        await app.until(lambda: len(history(store)) == 4)
    kinds = [(act["kind"], act["ids_count"]) for act in reversed(history(store))]
    assert kinds == [("accept", 300), ("drop", 1), ("undo", 1), ("drop", 1)]
    statuses = [shown(store, n)["status"] for n in (600, 599, 598, 597)]
    assert statuses == ["accepted", "new", "accepted", "dropped"]


async def test_the_end_is_that_of_all_rows_also_while_they_are_being_read(
    store: Store, add: Add
) -> None:
    add(*(exchange(f"task {n}", "done", agent="coder" if n % 2 else "tester") for n in range(600)))
    async with driven(store) as app:
        await app.until(lambda: app.browse.rows.whole)
        app.browse.show_view(View("agent:coder"))
        app.browse.rows.action_last()
        app.browse.action_drop()
        await app.says("1 row dropped")
        assert app.browse.rows.current == 2
        app.browse.show_view(View("agent:tester"))
        app.browse.rows.action_last()
        app.browse.rows.action_first()  # somebody thought better of it
        app.browse.action_accept()
        await app.says("1 row accepted")
    assert [shown(store, n)["status"] for n in (2, 1, 599)] == ["dropped", "new", "accepted"]


async def test_a_labelled_row_stays_where_it_is_until_one_asks_again(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("f")
        await app.type("agent:coder", "enter")
        await app.until(lambda: app.shown == [6, 3, 1])
        await app.press("t")
        await app.says("→ tester")
        assert app.shown == [6, 3, 1]
        await app.press("R")
        await app.until(lambda: app.shown == [3, 1])
        assert app.browse.rows.current == 3


async def test_tags_and_notes(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("T")
        await app.type("hard", "enter")
        await app.says("1 row tagged hard")
        await app.press("N")
        await app.type("look again", "enter")
        await app.says("1 row noted")
        found = shown(filled, 6)
        assert (found["tags"], found["note"]) == (["hard"], "look again")
        await app.press("T")
        await app.type("two words", "enter")
        assert "a tag is one word" in app.line("#prompt-hint")
        assert app.browse.prompt.input.value == "two words"  # to be mended, not typed again
        await app.press("escape", "ctrl+a")


async def test_what_asks_about_rows_says_where_there_is_none(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("slash")
        await app.type("nowhere", "enter")
        await app.until(lambda: app.shown == [])
        assert "/ changes the search" in app.line("#empty")
        assert "filter" not in app.line("#empty")
        for key in "TN":
            await app.press(key)
            await app.says("there is no row to act on")
            assert not app.browse.prompt.display


async def test_an_order_is_typed_in_place_of_the_one_that_holds(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("s")
        assert "duration" in app.line("#prompt-hint")
        await app.type("tokens", "enter")
        await app.until(lambda: app.browse.view.sort == "tokens")


async def test_settings_that_cannot_be_written_are_said_and_nothing_else_is_lost(
    filled: Store,
) -> None:
    async with driven(filled) as app:
        await app.press("W")
        await app.type("mine", "enter")
        await app.says("view mine saved")
        folder = app.browse.studio.preferred.folder
        folder.rename(folder.with_name("elsewhere"))
        folder.write_text("a file where the folder was")
        app.browse.studio.theme = "nord"
        await app.says("error: the theme holds until you leave")
        await app.press("w", "x")
        assert "cannot be written: File exists" in app.message  # in as many lines as it needs
        folder.unlink()
        await app.press("x")
        await app.says("view mine removed")


async def test_a_store_that_was_replaced_or_is_gone_takes_no_act_and_says_so(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("a")
        await app.says("1 row accepted")
        assert filled.path is not None
        there = filled.path.rename(filled.path.with_name("elsewhere.db"))
        await app.press("x")
        await app.says("moved, deleted or replaced since it was opened")
        for key in "eyO":
            await app.press(key)
            await app.says("unable to open database file")
        there.rename(filled.path)
        await app.press("R", "x")
        await app.says("1 row dropped")
        assert [act["kind"] for act in history(filled)[::-1]] == ["accept", "drop"]


async def test_an_act_that_waits_for_another_program_says_that_it_waits(filled: Store) -> None:
    async with driven(filled) as app:
        with filled.write():
            await app.press("a")
            await app.says("still writing: another program may hold the store")
        await app.says("1 row accepted")


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that edits as a person would; the terminal can be lent to it."""
    script = tmp_path / "editor.sh"
    script.write_text("#!/bin/sh\nprintf 'better\\n' > \"$1\"\n")
    script.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(script))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setattr(HeadlessDriver, "can_suspend", True)
    return script


@pytest.mark.usefixtures("editor")
async def test_an_answer_is_edited_in_the_users_editor(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("e")
        await app.says("1 row edited · u undoes")
        messages = shown(filled, 6)["messages"]
        assert isinstance(messages, list)
        assert messages[-1]["content"] == "better"
        await app.until(lambda: app.browse.conversation.blocks[-1].text == "better")
        await app.press("e")
        await app.says("the answer is as it was")
        await app.press("u")
        await app.until(lambda: shown(filled, 6)["messages"][-1]["content"] == "done")  # type: ignore[index]


async def test_an_editor_that_fails_changes_nothing_and_gives_the_terminal_back(
    filled: Store, editor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back: list[object] = []
    monkeypatch.setattr(HeadlessDriver, "resume_application_mode", lambda self: back.append(self))
    editor.write_text("#!/bin/sh\nexit 3\n")
    async with driven(filled) as app:
        await app.press("e")
        await app.says("ended with exit code 3; nothing was changed")
        assert len(back) == 1
        monkeypatch.setenv("PAGER", "/nowhere/pager")
        await app.press("O")
        await app.says("/nowhere/pager cannot be started")
        assert len(back) == 2
    assert history(filled) == []


async def test_the_pager_gets_text_that_cannot_drive_the_terminal(
    store: Store, add: Add, tmp_path: Path, editor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(exchange("look", "\x1b]0;owned\x07 red \x1b[31m"))
    editor.write_text(f'#!/bin/sh\ncp "$1" {tmp_path}/paged\n')
    monkeypatch.setenv("PAGER", str(editor))
    async with driven(store) as app:
        await app.press("O")
        text = (tmp_path / "paged").read_text()
    assert "owned" in text
    assert "\x1b" not in text


async def test_copying_sends_the_answer_to_the_terminal_or_a_file(
    store: Store, add: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    monkeypatch.setattr(HeadlessDriver, "write", lambda _, data: written.append(data))
    add(exchange("short", "answer"), exchange("long", "x" * 100_000))
    async with driven(store) as app:
        await app.press("y")
        assert "too long for the clipboard" in app.message
        assert (tmp_path / "cache/adapter-studio/copied.txt").read_text() == "x" * 100_000
        await app.press("j", "y")
        assert "6 characters copied" in app.message
        encoded = base64.b64encode(b"answer").decode()
        assert any(f"\x1b]52;c;{encoded}" in data for data in written)


async def test_the_full_view_goes_to_the_next_row_and_back(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("enter")
        assert app.browse.conversation.size.height > 18
        await app.press("J", "right")
        await app.until(lambda: app.browse.conversation.identity == 4)
        await app.press("t")
        await app.says("→ tester")
        assert shown(filled, 4)["agent"] == "tester"
        await app.press("escape")
        assert app.browse.focused is app.browse.rows


async def test_calls_and_results_are_folded_and_open(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("j", "j")
        await app.until(lambda: app.browse.conversation.identity == 4)
        pane = app.browse.conversation
        folded = {block.title: block.folded for block in pane.blocks}
        assert folded["call read_file"]
        assert folded["result c1"]
        await app.press("tab", "z")
        assert not any(b.folded for b in pane.blocks if b.kind in ("call", "tool"))
        await app.press("right_square_bracket", "enter")
        assert pane.blocks[pane.chosen].folded


async def test_the_queue_brings_the_least_certain_first(filled: Store) -> None:
    chosen = [(6, 0.9), (5, 0.4), (4, 0.6)]
    values = [
        (n, {"agent": "coder", "agent_method": "rule", "agent_confidence": c}) for n, c in chosen
    ]
    acts.set_rows(filled, values, actor="rules", kind="classify", value=None)
    async with driven(filled) as app:
        await app.press("Q")
        await app.until(lambda: app.shown == [5, 4, 6])
        await app.press("r")
        await app.says("→ researcher")
        assert app.browse.rows.current == 4


async def test_views_are_saved_under_a_name_and_opened_again(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("f")
        await app.type("agent:tester", "enter")
        await app.until(lambda: app.shown == [2])
        await app.press("W")
        await app.type("my [/tests]", "enter")
        await app.says("view my [/tests] saved")
    async with driven(filled) as app:
        assert len(app.shown) == 6
        await app.press("w", "enter")
        await app.until(lambda: app.shown == [2])
        await app.press("w", "x", "escape", "w")
        await app.says("no view is saved")


async def test_rows_that_arrive_do_not_move_what_one_looks_at(filled: Store, add: Add) -> None:
    async with driven(filled) as app:
        rows = app.browse.rows
        rows.poll()
        await app.press("j", "j", "space", "k")
        before = (rows.current, rows.cursor - rows.scroll_offset.y)
        add(*(exchange(f"new task {n}", "x") for n in range(40)))
        rows.poll()
        await app.until(lambda: len(app.shown) == 46)
        await app.until(lambda: "46 of 46" in app.line("#status"))
        assert app.shown[:2] == [46, 45]
        assert (rows.current, rows.cursor - rows.scroll_offset.y) == before
        assert rows.selected_marks() == [4]


async def test_rows_that_arrive_wait_until_a_search_is_typed(
    filled: Store, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browse, "POLL", 0.02)
    async with driven(filled) as app:
        await app.press("slash")
        add(exchange("new task", "x"))
        await asyncio.sleep(0.2)
        assert len(app.shown) == 6
        await app.press("escape")
        await app.until(lambda: app.shown[0] == 7)


async def test_arrivals_are_announced_where_they_have_no_place(filled: Store, add: Add) -> None:
    async with driven(filled) as app:
        await app.press("s", "ctrl+u")
        await app.type("duration", "enter")
        await app.until(lambda: app.shown[0] == 3)
        app.browse.rows.poll()
        add(exchange("quick", "x", duration_ms=1))
        app.browse.rows.poll()
        await app.until(lambda: "+1 new (R)" in app.line("#status"))
        assert app.shown[0] == 3
        await app.press("R")
        await app.until(lambda: app.shown[0] == 7)
        assert app.browse.rows.current == 3


async def test_an_empty_store_says_what_to_do_and_notices_what_comes(
    store: Store, add: Add
) -> None:
    async with driven(store) as app:
        assert "studio import PATH" in app.line("#empty")
        await app.press("a", "space", "V", "asterisk", "enter", "y", "e", "j", "G", "n")
        app.browse.rows.poll()
        add(exchange("first", "x"))
        app.browse.rows.poll()
        await app.until(lambda: app.shown == [1])
        await app.until(lambda: app.browse.conversation.identity == 1)


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (20, 5)])
async def test_hostile_text_is_drawn_harmlessly_everywhere(
    store: Store, add: Add, size: tuple[int, int]
) -> None:
    call = {"id": "\x1b[1m", "type": "function",
            "function": {"name": "[/]\x1b[31m", "arguments": {"[/]": "\x1b[31m"}}}  # fmt: skip
    for text in HOSTILE:
        add(
            exchange(text, text, agent=text[:20], model=text[:50], provider=text[:50], error=text,
                     success=False),
            {"messages": [{"role": "user", "content": text},
                          {"role": "assistant", "content": text, "tool_calls": [call]},
                          {"role": "tool", "content": text, "tool_call_id": "\x1b[1m"}]},
        )  # fmt: skip
    acts.set_columns(
        store, [1], actor="\x1b[31m", kind="note", value="[/]", values={"note": HOSTILE[1]}
    )
    async with driven(store, size) as app:
        for _ in range(len(HOSTILE)):
            await app.settled()
            harmless(drawn(app.app))
            await app.press("J")
            await app.settled()
            app.browse.conversation.action_fold_all()
            await app.press("enter")
            harmless(drawn(app.app))
            await app.press("G")
            harmless(drawn(app.app))
            await app.press("escape", "j")
        await app.press("f")
        await app.until(lambda: "model" not in app.browse.values or app.browse.values["model"])
        await app.type("model:", "tab", "tab")
        harmless(drawn(app.app))


async def test_ten_thousand_messages_and_a_huge_answer_are_read_at_once(
    store: Store, add: Add
) -> None:
    many = [
        {"role": ("user", "assistant")[n % 2], "content": f"message {n}"} for n in range(10_000)
    ]
    add(exchange("huge", "word " * 1_000_000), {"messages": many})
    async with driven(store, LARGE) as app:
        pane = app.browse.conversation
        assert len(pane.blocks) == 10_001
        await app.press("tab", "G")
        assert pane.blocks[pane.chosen].text == "message 9999"
        await app.press("J")
        await app.until(lambda: pane.identity == 1)
        await app.press("G", "g", "ctrl+d")
        assert pane.scroll_offset.y > 0


async def test_wide_terminals_show_the_conversation_beside_the_table(filled: Store) -> None:
    async with driven(filled, LARGE) as app:
        rows, pane = app.browse.rows.region, app.browse.conversation.region
        assert pane.x >= rows.right
        assert pane.height > 40
        await app.pilot.resize_terminal(80, 24)
        await app.until(lambda: app.browse.conversation.region.y >= app.browse.rows.region.bottom)
