"""The process that runs the tests. The code under test is in another process, behind a socket.

It reports as it goes, so that what was found survives a kill.
"""

from __future__ import annotations
import __future__

import ast
import operator
import os
import reprlib
import socket
import sys
import unittest
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

from . import failures
from .cases import COMPARE, TESTS_FILE, Plan, Statement, plan
from .client import Client
from .codec import CodecError
from .peer import Channel, Gone
from .report import Report

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "Eq": operator.eq, "NotEq": operator.ne, "Lt": operator.lt, "LtE": operator.le,
    "Gt": operator.gt, "GtE": operator.ge, "Is": operator.is_, "IsNot": operator.is_not,
    "In": lambda left, right: left in right, "NotIn": lambda left, right: left not in right,
}  # fmt: skip


# `from __future__ import annotations` holds for the statements after it too.
_ANNOTATIONS = __future__.annotations.compiler_flag


def run(source: str, _role: bytes, link: int, report_file: int, largest: int) -> NoReturn:
    """Run a test source against the code at the other end of `link`, report, exit.

    The first line of `source` is the name that the tests call. A message has at most `largest`
    bytes.
    """
    report = Report(report_file)
    entry_point, _, tests = source.partition("\n")
    try:
        _run(tests, entry_point, Channel(socket.socket(fileno=link), largest), report)
    except Gone as gone:
        report.write(end="gone", detail=str(gone))
    except BaseException as error:  # noqa: BLE001 - whatever the tests raise must not get further
        report.write(end="harness_error", detail=failures.last_line(error))
    os._exit(0)


def _run(source: str, entry_point: str, channel: Channel, report: Report) -> None:
    try:
        tests = plan(source, entry_point)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        report.write(end="harness_error", detail=f"the tests are not Python: {error}")
        return
    report.write(cases=tests.cases())
    client = Client(channel, report, with_objects=tests.has_objects)
    loaded = channel.receive()
    if not loaded.get("loaded"):
        failure = client.failure_of(loaded)
        report.write(end="failed", verdict=_verdict(failure), detail=_own_line(failure))
        return
    found, target = client.request("look_up", entry_point)
    if not found or not callable(target):
        why = "is not defined" if not found else "is not a function"
        report.write(end="no_entry_point", detail=f"`{entry_point}` {why}")
        return
    root = entry_point.split(".")[0]
    if root != entry_point:
        _, target = client.request("look_up", root)
    Session(client, report, tests, root, target).run()


class Session:
    """One run of a test source."""

    def __init__(
        self, client: Client, report: Report, tests: Plan, root: str, entry: object
    ) -> None:
        self._client, self._report, self._tests = client, report, tests
        self._module = ModuleType("__main__")
        sys.modules["__main__"] = self._module
        self._names = vars(self._module)
        self._root, self._entry = root, entry
        self._names[COMPARE] = self._compare
        self._names[self._root] = self._entry
        self._missing = {name for name in tests.borrowed if not self._borrow(name)}
        for name in tests.modules:
            self._add_module(name)
        self._start = client.answers
        self._sides = ""
        self._flags = 0

    def run(self) -> None:
        """Run everything and report it."""
        tests = self._tests
        self._report.start()
        unittest.main = lambda *_, **__: None  # type: ignore[assignment]  # run below instead
        for statement in tests.statements:
            if not self._execute(statement):
                return
        for name in tests.functions:
            if not self._attempt(self._names[name], is_case=True):
                return
        count = tests.cases() + self._run_test_classes()
        if count:
            self._report.write(end="done")
        else:
            self._report.write(end="harness_error", detail="the tests assert nothing")

    def passed(self) -> None:
        """Report a case that passed, unless it swallowed the news that the code is gone."""
        if self._client.gone:
            raise Gone(self._client.gone)
        self._report.write(passed=True)

    def failed(self, error: BaseException, is_case: bool = True) -> bool:
        """Report a failure; False when nothing after it can be run."""
        if self._client.gone:
            raise Gone(self._client.gone)
        if self._is_tests_fault(error):
            self._report.write(end="harness_error", detail=f"the tests: {_own_line(error)}")
            return False
        facts = {"verdict": _verdict(error), "detail": self._explain(error)}
        if is_case:
            self._report.write(passed=False, **facts)
        else:
            self._report.write(end="failed", **facts)
        return is_case

    def _execute(self, statement: Statement) -> bool:
        module = ast.Module([statement.node], [])
        code = compile(module, TESTS_FILE, "exec", flags=self._flags, dont_inherit=True)
        self._flags |= code.co_flags & _ANNOTATIONS
        done = self._attempt(lambda: exec(code, self._names), statement.is_case)
        if statement.rebinds:  # `from operator import *` must not stand in for the code
            self._names[self._root] = self._entry
        return done

    def _attempt(self, action: Callable[[], object], is_case: bool) -> bool:
        self._sides = ""
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - a test may raise anything, SystemExit too
            return self.failed(error, is_case)
        if is_case:
            self.passed()
        return True

    def _run_test_classes(self) -> int:
        classes = [
            value
            for value in self._names.values()
            if isinstance(value, type)
            and issubclass(value, unittest.TestCase)
            and value.__module__ == "__main__"
        ]
        if not classes:
            return 0
        suite = unittest.TestSuite(map(unittest.TestLoader().loadTestsFromTestCase, classes))
        count = suite.countTestCases()
        self._report.write(cases=self._tests.cases() + count)
        results = _Results(self)
        suite.run(results)
        if results.skipped:
            count -= len(results.skipped)
            self._report.write(cases=self._tests.cases() + count)
        return count

    def _borrow(self, name: str) -> bool:
        found, value = self._client.request("look_up", name)
        if found:
            self._names[name] = value
        return bool(found)

    def _add_module(self, name: str) -> None:
        """Make `import name` mean the code."""

        def attribute(wanted: str) -> Any:
            found, value = self._client.request("look_up", wanted)
            if not found:
                raise AttributeError(f"the code does not define {wanted}")
            return value

        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            module = ModuleType(".".join(parts[:end]))
            module.__path__ = []
            sys.modules[module.__name__] = module
        module.__getattr__ = attribute  # type: ignore[method-assign]

    def _compare(self, comparison: str, left: Any, right: Any) -> Any:
        result = _COMPARISONS[comparison](left, right)
        if not result:
            self._sides = f": left {_short(left)}, right {_short(right)}"
        return result

    def _is_tests_fault(self, error: BaseException) -> bool:
        if failures.raised_by_code(error) is not None:
            return False
        if isinstance(error, NameError) and error.name in self._missing:
            return True
        # Nothing that the code could have spoilt has reached the tests yet.
        return isinstance(error, (ImportError, CodecError)) or self._client.answers == self._start

    def _explain(self, error: BaseException) -> str:
        line, trace = 0, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == TESTS_FILE:
                line = trace.tb_lineno
            trace = trace.tb_next
        asserted = self._tests.asserts.get(line)
        where = f"assert {ast.unparse(asserted)}"[:140] if asserted else f"line {line} of the tests"
        if isinstance(error, AssertionError) and failures.raised_by_code(error) is None:
            said = "" if self._sides or not error.args else f": {str(error)[:160]}"
            return where + self._sides + said
        return f"{where}: {_own_line(error)}"


class _Results(unittest.TestResult):
    """One case for each test method."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._error: BaseException | None = None

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._error = None

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        if self.skipped and self.skipped[-1][0] is test:
            return
        if self._error is None:
            self._session.passed()
        elif not self._session.failed(self._error):
            self.stop()

    def _note(self, error: BaseException) -> None:
        if isinstance(error, Gone):
            raise error
        self._error = self._error or error

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        self._note(err[1])
        if not isinstance(test, unittest.TestCase):  # setUpClass failed: there is no test to stop
            self._session.failed(err[1])

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        self._note(err[1])

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self._note(err[1])

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        self._note(AssertionError("expected to fail, and did not"))


def _verdict(error: BaseException) -> str:
    if failures.raised_by_code(error) is None:
        return "wrong_answer"
    return "memory" if isinstance(error, MemoryError) else "runtime_error"


def _own_line(error: BaseException) -> str:
    return failures.raised_by_code(error) or failures.last_line(error)


def _short(value: Any) -> str:
    try:
        return _REPR.repr(value)
    except Exception:  # noqa: BLE001 - the repr of an object of the code is its own affair
        return f"<{type(value).__name__}>"


_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 80
_REPR.maxlist = _REPR.maxtuple = _REPR.maxdict = _REPR.maxset = 10
