"""A search for duplicates that is carried on finds what one from the beginning finds."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from benchmarks.planted_texts import LETTERS, edited
from db import acts
from db.interactions import Record
from db.store import Store, open_store
from exports.near_duplicates import MEASURES, find_clusters, signatures
from exports.stored_signatures import signed
from studio.collect.writing import write_records
from studio.curation import named_acts
from studio.curation.cluster_acts import keep_distinct
from studio.curation.clusters import clusters
from studio.curation.duplicate_search import read_texts, search
from studio.curation.duplicate_state import Settings, remember, remembered
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
    """Something that a person, an import or another search does between two searches."""
    some = rng.sample(ids, 2)
    match rng.randrange(9):
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
        case 6:
            grow(store, some[0], rng.choice(texts))
        case 7:
            dedupe(store, threshold=97.0)
        case _:
            named_acts.tag(store, some, "seen")


def grow(store: Store, identity: int, answer: str) -> None:
    """Import a longer version of an interaction, which says whose it is."""
    with store.write() as connection:
        name = connection.execute(
            text("SELECT external_id FROM interaction WHERE id = :id"), {"id": identity}
        ).scalar_one()
        turns = exchange("Do it", "")["messages"] + exchange("Again", answer)["messages"]
        record = Record(external_id=name, line=1, messages=turns, agent="tester", started_ms=9)
        write_records(connection, [record], 1)


def judge(store: Store, rng: random.Random, ids: list[int], _texts: list[str]) -> None:
    """Tests pass or fail, or a person says that the members of a cluster are distinct."""
    numbers = [each.number for each in clusters(store) if each.state == "open"]
    if numbers and rng.random() < 0.2:
        keep_distinct(store, rng.choice(numbers))
        return
    with store.write() as connection:
        connection.execute(
            text("UPDATE interaction SET verified = :verdict WHERE id = :id"),
            [
                {"id": each, "verdict": rng.choice(("passed", "passed", "wrong_answer", None))}
                for each in rng.sample(ids, 3)
            ],
        )


def proposals(store: Store) -> list[tuple[int | None, int | None, str | None]]:
    """What stands for each interaction, and why."""
    with store.read() as connection:
        rows = connection.execute(
            text(
                "SELECT i.id, c.representative, c.reason FROM interaction i "
                "LEFT JOIN cluster c ON c.id = i.cluster ORDER BY i.id"
            )
        ).all()
    return [(row.id, row.representative, row.reason) for row in rows]


def copied(store: Store, path: Path) -> Store:
    """A store of its own with the same in it."""
    assert store.path is not None
    with sqlite3.connect(store.path) as source, sqlite3.connect(path) as target:
        source.backup(target)
    return open_store(str(path))


def forget(store: Store) -> None:
    """Make the next search one from the beginning."""
    with store.write() as connection:
        connection.execute(text("DELETE FROM duplicate_segment"))
        connection.execute(text("DELETE FROM signature_block"))


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


@pytest.mark.parametrize("seed", range(6))
def test_carrying_on_proposes_what_a_search_from_the_beginning_proposes(
    store: Store, add: Add, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(100 + seed)
    texts: list[str] = []
    ids: list[int] = []

    def collect(count: int) -> None:
        made = copies(rng, texts, count)
        agents = ("coder", "tester", None)
        ids.extend(add(*(exchange("Do it", t, agent=rng.choice(agents)) for t in made)))

    collect(50)
    for day in range(8):
        for _ in range(rng.randint(1, 3)):
            rng.choice((disturb, judge))(store, rng, ids, texts)
        collect(rng.randint(1, 3))
        carried = dedupe(store)
        found = proposals(store)
        assert dedupe(store)["changed"] == 0
        copy = copied(store, tmp_path / f"{day}.db")
        forget(copy)
        anew = dedupe(copy)
        assert proposals(copy) == found
        for key in ("documents", "exact_duplicates", "near_duplicates", "clusters"):
            assert anew[key] == carried[key], key
        copy.close()


def test_a_second_solution_that_passes_later_leaves_the_cluster_of_the_first(
    store: Store, add: Add
) -> None:
    body = "def total(values):\n    result = 0\n    for value in values:\n        result {} value\n"
    first, second = body.format("+="), body.format("= result +")
    ids = add(*(exchange("Add them", t, agent="coder") for t in (first, first, second)))
    assert dedupe(store)["clusters"] == 1
    for judged in (ids[0], ids[2]):
        with store.write() as connection:
            connection.execute(
                text("UPDATE interaction SET verified = 'passed' WHERE id = :id"), {"id": judged}
            )
        answer = dedupe(store)
    assert in_the_store(store) == {frozenset(ids[:2])}
    assert (answer["exact_duplicates"], answer["near_duplicates"]) == (1, 0)
    found = proposals(store)
    forget(store)
    assert dedupe(store)["changed"] == 0
    assert proposals(store) == found


def test_two_searches_at_once_leave_a_store_to_carry_on_from(store: Store, add: Add) -> None:
    rng = random.Random(5)
    texts: list[str] = []
    add(*(exchange("Do it", t, agent="coder") for t in copies(rng, texts, 40)))
    dedupe(store)
    add(*(exchange("Do it", t, agent="coder") for t in copies(rng, texts, 4)))
    slow, _ = search(store, Settings(), lambda *_: None)
    add(*(exchange("Do it", t, agent="coder") for t in copies(rng, texts, 4)))
    answer = dedupe(store)
    with store.write() as connection:
        remember(connection, Settings(), slow.before, slow.found, slow.found.stamp.act)
    again = dedupe(store)
    assert again["changed"] == 0
    assert again["documents"] == 48
    assert {**again, "act": 0, "changed": 0, "seconds": 0} == {
        **answer, "act": 0, "changed": 0, "seconds": 0,
    }  # fmt: skip


def test_a_search_that_died_after_its_act_is_carried_on(
    store: Store, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(7)
    texts: list[str] = []
    for _ in range(3):
        add(*(exchange("Do it", t, agent="coder") for t in copies(rng, texts, 20)))
        with monkeypatch.context() as patched:
            patched.setattr("studio.curation.duplicates.remember", lambda *_: 1 // 0)
            with pytest.raises(ZeroDivisionError):
                dedupe(store)
        assert dedupe(store)["changed"] == 0
        assert in_the_store(store) == from_the_beginning(store, Settings())[0]


def test_many_days_are_kept_as_few_segments(
    store: Store, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.curation.duplicate_state.SEGMENTS", 3)
    rng = random.Random(6)
    texts: list[str] = []
    add(*(exchange("Do it", t, agent="coder") for t in copies(rng, texts, 40)))
    for _ in range(7):
        dedupe(store)
        add(*(exchange("Do it", t, agent="coder") for t in copies(rng, texts, 2)))
    dedupe(store)
    with store.read() as connection:
        count = connection.execute(text("SELECT count(*) FROM duplicate_segment")).scalar_one()
        assert count <= 3
        assert len(remembered(connection, Settings()).ids) == 54
    assert in_the_store(store) == from_the_beginning(store, Settings())[0]


def test_only_what_is_new_is_read_again(store: Store, add: Add) -> None:
    rng = random.Random(1)
    texts: list[str] = []
    ids = add(*(exchange("Do it", t, agent="coder") for t in copies(rng, texts, 80)))
    dedupe(store)
    new = add(exchange("Do it", edited(texts[3], 0.02, rng), agent="coder"))
    change, affected = search(store, Settings(), lambda *_: None)
    assert change.found.ids.tolist() == ids + new
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
