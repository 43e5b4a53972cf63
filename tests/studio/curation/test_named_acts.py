"""What keys and commands do to interactions, each an act with its actor that can be undone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from db import acts, filters, rows
from db.errors import BadInput, NotFound
from db.history import history
from db.store import Store
from studio.curation import named_acts
from tests.conftest import exchange

Add = Callable[..., list[int]]


@pytest.fixture
def two(store: Store, add: Add) -> Store:
    add(exchange("Fix it", "done", agent="coder"), exchange("Test it", "done", agent="tester"))
    return store


def column(store: Store, name: str) -> list[object]:
    return [row[name] for row in rows.page(store)[0]]


def test_a_label_is_human_and_sure_and_replaces_the_rules_reason(two: Store) -> None:
    acts.set_columns(
        two, [1], actor="x", kind="classify", value=None, values={"agent_reason": "“fix”"}
    )
    assert named_acts.label(two, [1], "reviewer").changed == 1
    row = rows.page(two)[0][0]
    assert (row["agent"], row["agent_method"]) == ("reviewer", "human")
    assert (row["agent_confidence"], row["agent_reason"]) == (1.0, None)
    acts.undo(two, actor="me")
    row = rows.page(two)[0][0]
    assert (row["agent"], row["agent_method"], row["agent_reason"]) == (
        "coder",
        "declared",
        "“fix”",
    )


def test_status_goes_to_accepted_dropped_and_back_to_new(two: Store) -> None:
    for kind, status in (("accept", "accepted"), ("drop", "dropped"), ("reset", "new")):
        assert named_acts.set_status(two, filters.ids(""), kind).changed == 2
        assert column(two, "status") == [status] * 2
    kinds = [entry["kind"] for entry in history(two)]
    assert kinds == ["reset", "drop", "accept"]
    assert {entry["actor"] for entry in history(two)} == {named_acts.actor()}


def test_tags_add_up_and_are_found_by_the_filter(two: Store) -> None:
    named_acts.tag(two, [1], "hard")
    named_acts.tag(two, [1, 2], "odd")
    assert column(two, "tags") == [["hard", "odd"], ["odd"]]
    assert rows.page(two, "tag:odd")[1] == 2
    assert named_acts.tag(two, [1], "hard").changed == 0


@pytest.mark.parametrize("name", ["", "two words", 'a"b', "a,b", "a:b", "a\nb"])
def test_a_tag_that_no_filter_could_find_is_refused(two: Store, name: str) -> None:
    with pytest.raises(BadInput, match="one word"):
        named_acts.tag(two, [1], name)
    assert history(two) == []


def test_an_empty_note_takes_the_note_away(two: Store) -> None:
    named_acts.note(two, [1], "look again")
    assert column(two, "note") == ["look again", None]
    named_acts.note(two, [1], "")
    assert column(two, "note") == [None, None]
    acts.undo(two, actor="me")
    assert column(two, "note") == ["look again", None]


def test_an_edited_answer_is_searched_and_undone(two: Store) -> None:
    named_acts.edit(two, 1, "a zebra crosses")
    assert rows.page(two, "zebra")[1] == 1
    acts.undo(two, actor="me")
    assert rows.page(two, "zebra")[1] == 0
    with pytest.raises(NotFound, match="77"):
        named_acts.edit(two, 77, "x")


def test_an_agent_that_is_not_ours_is_refused_with_those_that_are(two: Store) -> None:
    with pytest.raises(BadInput, match="coder, tester, researcher, coordinator, reviewer"):
        named_acts.label(two, [1], "painter")
