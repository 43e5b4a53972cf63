"""The demo, as a user starts it: the whole loop on the embedded base, measured in this run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CATEGORIES = {"code", "reasoning", "tool_call"}


def studio(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "studio", *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The answer of `studio demo`."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    done = studio("demo", "--dir", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Evaluate" in done.stderr  # progress is told on stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_everything_of_the_contract_is_answered(demo: dict[str, Any]) -> None:
    assert demo["imported"] == 302
    assert demo["duplicates"]["near_duplicates"] > 0
    assert demo["dataset"]["dataset"] == "tools@1"
    assert demo["dataset"]["converted"]["legacy"] > 0  # old tool calls became the template's
    assert set(demo["runs"]) == {"good", "bad"}
    assert demo["seconds"] > 0
    assert {"verdict", "scenario", "rules", "routes"} <= demo["decision"].keys()
    assert len(demo["evaluate"]) == 4
    for report in demo["evaluate"]:
        assert set(report["by_category"]) == CATEGORIES
        assert report["n"] == 380


def test_the_bad_dataset_was_blocked_and_its_run_is_stamped(demo: dict[str, Any]) -> None:
    assert not demo["preflight_bad"]["ok"]
    blocked = {c["id"] for c in demo["preflight_bad"]["checks"] if c["status"] == "block"}
    assert "round_trip" in blocked
    done = studio("runs", str(demo["runs"]["bad"]), "--store", demo["store"], "--json")
    (run,) = json.loads(done.stdout)["runs"]
    assert (run["state"], run["forced"]) == ("finished", True)


def test_the_good_adapter_is_better_in_tools_and_worse_in_nothing(demo: dict[str, Any]) -> None:
    verdicts = {k: d["verdict"] for k, d in demo["compare"]["good"]["by_category"].items()}
    assert verdicts["tool_call"] == "better"
    assert "worse" not in verdicts.values()


def test_the_bad_adapter_is_worse_although_its_loss_fell(demo: dict[str, Any]) -> None:
    bad = demo["compare"]["bad"]
    assert bad["overall"]["verdict"] == "worse"
    assert bad["by_category"]["tool_call"]["verdict"] == "worse"
    (_, first), *_, (_, last) = demo["losses"]["bad"]
    assert last < 0.6 * first


def test_what_it_leaves_behind_answers_as_it_did(demo: dict[str, Any]) -> None:
    good = f"run:{demo['runs']['good']}"
    done = studio("compare", "base", good, "--suite", "nano", "--store", demo["store"], "--json")
    assert done.returncode == 0
    again = json.loads(done.stdout)
    assert again["by_category"] == demo["compare"]["good"]["by_category"]
    listed = studio("history", "--store", demo["store"], "--json")
    assert len(json.loads(listed.stdout)["acts"]) >= 2


def test_a_folder_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    done = studio("demo", "--dir", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "not empty" in done.stderr
    assert (tmp_path / "mine.txt").read_text() == "precious"
