"""compare --files, evaluate and decide keep the contract: keys, exit codes, one-line errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.studio.cli.conftest import Run, write_rows

GROUP = {
    "a", "b", "delta", "delta_ci95", "p_value", "p_adjusted", "fixed", "broken", "verdict",
    "n_needed", "detectable",
}  # fmt: skip


def verdicts(path: Path, passed: int, n: int = 100) -> Path:
    """`n` items of two categories, of which the first ones pass."""
    rows: list[dict[str, Any]] = [
        {"item": f"q{i}", "passed": i < passed, "category": "code" if i % 2 else "tool_call"}
        for i in range(n)
    ]
    return write_rows(path, *rows)


@pytest.mark.parametrize(
    ("a", "b", "verdict", "code"),
    [
        (40, 90, "better", 0),
        (90, 40, "worse", 1),
        (50, 52, "undecided", 0),
        (100, 100, "equivalent", 0),
    ],
)
def test_only_worse_ends_with_1(
    run: Run, tmp_path: Path, a: int, b: int, verdict: str, code: int
) -> None:
    n = 1000 if verdict == "equivalent" else 100
    left, right = verdicts(tmp_path / "a.jsonl", a, n), verdicts(tmp_path / "b.jsonl", b, n)
    ran = run("compare", "--files", left, right)
    assert (ran.json["overall"]["verdict"], ran.code) == (verdict, code)


def test_the_answer_has_the_keys_of_the_contract(run: Run, tmp_path: Path) -> None:
    left, right = verdicts(tmp_path / "a.jsonl", 40), verdicts(tmp_path / "b.jsonl", 90)
    value = run("compare", "--files", left, right).json
    assert {"overall", "by_category", "by_agent", "items"} <= set(value)
    assert set(value["by_category"]) == {"code", "tool_call"}
    for group in (value["overall"], *value["by_category"].values()):
        assert set(group) >= GROUP
        assert {"n", "passed", "rate", "ci95"} == set(group["a"]) == set(group["b"])
        assert group["delta"] == pytest.approx(group["b"]["rate"] - group["a"]["rate"])
    assert value["items"][0] == {
        "item": "q0", "category": "tool_call", "agent": None, "a": "passed", "b": "passed",
    }  # fmt: skip
    assert value["items"][50]["a"] == "wrong_answer"
    text = run("compare", "--files", left, right, as_json=False).out
    assert "better: +50.0 points" in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["compare", "--files", "a.jsonl", "none.jsonl"], "none.jsonl: cannot be read"),
        (["compare", "--files", "a.jsonl", "other.jsonl"], "the same items in both"),
        (["compare", "--files", "a.jsonl", "broken.jsonl"], "broken.jsonl:1: not JSON"),
        (["compare", "base"], "give two arms and --suite"),
        (["evaluate", "base"], "--suite"),
        (["evaluate", "nobody", "--suite", "nano"], "is no arm"),
        (["evaluate", "run:7", "--suite", "nano"], "no run 7"),
        (["evaluate", "base", "--suite", "none.jsonl"], "none.jsonl: the suite cannot be read"),
        (["decide"], "nothing was evaluated yet"),
        (["decide", "base", "--suite", "nano"], "nothing to decide"),
        (["decide", "run:7", "--suite", "nano", "--rules", "none.yaml"], "none.yaml"),
        (["runs", "7"], "no run 7"),
        (["stop", "7"], "no run 7"),
        (["resume", "7"], "no run 7"),
        (["train", "none", "--recipe", "nano-good"], "no dataset 'none'"),
        (["train", "none", "--recipe", "nothing"], "no recipe 'nothing'"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_2(
    filled: Run, tmp_path: Path, arguments: list[str], says: str
) -> None:
    verdicts(tmp_path / "a.jsonl", 3, 10)
    verdicts(tmp_path / "other.jsonl", 3, 11)
    (tmp_path / "broken.jsonl").write_text("{\n")
    ran = filled(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err.strip().splitlines()) == 1
    assert says in ran.err
    assert "bug in studio" not in ran.err


def test_no_runs_is_an_answer(filled: Run) -> None:
    assert filled("runs").json == {"runs": []}
    assert "studio train" in filled("runs", as_json=False).out
