"""The figures of a collection: those of the background for the sample, honest for small ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from db.errors import FilterError
from db.store import Store
from studio.collect.importing import import_paths
from studio.curation import stats
from studio.curation.classify import classify_store
from studio.curation.stats import BASELINE_KEYS, collection_stats, write_baseline
from studio.nano import SAMPLE
from tests.conftest import exchange

Add = Callable[..., list[int]]


def test_the_sample_gives_the_figures_of_the_baseline_report(store: Store) -> None:
    import_paths(store, [SAMPLE])
    found = collection_stats(store)
    assert [found[key] for key in BASELINE_KEYS[:4]] == [302, 298, 4, 0.987]
    assert found["duration_stats"] == {
        "avg_ms": 20_062,
        "median_ms": 10_896,
        "min_ms": 30,
        "max_ms": 138_289,
    }
    assert list(found["agent_distribution"].items()) == [
        ("coder", 178),
        ("tester", 76),
        ("researcher", 26),
        ("coordinator", 20),
        ("reviewer", 2),
    ]
    assert found["provider_distribution"] == {"replicate": 215, "tongyi": 86, "mock": 1}
    assert found["success_ci95"] == pytest.approx([0.966, 0.995], abs=5e-4)
    assert found["task_chars_avg"] == pytest.approx(75, abs=1)
    assert found["output_chars_avg"] == pytest.approx(2008, rel=0.02)
    assert found["unknown_outcome"] == 0
    assert sum(found["planned_distribution"].values()) == pytest.approx(1)


def test_a_filter_limits_the_figures(store: Store) -> None:
    import_paths(store, [SAMPLE])
    found = collection_stats(store, "agent:tester provider:-mock")
    assert found["agent_distribution"] == {"tester": found["total_interactions"]}
    with pytest.raises(FilterError):
        collection_stats(store, "colour:blue")


def test_what_has_no_outcome_is_neither_success_nor_failure(store: Store, add: Add) -> None:
    add(
        exchange("a", "b", success=True, duration_ms=10),
        exchange("a", "b", success=False, duration_ms=30),
        exchange("a", "b", provider="mock"),
    )
    found = collection_stats(store)
    assert (found["total_interactions"], found["unknown_outcome"]) == (3, 1)
    assert found["success_rate"] == 0.5
    assert found["duration_stats"] == {"avg_ms": 20, "median_ms": 20, "min_ms": 10, "max_ms": 30}
    assert found["provider_distribution"] == {"unknown": 2, "mock": 1}
    assert found["agent_distribution"] == {"unknown": 3}


def test_one_failure_among_thousands_is_not_rounded_away(store: Store, add: Add) -> None:
    add(*(exchange("a", "b", success=n > 0) for n in range(5000)))
    assert collection_stats(store)["success_rate"] == 0.9998


def test_an_empty_store_has_no_rate_and_no_durations(store: Store) -> None:
    found = collection_stats(store)
    assert (found["total_interactions"], found["success_rate"]) == (0, None)
    assert set(found["duration_stats"].values()) == {None}
    assert found["task_chars_avg"] is None
    json.dumps(found, allow_nan=False)


def test_the_baseline_file_holds_exactly_its_seven_keys(store: Store, tmp_path: Path) -> None:
    import_paths(store, [SAMPLE])
    found = collection_stats(store)
    path = tmp_path / "baseline.json"
    write_baseline(path, {key: found[key] for key in BASELINE_KEYS})
    assert list(json.loads(path.read_text())) == list(BASELINE_KEYS)


def test_what_the_words_say_stands_beside_what_the_collection_says(store: Store, add: Add) -> None:
    add(
        exchange("Write unit tests for the lexer", "b", agent="tester"),
        exchange("Write unit tests for the lexer", "b", agent="coder"),
        exchange("Review the pull request", "b", agent="reviewer"),
        exchange("Plan the next sprint", "b"),
    )
    found = collection_stats(store)
    assert found["keyword_distribution"] == {"tester": 2, "reviewer": 1, "coordinator": 1}
    agreement = found["keyword_agreement"]
    assert (agreement["n"], agreement["agreed"]) == (3, 2)
    assert agreement["ci95"][0] < 2 / 3 < agreement["ci95"][1]
    assert collection_stats(store, "agent:coder")["keyword_distribution"] == {"tester": 1}
    classify_store(store, actor="me")  # what the rules said themselves is no witness for them
    assert collection_stats(store)["keyword_agreement"] == agreement


def test_the_keyword_mix_of_a_large_collection_is_of_its_newest_tasks(
    store: Store, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats, "KEYWORD_TASKS", 3)
    add(*(exchange(f"Review pull request {n}", "b", agent="reviewer") for n in range(5)))
    add(*(exchange(f"Plan sprint {n}", "b", agent="coordinator") for n in range(2)))
    assert collection_stats(store)["keyword_distribution"] == {"coordinator": 2, "reviewer": 1}
