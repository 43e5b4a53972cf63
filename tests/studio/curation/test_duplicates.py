"""Duplicates are exact or verified, stay within an agent, and one of each cluster stands for it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from rapidfuzz import fuzz
from sqlalchemy import text

from db import acts, rows
from db.history import history
from db.store import Store
from studio.curation import named_acts
from studio.curation.duplicates import dedupe, dedupe_rows
from tests.conftest import exchange

Add = Callable[..., list[int]]
LONG = "The parser reads the tokens one by one and keeps the place where each of them begins. " * 3


def clusters(store: Store) -> list[int | None]:
    return [row["cluster"] for row in rows.page(store)[0]]


def proposed(store: Store) -> list[tuple[int, int, str]]:
    """(representative, size, reason) of every cluster that has members."""
    with store.read() as connection:
        found = connection.execute(
            text(
                "SELECT representative, size, reason FROM cluster WHERE id IN "
                "(SELECT cluster FROM interaction) ORDER BY id"
            )
        ).all()
    return [(row.representative, row.size, row.reason) for row in found]


def answers(*found: str, **more: Any) -> list[dict[str, Any]]:
    return [exchange("Explain the parser", answer, agent="coder", **more) for answer in found]


def test_exact_copies_and_near_ones_are_told_apart(store: Store, add: Add) -> None:
    add(*answers(LONG, LONG, LONG.replace("keeps", "notes"), "something else entirely"))
    answer = dedupe(store)
    assert (answer["documents"], answer["clusters"]) == (4, 1)
    assert (answer["exact_duplicates"], answer["near_duplicates"]) == (1, 1)
    assert answer["seconds"] >= 0
    assert clusters(store) == [1, 1, 1, None]


def test_nothing_under_the_threshold_is_called_a_duplicate() -> None:
    random.seed(3)
    words = [f"word{n}" for n in range(60)]
    body = " ".join(random.choices(words, k=60))
    documents = []
    for number in range(30):
        changed = body.split()
        for _ in range(number):
            changed[random.randrange(60)] = random.choice(words)
        documents.append((str(number), " ".join(changed)))
    texts = dict(documents)
    for threshold in (80.0, 90.0, 97.0):
        found = {row["id"]: row for row in dedupe_rows(documents, threshold=threshold)[0]}
        for a, row in found.items():
            near = [b for b in texts if b != a and fuzz.ratio(texts[a], texts[b]) >= threshold]
            assert (row["cluster"] is not None) == bool(near)
            assert all(found[b]["cluster"] == row["cluster"] for b in near)


def test_a_higher_threshold_finds_less(store: Store, add: Add) -> None:
    add(*answers(LONG, LONG.replace("one by one", "in order"), LONG.replace("begins", "starts")))
    assert dedupe(store, threshold=99)["clusters"] == 0
    assert dedupe(store, threshold=80)["near_duplicates"] == 2


def test_agents_are_compared_only_when_asked(store: Store, add: Add) -> None:
    add(exchange("x", LONG, agent="coder"), exchange("x", LONG, agent="tester"))
    assert dedupe(store)["clusters"] == 0
    assert clusters(store) == [None, None]
    assert dedupe(store, across_agents=True)["exact_duplicates"] == 1
    assert clusters(store) == [1, 1]


def test_on_says_what_is_compared(store: Store, add: Add) -> None:
    said = "It reads the tokens."
    add(exchange("Explain it", said), exchange("Explain it", "no"), exchange("Why so?", said))
    dedupe(store, on="task")
    assert clusters(store) == [1, 1, None]
    dedupe(store, on="answer")
    assert clusters(store) == [2, None, 2]
    dedupe(store, on="both")
    assert clusters(store) == [None, None, None]


def test_the_best_stands_for_the_cluster_and_the_reason_says_why(store: Store, add: Add) -> None:
    ids = add(
        *answers(LONG, success=False, started_ms=9),
        *answers(LONG, success=True, started_ms=1),
        *answers(LONG, success=True, started_ms=5),
        *answers(LONG, started_ms=8),
    )
    dedupe(store)
    assert proposed(store) == [(ids[2], 4, "the newest that succeeded")]
    named_acts.set_status(store, [ids[0]], "accept")
    dedupe(store)
    assert proposed(store) == [(ids[0], 4, "a person accepted it")]
    with store.write() as connection:
        connection.execute(
            text("UPDATE interaction SET verified = 'passed' WHERE id = :id"), {"id": ids[1]}
        )
    dedupe(store)
    assert proposed(store) == [(ids[1], 4, "its answer passed the tests")]


def test_dropped_interactions_are_left_out(store: Store, add: Add) -> None:
    ids = add(*answers(LONG, LONG, LONG))
    dedupe(store)
    named_acts.set_status(store, ids[:2], "drop")
    assert dedupe(store)["documents"] == 1
    assert clusters(store) == [None, None, None]


def test_it_is_one_act_with_its_settings_that_can_be_undone_and_redone(
    store: Store, add: Add
) -> None:
    add(*answers(LONG, LONG, "another one"))
    assert dedupe(store, threshold=95)["act"] == 1
    entry = history(store)[0]
    assert (entry["kind"], entry["ids_count"]) == ("dedupe", 2)
    assert entry["value"] == {
        "on": "both",
        "threshold": 95,
        "across_agents": False,
        "measure": "ratio",
    }
    before = proposed(store)
    acts.undo(store, actor="me")
    assert clusters(store) == [None, None, None]
    acts.redo(store, actor="me")
    assert clusters(store) == [1, 1, None]
    assert proposed(store) == before


def test_undo_of_a_second_run_goes_back_to_the_clusters_of_the_first(
    store: Store, add: Add
) -> None:
    add(*answers(LONG, LONG, LONG.replace("keeps", "notes")))
    dedupe(store, threshold=100)
    first = (clusters(store), proposed(store))
    dedupe(store, threshold=90)
    assert len(set(clusters(store))) == 1
    acts.undo(store, actor="me")
    assert (clusters(store), proposed(store)) == first


def test_finding_the_same_again_changes_nothing(store: Store, add: Add) -> None:
    add(*answers(LONG, LONG, "another one"))
    first = dedupe(store)
    again = dedupe(store)
    assert (again["act"], again["changed"]) == (None, 0)
    same = ("documents", "exact_duplicates", "near_duplicates", "clusters")
    assert [first[key] for key in same] == [again[key] for key in same]
    assert clusters(store) == [1, 1, None]
    assert len(history(store)) == 1


def test_an_empty_store_has_no_duplicates(store: Store) -> None:
    assert dedupe(store)["documents"] == 0


def test_rows_of_a_file_name_their_representative_and_how_near_they_are() -> None:
    found, counts = dedupe_rows([("a", LONG), ("b", "alone"), ("c", LONG + "!")], threshold=90)
    assert (counts["documents"], counts["near_duplicates"], counts["clusters"]) == (3, 1, 1)
    assert [row["representative"] for row in found] == ["a", None, "a"]
    assert found[0]["similarity"] == pytest.approx(100)
    assert found[2]["similarity"] == pytest.approx(fuzz.ratio(LONG, LONG + "!"))
    assert found[1] == {"id": "b", "cluster": None, "representative": None, "similarity": None}
