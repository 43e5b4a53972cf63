"""Acts are written at once, undone and redone in any order, and survive a restart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import acts, filters, rows
from db.errors import BadInput, NotFound
from db.history import history
from db.store import Store, open_store
from tests.conftest import exchange

Add = Callable[..., list[int]]


def accept(store: Store, ids: Any) -> acts.Done:
    return acts.set_columns(
        store, ids, actor="me", kind="accept", value=None, values={"status": "accepted"}
    )


def statuses(store: Store) -> list[str]:
    return [row["status"] for row in rows.page(store)[0]]


def test_an_act_changes_what_it_names_and_says_so(store: Store, add: Add) -> None:
    ids = add(*(exchange(f"task {n}", "done") for n in range(5)))
    done = accept(store, ids[:3])
    assert (done.acts, done.changed) == ([1], 3)
    assert statuses(store) == ["accepted"] * 3 + ["new"] * 2
    entry = history(store)[0]
    assert (entry["kind"], entry["actor"], entry["ids_count"]) == ("accept", "me", 3)
    assert entry["before"] == {"status": "new"}
    assert entry["after"] == {"status": "accepted"}


def test_what_is_so_already_is_no_act(store: Store, add: Add) -> None:
    ids = add(exchange("a", "b"))
    accept(store, ids)
    assert accept(store, ids) == acts.Done([], 0)
    assert len(history(store)) == 1


def test_an_unknown_id_changes_nothing_at_all(store: Store, add: Add) -> None:
    ids = add(exchange("a", "b"))
    with pytest.raises(NotFound, match="999"):
        accept(store, [*ids, 999])
    assert statuses(store) == ["new"]
    assert history(store) == []


def test_an_act_on_a_filter_is_one_act_and_one_undo(store: Store, add: Add) -> None:
    add(*(exchange(f"task {n}", "done", agent="coder" if n % 2 else "tester") for n in range(10)))
    done = accept(store, filters.ids("agent:coder"))
    assert done.changed == 5
    assert acts.undo(store, actor="me").changed == 5
    assert set(statuses(store)) == {"new"}


def test_undo_and_redo_after_a_restart(store: Store, add: Add) -> None:
    ids = add(exchange("a", "b"))
    accept(store, ids)
    acts.add_tag(store, ids, "hard", actor="me")
    store.close()
    again = open_store(store.location)
    assert acts.undo(again, 2, actor="you").acts == [2, 1]
    row = rows.page(again)[0][0]
    assert (row["status"], row["tags"]) == ("new", [])
    assert acts.redo(again, 5, actor="you").acts == [1, 2]
    row = rows.page(again)[0][0]
    assert (row["status"], row["tags"]) == ("accepted", ["hard"])
    assert acts.undo(again, 9, actor="you").acts == [2, 1]
    assert acts.undo(again, actor="you") == acts.Done([], 0)


def test_history_tells_what_undid_an_act_and_what_brought_it_back(store: Store, add: Add) -> None:
    ids = add(exchange("a", "b"))
    accept(store, ids)
    acts.undo(store, actor="me")
    assert history(store)[-1]["undone_by"] == 2
    acts.redo(store, actor="me")
    assert history(store)[-1]["undone_by"] is None


def test_a_new_act_closes_the_way_back(store: Store, add: Add) -> None:
    ids = add(exchange("a", "b"))
    accept(store, ids)
    acts.undo(store, actor="me")
    acts.add_tag(store, ids, "other", actor="me")
    assert acts.redo(store, actor="me").acts == []


def test_an_edited_answer_is_found_by_its_new_words_and_comes_back(store: Store, add: Add) -> None:
    (identity,) = add(exchange("write it", "the ancient answer"))
    acts.edit_answer(store, identity, "a modern reply", actor="me")
    assert rows.page(store, "modern")[1] == 1
    assert rows.page(store, "ancient")[1] == 0
    acts.undo(store, actor="me")
    assert rows.page(store, "modern")[1] == 0
    assert rows.page(store, "ancient")[1] == 1
    assert rows.show(store, identity)["messages"][-1]["content"] == "the ancient answer"


def test_only_the_state_of_curation_can_be_set(store: Store, add: Add) -> None:
    ids = add(exchange("a", "b"))
    with pytest.raises(BadInput):
        acts.set_columns(store, ids, actor="me", kind="x", value=None, values={"model": "y"})


Step = tuple[str, Any, set[int]]
_ROWS = st.sets(st.integers(0, 3), min_size=1)
_ONE_ROW = st.sets(st.integers(0, 3), min_size=1, max_size=1)
_NO_ROWS: st.SearchStrategy[set[int]] = st.just(set())
_STEP_KINDS: tuple[st.SearchStrategy[Step], ...] = (
    st.tuples(st.just("status"), st.sampled_from(["accepted", "dropped", "new"]), _ROWS),
    st.tuples(st.just("tag"), st.sampled_from(["x", "y"]), _ROWS),
    st.tuples(st.just("edit"), st.sampled_from(["one", "two"]), _ONE_ROW),
    st.tuples(st.sampled_from(["undo", "redo"]), st.integers(1, 3), _NO_ROWS),
    st.tuples(st.just("restart"), st.none(), _NO_ROWS),
)
STEPS: st.SearchStrategy[list[Step]] = st.lists(st.one_of(*_STEP_KINDS), max_size=14)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_any_sequence_of_acts_undos_redos_and_restarts_ends_where_it_should(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    store = open_store(str(tmp_path_factory.mktemp("acts") / "s.db"), create=True)
    state = _seed(store)
    done: list[list[tuple[str, list[str], str]]] = []
    undone: list[list[tuple[str, list[str], str]]] = []
    for kind, value, which in steps:
        before = [(s, list(t), a) for s, t, a in state]
        ids = [number + 1 for number in sorted(which)]
        if kind == "restart":
            store.close()
            store = open_store(store.location)
        elif kind in ("undo", "redo"):
            step = acts.undo if kind == "undo" else acts.redo
            source, target = (done, undone) if kind == "undo" else (undone, done)
            moves = min(value, len(source))
            assert len(step(store, value, actor="me").acts) == moves
            for _ in range(moves):
                target.append(state)
                state = source.pop()
        else:
            changed = _perform(store, kind, value, ids)
            state = _expected(before, kind, value, ids)
            assert bool(changed) == (state != before)
            if changed:
                done.append(before)
                undone.clear()
        assert _actual(store) == state
    store.close()


def _seed(store: Store) -> list[tuple[str, list[str], str]]:
    from sqlalchemy import text

    from db.interactions import Record, insert_records

    with store.write() as connection:
        connection.execute(text("INSERT INTO source VALUES (1,'p','f','s',1,'complete',0,0,0)"))
        records = [Record(f"t:{n}", n, **exchange(f"task {n}", "first")) for n in range(4)]
        insert_records(connection, records, 1)
    return [("new", [], "first")] * 4


def _perform(store: Store, kind: str, value: str, ids: list[int]) -> int:
    if kind == "status":
        values = {"status": value}
        return acts.set_columns(
            store, ids, actor="me", kind=kind, value=value, values=values
        ).changed
    if kind == "tag":
        return acts.add_tag(store, ids, value, actor="me").changed
    return acts.edit_answer(store, ids[0], value, actor="me").changed


def _expected(
    before: list[tuple[str, list[str], str]], kind: str, value: str, ids: list[int]
) -> list[tuple[str, list[str], str]]:
    after = []
    for number, (status, tags, answer) in enumerate(before, 1):
        if number not in ids:
            after.append((status, tags, answer))
        elif kind == "status":
            after.append((value, tags, answer))
        elif kind == "tag":
            after.append((status, tags if value in tags else [*tags, value], answer))
        else:
            after.append((status, tags, value))
    return after


def _actual(store: Store) -> list[tuple[str, list[str], str]]:
    found = []
    for row in rows.page(store)[0]:
        answer = rows.show(store, row["id"])["messages"][-1]["content"]
        found.append((row["status"], row["tags"], answer))
    return found
