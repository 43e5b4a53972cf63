"""The gold gate on real data: reference solutions pass, empty answers do not."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.sandbox import Case, Task, probe, run_tasks

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "eval"

# The file has no solutions. The two that are missing (matching, spanning tree) have many right
# answers, as their statements say, so no comparison of texts can judge them.
PROGRAMS = {
    "lc-sample-aplusb": "print(sum(map(int, input().split())))",
    "lc-string-suffixarray": "s = input()\nprint(*sorted(range(len(s)), key=lambda i: s[i:]))",
    "lc-string-enumerate_palindromes": """
s = input()
out = []
for c in range(2 * len(s) - 1):
    i, j = c // 2, (c + 1) // 2
    while i >= 0 and j < len(s) and s[i] == s[j]:
        i, j = i - 1, j + 1
    out.append(j - i - 1)
print(*out)
""",
    "lc-number_theory-factorize": """
import sys
for n in map(int, sys.stdin.read().split()[1:]):
    found, p = [], 2
    while p * p <= n:
        while n % p == 0:
            found.append(p)
            n //= p
        p += 1
    found += [n] * (n > 1)
    print(len(found), *found)
""",
}


def rows(name: str) -> Iterator[dict[str, Any]]:
    path = DATA / f"{name}.jsonl"
    if not path.exists():
        pytest.skip(f"real data is not here: {path}")
    for line in path.read_text("utf-8").splitlines():
        yield json.loads(line)


def humaneval() -> Iterator[Task]:
    for row in rows("humaneval"):
        tests = f"{row['test']}\ncheck({row['entry_point']})"
        code = row["prompt"] + row["canonical_solution"]
        yield Task(row["task_id"], code, row["entry_point"], tests)


def exercism() -> Iterator[Task]:
    for row in rows("exercism_multisolution"):
        stub = ast.parse(row["stub"]).body
        defined = [node for node in stub if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
        for solution in row["solutions"]:
            name = f"{row['id']}/{solution['name']}"
            yield Task(name, solution["code"], defined[0].name, row["tests"], timeout=30)


def the_algorithms() -> Iterator[Task]:
    for row in rows("thealgorithms_multisolution"):
        for solution in row["solutions"]:
            name, tests = f"{row['id']}/{solution['name']}", "\n".join(row["tests"])
            yield Task(name, solution["code"], "solution", tests, timeout=30)


def library_checker() -> Iterator[Task]:
    for row in rows("stdin_stdout_library_checker"):
        if row["id"] in PROGRAMS and not row["special_checker"]:
            cases = tuple(Case(test["input"], test["output"]) for test in row["tests"])
            yield Task(row["id"], PROGRAMS[row["id"]], cases=cases)


@pytest.mark.parametrize("source", [humaneval, exercism, the_algorithms, library_checker])
def test_references_pass_and_empty_answers_do_not(source: Any) -> None:
    if probe().tier == "C":
        pytest.skip(probe().explanation())
    tasks = list(source())
    assert tasks
    wrong = [result for result in run_tasks(tasks) if result.verdict != "passed"]
    assert wrong == []
    empty = [Task(t.id, "pass", t.entry_point, t.tests, t.cases) for t in tasks]
    assert [result for result in run_tasks(empty) if result.verdict == "passed"] == []
