"""A search for duplicates that is carried on finds what one from the beginning finds."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import text

from benchmarks.planted_texts import LETTERS, edited
from db import acts
from db.store import Store
from exports.near_duplicates import MEASURES, find_clusters, signatures
from exports.stored_signatures import signed
from studio.curation import named_acts
from studio.curation.duplicate_search import read_texts, search
from studio.curation.duplicate_state import Settings
from studio.curation.duplicates import dedupe
from tests.conftest import exchange

Add = Callable[..., list[int]]


def base(rng: random.Random) -> str:
    return "".join(rng.choices(LETTERS, k=rng.randint(30, 600)))


def copies(rng: random.Random, texts: list[str], count: int) -> list[str]:
    """New texts, most of them near or equal to an earlier one."""
    made = []
    for _ in range(count):
        if texts and rng.random() < 0.7:
            source = rng.choice(texts)
            made.append(rng.choice((source, edited(source, rng.choice((0.02, 0.06)), rng))))
        else:
            made.append(base(rng))
        texts.append(made[-1])
    return made


def from_the_beginning(store: Store, settings: Settings) -> tuple[set[frozenset[int]], int]:
    """The clusters of what lies in the store now, and how many texts equal an earlier one."""
    with store.read() as connection:
        rows = connection.execute(
            text("SELECT id, agent FROM interaction WHERE status != 'dropped' ORDER BY id")
        ).all()
        texts = read_texts(settings.on)(connection, [row.id for row in rows])
    agents = sorted({str(row.agent) for row in rows})
    groups = None if settings.across_agents else [agents.index(str(row.agent)) for row in rows]
    found = find_clusters(
        texts, threshold=settings.threshold, measure=settings.measure, groups=groups
    )
    members: dict[int, set[int]] = {}
    for row, label in zip(rows, found.labels.tolist(), strict=True):
        if label >= 0:
            members.setdefault(label, set()).add(row.id)
    return {frozenset(each) for each in members.values()}, found.exact_duplicates


def in_the_store(store: Store) -> set[frozenset[int]]:
    with store.read() as connection:
        rows = connection.execute(
            text("SELECT cluster, id FROM interaction WHERE cluster IS NOT NULL")
        ).all()
    members: dict[int, set[int]] = {}
    for row in rows:
        members.setdefault(row.cluster, set()).add(row.id)
    return {frozenset(each) for each in members.values()}


def disturb(store: Store, rng: random.Random, ids: list[int], texts: list[str]) -> None:
    """Something that a person does between two searches."""
    some = rng.sample(ids, 2)
    match rng.randrange(7):
        case 0:
            named_acts.set_status(store, some, "drop")
        case 1:
            named_acts.set_status(store, some, "reset")
        case 2:
            named_acts.label(store, some, rng.choice(("coder", "tester")))
        case 3:
            named_acts.edit(store, some[0], rng.choice(texts) + "?")
        case 4:
            acts.undo(store, rng.randint(1, 3), actor="a person")
        case 5:
            acts.redo(store, actor="a person")
        case _:
            named_acts.tag(store, some, "seen")


@pytest.mark.parametrize("seed", range(12))
def test_carrying_on_equals_a_search_from_the_beginning(store: Store, add: Add, seed: int) -> None:
    rng = random.Random(seed)
    measure, across = MEASURES[seed % 2], seed % 3 == 0
    settings = Settings(measure=measure, across_agents=across)
    texts: list[str] = []
    ids: list[int] = []

    def collect(count: int) -> None:
        made = copies(rng, texts, count)
        ids.extend(
            add(*(exchange("Do it", t, agent=rng.choice(("coder", "tester"))) for t in made))
        )

    collect(60)
    for _ in range(12):
        for _ in range(rng.randint(0, 3)):
            disturb(store, rng, ids, texts)
        collect(rng.randint(1, 5))
        answer = dedupe(store, measure=measure, across_agents=across)
        expected, exact = from_the_beginning(store, settings)
        assert in_the_store(store) == expected
        assert answer["clusters"] == len(expected)
        assert answer["exact_duplicates"] == exact
        assert answer["near_duplicates"] == sum(map(len, expected)) - exact - len(expected)
        assert dedupe(store, measure=measure, across_agents=across)["changed"] == 0


def test_only_what_is_new_is_read_again(store: Store, add: Add) -> None:
    rng = random.Random(1)
    texts: list[str] = []
    ids = add(*(exchange("Do it", t, agent="coder") for t in copies(rng, texts, 80)))
    dedupe(store)
    new = add(exchange("Do it", edited(texts[3], 0.02, rng), agent="coder"))
    found, affected = search(store, Settings(), lambda *_: None)
    assert found.ids.tolist() == ids + new
    assert ids[3] in affected
    assert new[0] in affected
    assert len(affected) < 80


def test_stored_signatures_follow_the_texts(store: Store, add: Add) -> None:
    rng = random.Random(2)
    ids = add(*(exchange("Do it", base(rng)) for _ in range(20)))
    first = signed(store, "both", read_texts("both"))
    named_acts.edit(store, ids[4], "another answer, much shorter")
    ids += add(exchange("Do it", base(rng)))
    again = signed(store, "both", read_texts("both"))
    with store.read() as connection:
        expected = signatures(read_texts("both")(connection, ids))
    assert again.ids.tolist() == ids
    assert np.array_equal(again.rows, expected)
    assert np.flatnonzero((first.rows != again.rows[:20]).any(axis=1)).tolist() == [4]
    acts.undo(store, actor="a person")
    assert np.array_equal(signed(store, "both", read_texts("both")).rows[:20], first.rows)


def test_a_verdict_makes_another_member_stand_for_its_cluster(store: Store, add: Add) -> None:
    text_ = base(random.Random(3))
    ids = add(*(exchange("Do it", text_, agent="coder") for _ in range(3)))
    dedupe(store)
    with store.write() as connection:
        connection.execute(
            text("UPDATE interaction SET verified = 'passed' WHERE id = :id"), {"id": ids[0]}
        )
    dedupe(store)
    with store.read() as connection:
        found = connection.execute(
            text(
                "SELECT representative, reason FROM cluster WHERE id = "
                "(SELECT max(cluster) FROM interaction)"
            )
        ).one()
    assert tuple(found) == (ids[0], "its answer passed the tests")


def test_reordered_answers_are_found_by_the_set_measure_only(store: Store, add: Add) -> None:
    lines = [f"{number}. {base(random.Random(number))[:60]}\n" for number in range(12)]
    turned = "".join(lines[6:] + lines[:6])
    add(*(exchange("Do it", t, agent="coder") for t in ("".join(lines), turned)))
    assert dedupe(store)["near_duplicates"] == 0
    answer = dedupe(store, measure="set")
    assert (answer["exact_duplicates"], answer["near_duplicates"]) == (0, 1)
    assert dedupe(store)["clusters"] == 0
