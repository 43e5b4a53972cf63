"""Which two arms are compared, and the worker that compares them."""

from __future__ import annotations

import sqlite3

from textual import work
from textual.message import Message

from db.errors import StudioError
from db.evaluations import StoredEvaluation
from studio.evals import stored
from studio.evals.stored import Board, Comparison
from studio.screens.item_search import ItemSearchScreen

Pair = tuple[StoredEvaluation, StoredEvaluation]


class Compared(Message):
    """The figures of two arms."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        super().__init__()


class PairingScreen(ItemSearchScreen):
    """Lets the user choose A and B. Answers come as the message `Compared`."""

    @work(thread=True, exclusive=True, group="compare", description="compare")
    def compare(self, board: Board, pair: Pair) -> None:
        """Compare two arms from their stored verdicts."""
        try:
            found = stored.comparison(self.path, board, pair[0], pair[1])
        except (sqlite3.Error, StudioError) as error:
            self.post_message(self.Failed(str(error)))
            return
        self.post_message(Compared(found))

    def action_choose_a(self) -> None:
        """Let the user choose A."""
        self._choose(0)

    def action_choose_b(self) -> None:
        """Let the user choose B."""
        self._choose(1)

    def _choose(self, side: int) -> None:
        if self.alone or self.board is None or self.comparison is None:
            self.say("there are no two arms to choose from")
            return
        board, pair = self.board, (self.comparison.a, self.comparison.b)
        other = pair[1 - side]

        def chosen(one: StoredEvaluation) -> None:
            self.compare(board, (one, other) if side == 0 else (other, one))

        arms = [arm for arm in board.arms if arm.id != other.id]
        self.choose_arm(f"{'AB'[side]}, beside {board.label(other)}", arms, pair[side], chosen)

    def action_swap(self) -> None:
        """A becomes B and B becomes A."""
        if self.comparison is not None and self.board is not None:
            self.compare(self.board, (self.comparison.b, self.comparison.a))
