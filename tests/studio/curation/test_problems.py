"""Interactions that ask the same are one problem; what was numbered keeps its number."""

from __future__ import annotations

from collections.abc import Callable

from db import rows
from db.store import Store
from studio.curation.problems import assign_problems
from tests.conftest import exchange

Add = Callable[..., list[int]]


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


def test_interactions_without_a_request_are_one_problem_and_no_error(
    store: Store, add: Add
) -> None:
    add(exchange("", "a"), exchange("", "b"))
    assert assign_problems(store) == 1
