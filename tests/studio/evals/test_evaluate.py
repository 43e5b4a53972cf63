"""An evaluation judges every item once, generates nothing twice, and can go on after a stop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from db.models.base import table
from db.models.evaluations import Generation, Outcome
from db.store import Store
from exports.suites import Suite, read_suite
from studio.evals.arms import find_arm
from studio.evals.evaluate import drawn_items, evaluate, newest_rate, stored_verdicts
from studio.evals.workbench import compare_specs, evaluate_specs
from tests.exports.bases import add_weights, make_base, trl_template


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The arm of a base with random weights, which answers nonsense."""
    folder = make_base(tmp_path_factory.mktemp("tiny"), trl_template("qwen2_5"))
    return f"base:{add_weights(folder)}"


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Eight items: four that want an answer, four that want a call."""
    rows = []
    for n in range(8):
        scorer: dict[str, Any] = {"kind": "answer", "answer": f"{n + 10**6}"}
        if n % 2:
            scorer = {"kind": "tool_call", "calls": [{"name": "f", "arguments": {"n": n}}]}
        asked = [{"role": "user", "content": f"item {n}"}]
        row = {"id": f"q{n}", "category": scorer["kind"], "agent": "coder", "messages": asked}
        rows.append({**row, "scorer": scorer, "max_tokens": 6})
    path = tmp_path / "suite.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_suite(path)


def generated(store: Store) -> int:
    with store.read() as connection:
        return int(
            connection.execute(select(func.count()).select_from(table(Generation))).scalar_one()
        )


def test_the_report_counts_every_item_by_category_agent_and_verdict(
    store: Store, base: str, suite: Suite
) -> None:
    seen: list[tuple[float, float]] = []
    (report,) = evaluate_specs(
        store, [base], suite.name, progress=lambda done, total, _: seen.append((done, total))
    )
    assert (report["arm"], report["n"], report["passed"], report["rate"]) == (base, 8, 0, 0.0)
    assert report["ci95"][0] == 0
    assert 0.2 < report["ci95"][1] < 0.4  # none of eight does not mean never
    assert {name: part["n"] for name, part in report["by_category"].items()} == {
        "answer": 4,
        "tool_call": 4,
    }
    assert set(report["by_agent"]["coder"]) == {"n", "passed", "rate", "ci95"}
    assert sum(report["by_verdict"].values()) == 8
    assert report["completion_tokens"] <= 8 * 6
    assert report["prompt_tokens"] > 8 * 6
    assert report["memory_mb"] > 0
    assert report["cached"] == 0
    assert seen[-1] == (8, 8)


def test_the_second_time_nothing_is_generated(store: Store, base: str, suite: Suite) -> None:
    arm = find_arm(store, base)
    assert stored_verdicts(store, arm, suite, 8) is None
    first, again = evaluate(store, [arm, arm], suite)
    assert (first["cached"], again["cached"], generated(store)) == (0, 8, 8)
    assert again["by_verdict"] == first["by_verdict"]
    assert again["tokens_per_second"] == first["tokens_per_second"]  # the cost of making them
    verdicts = stored_verdicts(store, arm, suite, 8)
    assert verdicts is not None
    assert [v.item for v in verdicts] == [f"q{n}" for n in range(8)]
    assert newest_rate(store, arm, [suite]) == (0, 8, suite.name)
    assert newest_rate(store, arm, [Suite("other", suite.items, "0")]) is None


def test_an_evaluation_that_was_stopped_goes_on_where_it_was(
    store: Store, base: str, suite: Suite
) -> None:
    arm = find_arm(store, base)

    def stop(done: float, _total: float, _text: str) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(store, [arm], suite, limit=4, progress=stop)
    kept = generated(store)
    assert kept > 0
    assert stored_verdicts(store, arm, suite, 4) is None
    (report,) = evaluate(store, [arm], suite)
    assert report["cached"] == kept
    assert generated(store) == 8


def test_a_limit_draws_evenly_and_always_the_same(suite: Suite) -> None:
    drawn = drawn_items(suite, 4)
    assert [item.category for item in drawn].count("answer") == 2
    assert drawn_items(suite, 4) == drawn
    assert {item.id for item in drawn} <= {item.id for item in drawn_items(suite, 6)}
    assert drawn_items(suite, 99) == drawn_items(suite, None) == suite.items


def test_comparing_evaluates_only_what_is_missing(store: Store, base: str, suite: Suite) -> None:
    found = compare_specs(store, base, base, suite.name)
    assert found["overall"]["delta"] == 0
    assert found["overall"]["verdict"] == "undecided"  # eight items cannot show equivalence
    with store.read() as connection:
        outcomes = table(Outcome)
        count = connection.execute(select(func.count()).select_from(outcomes)).scalar_one()
    compare_specs(store, base, base, suite.name)
    with store.read() as connection:
        again = connection.execute(select(func.count()).select_from(outcomes)).scalar_one()
    assert again == count
