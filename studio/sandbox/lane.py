"""One lane runs one item at a time: the code under one guard, its tests under another."""

from __future__ import annotations

import os
import socket
import time
from contextlib import ExitStack

from .guard import Broken, Guard
from .inside import wire
from .policy import MEBIBYTE, Limits, Result, Task
from .verdicts import Outcome, Ran, judge_program, judge_tests, one_line

_TESTS_MEMORY = 1024 * MEBIBYTE
_FINDINGS = 64 * MEBIBYTE  # at most, of what the tests' process reports


class Lane:
    """The processes of one lane; they start with the first item that needs them.

    Not for several threads at once: the processes end with the thread that started them.
    """

    def __init__(self, tier: str, limits: Limits) -> None:
        self._tier, self._limits = tier, limits
        self._guards: dict[str, Guard] = {}
        self._abandoned = False

    def run(self, task: Task) -> Result:
        """The verdict of one task. A broken sandbox is a verdict too, and mends itself."""
        start = time.monotonic()
        try:
            for side in ("code",) if task.tests is None else ("code", "tests"):
                self._guard(side)
            start = time.monotonic()  # a lane's first item does not pay for its start
            outcome = self._outcome(task, start + task.timeout)
        except Broken as error:
            self.close()
            outcome = Outcome("sandbox_error", 0, _count(task), str(error))
        seconds = round(time.monotonic() - start, 4)
        detail = one_line(outcome.detail)
        return Result(
            task.id, outcome.verdict, outcome.passed, outcome.cases, detail, seconds, self._tier
        )

    def close(self) -> None:
        """End the lane's processes."""
        while self._guards:
            self._guards.popitem()[1].close()

    def abandon(self) -> None:
        """From any thread: let no item run on. The one that is under way ends as sandbox_error."""
        self._abandoned = True
        for guard in list(self._guards.values()):
            guard.kill()

    def _guard(self, side: str) -> Guard:
        if side in self._guards and self._guards[side].spent:
            self._guards.pop(side).close()
        if side not in self._guards:
            self._guards[side] = Guard(self._tier, side, _limits_of(side, self._limits))
        if self._abandoned:
            raise Broken("the run was given up")
        return self._guards[side]

    def _outcome(self, task: Task, deadline: float) -> Outcome:
        if not task.code.strip():
            return Outcome("no_code", 0, _count(task), "the answer is empty")
        if task.tests is None:
            return self._run_cases(task, deadline)
        return self._run_tests(task, deadline)

    def run_program(self, code: str, stdin: str, seconds: float) -> Ran:
        """Run `code` once as a program. Raises Broken, and SandboxUnavailable at its first use."""
        guard, limit = self._guard("code"), self._limits.output
        with _Files() as files:
            source, given = files.new(_bytes(code)), files.new(_bytes(stdin))
            output, errors, report = files.new(), files.new(), files.new()
            guard.submit(wire.PROGRAM, [source, given, output, errors, report], seconds)
            ended = guard.wait(seconds)
            return Ran(ended, *(_read(file, limit) for file in (report, output, errors)))

    def _run_cases(self, task: Task, deadline: float) -> Outcome:
        cases, runs = task.cases or (), []
        for case in cases:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            runs.append(self.run_program(task.code, case.stdin, left))
        return judge_program(runs, cases, self._limits.output)

    def _run_tests(self, task: Task, deadline: float) -> Outcome:
        code, tests = self._guard("code"), self._guard("tests")
        left = deadline - time.monotonic()
        to_code, to_tests = socket.socketpair()
        with _Files() as files, to_code, to_tests:
            output, report, findings = files.new(), files.new(), files.new()
            nothing, source = files.open_nothing(), files.new(_bytes(task.code))
            handles = [source, nothing, output, output, report, to_tests.fileno()]
            code.submit(wire.FUNCTIONS, handles, left)
            source = files.new(_bytes(f"{task.entry_point}\n{task.tests}"))
            handles = [source, nothing, nothing, nothing, findings, to_code.fileno()]
            tests.submit(wire.TESTS, handles, left)
            to_code.close()
            to_tests.close()  # from here on each side notices when the other one ends
            asked = Ran(tests.wait(left), _read(findings, _FINDINGS))
            code.stop()
            answered = Ran(code.wait(left), _read(report, _FINDINGS))
        return judge_tests(answered, asked)


def _limits_of(side: str, limits: Limits) -> dict[str, int]:
    found = {
        "memory": limits.memory,
        "file_size": limits.output,
        "open_files": limits.open_files,
        "threads": limits.threads,
        "largest": limits.value,
        "scratch": limits.scratch,
        "scratch_files": limits.scratch_files,
    }
    # Tests come from data sets: less hostile than model-written code, and limited all the same.
    return found | {"memory": _TESTS_MEMORY, "file_size": _FINDINGS} if side == "tests" else found


class _Files(ExitStack):
    """Files in memory, closed together."""

    def new(self, data: bytes = b"") -> int:
        """A descriptor of `data`, at its beginning."""
        handle = os.memfd_create("studio")
        self.callback(os.close, handle)
        if data:
            with os.fdopen(handle, "wb", closefd=False) as file:
                file.write(data)
            os.lseek(handle, 0, os.SEEK_SET)
        return handle

    def open_nothing(self) -> int:
        """Reads as empty, forgets what is written: no file lies between the code and its tests."""
        handle = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        self.callback(os.close, handle)
        return handle


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _read(handle: int, most: int) -> bytes:
    return os.pread(handle, most, 0)


def _count(task: Task) -> int:
    return len(task.cases or ())
