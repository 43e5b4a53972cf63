"""A cluster is decided on by one act, and what was called distinct is never put together again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from db import acts, rows
from db.errors import NotFound, Refused
from db.history import history
from db.store import Store
from studio.curation import cluster_acts, named_acts
from studio.curation.clusters import (
    MEASURED_CHARS,
    Cluster,
    cluster_of,
    clusters,
    lowest_similarity,
    pair,
    was_searched,
)
from studio.curation.distinct import kept_apart
from studio.curation.duplicates import dedupe
from tests.conftest import exchange

Add = Callable[..., list[int]]
LONG = "The parser reads the tokens one by one and keeps the place where each of them begins. " * 3
NEAR = LONG.replace("keeps", "notes")
NEARER = NEAR.replace("begins", "starts")


def filled(add: Add, *answers: str, agent: str = "coder") -> list[int]:
    return add(*(exchange("Explain the parser", each, agent=agent) for each in answers))


def statuses(store: Store) -> list[str]:
    return [row["status"] for row in sorted(rows.page(store)[0], key=lambda row: row["id"])]


def numbers(store: Store) -> list[int | None]:
    return [row["cluster"] for row in sorted(rows.page(store)[0], key=lambda row: row["id"])]


def only(store: Store) -> Cluster:
    (found,) = clusters(store)
    return found


def test_the_list_says_what_is_proposed_and_what_is_still_open(store: Store, add: Add) -> None:
    assert not was_searched(store)
    filled(add, LONG, LONG, "alone")
    add(exchange("Plan it", LONG, agent="tester"), exchange("Plan it", LONG, agent="tester"))
    dedupe(store)
    assert was_searched(store)
    first, second = clusters(store)
    assert first == Cluster(1, 2, 2, 2, "coder", "both", "the newest", "open", None)
    assert (second.agent, second.size) == ("tester", 2)
    named_acts.label(store, [5], "coder")
    assert clusters(store)[1].agent == "several"
    named_acts.set_status(store, [5], "drop")
    assert (clusters(store)[1].state, clusters(store)[1].kept) == ("one kept", 4)
    acts.undo(store, 3, actor="me")
    assert not was_searched(store)
    assert clusters(store) == []


def test_two_members_come_with_what_is_compared_and_how_near_they_are(
    store: Store, add: Add
) -> None:
    filled(add, LONG, NEAR, LONG)
    dedupe(store)
    found = pair(store, only(store), 1)
    assert found is not None
    assert found.right is not None
    assert (found.left.id, found.right.id, found.position, found.others) == (3, 2, 1, 2)
    assert (found.left.task, found.right.output) == ("Explain the parser", NEAR)
    assert found.similarity is not None
    assert 90 < found.similarity < 100
    assert lowest_similarity(store, only(store)) == found.similarity
    named_acts.set_status(store, [1], "drop")
    beyond = pair(store, only(store), 99)
    assert beyond is not None
    assert beyond.right is not None
    assert (beyond.right.id, beyond.right.status) == (1, "dropped")


def test_texts_that_would_take_long_are_not_measured(store: Store, add: Add) -> None:
    filled(add, "a" * MEASURED_CHARS, "a" * MEASURED_CHARS + "b")
    dedupe(store)
    assert lowest_similarity(store, only(store)) is None
    found = pair(store, only(store), 0)
    assert found is not None
    assert found.similarity is None


def test_the_proposal_is_accepted_by_one_act(store: Store, add: Add) -> None:
    filled(add, LONG, LONG, NEAR)
    dedupe(store)
    done = cluster_acts.accept(store, 1)
    assert done.changed == 2
    assert statuses(store) == ["dropped", "dropped", "new"]
    assert only(store).state == "one kept"
    assert history(store)[0]["value"] == {"cluster": 1, "kept": 3}
    acts.undo(store, actor="me")
    assert statuses(store) == ["new"] * 3
    assert only(store).state == "open"
    acts.redo(store, actor="me")
    assert statuses(store) == ["dropped", "dropped", "new"]
    assert cluster_acts.accept(store, 1).acts == []


def test_another_member_can_be_kept_even_one_that_was_dropped(store: Store, add: Add) -> None:
    filled(add, LONG, LONG, NEAR)
    dedupe(store)
    named_acts.set_status(store, [1], "drop")
    cluster_acts.keep(store, 1, 1)
    assert statuses(store) == ["new", "dropped", "dropped"]
    acts.undo(store, actor="me")
    assert statuses(store) == ["dropped", "new", "new"]


def test_keeping_a_member_that_was_accepted_leaves_it_accepted(store: Store, add: Add) -> None:
    filled(add, LONG, LONG)
    named_acts.set_status(store, [1], "accept")
    dedupe(store)
    cluster_acts.accept(store, 1)
    assert statuses(store) == ["accepted", "dropped"]


def test_a_decision_on_what_is_not_there_says_so(store: Store, add: Add) -> None:
    filled(add, LONG, LONG, "alone")
    dedupe(store)
    with pytest.raises(NotFound, match="no cluster 7"):
        cluster_acts.accept(store, 7)
    with pytest.raises(Refused, match="cluster 7 has no members"):
        cluster_acts.keep(store, 7, 1)
    with pytest.raises(NotFound, match="interaction 3 is not in cluster 1"):
        cluster_acts.keep(store, 1, 3)
    named_acts.set_status(store, [2], "drop")
    with pytest.raises(Refused, match="2, which cluster 1 proposes, was dropped"):
        cluster_acts.accept(store, 1)
    assert cluster_acts.keep_distinct(store, 7).acts == []
    assert cluster_acts.drop_all(store, 7).acts == []


def test_all_members_are_dropped_by_one_act(store: Store, add: Add) -> None:
    filled(add, LONG, LONG)
    dedupe(store)
    assert cluster_acts.drop_all(store, 1).changed == 2
    assert only(store).state == "dropped"
    acts.undo(store, actor="me")
    assert only(store).state == "open"


def test_distinct_members_stay_apart_in_every_later_search_until_that_is_undone(
    store: Store, add: Add
) -> None:
    filled(add, LONG, LONG, NEAR)
    dedupe(store)
    assert cluster_acts.keep_distinct(store, 1).changed == 3
    assert numbers(store) == [None, None, None]
    decided = only(store)
    assert (decided.state, decided.size, decided.live) == ("distinct", 3, 3)
    found = pair(store, decided, 0)
    assert found is not None
    assert found.others == 2
    assert cluster_of(store, 1) is None

    again = dedupe(store, threshold=80)
    assert (again["clusters"], again["exact_duplicates"], again["near_duplicates"]) == (0, 0, 0)
    assert again["act"] is None
    acts.undo(store, actor="me")
    assert numbers(store) == [1, 1, 1]
    assert only(store).state == "open"
    acts.redo(store, actor="me")
    assert dedupe(store, on="task")["clusters"] == 0
    acts.undo(store, actor="me")
    assert dedupe(store)["clusters"] == 1


def test_a_new_copy_joins_the_nearest_of_those_that_are_distinct(store: Store, add: Add) -> None:
    filled(add, LONG, NEAR)
    dedupe(store)
    cluster_acts.keep_distinct(store, 1)
    filled(add, NEARER)
    found = dedupe(store)
    assert (found["clusters"], found["near_duplicates"], found["exact_duplicates"]) == (1, 1, 0)
    assert numbers(store) == [None, 2, 2]
    states = [cluster.state for cluster in clusters(store)]
    assert states == ["distinct", "open"]


def test_of_texts_that_must_stay_apart_the_strongest_links_hold() -> None:
    texts = [LONG, NEAR, NEARER, NEARER + "!", LONG]
    assert kept_apart(texts, [{1}, {1}, {1}, {1}, {1}], 80) == []
    assert kept_apart(texts, [{1}, {1}, set(), set(), set()], 80) == [[0, 4], [1, 2, 3]]
    assert kept_apart(texts, [set()] * 5, 80) == [[0, 1, 2, 3, 4]]
    assert kept_apart(texts[:3], [{1}, {2}, {1}], 80) == [[0, 1]]  # not through the one between


def test_different_verified_solutions_are_no_duplicates(store: Store, add: Add) -> None:
    """However alike their words are; an untested copy goes with the one it is nearest to."""
    said = "Here is what you asked for, with a short explanation of every step. " * 6
    one, other = (
        f"{said}\n```python\ndef f(x):\n    return {body}\n```" for body in ("x + x", "2 * x")
    )
    ids = add(*(exchange("Write f(x)", answer, agent="coder") for answer in (one, other, other)))
    assert dedupe(store)["clusters"] == 1
    with store.write() as connection:
        connection.execute(text("UPDATE interaction SET verified = 'passed' WHERE id <= 2"))
    assert dedupe(store)["clusters"] == 1
    (cluster,) = clusters(store)
    assert (cluster.size, cluster.representative, cluster.reason) == (
        2, ids[1], "its answer passed the tests",
    )  # fmt: skip
