"""What was evaluated, as the screens show it: arms on the same items, pairs of them, answers.

Read from the store alone: no model is loaded, nothing is evaluated.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from db import evaluations
from db.errors import BadInput
from db.evaluations import StoredAnswer, StoredEvaluation, StoredOutcome
from db.reader import read_only
from exports.suites import Item, Suite, last_request
from studio.evals.compare import Verdict, compare
from studio.evals.known_suites import find_suite


@dataclass(frozen=True, slots=True)
class Board:
    """The arms that were evaluated on the same items of a suite, the newest first."""

    suite: str
    sha256: str
    n: int
    arms: tuple[StoredEvaluation, ...]

    def label(self, arm: StoredEvaluation) -> str:
        """The arm's spec, with its weights beside it where another arm has the same spec."""
        namesakes = [other for other in self.arms if other.spec == arm.spec]
        if len(namesakes) == 1:
            return arm.spec
        weights = [_weights(other) for other in namesakes]
        own = _weights(arm)
        return f"{arm.spec} ({own if weights.count(own) == 1 else f'evaluation {arm.id}'})"

    def to_beat(self, arm: StoredEvaluation) -> StoredEvaluation | None:
        """The plain base of an arm, else another base, else any other arm."""
        others = [other for other in self.arms if other.id != arm.id]
        return max(
            others,
            key=lambda o: (o.adapter is None, "+" not in o.spec, o.base == arm.base, o.id),
            default=None,
        )

    def pair(self) -> tuple[StoredEvaluation, StoredEvaluation] | None:
        """The newest adapter beside its base; else the newest arm. None when one stands alone."""
        newest = next((arm for arm in self.arms if arm.adapter), None)
        if newest is None:
            newest = next((arm for arm in self.arms if "+" in arm.spec), self.arms[0])
        base = self.to_beat(newest)
        return None if base is None else (base, newest)


def _weights(arm: StoredEvaluation) -> str:
    return Path(arm.adapter).name if arm.adapter else arm.base


@dataclass(frozen=True, slots=True)
class Side:
    """One item in one arm: its outcome, and what the model wrote if that was kept."""

    outcome: StoredOutcome
    answer: StoredAnswer | None

    @property
    def text(self) -> str:
        """The answer, empty when it was not kept."""
        return self.answer.text if self.answer else ""


@dataclass(frozen=True)
class Comparison:
    """Two arms on the same items: `value` is `compare`'s answer, `why` says where the suite is."""

    a: StoredEvaluation
    b: StoredEvaluation
    names: tuple[str, str]
    value: dict[str, Any]
    suite: Suite | None
    why: str

    @cached_property
    def requests(self) -> dict[str, str]:
        """What each item asks, where the suite is at hand."""
        items = self.suite.items if self.suite else ()
        return {item.id: last_request(item.messages) for item in items}


def boards(path: Path) -> list[Board]:
    """Everything that can be compared, the newest evaluation first. Raises sqlite3.Error."""
    groups: dict[tuple[str, int], list[StoredEvaluation]] = {}
    with contextlib.closing(read_only(path)) as connection:
        for found in evaluations.evaluations(connection):
            groups.setdefault((found.suite_sha256, found.n), []).append(found)
    return [Board(arms[0].suite, sha256, n, tuple(arms)) for (sha256, n), arms in groups.items()]


def newest_run(path: Path) -> int | None:
    """The newest run that finished."""
    with contextlib.closing(read_only(path)) as connection:
        return evaluations.newest_run(connection)


def verdicts(connection: sqlite3.Connection, evaluation: int) -> list[Verdict]:
    """The verdicts of an evaluation, in the order of its suite."""
    struck = evaluations.struck(connection, evaluation)
    return [
        Verdict(found.item, found.verdict, found.category, found.agent or "", found.item in struck)
        for found in evaluations.outcomes(connection, evaluation)
    ]


def comparison(path: Path, board: Board, a: StoredEvaluation, b: StoredEvaluation) -> Comparison:
    """Two arms of a board beside each other. Raises BadInput when their items are not the same."""
    with contextlib.closing(read_only(path)) as connection:
        value = compare(verdicts(connection, a.id), verdicts(connection, b.id))
    suite, why = suite_of(board)
    return Comparison(a, b, (board.label(a), board.label(b)), value, suite, why)


def sides(path: Path, arms: Sequence[StoredEvaluation], item: str) -> list[Side] | None:
    """One item in each of the arms; None when one of them has no such item."""
    found = []
    with contextlib.closing(read_only(path)) as connection:
        for arm in arms:
            outcome = evaluations.outcome(connection, arm.id, item)
            if outcome is None:
                return None
            found.append(Side(outcome, evaluations.answer(connection, outcome.generation_key)))
    return found


def suite_of(board: Board) -> tuple[Suite | None, str]:
    """The suite's file as it was when it was evaluated, or None and the reason."""
    try:
        suite = find_suite(board.suite)
    except BadInput as error:
        return None, str(error)
    if suite.sha256 != board.sha256:
        return None, f"{board.suite} has changed since it was evaluated"
    return suite, ""


def item_of(suite: Suite | None, identity: str) -> Item | None:
    """The item of that id, where the suite is at hand."""
    items = suite.items if suite else ()
    return next((item for item in items if item.id == identity), None)
