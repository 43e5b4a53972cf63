"""The frame of the app: the command table everywhere, keys and themes of one's own, wrong paths."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from textual.command import CommandList

from db.errors import BadInput
from db.store import Store
from studio import commands, preferences
from studio.app import AdapterStudio
from studio.commands import COMMANDS
from studio.keys import AT_ONCE, FORBIDDEN, check_ids, key_list, with_keys
from tests.conftest import ROOT
from tests.studio.screens.conftest import driven
from tests.studio.screens.patience import until


def test_no_key_means_two_things_in_one_place_and_none_is_the_terminals() -> None:
    labels = commands.label_commands(
        {"coder": "c", "tester": "t", "researcher": "r", "coordinator": "o", "reviewer": "v"}
    )
    assert {place for places in AT_ONCE for place in places} == set(commands.PLACES)
    for places in AT_ONCE:
        keys = [
            key
            for command in (*COMMANDS, *labels)
            if command.where in places
            for key in command.keys
        ]
        assert len(keys) == len(set(keys)), places
        assert not FORBIDDEN & set(keys)


def test_ids_are_unique_and_the_key_list_names_them_all() -> None:
    ids = [command.id for command in COMMANDS]
    assert len(ids) == len(set(ids))
    listed = key_list()
    assert all(f"`{identity}`" in listed for identity in ids)


def test_a_key_that_is_given_away_is_taken_from_its_old_command() -> None:
    changed = {command.id: command for command in with_keys(COMMANDS, {"browse.accept": "x f2"})}
    assert changed["browse.accept"].keys == ("x", "f2")
    assert changed["browse.drop"].keys == ()
    with pytest.raises(BadInput, match="ctrl\\+z cannot be used"):
        with_keys(COMMANDS, {"browse.undo": "ctrl+z"})
    with pytest.raises(BadInput, match="there is no key 'entre'"):
        with_keys(COMMANDS, {"browse.accept": "f2 entre"})
    with pytest.raises(BadInput, match=r"f2 is given to browse\.accept and to browse\.drop"):
        with_keys(COMMANDS, {"browse.accept": "f2", "browse.drop": "ctrl+g f2"})
    with pytest.raises(BadInput, match=r"no command 'browse\.acept'"):
        check_ids({"browse.acept": "A"}, [command.id for command in COMMANDS])


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"browse.accept": "j"}, r"browse\.accept: j is also table\.down's \(in the table\)"),
        ({"table.down": "x"}, r"table\.down: x is also browse\.drop's"),
        ({"runs.mark": "f2 q"}, r"runs\.mark: q is also app\.leave's \(everywhere\).*give app\.l"),
    ],
)
def test_a_key_that_would_hide_another_places_is_refused(chosen: dict[str, str], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        with_keys(COMMANDS, chosen)


def test_a_key_can_change_hands_between_places_that_take_keys_at_once() -> None:
    chosen = {"browse.accept": "j", "table.down": "down", "conversation.down": "down"}
    changed = {command.id: command.keys for command in with_keys(COMMANDS, chosen)}
    assert (changed["browse.accept"], changed["table.down"]) == (("j",), ("down",))
    assert changed["lines.down"] == ("j", "down")


async def test_keys_of_ones_own_work_and_are_shown(filled: Store, home: Path) -> None:
    (home / "settings.yaml").write_text("keys: {browse.accept: 'A', label.tester: 'a'}\n")
    async with driven(filled) as app:
        assert " A accept" in app.line("#keys")
        assert " a tester" in app.line("#keys")
        await app.press("A")
        await app.says("1 row accepted")
        await app.press("a")
        await app.says("1 row → tester")


def test_every_key_of_the_table_exists() -> None:
    ours = {command.id: " ".join(command.keys) for command in COMMANDS}
    assert with_keys(COMMANDS, ours) == COMMANDS


async def test_the_way_on_is_never_cut_off_a_message(filled: Store) -> None:
    async with driven(filled) as app:
        app.browse.say("so much came of it, " * 9 + "· L reads it all")
        await app.says("… · L reads it all")
        assert len(app.line("#message")) <= 80


def test_a_key_that_cannot_be_is_told_with_its_file(filled: Store, home: Path) -> None:
    (home / "settings.yaml").write_text("keys: {browse.accept: 'ctrl+m'}\n")
    with pytest.raises(BadInput, match=r"settings\.yaml: keys: browse\.accept: ctrl\+m cannot"):
        AdapterStudio(filled.location)


async def test_escape_closes_and_never_leaves_but_q_does(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("enter", "escape", "escape", "escape")
        await app.says("nothing is open · q leaves the app")
        await app.press("enter", "q")
        assert app.app.is_running
        await app.press("q")
        await app.until(lambda: not app.app.is_running)


async def test_an_unknown_command_in_the_settings_ends_with_one_line(
    filled: Store, home: Path
) -> None:
    (home / "settings.yaml").write_text("keys: {browse.acept: 'A'}\n")
    app = AdapterStudio(filled.location)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.return_value is not None, lambda: "no answer")
    assert "settings.yaml: keys: there is no command 'browse.acept'" in str(app.return_value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("keys: [a]", "ids with keys in quotes"),
        ("colour: red", "keys, theme are known"),
        ("theme: 3", "a name is wanted"),
        ("keys: {a: b", "not YAML"),
    ],
)
def test_wrong_settings_are_named(home: Path, content: str, says: str) -> None:
    (home / "settings.yaml").write_text(content)
    with pytest.raises(BadInput, match=says):
        preferences.load()


async def test_help_shows_what_the_keys_do_where_one_is(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("question_mark")
        assert app.app.screen.query("#help")
        lines = [str(option.prompt) for option in app.app.screen.query_one("#help").options]  # type: ignore[attr-defined]
        assert any("It is the coder's task." in line for line in lines)
        assert not any("Open or fold" in line for line in lines)
        await app.press("escape", "tab", "question_mark")
        lines = [str(option.prompt) for option in app.app.screen.query_one("#help").options]  # type: ignore[attr-defined]
        assert any("Open or fold the chosen message." in line for line in lines)
        await app.press("question_mark")
        assert app.app.screen is app.browse


async def test_the_palette_finds_a_command_by_its_name(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("ctrl+p")
        await app.type("accept")
        found = app.app.screen.query_one(CommandList)
        await app.until(
            lambda: found.highlighted_option and "ccept" in str(found.highlighted_option.prompt)
        )
        await app.press("enter")
        await app.says("1 row accepted")


async def test_the_footer_can_be_clicked(filled: Store) -> None:
    async with driven(filled) as app:
        at = app.line("#keys").index("x drop")
        await app.pilot.click("#keys", offset=(at, 0))
        await app.says("1 row dropped")


async def test_the_theme_is_kept_and_the_terminals_own_background_can_be_used(
    filled: Store, home: Path
) -> None:
    async with driven(filled) as app:
        app.app.theme = "nord"
        await app.pilot.pause()
    async with driven(filled) as app:
        assert app.app.theme == "nord"
    (home / "settings.yaml").write_text("theme: terminal\n")
    async with driven(filled) as app:
        assert app.app.native_ansi_color
        assert app.browse.styles.background.ansi == -1
    (home / "settings.yaml").write_text("theme: pink\n")
    with pytest.raises(BadInput, match="theme 'pink' is not known"):
        AdapterStudio(filled.location)


async def test_q_closes_one_thing_after_the_other_and_then_leaves(filled: Store) -> None:
    async with driven(filled) as app:
        await app.press("enter", "q", "space", "q")
        assert app.app.is_running
        assert app.browse.rows.marked == 0
        await app.press("q")
        await app.until(lambda: not app.app.is_running or app.app._exit)


def run_in_terminal(*arguments: str, cwd: Path) -> tuple[int, str]:
    """Run studio with a terminal on all three streams; returns its exit code and output."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "studio", *arguments], cwd=cwd, stdin=follower, stdout=follower,
        stderr=follower, env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"},
    ) as process:  # fmt: skip
        os.close(follower)
        output = b""
        try:
            while part := os.read(leader, 4096):
                output += part
        except OSError:  # how Linux says that the other end was closed
            pass
        os.close(leader)
    return process.returncode, output.decode()


@pytest.mark.parametrize("before", [signal.SIG_DFL, signal.SIG_IGN])
def test_it_ends_when_its_terminal_is_closed(filled: Store, before: signal.Handlers) -> None:
    leader, follower = pty.openpty()

    def own_the_terminal() -> None:
        signal.signal(signal.SIGHUP, before)  # as under nohup, where closing would not end it
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [sys.executable, "-m", "studio", "--store", filled.location],
        stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
        preexec_fn=own_the_terminal,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"},
    )  # fmt: skip
    os.close(follower)
    drawn = b""
    while b"Browse" not in drawn:
        drawn += os.read(leader, 65_536)
    os.close(leader)
    try:
        process.wait(timeout=60)
    finally:
        process.kill()


def test_a_wrong_path_is_one_line_before_anything_is_drawn(tmp_path: Path) -> None:
    code, output = run_in_terminal("--store", "nowhere.db", cwd=tmp_path)
    assert code == 2
    assert output.strip().startswith("studio: no store at nowhere.db")
    assert "\x1b" not in output
    assert len(output.splitlines()) == 1


def test_a_file_that_is_no_store_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, but long enough " * 10)
    code, output = run_in_terminal("--store", "notes.txt", cwd=tmp_path)
    assert code == 2
    assert "studio: notes.txt is not a studio store" in output
    assert "Traceback" not in output


def test_without_a_terminal_there_is_help_and_one_line(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "studio"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert found.returncode == 2
    assert "import" in found.stdout
    assert found.stderr.splitlines() == [
        "studio: the app needs a terminal; give a command where there is none (see: studio --help)"
    ]


def test_the_docs_list_the_keys_that_there_are() -> None:
    listed = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")
    assert key_list() in listed, "write docs/keys.md anew from studio.key_list()"
