"""The tests that an interaction carries: declared beside it, or written in what was asked.

Declared are `tests` (or `test`) with `entry_point`, or `cases`, in the row that was imported.
Written are asserts and test functions in the messages before the answer: in fences of their own,
or as lines that begin with `assert`. What the model wrote is never a test of itself.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from db.interactions import Message
from exports.code_blocks import python_blocks, python_code
from studio.sandbox import Case, Task

TIMEOUT = 10.0  # seconds, where the row tells none
LONGEST = 60.0
_TEST_PACKAGES = frozenset({"pytest", "hypothesis", "numpy", "pandas"})
_JUDGES = re.compile(r"_?(?:assert|check|expect|verify|test|fail|exit)", re.IGNORECASE)
_PLACES = ("metadata", "meta", "extra")  # where logs put what is not theirs


@dataclass(frozen=True, slots=True)
class CarriedTests:
    """Tests with the name that they call, or cases; `declared` beside the messages or written."""

    declared: bool
    entry_point: str | None = None
    tests: str | None = None
    cases: tuple[Case, ...] | None = None
    timeout: float = TIMEOUT

    def task(self, identity: str, code: str) -> Task:
        """The code against these tests, for the sandbox."""
        return Task(identity, code, self.entry_point, self.tests, self.cases, self.timeout)


def answered_code(messages: Sequence[Message]) -> str | None:
    """The Python code of the last assistant message that has any."""
    for message in reversed(messages):
        if message["role"] == "assistant" and message.get("content"):
            code = python_code(str(message["content"]))
            if code is not None:
                return code
    return None


def carried_tests(raw: Mapping[str, Any], messages: Sequence[Message]) -> CarriedTests | None:
    """What the row declares, else what was asked for in so many asserts; None without tests."""
    return declared_tests(raw) or written_tests(messages)


def declared_tests(raw: Mapping[str, Any]) -> CarriedTests | None:
    """Tests that the imported row holds beside its messages."""
    for place in (raw, *(raw[key] for key in _PLACES if isinstance(raw.get(key), dict))):
        timeout = _timeout(place.get("timeout"))
        cases = _cases(place.get("cases"))
        if cases:
            return CarriedTests(True, cases=cases, timeout=timeout)
        tests = _source(place.get("tests", place.get("test")))
        if tests is None or not _can_fail(tests):
            continue
        entry_point = place.get("entry_point")
        if not isinstance(entry_point, str):
            entry_point = called_name(tests)
        if entry_point and all(part.isidentifier() for part in entry_point.split(".")):
            tests = _with_check_called(tests, entry_point)
            return CarriedTests(True, entry_point, tests, timeout=timeout)
    return None


def written_tests(messages: Sequence[Message]) -> CarriedTests | None:
    """Asserts in what was asked before the last answer, where they call one name."""
    last = max((i for i, m in enumerate(messages) if m["role"] == "assistant"), default=0)
    parts = [
        part
        for message in messages[:last]
        if message["role"] == "user"
        for part in _test_parts(str(message.get("content") or ""))
    ]
    tests = "\n".join(parts)
    entry_point = called_name(tests) if parts else None
    return CarriedTests(False, entry_point, tests) if entry_point else None


def called_name(tests: str) -> str | None:
    """The one name that the tests use and nobody defines; None where that is not one."""
    tree = _parsed(tests)
    if tree is None:
        return None
    bound: set[str] = set()
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.Import | ast.ImportFrom) and not _is_of_the_code(node):
            bound.update(_bound_by(node))
    free = {name for name in used - bound if not hasattr(builtins, name)}
    return free.pop() if len(free) == 1 else None


def _is_of_the_code(node: ast.Import | ast.ImportFrom) -> bool:
    """`from solution import f`: a module that can only be the code itself."""
    if not isinstance(node, ast.ImportFrom):
        return False
    root = (node.module or "").split(".")[0]
    return root not in sys.stdlib_module_names and root not in _TEST_PACKAGES


def defines(code: str, name: str) -> bool:
    """Whether the code binds the name at its top level."""
    tree = _parsed(code)
    if tree is None:
        return False
    root = name.split(".")[0]
    return any(root in _bound_by(statement) for statement in tree.body)


def _bound_by(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.split(".")[0] for alias in statement.names)
    elif isinstance(statement, ast.Assign):
        yield from (target.id for target in statement.targets if isinstance(target, ast.Name))


def _test_parts(text: str) -> list[str]:
    """The fences that hold tests; without any, the lines that are asserts."""
    parts = [block for block in python_blocks(text) if _is_test(block)]
    if parts or "```" in text:
        return parts
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line.startswith("assert ") and _is_test(line)]


def _can_fail(tests: str) -> bool:
    """Whether they judge anything: code that only calls would verify whatever does not crash."""
    tree = _parsed(tests)
    return tree is None or any(
        isinstance(node, ast.Assert | ast.Raise)
        or (isinstance(node, ast.Name | ast.Attribute) and _JUDGES.match(_name_of(node)))
        for node in ast.walk(tree)
    )


def _name_of(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _is_test(source: str) -> bool:
    """Whether it asserts something, and parses."""
    tree = _parsed(source)
    return tree is not None and any(
        isinstance(node, ast.Assert)
        or (isinstance(node, ast.Attribute) and node.attr.startswith("assert"))
        for node in ast.walk(tree)
    )


def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _with_check_called(tests: str, entry_point: str) -> str:
    """HumanEval's form: a `check(candidate)` that somebody has to call."""
    tree = _parsed(tests)
    if tree is None:
        return tests
    checks = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    defined = any(node.name == "check" and len(node.args.args) == 1 for node in checks)
    called = any(isinstance(node, ast.Expr) for node in tree.body)
    return f"{tests.rstrip()}\n\ncheck({entry_point})\n" if defined and not called else tests


def _source(value: object) -> str | None:
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, list) and value and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    return None


def _cases(value: object) -> tuple[Case, ...]:
    """`{stdin, stdout}` or `{input, output}` rows; none of them where one cannot be read."""
    if not isinstance(value, list):
        return ()
    found = []
    for case in value:
        if not isinstance(case, dict):
            return ()
        stdin = case.get("stdin", case.get("input", ""))
        stdout = case.get("stdout", case.get("output"))
        if not isinstance(stdin, str) or not isinstance(stdout, str):
            return ()
        found.append(Case(stdin, stdout))
    return tuple(found)


def _timeout(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return TIMEOUT
    return min(float(value), LONGEST)
