"""The scorers on answers made by hand: what passes, and the name of everything that does not."""

from __future__ import annotations

from typing import Any

import pytest

from exports.call_values import Call
from exports.suites import Item
from exports.tool_calls import render_call, render_legacy_call
from studio.evals.score import Score, final_answer, same_answer, same_calls, score_text
from studio.sandbox import Task, run_tasks

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
        },
    }
    for name in ("read_file", "run_tests")
]


def item(kind: str, **scorer: Any) -> Item:
    tools = TOOLS if kind == "tool_call" else []
    asked = [{"role": "user", "content": "?"}]
    return Item("x", kind, None, asked, tools, {"kind": kind, **scorer})


def scored(given: Item, text: str, finish_reason: str = "stop") -> Score:
    found = score_text(given, text, finish_reason)
    assert isinstance(found, Score)
    return found


CALL = item("tool_call", calls=[{"name": "read_file", "arguments": {"path": "a.py"}}])
NO_CALL = item("tool_call", calls=[])
RIGHT = render_call("read_file", {"path": "a.py"})


@pytest.mark.parametrize(
    ("text", "verdict", "strict"),
    [
        (RIGHT, "passed", True),
        (f"I look.\n{RIGHT}", "passed", True),
        ('```json\n{"name": "read_file", "arguments": {"path": "a.py"}}\n```', "passed", False),
        (RIGHT.removesuffix("\n</tool_call>"), "passed", False),
        (render_call("read_file", {"path": "b.py"}), "wrong_answer", None),
        (render_call("run_tests", {"path": "a.py"}), "wrong_answer", None),
        (render_call("read_file", {"path": "a.py", "limit": 3}), "wrong_answer", None),
        (RIGHT + "\n" + RIGHT, "wrong_answer", None),
        (render_call("delete", {"path": "a.py"}), "wrong_answer", None),
        ("The file is a.py.", "wrong_answer", None),
        (render_legacy_call("read_file", {"path": "a.py"}), "unparsed", None),
        (
            '<tool_call>\n{"name": "read_file", "arguments": {"path": \n</tool_call>',
            "unparsed",
            None,
        ),
        ("", "empty", None),
        (" \n ", "empty", None),
    ],
)
def test_tool_calls(text: str, verdict: str, strict: bool | None) -> None:
    found = scored(CALL, text)
    assert (found.verdict, found.strict) == (verdict, strict)
    assert found.detail or found.verdict == "passed"


def test_the_detail_says_what_differs() -> None:
    assert "path is 'b.py', wanted 'a.py'" in scored(CALL, RIGHT.replace("a.py", "b.py")).detail
    assert "called run_tests" in scored(CALL, RIGHT.replace("read_file", "run_tests")).detail
    assert "2 calls where 1 was wanted" in scored(CALL, RIGHT + "\n" + RIGHT).detail
    assert "not offered" in scored(CALL, RIGHT.replace("read_file", "delete")).detail
    legacy = scored(CALL, render_legacy_call("read_file", {"path": "a.py"}))
    assert "old template" in legacy.detail


def test_a_call_that_cannot_be_read_is_no_abstention() -> None:
    assert scored(NO_CALL, "I need no tool for that.").verdict == "passed"
    assert scored(NO_CALL, RIGHT).verdict == "wrong_answer"
    broken = '<tool_call>\n{"name": "read_file", "arguments": {\n</tool_call>'
    assert scored(NO_CALL, broken).verdict == "unparsed"
    assert scored(NO_CALL, render_legacy_call("read_file", {"path": "a"})).verdict == "unparsed"


@pytest.mark.parametrize("text", [RIGHT[:-25], "I would first have to look at the"])
def test_what_the_token_limit_cut_is_truncated(text: str) -> None:
    assert scored(CALL, text, "length").verdict == "truncated"


def test_what_passed_before_the_limit_has_passed() -> None:
    assert scored(CALL, RIGHT, "length").verdict == "passed"


def test_several_calls_count_in_any_order_and_each_once() -> None:
    a, b = Call("read_file", {"path": "a"}), Call("read_file", {"path": "b"})
    assert same_calls([a, b], [b, a])
    assert not same_calls([a, a], [a, b])
    assert not same_calls([a], [a, b])
    assert not same_calls([a, b], [a])


@pytest.mark.parametrize(
    ("given", "wanted", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        ("1", 1, False),
        ([1, {"a": None}], [1, {"a": None}], True),
        ({"a": 1}, {"a": 1, "b": None}, False),
        ([1, 2], [2, 1], False),
    ],
)
def test_arguments_compare_by_value_and_type(given: Any, wanted: Any, same: bool) -> None:
    assert same_calls([Call("f", {"x": given})], [Call("f", {"x": wanted})]) is same


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("3 and 4 make 7.\nAnswer: 7", "passed"),
        ("The answer is: 7.0", "passed"),
        ("#### 7", "passed"),
        (r"so \boxed{7}", "passed"),
        ("It must be 7", "passed"),  # nothing is marked: the last number
        ("Answer: 8, no, wait.\nAnswer: 7", "passed"),
        ("Answer: 8\nit is not 7", "wrong_answer"),
        ("I do not know.", "wrong_answer"),
        ("", "empty"),
    ],
)
def test_final_answers(text: str, verdict: str) -> None:
    assert scored(item("answer", answer="7"), text).verdict == verdict


def test_an_answer_cut_before_its_end_is_truncated() -> None:
    assert scored(item("answer", answer="7"), "First, I add 3 and", "length").verdict == "truncated"


@pytest.mark.parametrize(
    ("given", "wanted", "same"),
    [
        ("1,000", "1000", True),
        ("12.50", "12.5", True),
        ("**Yes**.", "yes", True),
        (".5", "0.5", True),
        ("yes", "no", False),
        ("NaN", "nan", True),
        ("1e3", "1000", True),
        ("7 apples", "7", False),
    ],
)
def test_answers_are_compared_as_numbers_or_as_plain_text(
    given: str, wanted: str, same: bool
) -> None:
    assert same_answer(given, wanted) is same


def test_no_answer_is_none() -> None:
    assert final_answer("none at all") is None
    assert final_answer("between 3 and 1,204.50 apples") == "1,204.50"


CODE = item("code", entry_point="add", tests="assert add(2, 3) == 5\nassert add(0, 0) == 0\n")


def test_an_answer_without_code_is_no_code() -> None:
    assert scored(CODE, "I would add the two numbers.").verdict == "no_code"
    assert scored(CODE, "I would add the two", "length").verdict == "truncated"
    assert scored(CODE, "").verdict == "empty"


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("def add(a, b):\n    return a + b\n", "passed"),
        ("def add(a, b):\n    return None\n", "wrong_answer"),
        ("def add(a, b):\n    return a - b\n", "partial"),
        ("def add(a, b):\n    return a / 0\n", "runtime_error"),
        ("def plus(a, b):\n    return a + b\n", "no_entry_point"),
    ],
)
def test_code_goes_to_the_sandbox_which_decides(code: str, verdict: str) -> None:
    task = score_text(CODE, f"Here it is:\n```python\n{code}```\nDone.", "stop")
    assert isinstance(task, Task)
    assert (task.id, task.entry_point, task.code.strip()) == ("x", "add", code.strip())
    (result,) = run_tasks([task], workers=1)
    assert result.verdict == verdict


def test_code_with_inputs_and_outputs_becomes_cases_with_the_items_own_time() -> None:
    given = item("code", cases=[{"stdin": "1\n", "stdout": "2\n"}], timeout=2)
    task = score_text(given, "```python\nprint(int(input()) + 1)\n```", "stop")
    assert isinstance(task, Task)
    assert task.timeout == 2
    assert task.cases is not None
    assert (task.cases[0].stdin, task.cases[0].stdout) == ("1\n", "2\n")
