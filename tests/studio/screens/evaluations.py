"""Evaluations as `studio evaluate` stores them, put into a store without any model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from db.interactions import dumps
from db.models.base import table
from db.models.evaluations import Arm, Evaluation, Generation, Outcome
from db.store import Store
from exports.suites import Suite, read_suite

READ = {
    "type": "function",
    "function": {"name": "read_file", "parameters": {"type": "object", "properties": {}}},
}
Answers = Mapping[str, tuple[str, str, str]]  # item -> (verdict, detail, text)


def write_suite(path: Path, items: Sequence[Mapping[str, Any]] | None = None) -> Suite:
    """Three calls, three reasoning items and two of code, or the items given."""
    given = items if items is not None else [
        *(
            {"id": f"call{n}", "category": "tool_call", "agent": "coder", "tools": [READ],
             "messages": [{"role": "system", "content": "Use the tools."},
                          {"role": "user", "content": f"Read file {n}.py"}],
             "scorer": {"kind": "tool_call",
                        "calls": [{"name": "read_file", "arguments": {"path": f"{n}.py"}}]}}
            for n in (1, 2, 3)
        ),
        *(
            {"id": f"sum{n}", "category": "reasoning", "agent": "researcher",
             "messages": [{"role": "user", "content": f"What is {n} and {n}?"}],
             "scorer": {"kind": "answer", "answer": str(2 * n)}}
            for n in (1, 2, 3)
        ),
        *(
            {"id": f"code{n}", "category": "code", "agent": "coder",
             "messages": [{"role": "user", "content": "Write a function\n" * 9}],
             "scorer": {"kind": "code", "entry_point": "f", "tests": "assert f() == 1"}}
            for n in (1, 2)
        ),
    ]  # fmt: skip
    path.write_text("".join(json.dumps(item) + "\n" for item in given), encoding="utf-8")
    return read_suite(path)


def call(path: str) -> str:
    """A call of read_file as the template writes it."""
    body = json.dumps({"name": "read_file", "arguments": {"path": path}})
    return f"<tool_call>\n{body}\n</tool_call>"


LEGACY = '```json\n{"tool": "read_file", "arguments": {"path": "1.py"}}\n```'
BASE: Answers = {
    "call1": ("unparsed", "a call that cannot be read", LEGACY),
    "call2": ("passed", "", call("2.py")),
    "call3": ("unparsed", "a call that cannot be read", "I would read it."),
    "sum1": ("passed", "", "First line.\nThe sum is two.\nAnswer: 2"),
    "sum2": ("passed", "", "Answer: 4"),
    "sum3": ("wrong_answer", "answered '5', wanted '6'", "Answer: 5"),
    "code1": ("passed", "", "```python\ndef f():\n    return 1\n```"),
    "code2": ("runtime_error", "NameError: name 'x' is not defined", "```python\ndef f(): x\n```"),
}
TUNED: Answers = {
    **BASE,
    "call1": ("passed", "", call("1.py")),
    "call3": ("passed", "", call("3.py")),
    "sum1": ("wrong_answer", "answered '3', wanted '2'",
             "Well.\nFirst line.\nThe sum is three.\nAnswer: 3"),
    "code2": ("wrong_answer", "assert f() == 1", "```python\ndef f():\n    return 2\n```"),
}  # fmt: skip


def put_evaluation(
    store: Store,
    suite: Suite,
    spec: str,
    answers: Answers,
    *,
    base: str = "nano",
    adapter: str | None = None,
    keep: bool = True,
) -> int:
    """Store one arm's evaluation with its answers; returns its number."""
    passed = sum(verdict == "passed" for verdict, _, _ in answers.values())
    report = {"arm": spec, "n": len(answers), "passed": passed, "seconds_per_answer": 0.5}
    digest = f"{spec} {base} {adapter}"
    items = {item.id: item for item in suite.items}
    with store.write() as connection:
        arms, evaluations = table(Arm), table(Evaluation)
        arm = connection.execute(select(arms.c.id).where(arms.c.digest == digest)).scalar()
        if arm is None:
            details = dumps({"base": base, "adapter": adapter})
            row = {"spec": spec, "digest": digest, "details_json": details}
            arm = connection.execute(insert(arms).values(row).returning(arms.c.id)).scalar_one()
        number = connection.execute(
            insert(evaluations)
            .values(arm_id=arm, suite=suite.name, suite_sha256=suite.sha256, n=len(answers),
                    created_ms=1_759_276_800_000, report_json=dumps(report))
            .returning(evaluations.c.id)
        ).scalar_one()  # fmt: skip
        for identity, (verdict, detail, text) in answers.items():
            key = f"{number}:{identity}" if keep else None
            if key is not None:
                connection.execute(
                    insert(table(Generation)).values(
                        key=key, text=text, prompt_tokens=10, completion_tokens=20,
                        finish_reason="stop", seconds=0.25,
                    )
                )  # fmt: skip
            connection.execute(
                insert(table(Outcome)).values(
                    evaluation_id=number, item=identity, category=items[identity].category,
                    agent=items[identity].agent, verdict=verdict, detail=detail,
                    strict=True if verdict == "passed" else None, generation_key=key,
                )
            )  # fmt: skip
    return int(number)


def many(passing: int, of: int = 60) -> Answers:
    """Answers to `many_items`, of which the first ones pass."""
    return {
        f"item{n}": ("passed", "", "Answer: 1") if n < passing
        else ("wrong_answer", "answered '2', wanted '1'", "Answer: 2")
        for n in range(of)
    }  # fmt: skip


def many_items(of: int = 60) -> list[dict[str, Any]]:
    """Items enough to show a difference, half of them for each of two agents."""
    return [
        {"id": f"item{n}", "category": "reasoning", "agent": ("coder", "tester")[n % 2],
         "messages": [{"role": "user", "content": "What is one?"}],
         "scorer": {"kind": "answer", "answer": "1"}}
        for n in range(of)
    ]  # fmt: skip
