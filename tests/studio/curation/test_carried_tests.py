"""Which tests came with an interaction: declared beside it, or written in the request."""

from __future__ import annotations

from typing import Any

import pytest

from studio.curation.carried_tests import (
    answered_code,
    called_name,
    carried_tests,
    declared_tests,
    defines,
    written_tests,
)
from studio.sandbox import Case

FENCED = "Write add(a, b).\n```python\nassert add(1, 2) == 3\nassert add(0, 0) == 0\n```"


def said(*contents: str) -> list[dict[str, Any]]:
    """User and assistant in turns, the user first."""
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": content} for n, content in enumerate(contents)]


@pytest.mark.parametrize(
    "raw",
    [
        {"entry_point": "f", "tests": "assert f(1) == 2"},
        {"metadata": {"entry_point": "f", "tests": "assert f(1) == 2"}},
        {"tests": ["assert f(1) == 2"], "entry_point": "f"},
        {"test": "assert f(1) == 2"},
    ],
)
def test_tests_beside_the_messages_are_found_with_their_name(raw: dict[str, Any]) -> None:
    found = declared_tests(raw)
    assert found is not None
    assert (found.declared, found.entry_point, found.tests) == (True, "f", "assert f(1) == 2")


def test_a_check_function_is_called_with_the_entry_point() -> None:
    check = "def check(candidate):\n    assert candidate(1) == 2\n"
    found = declared_tests({"test": check, "entry_point": "f"})
    assert found is not None
    assert str(found.tests).endswith("check(f)\n")
    called = declared_tests({"test": check + "check(f)\n", "entry_point": "f"})
    assert called is not None
    assert str(called.tests).count("check(f)") == 1


def test_cases_are_pairs_of_input_and_output() -> None:
    found = declared_tests({"cases": [{"stdin": "1\n", "stdout": "2\n"}], "timeout": 3})
    assert found is not None
    assert (found.cases, found.timeout) == ((Case("1\n", "2\n"),), 3.0)
    other = declared_tests({"cases": [{"input": "1", "output": "2"}], "timeout": 10**6})
    assert other is not None
    assert (other.cases, other.timeout) == ((Case("1", "2"),), 60.0)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"tests": 3},
        {"tests": ""},
        {"tests": "assert f(1) == g(2)"},
        {"tests": "not python ("},
        {"entry_point": "f"},
        {"entry_point": "f", "tests": "f(1)\nprint(f(2))"},  # it judges nothing
        {"entry_point": "f(); evil", "tests": "assert f(1)"},
        {"cases": []},
        {"cases": [{"stdin": "1"}]},
        {"cases": "all"},
        {"metadata": ["tests"]},
    ],
)
def test_what_is_no_test_is_none(raw: dict[str, Any]) -> None:
    assert declared_tests(raw) is None


def test_asserts_in_the_request_are_tests_of_the_name_that_they_call() -> None:
    found = written_tests(said(FENCED, "done"))
    assert found is not None
    assert (found.declared, found.entry_point) == (False, "add")
    lines = written_tests(said("Write add. It should satisfy\nassert add(1, 2) == 3\n", "done"))
    assert lines is not None
    assert (lines.entry_point, lines.tests) == ("add", "assert add(1, 2) == 3")


@pytest.mark.parametrize(
    "request_text",
    [
        "Write add(a, b)",
        "```python\ndef add(a, b):\n    return a\nassert add(1, 2) == 3\n```\nWhat is wrong?",
        "```python\nassert add(1, 2) == sub(4, 1)\n```",
        "```python\nprint(add(1, 2))\n```",
        "Please assert add works",
    ],
)
def test_a_request_that_is_not_clear_about_its_tests_carries_none(request_text: str) -> None:
    assert written_tests(said(request_text, "done")) is None


def test_what_the_model_wrote_is_never_a_test_of_itself() -> None:
    mine = "```python\ndef add(a, b):\n    return 0\n\nassert add(1, 2) == 0\n```"
    assert carried_tests({}, said("Write add", mine)) is None
    assert written_tests(said("Write add", "ok", "thanks", mine)) is None


def test_tests_that_came_with_the_row_come_before_those_in_the_request() -> None:
    found = carried_tests({"tests": "assert add(2, 2) == 4"}, said(FENCED, "done"))
    assert found is not None
    assert found.declared


@pytest.mark.parametrize(
    ("tests", "name"),
    [
        ("from solution import f\nassert f(1) == 1", "f"),
        ("import math\nassert f(math.pi) > 3", "f"),
        ("import pytest\ndef test_f():\n    with pytest.raises(ValueError):\n        f(0)", "f"),
        ("from typing import List\nx: List[int] = f()\nassert x", "f"),
        ("assert len([1]) == 1", None),
    ],
)
def test_the_name_that_tests_call(tests: str, name: str | None) -> None:
    assert called_name(tests) == name


def test_the_answer_is_the_last_message_with_code() -> None:
    first, second = "```python\nx = 1\n```", "```python\nx = 2\n```"
    assert answered_code(said("a", first, "again", second, "thanks", "gladly")) == "x = 2"
    assert answered_code(said("a", "prose only")) is None


def test_code_defines_what_it_binds_at_its_top() -> None:
    source = "from a import g as h\nclass C:\n    pass\nf = lambda x: x\ndef k():\n    inner = 1\n"
    assert all(defines(source, name) for name in ("h", "C", "C.method", "f", "k"))
    assert not any(defines(source, name) for name in ("inner", "g"))
    assert not defines("def broken(:", "broken")
