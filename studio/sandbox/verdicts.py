"""From what the processes did to one word and one line."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from .guard import Exit
from .policy import Case

# The first of these that any case reached decides an item, before `partial` is thought of: the
# process did not live to the end.
_DECISIVE = ("sandbox_error", "harness_error", "timeout", "memory", "output_limit", "crash")
VERDICTS = (
    "passed",
    "partial",
    "wrong_answer",
    "runtime_error",
    *_DECISIVE,
    "syntax_error",
    "no_entry_point",
    "no_code",
)
_DETAIL_LENGTH = 300


@dataclass(frozen=True)
class Ran:
    """What is left of one process: how it ended, its report, what it printed."""

    ended: Exit
    report: bytes
    output: bytes = b""
    errors: bytes = b""


@dataclass(frozen=True)
class Outcome:
    """A verdict before it is bound to a task."""

    verdict: str
    passed: int
    cases: int
    detail: str


def one_line(text: str) -> str:
    """`text` without anything that a terminal could act on, at most 300 characters."""
    flat = " ".join(text.split())
    safe = "".join(mark if mark.isprintable() else "�" for mark in flat)
    return safe if len(safe) <= _DETAIL_LENGTH else safe[: _DETAIL_LENGTH - 1] + "…"


def same_text(printed: str, expected: str) -> bool:
    """Whether a program printed what it should.

    CRLF counts as LF; blanks at the ends of lines and blank lines at the end do not count.
    """
    return _lines(printed) == _lines(expected)


def _lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def judge_program(runs: Sequence[Ran], cases: Sequence[Case], limit: int) -> Outcome:
    """The verdict of a program over its cases; those that never started ran out of time."""
    verdicts = [_judge_run(run, case, limit) for run, case in zip(runs, cases, strict=False)]
    verdicts += [("timeout", "no time was left to start it")] * (len(cases) - len(runs))
    failures = [
        (verdict, f"case {number} of {len(cases)}: {detail}" if len(cases) > 1 else detail)
        for number, (verdict, detail) in enumerate(verdicts, 1)
        if verdict != "passed"
    ]
    return _decide(failures, len(cases) - len(failures), len(cases))


def _decide(failures: Sequence[tuple[str, str]], passed: int, cases: int) -> Outcome:
    if not failures:
        return Outcome("passed", passed, cases, "")
    for decisive in _DECISIVE:
        for verdict, detail in failures:
            if verdict == decisive:
                return Outcome(verdict, passed, cases, detail)
    verdict, detail = failures[0]
    return Outcome("partial" if passed else verdict, passed, cases, detail)


def _judge_run(run: Ran, case: Case, limit: int) -> tuple[str, str]:
    early = _before_the_code(run)
    if early:
        return early
    if len(run.output) >= limit:
        return "output_limit", f"printed {limit} bytes or more"
    death = _death(run.ended)
    if death:
        return death
    last = run.errors.decode("utf-8", "replace").strip().rpartition("\n")[2]
    if run.ended.status:
        verdict = "memory" if last.startswith("MemoryError") else "runtime_error"
        return verdict, last or f"exit status {run.ended.status}"
    printed = run.output.decode("utf-8", "surrogateescape")
    if same_text(printed, case.stdout):
        return "passed", ""
    return "wrong_answer", _first_difference(_lines(printed), _lines(case.stdout))


def _before_the_code(run: Ran) -> tuple[str, str] | None:
    """A verdict from before anything hostile ran; for that reason it can be believed."""
    if run.ended.broken:
        return "sandbox_error", run.ended.broken
    if not run.report:
        return None
    report: dict[str, str] = json.loads(run.report)
    if "broken" in report:
        return "sandbox_error", report["broken"]
    return report["verdict"], report["detail"]


def _death(ended: Exit) -> tuple[str, str] | None:
    """What a process died of; None when it exited, or was ended because nobody needs it."""
    if ended.cause == "timeout" or ended.signal == signal.SIGXCPU:
        return "timeout", "the time limit was reached"
    if ended.signal == signal.SIGXFSZ:
        return "output_limit", "wrote more than the limit"
    if ended.signal and not _was_stopped(ended):
        return "crash", f"died of {signal.Signals(ended.signal).name}"
    return None


def _was_stopped(ended: Exit) -> bool:
    """Whether our own SIGKILL ended it; a process that was dying anyway keeps its own signal."""
    return ended.cause == "stopped" and ended.signal == signal.SIGKILL


def _first_difference(printed: Sequence[str], expected: Sequence[str]) -> str:
    for number, (left, right) in enumerate(zip(printed, expected, strict=False), 1):
        if left != right:
            return f"line {number}: printed {left[:80]!r}, expected {right[:80]!r}"
    return f"printed {len(printed)} lines, expected {len(expected)}"


def judge_tests(code: Ran, tests: Ran) -> Outcome:
    """The verdict of code that was called by tests.

    Only what the tests' process reports can make an item pass; the code's process is asked for
    nothing but the way it died.
    """
    lines = tests.report.splitlines()
    facts = [json.loads(line) for line in lines if line.startswith(b"{") and line.endswith(b"}")]
    broken = tests.ended.broken or next((fact["broken"] for fact in facts if "broken" in fact), "")
    if broken:
        return Outcome("sandbox_error", 0, 0, broken)
    cases = next((fact["cases"] for fact in reversed(facts) if "cases" in fact), 0)
    early = _before_the_code(code)
    if early:
        return Outcome(early[0], 0, cases, early[1])
    passed = sum(fact.get("passed", False) for fact in facts)
    failures = [(fact["verdict"], fact["detail"]) for fact in facts if "verdict" in fact]
    end = next((fact for fact in facts if "end" in fact), {"end": "killed"})
    how = end["end"]
    if how in ("harness_error", "no_entry_point"):
        return Outcome(how, passed, cases, end["detail"])
    if how == "gone":
        failures.append(_why_gone(code.ended, end["detail"]))
    if how == "killed":
        failures.append(_why_killed(tests))
    if not failures and passed != cases:
        failures.append(("sandbox_error", f"{passed} of {cases} cases were reported"))
    return _decide(failures, passed, cases)


def _why_gone(ended: Exit, said: str) -> tuple[str, str]:
    death = _death(ended)
    if death:
        return death
    if _was_stopped(ended):
        return "runtime_error", f"the code broke off the conversation: {said}"
    return "runtime_error", f"the code ended its process with exit status {ended.status}"


def _why_killed(tests: Ran) -> tuple[str, str]:
    """The tests' process did not come to an end of its own."""
    death = _death(tests.ended) or ("crash", f"exit status {tests.ended.status}")
    turn = tests.report[:1]
    if turn not in (b"C", b"T"):  # the code has not been called: it is not to blame
        return "harness_error", f"the tests, before they called the code: {death[1]}"
    if death[0] == "timeout":
        who = "the code" if turn == b"C" else "the tests, on the code's answers"
        return "timeout", f"{death[1]} in {who}"
    return "runtime_error", f"the tests died on the code's answers: {death[1]}"
