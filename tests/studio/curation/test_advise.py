"""The base that suits a collection, and how far the share that decides can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db.errors import BadInput
from db.store import Store
from studio import settings
from studio.collect.importing import import_paths
from studio.curation import named_acts
from studio.curation.advise import advise
from studio.curation.classify import classify_store
from studio.nano import SAMPLE
from studio.training.bases import known_bases
from tests.conftest import exchange

Add = Callable[..., list[int]]


def fill(add: Add, **counts: int) -> None:
    rows = [(agent, number) for agent, n in counts.items() for number in range(n)]
    add(*(exchange(f"{agent} task {n}", "done", agent=agent) for agent, n in rows))


@pytest.mark.parametrize(
    ("coder", "tester", "advice", "settled", "says"),
    [
        (100, 300, "general", True, "75.0% of 400"),
        (290, 10, "code", True, "3.3% of 300"),
        (210, 90, "undecided", True, "between 20% and 40%"),
        (58, 42, "general", False, "The interval crosses 40%"),
        (81, 19, "code", False, "The interval crosses 20%"),
        (0, 0, "undecided", False, "studio classify"),
    ],
)
def test_the_share_of_tasks_that_are_no_coding_decides_and_says_whether_it_is_settled(
    store: Store, add: Add, coder: int, tester: int, advice: str, settled: bool, says: str
) -> None:
    fill(add, coder=coder, tester=tester)
    found = advise(store)
    assert (found["advice"], found["settled"]) == (advice, settled)
    assert says in found["why"]
    assert found["n"] == coder + tester
    if coder:
        low, high = found["non_coding_ci95"]
        assert low < found["non_coding_share"] == tester / (coder + tester) < high


def test_the_sample_lies_too_near_the_bound_and_says_so(store: Store) -> None:
    import_paths(store, [SAMPLE])
    found = advise(store)
    assert found["non_coding_share"] == pytest.approx(124 / 302)
    assert (found["advice"], found["settled"]) == ("general", False)
    assert found["by_agent"] == {
        "coder": "qwen2.5-coder-7b",
        "tester": "qwen2.5-7b",
        "researcher": "tongyi-deepresearch-30b",
        "coordinator": "qwen2.5-14b",
        "reviewer": "qwen2.5-14b",
    }
    assert set(found["by_agent"].values()) <= set(known_bases())
    assert found["strategy"] == "single"
    assert "reviewer 2 of 1,000" in found["strategy_why"]


def test_dropped_and_unlabelled_interactions_do_not_count(store: Store, add: Add) -> None:
    ids = add(exchange("a", "b", agent="coder"), exchange("c", "d", agent="tester"))
    add(exchange("e", "f"), exchange("g", "h", agent="barista"))
    named_acts.set_status(store, ids[:1], "drop")
    found = advise(store)
    assert (found["mix"], found["unlabelled"]) == ({"tester": 1.0}, 2)
    assert advise(store, "agent:coder")["n"] == 0


def test_guesses_of_the_rules_are_told(store: Store, add: Add) -> None:
    add(exchange("zzz", "b"), exchange("Review the pull request", "b"))
    assert advise(store)["unlabelled"] == 2
    classify_store(store, actor="me")
    found = advise(store)
    assert (found["n"], found["unlabelled"], found["unsure"]) == (2, 0, 1)


@pytest.fixture
def own_configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose files replace the shipped ones."""
    folder = tmp_path / "configs"
    folder.mkdir()
    monkeypatch.setenv("STUDIO_CONFIGS", str(folder))
    for cached in (settings.agents_file, known_bases):
        cached.cache_clear()
    yield folder
    monkeypatch.undo()
    for cached in (settings.agents_file, known_bases):
        cached.cache_clear()


def test_agents_with_rows_enough_get_adapters_of_their_own(
    store: Store, add: Add, own_configs: Path
) -> None:
    (own_configs / "bases.yaml").write_text("bases: {small: {model: x/y, enough_rows: 10}}")
    (own_configs / "agents.yaml").write_text(
        "single: {code: small, general: small}\n"
        "agents: {coder: {planned: 0.5, coding: true, base: small}, "
        "tester: {planned: 0.3, base: small}, reviewer: {planned: 0.2, base: small}}"
    )
    fill(add, coder=200, tester=10, reviewer=9)
    found = advise(store)
    assert (found["advice"], found["single_base"], found["strategy"]) == (
        "code",
        "small",
        "per_agent",
    )
    assert "reviewer stay with their base" in found["strategy_why"]
    assert found["agents"]["tester"]["enough"] is True
    assert found["agents"]["reviewer"]["enough"] is False


def test_a_base_that_nobody_knows_is_an_error_that_names_it(
    store: Store, own_configs: Path
) -> None:
    (own_configs / "agents.yaml").write_text("agents: {coder: {planned: 1, base: nowhere}}")
    with pytest.raises(BadInput, match="nowhere"):
        advise(store)
