"""Answers against the tests that came with them: run in the sandbox, the verdict recorded.

Nothing is claimed where there are no tests, where the answer holds no code to run, or where the
sandbox itself failed. The verdict is a measurement and no act: running it again gives it again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select, text, update

from db import filters
from db.interactions import loads
from db.models.interactions import BODIES, INTERACTIONS
from db.store import Store
from studio.curation.carried_tests import (
    CarriedTests,
    answered_code,
    carried_tests,
    declared_tests,
    defines,
)
from studio.curation.problems import assign_problems
from studio.interruptible import interrupts_noted, raise_noted
from studio.sandbox import Result, Task, run_tasks

_AT_ONCE = 500  # bodies read at a time
_COMMIT_AT, _COMMIT_SECONDS = 64, 1.0  # verdicts, or seconds, a transaction: what a kill can cost
_NO_VERDICT = frozenset({"sandbox_error", "harness_error", "not_run"})
Progress = Callable[[int, int, int], None]  # looked at, of how many, run


def verify(
    store: Store,
    where: str = "",
    *,
    only: Sequence[int] | None = None,
    again: bool = False,
    workers: int = 2,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run what a filter holds for (or `only` these ids) against its tests, or its problem's.

    What has a verdict keeps it (an answer that changed has lost it); `again` runs everything.
    Ctrl+C (KeyboardInterrupt) ends it: what was recorded stays, and the next call goes on there.

    Returns `verified`, `failed`, `without_tests`, and of the rest `without_code` (tests, but
    no code to run), `not_run` (the sandbox failed); `by_verdict`, `ran` (in this call), `tier`
    (null when nothing ran) and `interrupted`.

    Raises SandboxUnavailable when there is something to run and hostile code cannot be held here.
    """
    return _Verification(store, where, only, again, progress).run(workers)


@dataclass(slots=True)
class _Verification:
    store: Store
    where: str
    only: Sequence[int] | None
    again: bool
    progress: Progress | None
    counts: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    hashes: dict[int, str] = field(default_factory=dict)  # of what runs, as it was read
    waiting: list[tuple[int, str | None, str]] = field(default_factory=list)  # not committed yet
    committed: float = field(default_factory=time.monotonic)
    ran: int = 0
    seen: int = 0
    total: int = 0

    def run(self, workers: int) -> dict[str, Any]:
        """Run what is due and count it; Ctrl-C keeps what was found until then.

        Raises SandboxUnavailable where hostile code cannot be held.
        """
        assign_problems(self.store)
        with self.store.read() as connection:
            ids = (
                list(connection.execute(filters.ids(self.where)).scalars())
                if self.only is None
                else sorted(self.only)
            )
        self.total = len(ids)
        tier = None
        interrupted = False
        try:
            with interrupts_noted():
                tasks = self._tasks(ids, _problem_tests(self.store))
                if (first := next(tasks, None)) is not None:
                    for result in run_tasks(_chain(first, tasks), workers=workers):
                        tier = result.tier
                        self._record(result)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            self._commit()
        passed = self.verdicts["passed"]
        return {
            "verified": passed,
            "failed": sum(self.verdicts.values()) - passed,
            "without_tests": self.counts["without_tests"],
            "without_code": self.counts["without_code"],
            "not_run": self.counts["not_run"],
            "by_verdict": dict(self.verdicts.most_common()),
            "ran": self.ran,
            "tier": tier,
            "interrupted": interrupted,
        }

    def _tasks(self, ids: list[int], of_problem: Mapping[int, CarriedTests]) -> Iterator[Task]:
        """What is to be run; the rest is counted on the way."""
        for start in range(0, len(ids), _AT_ONCE):
            raise_noted()
            with self.store.read() as connection:
                rows = _read(connection, ids[start : start + _AT_ONCE])
            for row in rows:
                self.seen += 1
                self._tell()
                if row.verified is not None and not self.again:
                    self.verdicts[row.verified] += 1
                    continue
                found = _task(row, of_problem)
                if isinstance(found, Task):
                    self.hashes[row.id] = row.content_hash
                    yield found
                    continue
                self.counts[found] += 1
                if row.verified is not None:  # its tests are gone, and with them the verdict
                    self.waiting.append((row.id, None, row.content_hash))

    def _record(self, result: Result) -> None:
        self.ran += 1
        if result.verdict in _NO_VERDICT:
            self.counts["not_run"] += 1
        else:
            self.verdicts[result.verdict] += 1
            identity = int(result.id)
            self.waiting.append((identity, result.verdict, self.hashes.pop(identity)))
            late = time.monotonic() - self.committed > _COMMIT_SECONDS
            if late or len(self.waiting) >= _COMMIT_AT:
                self._commit()
        self._tell()

    def _commit(self) -> None:
        """Write what waits; an answer that somebody changed meanwhile keeps no verdict."""
        if not self.waiting:
            return
        with self.store.write() as connection:
            for identity, verdict, content_hash in self.waiting:
                connection.execute(
                    update(INTERACTIONS)
                    .where(INTERACTIONS.c.id == identity)
                    .where(INTERACTIONS.c.content_hash == content_hash)
                    .values(verified=verdict)
                )
        self.waiting.clear()
        self.committed = time.monotonic()

    def _tell(self) -> None:
        if self.progress is not None:
            self.progress(self.seen, self.total, self.ran)


def _chain(first: Task, rest: Iterator[Task]) -> Iterator[Task]:
    yield first
    yield from rest


def _read(connection: Connection, ids: list[int]) -> list[Row[Any]]:
    columns = INTERACTIONS.c
    statement = (
        select(
            columns.id,
            columns.problem,
            columns.verified,
            columns.content_hash,
            BODIES.c.messages,
            BODIES.c.raw,
        )
        .join_from(INTERACTIONS, BODIES, columns.id == BODIES.c.id)
        .where(columns.id.in_(ids))
        .order_by(columns.id)
    )
    return list(connection.execute(statement))


def _task(row: Row[Any], of_problem: Mapping[int, CarriedTests]) -> Task | str:
    """The task to run, or under which name it is counted instead."""
    messages = loads(row.messages)
    tests = carried_tests(loads(row.raw) if row.raw else {}, messages)
    if tests is None or not tests.declared:
        tests = of_problem.get(row.problem, tests)
    if tests is None:
        return "without_tests"
    code = answered_code(messages)
    if code is None:
        return "without_code"
    if not tests.declared and not defines(code, str(tests.entry_point)):
        return "without_tests"  # asserts in the request that are about something else
    return tests.task(str(row.id), code)


def _problem_tests(store: Store) -> dict[int, CarriedTests]:
    """Declared tests by problem, for those of its interactions that came without."""
    found: dict[int, CarriedTests] = {}
    with store.read() as connection:
        rows = connection.execute(
            text(
                "SELECT i.problem, b.raw FROM interaction_body b JOIN interaction i "
                "ON i.id = b.id WHERE i.problem IS NOT NULL "
                "AND (b.raw LIKE '%\"test%' OR b.raw LIKE '%\"cases\"%') ORDER BY i.id"
            )
        )
        for row in rows:
            if row.problem not in found and (tests := declared_tests(loads(row.raw))) is not None:
                found[row.problem] = tests
    return found
