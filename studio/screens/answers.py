"""What Compare shows of one item: request, what is wanted, both answers and their outcomes.

Nothing is judged here: verdicts and test output are the stored ones.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from db.counted import counted
from db.secrets import mask_secrets
from exports.suites import Item
from studio.evals.stored import Side
from studio.widgets.side_by_side import Section

if TYPE_CHECKING:
    from exports.tool_calls import Parse

FEW = 6  # lines of a request that are shown before somebody asks for all of it


def sections(item: Item | None, why: str, a: Side, b: Side, *, whole: bool) -> list[Section]:
    """The sections of one item; `why` says where its suite is, when it is not at hand."""
    most = None if whole else FEW
    if item is None:
        above = [Section("request", f"not known: {why}" if why else "not in the suite")]
    else:
        above = [
            Section("request", request(item), most=most),
            Section("wanted", wanted(item), most=most),
        ]
    below = [
        Section("answer", _answer(a), _answer(b), marked=True),
        Section("parse", reading(item, a.text), reading(item, b.text)),
        Section("outcome", outcome(a), outcome(b)),
    ]
    return [_masked(section) for section in (*above, *below)]


def _masked(section: Section) -> Section:
    """A section as it may be shown: a model may have learned a key, or made one up."""
    right = section.right
    return replace(
        section,
        left=mask_secrets(section.left),
        right=None if right is None else mask_secrets(right),
    )


def request(item: Item) -> str:
    """Every message of the item, and the names of the tools that it offers."""
    single = len(item.messages) == 1
    parts = [
        _content(m.get("content")) if single else f"{m['role']}: {_content(m.get('content'))}"
        for m in item.messages
    ]
    if item.tools:
        names = ", ".join(str(tool.get("function", tool).get("name")) for tool in item.tools)
        parts.append(f"tools: {names}")
    return "\n".join(parts)


def wanted(item: Item) -> str:
    """What the scorer asks for: calls, an answer, tests or cases."""
    scorer = item.scorer
    if scorer["kind"] == "tool_call":
        calls = [_call(call["name"], call["arguments"]) for call in scorer["calls"]]
        return "\n".join(calls) or "no call"
    if scorer["kind"] == "answer":
        return str(scorer["answer"])
    if "tests" in scorer:
        return f"{scorer['entry_point']}, and these tests pass:\n{scorer['tests']}"
    return "\n".join(f"{case['stdin']!r} → {case['stdout']!r}" for case in scorer["cases"])


def reading(item: Item | None, text: str) -> str:
    """How the evaluation reads an answer: its calls, its code, or its final answer."""
    kind = item.scorer["kind"] if item else "tool_call"
    if kind == "answer":
        from studio.evals.score import final_answer

        given = final_answer(text)
        return "no final answer" if given is None else f"final answer: {given}"
    if kind == "code":
        from exports.code_blocks import python_code

        code = python_code(text)
        return (
            "no Python code"
            if code is None
            else f"{counted(len(code.splitlines()), 'line')} of Python"
        )
    from exports.tool_calls import parse

    return _in_words(parse(text, (item.tools or None) if item else None))


def _in_words(read: Parse) -> str:
    if read.format is None:
        return "no call"
    lines = [f"{read.format}, {'strict' if read.strict else 'not strict'}"]
    if read.problems:
        lines.append(f"problems: {', '.join(read.problems)}")
    lines += [_call(call.name, call.arguments) for call in read.calls]
    lines += [f"meant: {_call(call.name, call.arguments)}" for call in read.legacy]
    return "\n".join(lines)


def outcome(side: Side) -> str:
    """The stored verdict with its detail (test output), and what the answer took."""
    found, answer = side.outcome, side.answer
    strict = {None: "", 0: ", not strict", 1: ", strict"}[found.strict]
    lines = [f"{found.verdict}{strict}", *([found.detail] if found.detail else [])]
    if answer is not None:
        lines.append(
            f"{counted(answer.completion_tokens, 'token')} in {answer.seconds:.2f} s, "
            f"ended by {answer.finish_reason}"
        )
    return "\n".join(lines)


def as_text(title: str, names: Sequence[str], shown: Sequence[Section]) -> str:
    """The same for the clipboard and the pager, one side after the other."""
    parts = [title]
    for section in shown:
        if section.right is None:
            parts.append(f"── {section.title}\n{section.left}")
        else:
            parts += [
                f"── {section.title}: {name}\n{text}"
                for name, text in zip(names, (section.left, section.right), strict=True)
            ]
    return "\n\n".join(parts) + "\n"


def _answer(side: Side) -> str:
    return side.text if side.answer else "(the answer was not kept)"


def _content(content: object) -> str:
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def _call(name: str, arguments: object) -> str:
    return f"{name} {json.dumps(arguments, ensure_ascii=False)}"
