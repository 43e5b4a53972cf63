"""The real program in a real terminal: filled, curated, resized, suspended, closed, reopened."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db.history import history as acts_of
from db.store import open_store
from tests.conftest import ROOT
from tests.studio.screens.story_files import write_story_files

TMUX = shutil.which("tmux")
UNSET = ("-u", "STUDIO_STORE", "-u", "COLUMNS", "-u", "LINES")
PATIENCE = 120.0  # seconds in which a child process has to come to its end
pytestmark = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")


class Terminal:
    """A shell in a tmux of its own, 80 columns by 24 lines at first."""

    def __init__(self, folder: Path) -> None:
        self.socket = str(folder / "tmux")
        home = folder / "home"
        home.mkdir()
        settings = {
            "HOME": str(home), "PYTHONPATH": str(ROOT), "PS1": "$ ", "XDG_CONFIG_HOME": str(home),
            "XDG_CACHE_HOME": str(home), "LC_ALL": "C.UTF-8",
        }  # fmt: skip
        given = [f"{key}={value}" for key, value in settings.items()]
        shell = shlex.join(["env", *UNSET, *given, "bash", "--norc", "--noprofile"])
        self._tmux("-f", os.devnull, "new-session", "-d", "-x", "80", "-y", "24", "-c", str(folder),
                   shell)  # fmt: skip

    def _tmux(self, *arguments: str) -> str:
        assert TMUX is not None
        done = subprocess.run(
            [TMUX, "-u", "-S", self.socket, *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout

    @property
    def text(self) -> str:
        """What is on the screen."""
        return self._tmux("capture-pane", "-p")

    def type(self, text: str, *keys: str) -> None:
        """Send a text at once, as from a slow line, then keys by tmux's names."""
        if text:
            self._tmux("send-keys", "-l", text)
        if keys:
            self._tmux("send-keys", *keys)

    def until(self, holds: Callable[[str], object]) -> str:
        """Wait until something holds for the screen; returns it."""
        end = time.monotonic() + PATIENCE
        while not holds(text := self.text):
            assert time.monotonic() < end, f"it never came to pass; the screen shows:\n{text}"
            time.sleep(0.05)
        return text

    def shows(self, *words: str) -> str:
        """Wait until all these words are on the screen; returns it."""
        return self.until(lambda text: all(word in text for word in words))

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def close(self) -> None:
        """End the shell and all in it."""
        self._tmux("kill-server")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A shell beside a folder of logs, and a command `studio`."""
    write_story_files(tmp_path)
    opened = Terminal(tmp_path)
    python = f"{shlex.quote(sys.executable)} -m studio"
    opened.type(
        f"studio() {{ {python} \"$@\"; }}; made() {{ sh -c '{python}; true'; }}; clear", "Enter"
    )
    yield opened
    opened.close()


def test_from_an_empty_store_to_a_decision_with_a_night_between(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.resize(160, 48)
    terminal.type("studio", "Enter")
    terminal.shows("no interactions yet: i imports logs", "c coder")
    terminal.type("ilogs", "Enter")
    terminal.shows("import: 302 imported, 0 were there already", "302 of 302")
    terminal.type("a")
    terminal.shows("1 row accepted · u undoes")
    terminal.type("u")
    terminal.shows("undone: 1 row accepted")
    terminal.type("fsuccess:true", "Enter", "*", "a")  # at once: the rows of this filter
    terminal.shows("298 rows accepted · u undoes")
    terminal.type("2")
    terminal.shows("Nobody has looked for duplicates")
    terminal.type("d")
    terminal.shows("23 open of 23")
    terminal.type("a")
    terminal.shows("22 open of 23")
    leave(terminal)

    terminal.type("studio", "Enter")
    terminal.shows("302 of 302", "c coder", "accept")
    terminal.type("ilogs", "Enter")
    terminal.shows("import: 0 imported, 302 were there already")
    build(terminal)
    train(terminal)
    leave(terminal)  # the run stays

    terminal.type("studio", "Enter")
    terminal.shows("302 of 302", "c coder", "accept")
    judge(terminal)
    leave(terminal)
    assert history(tmp_path) == ["accept", "undo", "accept", "dedupe", "keep"]
    (report,) = tmp_path.glob("report-few-*.md")
    assert "undecided" in report.read_text("utf-8")


def leave(terminal: Terminal) -> None:
    """Back to the shell, with nothing of the app left on the screen."""
    terminal.type("", "C-q")
    terminal.until(lambda text: text.strip().endswith("$"))
    terminal.type("clear", "Enter")
    terminal.until(lambda text: text.strip() == "$")


def escape(terminal: Terminal, gone: str) -> None:
    """Leave what shows these words; to a terminal Esc and a key at once are another key."""
    terminal.type("", "Escape")
    terminal.until(lambda text: gone not in text)


def build(terminal: Terminal) -> None:
    """A dataset with general examples, by a form that is filled in one burst of keys."""
    terminal.type("3")
    terminal.shows("No dataset yet")
    terminal.type("btools", "Down", "Home")
    terminal.type("tools:>0 ", "Down", "Down", "Down")
    terminal.type("24", "Down", "Down", "C-u")
    terminal.type("0.4", "Down", "Down")
    terminal.type("nano", "Enter")
    terminal.shows("tools@1 built: ", "p checks it", "general")
    terminal.type("p", "Enter")  # without a recipe: the data alone
    terminal.shows("the data alone", "leakage", "ready")
    escape(terminal, "the data alone")


def train(terminal: Terminal) -> None:
    """Plan, Enter, and to the curves."""
    terminal.type("tquick.yaml", "Enter")
    terminal.shows("2 of 2 examples each", "Enter starts the training")
    terminal.type("", "Enter")
    terminal.shows("run 1 is queued; it goes on when the app is closed")
    escape(terminal, "Enter start")
    terminal.type("4")
    terminal.shows("tools@1", "quick", "1 running")


def judge(terminal: Terminal) -> None:
    """Evaluate, look at the answers, decide, write the report."""
    terminal.type("4")
    terminal.shows("step 2 of 2", "loss by step", "finished")
    terminal.type("E", "C-u")
    terminal.type("few.jsonl", "Enter")
    terminal.shows("the evaluation of run:1@2 on few.jsonl is over")
    terminal.type("5")
    terminal.shows("A base ─ B run:1@2", "overall", "items needed", "undecided")
    terminal.type("", "Enter")
    terminal.shows("5 Compare ─ tool-0001", "── answer ──", "── outcome ──")
    escape(terminal, "5 Compare ─ tool-0001")
    terminal.type("6")
    terminal.shows("UNDECIDED  the suite is too small to tell", "suite_can_tell", "routes")
    terminal.type("w", "Enter")
    terminal.shows("kept as decision 1")


def history(folder: Path) -> list[str]:
    """The kinds of all acts, the first one first."""
    store = open_store(str(folder / "studio.db"))
    kinds = [act["kind"] for act in reversed(acts_of(store))]
    store.close()
    return kinds


@pytest.fixture
def browsing(terminal: Terminal) -> Terminal:
    """The app on the sample's interactions."""
    terminal.type("studio import --store studio.db logs && clear && studio", "Enter")
    terminal.shows("302 of 302", "c coder", "accept", "▾ assistant")
    return terminal


def test_another_size_is_filled_at_once(browsing: Terminal) -> None:
    browsing.resize(160, 48)
    wide = browsing.until(
        lambda text: "▾ assistant" in text and "│" in text and "\n c coder" in text
    )
    lines = wide.splitlines()
    assert lines[0].startswith(" 1 Browse ─ studio.db ──")
    assert lines[0].rstrip().endswith("302 of 302")
    assert len(lines[0].rstrip()) == 159
    assert lines[47].startswith(" c coder")
    browsing.resize(80, 24)
    browsing.until(lambda text: "302 of 302" in text and "│" not in text)


def test_keys_that_come_at_once_mean_what_they_meant_one_by_one(
    browsing: Terminal, tmp_path: Path
) -> None:
    browsing.type("/token")  # each of these letters is a command or a label in the table
    browsing.shows("/token ─", "search: token", "38 of 302")
    browsing.type("", "BSpace", "BSpace")
    browsing.shows("search: tok")
    browsing.type("", "Escape")
    browsing.until(lambda text: "302 of 302" in text)
    browsing.type("jjjt")
    browsing.shows("1 row → tester", "▸     298")
    assert history(tmp_path) == ["label"]


@pytest.mark.parametrize("command", ["studio", "made"], ids=["by itself", "as `make` starts it"])
def test_it_stops_as_other_programs_do_and_comes_back(terminal: Terminal, command: str) -> None:
    terminal.type(f"studio import --store studio.db logs && clear && {command}", "Enter")
    terminal.shows("302 of 302", "c coder", "accept", "▾ assistant")
    terminal.type("jj")
    terminal.shows("▸     300")
    for keys in ("", "/par"):  # also while one types
        terminal.type(keys)
        terminal.shows(*([f"search: {keys[1:]}"] if keys else ["accept"]))
        terminal.type("", "C-z")
        terminal.shows("Stopped")
        terminal.type("echo meanwhile", "Enter")
        terminal.shows("meanwhile\n$")
        terminal.resize(100, 30)
        terminal.type("clear; fg", "Enter")  # no word of this stop is taken for one of the next
        text = terminal.shows(" 1 Browse", "▸", "accept" if not keys else "search: par")
        assert len(text.splitlines()) == 30
        terminal.resize(80, 24)
        terminal.until(lambda text: len(text.splitlines()) == 24 and "▸" in text)
    terminal.type("", "Escape")
    terminal.until(lambda text: "302 of 302" in text and "search:" not in text)
    terminal.type("j")  # leaving a search goes to the top
    terminal.shows("▸     301")


def test_without_a_shell_to_go_to_it_stays(browsing: Terminal) -> None:
    browsing.type("", "C-q")
    browsing.until(lambda text: text.strip().endswith("$"))
    browsing.type(f"exec {shlex.quote(sys.executable)} -m studio", "Enter")
    browsing.shows("302 of 302", "accept")
    browsing.type("", "C-z")
    browsing.shows("there is no shell to go to; ctrl+q leaves the app")
