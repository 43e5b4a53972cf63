"""What a suite shares with a dataset leaves it, or the suite's verdict: by choice, and visibly."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from db.models.base import table
from db.models.runs import Checkpoint, Run
from db.store import open_store
from exports.frozen import find_dataset
from studio.evals import stored
from studio.evals.arms import find_arm
from studio.evals.known_suites import find_suite
from studio.evals.striking import struck_for
from studio.nano import MODEL
from studio.screens import deltas
from tests.studio.cli.conftest import Run as Command
from tests.studio.cli.conftest import talk, write_rows

PASSAGE = " ".join(f"word{n}" for n in range(30))
LONG = "Here is some background before it. " * 9
ASKED = {
    "exact": "Name the capital of France",
    "near": "Please list all the colours of the rainbow in order",
    "contained": PASSAGE,
    "alone": "Count to nine",
}


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    items = [
        {
            "id": name,
            "category": "reasoning",
            "agent": "coder",
            "messages": [{"role": "user", "content": request}],
            "scorer": {"kind": "answer", "answer": "1"},
            "max_tokens": 4,
        }
        for name, request in ASKED.items()
    ]
    return write_rows(tmp_path / "suite.jsonl", *items)


@pytest.fixture
def filled(run: Command, tmp_path: Path) -> Command:
    """Thirty interactions, three of which share something with the suite."""
    shared = [
        talk("a", "name the  capital of FRANCE", "Paris"),
        talk("b", "please list all the colours of the rainbow in order!", "red, orange, …"),
        talk("c", f"{LONG}{PASSAGE} and then more.", "It is a list of words."),
    ]
    others = [talk(f"o{n}", f"Tell tale number {n}", f"Tale {n} goes so.") for n in range(27)]
    assert run("import", write_rows(tmp_path / "log.jsonl", *shared, *others)).code == 0
    return run


def build(run: Command, suite: Path, *more: str) -> dict[str, Any]:
    ran = run("build", "tales", "--avoid", suite, "--split", "100/0/0", *more)
    assert ran.code == 0, ran.err
    found: dict[str, Any] = ran.json
    return found


def leakage(run: Command, *more: object) -> dict[str, Any]:
    checks = run("preflight", "tales", *more).json["checks"]
    return next(check for check in checks if check["id"] == "leakage")


def test_what_overlaps_leaves_the_training_side_unless_told_otherwise(
    filled: Command, suite: Path
) -> None:
    value = build(filled, suite)
    (wall,) = value["overlap"]["suites"]
    assert value["dropped"] == {"leaked": 3}
    assert value["overlap"]["choice"] == "drop"
    assert wall["examples"] == {"exact": 1, "near": 1, "contained": 1}
    assert wall["struck"] == []
    assert leakage(filled)["status"] == "pass"


def test_or_its_items_are_struck_and_everything_says_so(
    filled: Command, suite: Path, tmp_path: Path
) -> None:
    value = build(filled, suite, "--overlap", "strike")
    (wall,) = value["overlap"]["suites"]
    assert "leaked" not in value["dropped"]
    assert value["examples"]["train"] == 30
    assert wall["struck"] == ["contained", "exact", "near"]
    check = leakage(filled)
    assert check["status"] == "warn"
    assert f"3 of 4 items of {suite}" in check["detail"]
    shown = filled("build", "tales", "--avoid", suite, "--split", "100/0/0", "--overlap",
                   "strike", as_json=False).out  # fmt: skip
    assert "! 3 of 4 items of" in shown
    filled("export", "tales", "--format", "openai", "--out", tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["report"]["overlap"]["suites"][0]["struck"] == wall["struck"]
    assert (
        "shares 3 of 4 items with the suite `suite.jsonl`"
        in (tmp_path / "out" / "README.md").read_text()
    )


def test_what_was_not_struck_still_blocks(filled: Command, suite: Path, tmp_path: Path) -> None:
    build(filled, suite, "--overlap", "strike")
    rows = suite.read_text().splitlines()
    more = {**json.loads(rows[3]), "id": "new", "messages": [
        {"role": "user", "content": "tell tale number 7"}]}  # fmt: skip
    other = write_rows(tmp_path / "other.jsonl", more)
    check = leakage(filled, "--suite", other)
    assert check["status"] == "block"
    assert "--overlap strike" in check["remedy"]


def test_striking_needs_a_suite_to_strike_from(filled: Command) -> None:
    ran = filled("build", "tales", "--overlap", "strike")
    assert ran.code == 2
    assert "needs --avoid SUITE" in ran.err


@pytest.fixture
def trained(filled: Command, suite: Path, tmp_path: Path) -> Command:
    """A run of a dataset from which three items of the suite are struck, with a checkpoint."""
    build(filled, suite, "--overlap", "strike")
    store = open_store(str(tmp_path / "studio.db"))
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "adapter.safetensors").write_bytes(b"weights")
    run = {
        "dataset_id": find_dataset(store, "tales").id, "recipe": "r", "recipe_json": "{}",
        "base": "nano", "folder": str(tmp_path), "state": "finished", "created_ms": 0,
    }  # fmt: skip
    with store.write() as connection:
        connection.execute(insert(table(Run)).values(run))
        checkpoint = {"run_id": 1, "step": 5, "path": str(folder), "digest": "d"}
        connection.execute(insert(table(Checkpoint)).values(checkpoint))
    store.close()
    return filled


@pytest.mark.usefixtures("trained")
def test_the_items_are_struck_for_the_run_and_for_nobody_else(suite: Path, tmp_path: Path) -> None:
    if not (MODEL / "model.safetensors").is_file():
        pytest.skip("the embedded base is not built yet")
    store = open_store(str(tmp_path / "studio.db"))
    read = find_suite(str(suite))
    assert struck_for(store, find_arm(store, "run:1"), read) == {"exact", "near", "contained"}
    assert struck_for(store, find_arm(store, "base"), read) == frozenset()
    shots = find_arm(store, "base+random4", examples="tales")
    assert struck_for(store, shots, read) == {"exact", "near", "contained"}
    store.close()


def test_evaluate_and_compare_count_them_apart(
    filled: Command, suite: Path, tmp_path: Path
) -> None:
    """The examples in the prompt come from the dataset, so its choice holds for them as well."""
    if not (MODEL / "model.safetensors").is_file():
        pytest.skip("the embedded base is not built yet")
    build(filled, suite, "--overlap", "strike")
    arms = ("base", "base+random2", "--suite", suite, "--examples", "tales")
    plain, shots = filled("evaluate", *arms).json["evaluations"]
    assert (plain["n"], plain["struck"]["n"]) == (4, 0)
    assert (shots["n"], shots["struck"]["n"]) == (1, 3)
    assert sorted(shots["struck"]["items"]) == ["contained", "exact", "near"]
    text = filled("evaluate", *arms, as_json=False).out
    assert "base+random2: 3 items are struck, since its training side shares them" in text
    value = filled("compare", *arms).json
    assert value["overall"]["a"]["n"] == value["overall"]["b"]["n"] == 1
    assert value["struck"]["n"] == 3
    struck = {item["item"] for item in value["items"] if item.get("struck")}
    assert struck == {"exact", "near", "contained"}
    assert "3 items are struck" in filled("compare", *arms, as_json=False).out
    (board,) = stored.boards(tmp_path / "studio.db")
    pair = board.pair()
    assert pair is not None
    shown = stored.comparison(tmp_path / "studio.db", board, *pair).value
    assert shown["struck"] == value["struck"]
    assert [deltas.state(item) for item in shown["items"]].count("struck") == 3


def test_a_dataset_remembers_its_base(filled: Command, suite: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(MODEL, other)
    template = (other / "chat_template.jinja").read_text()
    (other / "chat_template.jinja").write_text(template + "{# another #}")
    value = build(filled, suite, "--base", str(other))
    assert value["base"]["name"] == str(other)
    for command in ("preflight", "render"):
        assert filled(command, "tales").json["base"] == str(other)
    checks = filled("preflight", "tales", "--base", "nano").json["checks"]
    (hashes,) = (check for check in checks if check["id"] == "hashes")
    assert hashes["status"] == "warn"
    assert f"built for {other}, and this is nano: another template" in hashes["detail"]
