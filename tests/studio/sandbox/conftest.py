"""One lane of processes for all tests of the sandbox, so that each test takes milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from studio.sandbox import Case, Limits, Result, Task, probe
from studio.sandbox.lane import Lane

Judge = Callable[..., Result]
Run = Callable[..., Result]


def counts(result: Result) -> tuple[str, int, int]:
    """The verdict, with how many cases passed of how many."""
    return (result.verdict, result.cases_passed, result.cases)


@pytest.fixture(scope="session")
def lane() -> Iterator[Lane]:
    report = probe()
    if report.tier == "C":
        pytest.skip(report.explanation())
    with_walls = Lane(report.tier, Limits())
    yield with_walls
    with_walls.close()


@pytest.fixture
def judge(lane: Lane) -> Judge:
    """Code against tests that call `f`."""

    def run(code: str, tests: str, entry_point: str = "f", timeout: float = 10.0) -> Result:
        return lane.run(Task("item", code, entry_point, tests, timeout=timeout))

    return run


@pytest.fixture
def run_program(lane: Lane) -> Run:
    """A program against pairs of what it reads and what it must print."""

    def run(code: str, *cases: tuple[str, str], timeout: float = 10.0) -> Result:
        pairs = tuple(Case(stdin, stdout) for stdin, stdout in cases)
        return lane.run(Task("item", code, cases=pairs, timeout=timeout))

    return run
