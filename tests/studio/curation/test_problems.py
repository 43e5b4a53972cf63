"""Interactions that ask the same are one problem; what was numbered keeps its number."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from db import acts, rows
from db.errors import StudioError
from db.history import history
from db.store import Store
from studio.curation import named_acts
from studio.curation.problems import assign_problems, list_problems, problem_solutions
from studio.curation.regrouping import merge, split
from tests.conftest import exchange

Add = Callable[..., list[int]]


def mark(store: Store, verdicts: dict[int, str]) -> None:
    """Verdicts as verify records them."""
    with store.write() as connection:
        for identity, verdict in verdicts.items():
            connection.execute(
                text("UPDATE interaction SET verified = :verdict WHERE id = :id"),
                {"verdict": verdict, "id": identity},
            )


def problems(store: Store) -> list[int | None]:
    return [row["problem"] for row in rows.page(store)[0]]


def test_the_same_request_in_other_letters_is_one_problem(store: Store, add: Add) -> None:
    add(
        exchange("Write a function that sorts 12 items", "a"),
        exchange("write a  function that sorts 12 items.", "b"),
        exchange("Write a function that sorts 13 items", "c"),
        exchange("Plan the sprint", "d"),
    )
    assert assign_problems(store) == 3
    assert problems(store) == [1, 1, 2, 3]


def test_what_is_numbered_stays_and_what_is_new_joins_it(store: Store, add: Add) -> None:
    add(exchange("Sort the list", "a"), exchange("Plan the sprint", "b"))
    assert assign_problems(store) == 2
    before = problems(store)
    assert assign_problems(store) == 2
    add(
        exchange("Review it all", "c"),
        exchange("sort the list!", "d"),
        exchange("Sort the list", "e"),
    )
    assert assign_problems(store) == 3
    assert problems(store) == [*before, 3, before[0], before[0]]


def test_an_empty_store_has_no_problems(store: Store) -> None:
    assert assign_problems(store) == 0


def test_interactions_without_a_request_have_nothing_in_common(store: Store, add: Add) -> None:
    add(exchange("", "a"), exchange(" \n", "b"))
    assert assign_problems(store) == 2
    add(exchange("Sort the list", "c"))
    assert assign_problems(store) == 3
    before = problems(store)
    assert len(set(before)) == 3
    add(exchange("", "d"), exchange("sort the list", "e"))
    assert assign_problems(store) == 4
    after = problems(store)
    assert after[:3] == before
    assert after[3] not in before
    assert after[4] == before[2]


def code(name: str, body: str) -> str:
    return f"Here it is:\n```python\ndef {name}(x):\n    return {body}\n```"


def test_solutions_are_the_distinct_answers_and_the_verified_ones_come_first(
    store: Store, add: Add
) -> None:
    ids = add(
        exchange("Write double(x)", code("double", "x * 2")),
        exchange("write double(x).", code("double", "2 * x")),
        exchange("Write double(x)", code("double", "x   *   2") + "\nIt doubles."),
        exchange("Write double(x)", code("double", "x ** 2")),
        exchange("Plan the sprint", "First this, then that."),
        exchange("Plan the sprint", "First this, then that!"),
        exchange("Plan the sprint", ""),
        exchange("Review it", "Fine."),
        exchange("Review it", "Not fine: the loop never ends and nobody sees it."),
        exchange("Ask nobody", "dropped"),
    )
    named_acts.set_status(store, ids[-1:], "drop")
    mark(store, {ids[1]: "passed", ids[3]: "wrong_answer"})
    found = list_problems(store)
    counted = [
        (r["task"], r["interactions"], r["solutions"], r["verified"], r["refuted"]) for r in found
    ]
    assert counted == [
        ("Write double(x)", 4, 3, 1, 1),
        ("Review it", 2, 2, 0, 0),
        ("Plan the sprint", 3, 1, 0, 0),
    ]
    assert [row["task"] for row in list_problems(store, min_solutions=3)] == ["Write double(x)"]


def test_a_problems_solutions_name_all_that_gave_them(store: Store, add: Add) -> None:
    """Code by its tree, prose by likeness; the verified one first, what was refuted last."""
    long = "The parser keeps the place where each token begins, and reads them one by one."
    ids = add(
        exchange("Write f(x)", code("f", "x - 1")),
        exchange("Write f(x)", code("f", "x + 1"), agent="coder", model="qwen-7b"),
        exchange("Write f(x)", code("f", "x   +  1") + "\nDone."),
        exchange("Write f(x)", long),
        exchange("Write f(x)", long.replace("keeps", "holds")),
        exchange("Write f(x)", code("f", "1 + x")),
    )
    assign_problems(store)
    mark(store, {ids[0]: "wrong_answer", ids[2]: "passed"})
    found = problem_solutions(store, 1)
    assert [(each.id, each.ids, each.state) for each in found] == [
        (ids[2], (ids[2], ids[1]), "verified"),
        (ids[3], (ids[3], ids[4]), "untested"),
        (ids[5], (ids[5],), "untested"),
        (ids[0], (ids[0],), "refuted"),
    ]
    assert (found[-1].verdict, found[0].task) == ("wrong_answer", "Write f(x)")
    assert len(problem_solutions(store, 1, most=1)) == 1
    assert problem_solutions(store, 99) == []


def test_of_equal_solutions_the_verified_one_speaks(store: Store, add: Add) -> None:
    ids = add(*(exchange("Write f(x)", code("f", "x + 1")) for _ in range(3)))
    mark(store, {ids[0]: "timeout", ids[2]: "passed"})
    (row,) = list_problems(store)
    assert (row["solutions"], row["verified"], row["refuted"]) == (1, 1, 0)


def test_what_a_person_split_stays_split_and_comes_back_by_undo(store: Store, add: Add) -> None:
    ids = add(*(exchange("Sort the list", f"answer {n}") for n in range(4)))
    assign_problems(store)
    assert split(store, ids[2:]).changed == 2
    assert assign_problems(store) == 2
    before, apart = problems(store)[0], problems(store)[2]
    assert problems(store) == [before, before, apart, apart]
    assert apart != before
    add(exchange("Sort the list!", "new"), exchange("Plan the sprint", "other"))
    assert assign_problems(store) == 3
    assert problems(store)[:5] == [before, before, apart, apart, before]
    assert split(store, ids[3:]).changed == 1
    assert len(set(problems(store)[:4])) == 3
    acts.undo(store, 2, actor="me")
    assert problems(store)[:4] == [before] * 4
    assert assign_problems(store) == 2


def test_merged_problems_take_what_comes_later_and_part_by_undo(store: Store, add: Add) -> None:
    add(exchange("Sort the list", "a"), exchange("Put the list in order", "b"))
    assign_problems(store)
    first, second = problems(store)
    assert first is not None
    assert second is not None
    assert merge(store, [first, second]).changed == 1
    add(exchange("Put the list in order.", "c"))
    assert assign_problems(store) == 1
    assert problems(store) == [first] * 3
    acts.undo(store, actor="me")
    assert problems(store) == [first, second, first]
    kinds = [(act["kind"], act["value"]) for act in history(store)]
    assert kinds[-1] == ("merge", {"from": [second], "to": first})


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda store: split(store, [1, 2]), "all of problem 1"),
        (lambda store: split(store, [1, 3]), "several problems"),
        (lambda store: split(store, [77]), "no interaction 77"),
        (lambda store: merge(store, [1]), "two problems or more"),
        (lambda store: merge(store, [1, 99]), "problem 99"),
    ],
)
def test_what_cannot_be_regrouped_is_said_and_changes_nothing(
    store: Store, add: Add, act: Callable[[Store], object], says: str
) -> None:
    add(exchange("Sort it", "a"), exchange("Sort it", "b"), exchange("Plan it", "c"))
    assign_problems(store)
    with pytest.raises(StudioError, match=says):
        act(store)
    assert history(store) == []
