"""A screen about stored evaluations: which suite it shows, and what to do where there are none."""

from __future__ import annotations

import shlex
import sqlite3
from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path

from textual import work
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from db.counted import counted
from db.evaluations import StoredEvaluation
from studio.commands import Command
from studio.evals import stored
from studio.evals.stored import Board
from studio.screen_text import screen_text
from studio.screens.choosing import ChoosingScreen
from studio.screens.frame import StudioScreen


class EvaluatedScreen(StudioScreen):
    """Reads what was evaluated whenever it is shown. Its `compose` yields a Static `#nothing`."""

    class Read(Message):
        """What the store has, and the newest run that finished."""

        def __init__(self, boards: list[Board], run: int | None) -> None:
            self.boards, self.run = boards, run
            super().__init__()

    class Failed(Message):
        """It could not be read."""

        def __init__(self, reason: str) -> None:
            self.reason = reason
            super().__init__()

    def __init__(self, path: Path, table: Sequence[Command]) -> None:
        super().__init__(path, table)
        self.boards: list[Board] = []
        self.board: Board | None = None

    def on_screen_resume(self) -> None:
        """Read what may have come meanwhile."""
        self.read()

    @work(thread=True, exclusive=True, group="boards")
    def read(self) -> None:
        """Read what was evaluated."""
        try:
            found, run = stored.boards(self.path), stored.newest_run(self.path)
        except sqlite3.Error as error:
            self.post_message(self.Failed(f"{self.path.name}: {error}"))
            return
        self.post_message(self.Read(found, run))

    def on_evaluated_screen_failed(self, message: Failed) -> None:
        """Say why."""
        if self.board is None:
            self.query_one("#nothing", Static).update("")
        self.say(f"error: {message.reason}", wrong=True)

    def on_evaluated_screen_read(self, message: Read) -> None:
        """Show the suite that was shown, else the newest that two arms have in common."""
        self.boards = message.boards
        here = self.board
        same = [b for b in self.boards if here and (b.sha256, b.n) == (here.sha256, here.n)]
        shared = [b for b in self.boards if len(b.arms) > 1]
        self.board = next(iter([*same, *shared, *self.boards]), None)
        lonely = self.board is None or len(self.board.arms) < 2
        self.set_class(lonely, "-nothing")
        if lonely:
            text = _what_next(self.studio.location, self.board, message.run)
            self.query_one("#nothing", Static).update(Content(screen_text(text)))
        self.draw_board()

    @abstractmethod
    def draw_board(self) -> None:
        """Show `board`; None or one with a single arm has nothing to show."""

    @property
    def alone(self) -> bool:
        """Whether there are no two arms beside each other."""
        return self.has_class("-nothing") or self.board is None

    def action_refresh(self) -> None:
        """Read again."""
        self.read()

    def action_suite(self) -> None:
        """Let the user choose the suite."""
        if not self.boards:
            self.say("nothing was evaluated yet")
            return
        lines = [
            f"{board.suite}  {counted(board.n, 'item')}  {', '.join(map(board.label, board.arms))}"
            for board in self.boards
        ]
        at = self.boards.index(self.board) if self.board in self.boards else 0
        self.app.push_screen(ChoosingScreen(self.commands, "Suite", lines, at), self._suite_chosen)

    def _suite_chosen(self, number: int | None) -> None:
        if number is not None:
            self.board = self.boards[number]
            self.read()

    def choose_arm(
        self,
        title: str,
        arms: Sequence[StoredEvaluation],
        now: StoredEvaluation,
        chosen: Callable[[StoredEvaluation], object],
    ) -> None:
        """Let the user choose one of some arms of the board."""
        assert self.board is not None
        lines = [self.board.label(arm) for arm in arms]
        at = [arm.id for arm in arms].index(now.id)

        def take(number: int | None) -> None:
            if number is not None:
                chosen(arms[number])

        self.app.push_screen(ChoosingScreen(self.commands, title, lines, at), take)


def _what_next(location: str, board: Board | None, run: int | None) -> str:
    """The command that brings the first figures onto this screen."""
    store = shlex.quote(location)
    if board is None:
        arms = "base" if run is None else f"base run:{run}"
        then = (
            "evaluates the base. Train a run and evaluate it on the same suite:\n"
            "arms are compared on the same items."
            if run is None
            else "evaluates the base and your newest run on the same items.\n"
            "E does so for a run on screen 4."
        )
        return (
            "Nothing was evaluated yet.\n\n"
            f"studio evaluate {arms} --suite nano --store {store}\n{then}\n\n"
            "R reads again."
        )
    only = board.arms[0]
    missing = "base" if only.adapter else "base+random4" if run is None else f"run:{run}"
    return (
        f"Only {only.spec} was evaluated on {board.suite} ({counted(board.n, 'item')}).\n\n"
        f"studio evaluate {missing} --suite {shlex.quote(board.suite)} --store {store}\n"
        "puts a second arm beside it, on the same items.\n\n"
        "R reads again; s chooses another suite."
    )
