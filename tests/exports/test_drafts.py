"""What would come out, before anything is built."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from db.store import Store
from exports.candidates import count_rows, find_prospects
from exports.dataset import BuildRecipe, build, draft
from exports.frozen import example_lines, list_datasets
from studio.curation import named_acts
from tests.conftest import exchange

Add = Callable[..., list[int]]


@pytest.fixture
def mixed(store: Store, add: Add) -> Store:
    *_, last = add(
        exchange("one", "first answer", agent="coder", success=True),
        exchange("one", "first answer", agent="coder", success=True),
        exchange("two", "second answer", agent="tester", success=False),
        exchange("two", "second answer", agent="tester", success=False),
        exchange("three", "third answer", agent="coder"),
        exchange("four", "fourth answer", agent="coder"),
    )
    named_acts.set_status(store, [last], "drop")
    return store


@pytest.mark.parametrize("where", ["", "agent:coder", "agent:tester", "agent:nobody"])
def test_the_count_of_rows_is_what_the_build_finds(mixed: Store, where: str) -> None:
    prospects, dropped = find_prospects(mixed, where)
    matching, counted = count_rows(mixed, where)
    assert counted == dropped
    assert matching == len(prospects) + dropped.total()


def test_a_draft_reports_what_the_build_does_and_freezes_nothing(mixed: Store) -> None:
    recipe = BuildRecipe("it", split="100/0/0")
    rows, report = draft(mixed, recipe)
    assert list_datasets(mixed) == []
    built = build(mixed, recipe)
    assert {key: built[key] for key in report} == report
    (listed,) = list_datasets(mixed)
    lines = example_lines(mixed, listed.frozen.id)
    assert [(line.split, line.interaction_id) for line in lines] == [
        (row.split, row.interaction_id) for row in rows
    ]
