"""The mix of a benchmark: by its rows, its folders, or the words of its tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from db.errors import BadInput
from db.store import Store
from studio.curation.benchmark_mix import benchmark_mix, evaluated_suite


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_folder_by_agent_gives_the_backgrounds_shares(tmp_path: Path) -> None:
    counts = {"coder": 258, "tester": 25, "researcher": 9, "coordinator": 8, "reviewer": 3}
    for agent, n in counts.items():
        write(tmp_path / agent / "benchmark_all.jsonl", *({"task": f"do {k}"} for k in range(n)))
    found = benchmark_mix(str(tmp_path))
    assert (found["n"], found["distribution"]) == (303, counts)
    assert found["distribution"]["coder"] / found["n"] == pytest.approx(0.851, abs=0.001)


def test_a_row_says_its_agent_or_its_words_do(tmp_path: Path) -> None:
    path = write(
        tmp_path / "tasks.jsonl",
        {"agent": "QA engineer", "task": "Fix it"},
        {"text": "Review the pull request"},
        {"messages": [{"role": "user", "content": "Plan the sprint"}]},
    )
    assert benchmark_mix(str(path))["distribution"] == {
        "tester": 1, "reviewer": 1, "coordinator": 1,
    }  # fmt: skip
    assert benchmark_mix("nano")["n"] == 380


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "tasks.jsonl:1: not JSON"),
        ("[]", "tasks.jsonl:1: not an object"),
        ('{"id": 1}', "tasks.jsonl:1: no agent, and no task"),
        ("\n", "holds no tasks"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text(content)
    with pytest.raises(BadInput, match=says):
        benchmark_mix(str(path))


def test_without_a_file_or_an_evaluation_there_is_none(tmp_path: Path, store: Store) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        benchmark_mix(str(tmp_path / "none.jsonl"))
    with pytest.raises(BadInput, match=r"no \*/benchmark_all\.jsonl"):
        benchmark_mix(str(tmp_path))
    assert evaluated_suite(store) is None
