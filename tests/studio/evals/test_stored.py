"""Stored evaluations: which arms stand beside each other, and which pair is looked at first."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.store import Store
from exports.suites import Suite
from studio.evals import stored
from studio.evals.stored import Board
from tests.studio.screens.evaluations import BASE, TUNED, put_evaluation, write_suite


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Eight items in a file."""
    return write_suite(tmp_path / "suite.jsonl")


def board(store: Store) -> Board:
    return stored.boards(Path(store.location))[0]


def pair(store: Store) -> tuple[str, str] | None:
    found = board(store).pair()
    return (found[0].spec, found[1].spec) if found else None


def test_only_arms_on_the_same_items_stand_beside_each_other(
    store: Store, suite: Suite, tmp_path: Path
) -> None:
    other = write_suite(tmp_path / "other.jsonl", [
        {"id": "x", "category": "c", "messages": [{"role": "user"}],
         "scorer": {"kind": "answer", "answer": "1"}}])  # fmt: skip
    put_evaluation(store, suite, "base", BASE)
    put_evaluation(store, suite, "run:1", {"sum1": ("passed", "", "1")}, adapter="/a")
    put_evaluation(store, other, "run:2", {"x": ("passed", "", "1")}, adapter="/b")
    found = stored.boards(Path(store.location))
    assert [(b.suite, b.n, [arm.spec for arm in b.arms]) for b in found] == [
        (other.name, 1, ["run:2"]),
        (suite.name, 1, ["run:1"]),
        (suite.name, 8, ["base"]),
    ]


def test_an_arm_that_was_evaluated_again_counts_once_with_its_newest_verdicts(
    store: Store, suite: Suite
) -> None:
    put_evaluation(store, suite, "base", BASE)
    put_evaluation(store, suite, "base", TUNED)
    assert [arm.id for arm in board(store).arms] == [2]


def test_the_newest_adapter_is_looked_at_beside_its_own_base(store: Store, suite: Suite) -> None:
    put_evaluation(store, suite, "base+random4", BASE)
    assert pair(store) is None
    put_evaluation(store, suite, "base", BASE)
    assert pair(store) == ("base", "base+random4")
    put_evaluation(store, suite, "run:1", TUNED, adapter="/1", base="qwen")
    put_evaluation(store, suite, "base:other", BASE, base="other")
    put_evaluation(store, suite, "base:qwen", BASE, base="qwen")
    assert pair(store) == ("base:qwen", "run:1")
    put_evaluation(store, suite, "run:2", TUNED, adapter="/2")
    assert pair(store) == ("base", "run:2")


def test_a_comparison_holds_the_verdicts_and_the_suite_if_it_is_still_the_same(
    store: Store, suite: Suite
) -> None:
    put_evaluation(store, suite, "base", BASE)
    put_evaluation(store, suite, "run:1", TUNED, adapter="/1")
    path, arms = Path(store.location), board(store)
    found = stored.comparison(path, arms, arms.arms[1], arms.arms[0])
    assert (found.value["overall"]["fixed"], found.value["overall"]["broken"]) == (2, 1)
    assert [item["item"] for item in found.value["items"]] == list(BASE), "the suite's order"
    assert found.requests["sum1"] == "What is 1 and 1?"
    Path(suite.name).unlink()
    found = stored.comparison(path, arms, arms.arms[1], arms.arms[0])
    assert found.suite is None
    assert "cannot be read" in found.why
    sides = stored.sides(path, arms.arms, "sum1")
    assert sides is not None
    assert [side.outcome.verdict for side in sides] == ["wrong_answer", "passed"]
    assert sides[1].text.endswith("Answer: 2")
    assert stored.sides(path, arms.arms, "nothing") is None
