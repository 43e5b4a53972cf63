"""From an answer to a verdict: the item's own scorer decides, and says what it saw."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from db.counted import counted
from exports.call_values import Call
from exports.code_blocks import python_code
from exports.suites import Item
from exports.tool_calls import parse
from studio.sandbox import Case, Task

_FINAL = re.compile(r"(?:answer\s*(?:is)?\s*[:=]|####)\s*([^\n]+)", re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Score:
    """A verdict, whether it holds strictly (tool calls in the template's own form), and why."""

    verdict: str
    detail: str = ""
    strict: bool | None = None


def score_text(item: Item, text: str, finish_reason: str) -> Score | Task:
    """The verdict on an answer, or for code the task whose result decides it in the sandbox."""
    if not text.strip():
        return Score("empty", "the model answered nothing")
    kind = item.scorer["kind"]
    if kind == "tool_call":
        score = _tool_call(item, text)
    elif kind == "answer":
        score = _answer(item, text)
    else:
        code = python_code(text)
        if code is None:
            score = Score("no_code", "the answer holds no Python code")
        else:
            return _task(item, code)
    return truncated(score, finish_reason)


def truncated(score: Score, finish_reason: str) -> Score:
    """An answer that the token limit cut, unless it passed all the same."""
    if finish_reason == "length" and score.verdict != "passed":
        return Score("truncated", f"cut at the token limit ({score.detail or score.verdict})")
    return score


def _tool_call(item: Item, text: str) -> Score:
    expected = [Call(call["name"], call["arguments"]) for call in item.scorer["calls"]]
    read = parse(text, item.tools or None)
    if read.calls and same_calls(read.calls, expected):
        form = "" if read.strict else f"read as {read.format} {' '.join(read.problems)}".strip()
        return Score("passed", form, read.strict)
    if read.calls:
        return Score("wrong_answer", _difference(read.calls, expected))
    if "truncated" in read.problems:
        return Score("truncated", "the call is cut")
    if read.problems == ["unknown_tool"]:
        return Score("wrong_answer", "calls a tool that was not offered")
    if read.problems or read.legacy:
        meant = " in the old template" if read.legacy else ""
        return Score("unparsed", f"a call that cannot be read{meant}: {', '.join(read.problems)}")
    if not expected:
        return Score("passed", "", True)
    return Score("wrong_answer", "no call was made")


def same_calls(calls: Sequence[Call], expected: Sequence[Call]) -> bool:
    """Whether the same calls were made, in any order; arguments compare by value and type."""
    left = list(expected)
    for call in calls:
        match = next((other for other in left if _same_call(call, other)), None)
        if match is None:
            return False
        left.remove(match)
    return not left


def _same_call(a: Call, b: Call) -> bool:
    return a.name == b.name and _same(a.arguments, b.arguments)


def _same(a: Any, b: Any) -> bool:
    """Equal as JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return (type(a) is type(b) and a == b) or (_is_number(a) and _is_number(b) and a == b)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _difference(calls: Sequence[Call], expected: Sequence[Call]) -> str:
    if len(calls) != len(expected):
        return f"{counted(len(calls), 'call')} where {counted(len(expected), 'was', 'were')} wanted"
    for call, wanted in zip(calls, expected, strict=True):
        if call.name != wanted.name:
            return f"called {call.name}, wanted {wanted.name}"
        for key in wanted.arguments.keys() | call.arguments.keys():
            if not _same(call.arguments.get(key), wanted.arguments.get(key)):
                return f"{key} is {call.arguments.get(key)!r}, wanted {wanted.arguments.get(key)!r}"
    return "other calls than wanted"


def _answer(item: Item, text: str) -> Score:
    given, wanted = final_answer(text), str(item.scorer["answer"])
    if given is None:
        return Score("wrong_answer", "no final answer was given")
    if same_answer(given, wanted):
        return Score("passed")
    return Score("wrong_answer", f"answered {given!r}, wanted {wanted!r}")


def final_answer(text: str) -> str | None:
    """What stands after the last "Answer:", "####" or in \\boxed{}, else the last number."""
    marked = [*_BOXED.findall(text)] or [*_FINAL.findall(text)]
    if marked:
        return str(marked[-1]).strip()
    numbers = _NUMBER.findall(text)
    return numbers[-1] if numbers else None


def same_answer(given: str, wanted: str) -> bool:
    """Equal as numbers, else as text without case, quotes and a full stop."""
    return _folded(given) == _folded(wanted)


def _folded(answer: str) -> str:
    plain = answer.strip().lstrip("*`$\"'").rstrip("*`$\"'. ").strip().casefold()
    try:
        number = Decimal(plain.replace(",", ""))
    except InvalidOperation:
        return plain
    return str(number.normalize()) if number.is_finite() else plain


def _task(item: Item, code: str) -> Task:
    scorer = item.scorer
    cases = scorer.get("cases")
    return Task(
        id=item.id,
        code=code,
        entry_point=scorer.get("entry_point"),
        tests=scorer.get("tests"),
        cases=tuple(Case(case["stdin"], case["stdout"]) for case in cases) if cases else None,
        timeout=float(scorer.get("timeout", 5.0)),
    )
