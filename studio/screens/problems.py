"""The problems that interactions answer, and the solutions of one beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from studio.commands import Command
from studio.screen_text import screen_text
from studio.screens import problem_words
from studio.screens.regrouped import RegroupedScreen
from studio.widgets.columns import fitted
from studio.widgets.key_line import KeyLine
from studio.widgets.listing import Listing
from studio.widgets.side_by_side import Section, SideBySide, column

if TYPE_CHECKING:
    from db.store import Store
    from studio.curation.problems import Solution

FOLLOW = 0.03  # seconds that the cursor rests before the solutions are read
ANSWERS_MOST = 200  # of a problem that are compared here; studio problems compares all


class Solved(Message):
    """The solutions of a problem, from the worker."""

    def __init__(self, problem: int, found: list[Solution]) -> None:
        self.problem, self.found = problem, found
        super().__init__()


class ProblemsScreen(RegroupedScreen):
    """Problems with most verified solutions first: verify, split and merge them."""

    PLACE = "problems"
    CSS_PATH = "duplicates.tcss"

    def __init__(self, path: Path, table: Sequence[Command]) -> None:
        super().__init__(path, table)
        self.all: list[dict[str, Any]] | None = None  # None until they were grouped
        self.several = False  # only those with several solutions
        self._sections: list[Section] = []
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Status, problems, what is compared, the two solutions, messages, keys."""
        yield Static("", id="status", markup=False)
        yield Listing(problem_words.COLUMNS, self.commands, id="problems")
        yield Static("", id="nothing", markup=False)
        yield Static("", id="titles", markup=False)
        yield SideBySide(self.commands, id="pair")
        yield Static("", id="message", markup=False)
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Group the interactions, in a process of its own."""
        self.listing.focus()
        self._draw_status()
        self.draw_keys()
        self.load()

    def on_resize(self) -> None:
        """Draw for the new width."""
        self._draw_status()
        self._draw_titles()

    # the problems

    def listed(self, answer: dict[str, Any], said: str) -> None:
        """Show the problems, with the cursor on the one where it was."""
        self.all = answer["problems"]
        there = {row["id"] for row in self.all}
        self.marked = [number for number in self.marked if number in there]
        self.say(said)
        self.solutions_of = None
        self._show()

    def _show(self) -> None:
        current = self.current["id"] if self.current else None
        self.shown = [r for r in self.all or () if r["solutions"] > 1 or not self.several]
        cursor = next((n for n, row in enumerate(self.shown) if row["id"] == current), 0)
        self.listing.show(len(self.shown), self._cells, cursor=cursor)
        self._draw_status()
        self._draw_empty()

    def _cells(self, index: int) -> Sequence[str]:
        row = self.shown[index]
        return problem_words.cells(row, marked=row["id"] in self.marked)

    # two solutions

    @on(Listing.Moved)
    def _moved(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(FOLLOW, self._solve)

    def _solve(self) -> None:
        if self.current is not None and self.current["id"] != self.solutions_of:
            self.read("solutions", partial(_solved, problem=self.current["id"]))

    @on(Solved)
    def _solved(self, message: Solved) -> None:
        self.solutions, self.solutions_of = message.found, message.problem
        self.position = 0
        self._compare()

    def _compare(self) -> None:
        if self.solutions:
            sections = problem_words.sections(self.solutions, self.position)
        else:
            sections = [Section("nothing was answered", "Every interaction of it has no answer.")]
        if sections != self._sections:
            self._sections = sections
            self.sides.show(sections)
        self._draw_titles()

    # drawing

    def draw_marks(self) -> None:
        """Draw how many are marked."""
        self._draw_status()

    def _draw_status(self) -> None:
        parts = [f"2 Problems ─ {self.path.name}"]
        if self.several:
            parts.append("several solutions")
        counts = ["…"] if self.all is None else [problem_words.totals(self.shown)]
        if self.marked:
            counts.insert(0, f"{len(self.marked)} marked")
        self.draw_status(parts, counts)

    def _draw_titles(self) -> None:
        line = self.query_one("#titles", Static)
        if not self.solutions:
            line.update("", layout=False)
            return
        left, right = problem_words.titles(self.solutions, self.position)
        width = column(self.size.width - 1) if right else self.size.width - 4
        shown = [fitted(screen_text(t, one_line=True), width) for t in (left, right) if t]
        line.update(Content("   ".join(shown)), layout=False)

    def _draw_empty(self) -> None:
        self.set_class(not self.shown, "-nothing")
        if self.shown and self.focused is None:  # it was hidden while there was nothing to list
            self.listing.focus()
        if self.all:
            text = "No problem has several solutions.\n\nf shows them all."
        else:
            text = (
                "There are no problems in this store yet.\n\n"
                "Interactions that ask the same are one problem; their distinct answers\n"
                "are its solutions, verified where the tests that came with them pass.\n"
                "i in Browse imports logs."
            )
        self.query_one("#nothing", Static).update(Content(text))

    # moving about

    def back(self) -> bool:
        """Close the innermost thing that is open, at last this screen."""
        if self.stop_verifying():
            return True
        if self.focused is self.sides:
            self.listing.focus()
        elif self.marked:
            self.marked.clear()
            self._show()
        elif self.several:
            self.action_several()
        else:
            self.dismiss()
        return True

    def action_next_problem(self) -> None:
        """One problem down, wherever the focus is."""
        self.listing.move_to(self.listing.cursor + 1)

    def action_previous_problem(self) -> None:
        """One problem up, wherever the focus is."""
        self.listing.move_to(self.listing.cursor - 1)

    def action_next_solution(self) -> None:
        """Compare the next solution."""
        self._turn_solution(1)

    def action_previous_solution(self) -> None:
        """Compare the solution before."""
        self._turn_solution(-1)

    def _turn_solution(self, step: int) -> None:
        if self.other is None or len(self.solutions) < 3:
            self.say("there is no other solution to compare")
            return
        self.position = (self.position + step) % (len(self.solutions) - 1)
        self._compare()

    def action_several(self) -> None:
        """Show problems with several solutions only, or all."""
        self.several = not self.several
        self._show()

    def action_refresh(self) -> None:
        """Group and read everything again."""
        self.load()


def _solved(store: Store, *, problem: int) -> Message:
    from studio.curation.problems import problem_solutions

    return Solved(problem, problem_solutions(store, problem, most=ANSWERS_MOST))
