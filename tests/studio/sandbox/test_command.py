"""A file of tasks in, a file of verdicts out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.sandbox import BadInput, probe
from studio.sandbox.command import run_file

PLUS = "def f(x): return x + 1"


def write(path: Path, *lines: Any) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_verdicts_come_in_the_order_of_the_input(tmp_path: Path) -> None:
    if probe().tier == "C":
        pytest.skip(probe().explanation())
    slow = "import time\ndef f(x):\n    time.sleep(0.3)\n    return x + 1"
    source = write(
        tmp_path / "in.jsonl",
        {"id": "slow", "code": slow, "entry_point": "f", "tests": "assert f(1) == 2"},
        {"id": 7, "code": PLUS, "entry_point": "f", "tests": "assert f(1) == 2\nassert f(1) == 3"},
        "",
        {"id": "slow", "code": None, "entry_point": "f", "tests": "assert f(1) == 2"},
        {"id": "io", "code": "print(input())", "cases": [{"stdin": "a", "stdout": "a\n"}]},
        {
            "id": "stuck",
            "code": "while True: pass",
            "cases": [{"stdin": "", "stdout": ""}],
            "timeout": 0.5,
        },
    )
    seen: list[tuple[int, int]] = []
    out = tmp_path / "out.jsonl"
    answer = run_file(source, out, workers=2, progress=lambda done, of: seen.append((done, of)))
    found = read(out)
    assert [row["id"] for row in found] == ["slow", 7, "slow", "io", "stuck"]
    verdicts = [row["verdict"] for row in found]
    assert verdicts == ["passed", "partial", "no_code", "passed", "timeout"]
    keys = ["id", "verdict", "cases_passed", "cases", "detail", "seconds", "tier"]
    assert all(list(row) == keys for row in found)
    assert [(row["cases_passed"], row["cases"]) for row in found[:2]] == [(1, 1), (1, 2)]
    assert found[0]["tier"] == probe().tier
    assert answer["items"] == 5
    assert answer["passed"] == 2
    assert answer["by_verdict"] == {"no_code": 1, "partial": 1, "passed": 2, "timeout": 1}
    assert seen[-1] == (5, 5)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "Expecting"),
        ("[]", "object"),
        ({"code": PLUS, "entry_point": "f", "tests": "assert f(1)"}, "`id`"),
        ({"id": 1, "entry_point": "f", "tests": "assert f(1)"}, "`code` is missing"),
        ({"id": 1, "code": 5, "entry_point": "f", "tests": "assert f(1)"}, "`code` must be"),
        ({"id": 1, "code": PLUS}, "either tests or cases"),
        ({"id": 1, "code": PLUS, "tests": "assert f(1)"}, "entry_point"),
        ({"id": 1, "code": PLUS, "tests": "x", "entry_point": "a b"}, "entry_point"),
        ({"id": 1, "code": PLUS, "cases": []}, "no cases"),
        ({"id": 1, "code": PLUS, "cases": [{"stdin": "a"}]}, "`stdout`"),
        ({"id": 1, "code": PLUS, "cases": "a"}, "`cases`"),
        ({"id": 1, "code": "", "cases": [{"stdout": ""}], "timeout": "1"}, "`timeout`"),
        ({"id": 1, "code": "", "cases": [{"stdout": ""}], "timeout": -1}, "timeout"),
    ],
)
def test_a_bad_line_is_named_before_anything_runs(tmp_path: Path, line: Any, why: str) -> None:
    good = {"id": 1, "code": PLUS, "entry_point": "f", "tests": "assert f(1) == 2"}
    source = write(tmp_path / "in.jsonl", good, line)
    with pytest.raises(BadInput, match=why) as error:
        run_file(source, tmp_path / "out.jsonl")
    assert str(error.value).startswith(f"{source}:2: ")
    assert not (tmp_path / "out.jsonl").exists()


def test_an_empty_file_gives_an_empty_file(tmp_path: Path) -> None:
    if probe().tier == "C":
        pytest.skip(probe().explanation())
    answer = run_file(write(tmp_path / "in.jsonl", ""), tmp_path / "out.jsonl")
    assert (answer["items"], answer["rate"]) == (0, None)
    assert read(tmp_path / "out.jsonl") == []


def test_running_without_walls_is_stamped(tmp_path: Path) -> None:
    task = {"id": 1, "code": PLUS, "entry_point": "f", "tests": "assert f(1) == 2"}
    answer = run_file(write(tmp_path / "in.jsonl", task), tmp_path / "out.jsonl", unsandboxed=True)
    assert answer["tier"] == "unsandboxed"
    assert [(row["verdict"], row["tier"]) for row in read(tmp_path / "out.jsonl")] == [
        ("passed", "unsandboxed")
    ]
