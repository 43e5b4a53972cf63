"""A screen on which problems are verified, split and merged: one key, one act, one undo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio import acting
from studio.acting import Outcome
from studio.commands import Command
from studio.screens import problem_words
from studio.screens.beside import BesideScreen

if TYPE_CHECKING:
    from db.errors import StudioError
    from studio.curation.problems import Solution


class RegroupedScreen(BesideScreen):
    """Acts on the problem under the cursor of a list, and on the solution that is compared."""

    def __init__(self, path: Path, table: Sequence[Command]) -> None:
        super().__init__(path, table)
        self.shown: list[dict[str, Any]] = []
        self.marked: list[int] = []  # in the order of marking: the first one takes the others
        self.solutions: list[Solution] = []
        self.solutions_of: int | None = None
        self.position = 0  # of the solution on the right, among the others
        self.verifying = False
        self._said = ""  # what stays to be read when the list is there
        self._stale = False  # the list is to be read again when what runs has ended

    @property
    def current(self) -> dict[str, Any] | None:
        """The problem under the cursor."""
        return self.shown[self.listing.cursor] if self.shown else None

    @property
    def other(self) -> Solution | None:
        """The solution on the right, when it is one of the problem under the cursor."""
        ready = self.current is not None and self.current["id"] == self.solutions_of
        return self.solutions[self.position + 1] if ready and len(self.solutions) > 1 else None

    # the list

    def load(self, said: str = "") -> None:
        """Read the problems again, in a process of its own and after the one that runs.

        `said` stays to be read meanwhile.
        """
        self._said, self._stale = said, self.working
        if not self._stale:
            self.do("" if said else "comparing answers", ["problems"], self._answered)

    def _answered(self, answer: dict[str, Any]) -> None:
        self.listed(answer, self._said)
        if self._stale:  # an act was written meanwhile
            self.load(self._said)

    def listed(self, answer: dict[str, Any], said: str) -> None:
        """The problems are there."""
        raise NotImplementedError

    # verifying

    def action_verify(self) -> None:
        """Run what has no verdict yet against its tests, in a process of its own."""
        self._verify([])

    def action_verify_again(self) -> None:
        """Run the problem under the cursor again."""
        if self.current is not None:
            self._verify(["--again", "--where", f"problem:{self.current['id']}"])

    def _verify(self, options: Sequence[str]) -> None:
        if self.working:
            self.say("something runs already; Esc ends it")
        else:
            self.verifying = True
            self.do("verifying", ["verify", *options], self._verified, self._unverified)

    def _verified(self, answer: dict[str, Any]) -> None:
        self.verifying = False
        self.load(problem_words.verdicts(answer))

    def _unverified(self, error: StudioError) -> None:
        self.verifying = False
        self.say(f"error: {error}", wrong=True)
        if self._stale:
            self.load(f"error: {error}")

    def stop_verifying(self) -> bool:
        """End the verification that runs; its verdicts stay. False where none does."""
        if not self.verifying:
            return False
        self.verifying = False
        self.cancel_work()
        self.load("stopped; the verdicts so far are kept")
        return True

    # acts

    def action_mark(self) -> None:
        """Mark this problem for merging, or take its mark away."""
        if self.current is None:
            return
        number = self.current["id"]
        if number in self.marked:
            self.marked.remove(number)
        else:
            self.marked.append(number)
        self.draw_marks()
        self.listing.move_to(self.listing.cursor + 1)
        self.listing.refresh()

    def draw_marks(self) -> None:
        """Draw how many are marked."""
        raise NotImplementedError

    def action_merge(self) -> None:
        """Make one problem of the marked ones; the first marked takes the others."""
        from studio.curation import regrouping

        chosen = list(self.marked)
        if len(chosen) == 1 and self.current is not None and self.current["id"] not in chosen:
            chosen.append(self.current["id"])
        if len(chosen) < 2:
            self.say("mark two problems or more with Space; the first takes the others")
            return
        self.marked.clear()
        self.write(lambda store: regrouping.merge(store, chosen))

    def action_split(self) -> None:
        """Make a problem of its own of the solution on the right."""
        from studio.curation import regrouping

        if self.other is None:
            self.say("there is no solution on the right to split off")
            return
        ids = list(self.other.ids)
        self.write(lambda store: regrouping.split(store, ids))

    def acted(self, outcome: Outcome) -> None:
        """An act was written: say so, and show what it changed."""
        act = self.act_of(outcome)
        report = acting.report(outcome, act)
        self.say(report, wrong=outcome.error is not None)
        if outcome.error is None:
            self.load(report)
