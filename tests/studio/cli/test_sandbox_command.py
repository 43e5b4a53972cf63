"""`studio sandbox run` keeps the contract: a verdict a row, 1 when some did not pass."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.sandbox import probe
from tests.studio.cli.conftest import Run, write_rows

PLUS = {"code": "def f(x): return x + 1", "entry_point": "f"}


@pytest.fixture
def sandbox(run: Run) -> Run:
    """The commands, where hostile code can be held."""
    if probe().tier == "C":
        pytest.skip(probe().explanation())
    return run


def test_every_row_gets_a_verdict_and_the_exit_code_tells_whether_all_passed(
    sandbox: Run, tmp_path: Path
) -> None:
    good = {"id": "a", **PLUS, "tests": "assert f(1) == 2"}
    bad = {"id": 2, **PLUS, "tests": "assert f(1) == 3", "timeout": 2}
    cases = {"id": "c", "code": "print(input())", "cases": [{"stdin": "x", "stdout": "x\n"}]}
    out = tmp_path / "out.jsonl"
    ran = sandbox("sandbox", "run", "--file", write_rows(tmp_path / "in.jsonl", good, cases),
                  "--out", out)  # fmt: skip
    assert ran.code == 0
    assert (ran.json["items"], ran.json["passed"], ran.json["rate"]) == (2, 2, 1.0)
    ran = sandbox("sandbox", "run", "--file", write_rows(tmp_path / "in.jsonl", good, bad, cases),
                  "--out", out)  # fmt: skip
    assert ran.code == 1
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(row["id"], row["verdict"]) for row in rows] == [
        ("a", "passed"),
        (2, "wrong_answer"),
        ("c", "passed"),
    ]
    keys = {"id", "verdict", "cases_passed", "cases", "detail", "seconds", "tier"}
    assert all(keys <= set(row) for row in rows)
    assert (rows[2]["cases_passed"], rows[2]["cases"]) == (1, 1)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"id": 1}\n', "in.jsonl:1: `code` is missing"),
        (b"\n[1]\n", "in.jsonl:2: a task is an object"),
        (b"{\n", "in.jsonl:1: "),
        (b"\xff\xfe\n", "in.jsonl: not UTF-8"),
        (None, "in.jsonl: cannot be read"),
    ],
)
def test_what_is_no_task_is_one_line_and_exit_2(
    run: Run, tmp_path: Path, content: bytes | None, says: str
) -> None:
    if content is not None:
        (tmp_path / "in.jsonl").write_bytes(content)
    ran = run("sandbox", "run", "--file", tmp_path / "in.jsonl", "--out", tmp_path / "out.jsonl")
    assert ran.code == 2
    assert says in ran.err
    assert "bug in studio" not in ran.err
    assert not (tmp_path / "out.jsonl").exists()


def test_a_place_that_cannot_be_written_is_told_before_anything_runs(
    run: Run, tmp_path: Path
) -> None:
    path = write_rows(tmp_path / "in.jsonl", {"id": 1, **PLUS, "tests": "assert f(1) == 2"})
    ran = run("sandbox", "run", "--file", path, "--out", tmp_path / "nowhere" / "out.jsonl")
    assert ran.code == 2
    assert "cannot be written" in ran.err
