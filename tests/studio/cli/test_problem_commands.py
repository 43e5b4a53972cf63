"""problems, split, merge, verify, advise and classify --report keep the contract."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from studio.sandbox import probe
from tests.conftest import ROOT
from tests.studio.cli.conftest import Run, talk, write_rows
from tests.studio.curation.jargon import jargon

TESTS = {"entry_point": "double", "tests": "assert double(2) == 4\nassert double(3) == 6"}


def code(body: str) -> str:
    return f"```python\ndef double(x):\n    return {body}\n```"


@pytest.fixture
def coded(run: Run, tmp_path: Path) -> Run:
    """Three answers to one problem, one to another; tests came with the first two."""
    rows: list[dict[str, Any]] = [
        talk("a", "Write double(x)", code("x * 2"), metadata=TESTS),
        talk("b", "write double(x).", code("x ** 2"), metadata=TESTS),
        talk("c", "Write double(x)", code("x + x")),
        talk("d", "Plan the [/] sprint \x1b[31m", "First this.", agent="coordinator"),
    ]
    assert run("import", write_rows(tmp_path / "log.jsonl", *rows)).code == 0
    return run


def test_one_problem_shows_its_solutions(coded: Run) -> None:
    coded("problems")
    found = coded("problems", "1").json
    assert (found["id"], found["task"]) == (1, "Write double(x)")
    assert [(each["ids"], each["state"]) for each in found["solutions"]] == [
        ([1], "untested"), ([2], "untested"), ([3], "untested"),
    ]  # fmt: skip
    assert "x * 2" in found["solutions"][0]["text"]
    ran = coded("problems", "77")
    assert ran.code == 2
    assert "studio problems lists them all" in ran.err


def test_problems_lists_those_with_most_verified_solutions_first(coded: Run) -> None:
    if probe().tier == "C":
        pytest.skip(probe().explanation())
    ran = coded("verify")
    assert ran.code == 0
    assert {key: ran.json[key] for key in ("verified", "failed", "without_tests")} == {
        "verified": 2,
        "failed": 1,
        "without_tests": 1,
    }
    assert coded("verify").json["ran"] == 0
    found = coded("problems").json["problems"]
    assert list(found[0]) == ["id", "task", "interactions", "solutions", "verified", "refuted"]
    assert [(p["interactions"], p["solutions"], p["verified"]) for p in found] == [
        (3, 3, 2),
        (1, 1, 0),
    ]
    assert len(coded("problems", "--min-solutions", "2").json["problems"]) == 1
    human = coded("problems", as_json=False)
    assert "2 problems, 4 distinct solutions, 2 verified" in human.out
    assert "\x1b" not in human.out
    assert "2 verified, 1 failed (partial 1)" in coded("verify", as_json=False).out


def test_split_and_merge_are_acts_that_undo_takes_back(coded: Run) -> None:
    coded("problems")
    assert coded("split", "3").json == {"act": 1, "changed": 1}
    assert sorted(p["interactions"] for p in coded("problems").json["problems"]) == [1, 1, 2]
    first, second = (coded("show", i).json["problem"] for i in ("1", "3"))
    assert coded("merge", first, second).json == {"act": 2, "changed": 1}
    assert coded("undo", "2").json["acts"] == [2, 1]
    assert sorted(p["interactions"] for p in coded("problems").json["problems"]) == [1, 3]
    assert coded("list", "--where", f"problem:{first}").json["total"] == 3
    for arguments in (["split"], ["split", "1-3"], ["merge", "1"], ["merge", "1", "9"]):
        ran = coded(*arguments)
        assert (ran.code, ran.err.count("\n")) == (2, 1)


def test_verify_takes_a_filter_and_refuses_a_wrong_one(coded: Run) -> None:
    assert coded("verify", "--where", "agent:coordinator").json["without_tests"] == 1
    assert coded("verify", "--where", "colour:blue").code == 2


def test_advise_answers_the_contract(coded: Run) -> None:
    answer = coded("advise").json
    assert answer["mix"] == {"coder": 0.75, "coordinator": 0.25}
    assert answer["non_coding_share"] == 0.25
    assert answer["advice"] == "undecided"
    assert answer["by_agent"]["coder"] == "qwen2.5-coder-7b"
    assert "25.0% of 4 interactions" in answer["why"]
    human = coded("advise", as_json=False).out
    assert human.startswith("UNDECIDED: 25.0% of 4")
    assert "single: too few rows" in human


def test_stats_show_the_keyword_mix_beside_the_collected_one(coded: Run) -> None:
    answer = coded("stats").json
    assert sum(answer["keyword_distribution"].values()) == 4
    human = coded("stats", as_json=False).out
    assert "keywords" in human
    assert "the keywords of the tasks agree with what was declared or labelled on" in human


def test_a_report_before_there_are_labels_says_what_is_missing(filled: Run) -> None:
    answer = filled("classify", "--report").json
    assert (answer["labels"], answer["model"]) == (0, None)
    assert "with 20 of two agents or more a model learns" in (
        filled("classify", "--report", as_json=False).out
    )
    assert filled("history").json["acts"] == []


def test_a_model_of_the_labels_takes_over_and_the_report_shows_why(
    run: Run, tmp_path: Path
) -> None:
    tasks = jargon(60)
    rows = [talk(str(n), task, "ok", agent=None) for n, (task, _) in enumerate(tasks)]
    run("import", write_rows(tmp_path / "log.jsonl", *rows))
    for agent in {agent for _, agent in tasks}:
        ids = [n + 1 for n, (_, own) in enumerate(tasks[:50]) if own == agent]
        run("label", agent, *ids)
    answer = run("classify").json
    assert answer["by_method"] == {"declared": 0, "human": 50, "model": 10, "rule": 0}
    assert answer["model"]["takes_over"]
    report = run("classify", "--report").json
    assert report["model"]["comparison"]["verdict"] == "better"
    assert len(report["reliability"]["model"]) == len(report["reliability"]["rules"])
    human = run("classify", "--report", as_json=False).out
    assert "the model of your labels answers" in human
    assert "labelled (down) against model (across)" in human
    assert "reliability of the model" in human


def test_a_report_needs_a_store_and_no_file(run: Run, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "in.jsonl", {"id": 1, "text": "x"})
    ran = run("classify", "--report", "--file", path, "--out", tmp_path / "out.jsonl")
    assert ran.code == 2
    assert "--report is about a store" in ran.err


def test_ctrl_c_ends_verify_and_keeps_what_it_found(run: Run, tmp_path: Path) -> None:
    if probe().tier == "C":
        pytest.skip(probe().explanation())
    slow = code("x * 2").replace("    return", "    import time; time.sleep(0.4)\n    return")
    rows = [talk(str(n), f"Write double {n}", slow, metadata=TESTS) for n in range(200)]
    run("import", write_rows(tmp_path / "log.jsonl", *rows))
    command = [sys.executable, "-m", "studio", "verify", "--json", "--store", "studio.db"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        while not run("list", "--where", "verified:passed").json["total"]:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate()
    assert (process.returncode, b"Traceback" in errors) == (130, False)
    answer = json.loads(out)
    assert answer["interrupted"]
    assert 0 < answer["verified"] < 200
    assert run("list", "--where", "verified:passed").json["total"] == answer["verified"]
