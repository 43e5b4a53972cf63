"""Sessions that were resumed or forked: their logs begin with a copy of another's lines."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import acts
from db.store import Store, open_store
from studio.collect.importing import import_paths

Contents = Callable[[Store], dict[str, Any]]
Lines = list[dict[str, Any]]


def line(number: int, kind: str, content: object, **more: Any) -> dict[str, Any]:
    message = {"role": kind, "content": content, **more.pop("message", {})}
    return {
        "type": kind, "uuid": f"u{number}", "timestamp": f"2026-01-02T03:{number:02}:05.678Z",
        "sessionId": "none", "message": message, **more,
    }  # fmt: skip


def turns(start: int, count: int = 2) -> Lines:
    """Questions, each answered by a text and a call in lines of one message, and its result."""
    told: Lines = []
    for n in range(start, start + count):
        own: dict[str, Any] = {"id": f"m{n}", "usage": {"input_tokens": 10, "output_tokens": 1}}
        use = {"type": "tool_use", "id": f"t{n}", "name": "Task", "input": {"prompt": "look",
               "subagent_type": "engineer"}}  # fmt: skip
        result = {"type": "tool_result", "tool_use_id": f"t{n}", "content": "seen"}
        told += [
            line(4 * n, "user", f"question {n}"),
            line(4 * n + 1, "assistant", [{"type": "text", "text": "I look."}], message=own),
            line(4 * n + 2, "assistant", [use], message=own),
            line(4 * n + 3, "user", [result], toolUseResult={"agentId": f"a{n}"}),
        ]
    return told


def session(name: str, lines: Lines) -> bytes:
    return "".join(json.dumps({**one, "sessionId": name}) + "\n" for one in lines).encode()


def helper(name: str, number: int) -> bytes:
    seen = [{"type": "text", "text": f"seen {number}"}]
    asked = [line(0, "user", "look"), line(1, "assistant", seen)]
    return session(name, [{**one, "isSidechain": True, "agentId": f"a{number}"} for one in asked])


FIRST = turns(0)
GOES_ON, BRANCH = FIRST + turns(2), FIRST + turns(5, 1)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Sequence[bytes]], dict[str, Any]]:
    """What a store holds after these files were imported, one after the other."""
    from tests.studio.collect.conftest import _contents

    folder = tmp_path_factory.mktemp("resumed")
    open_store(str(folder / "empty.db"), create=True).close()

    def imported(files: Sequence[bytes]) -> dict[str, Any]:
        shutil.rmtree(folder / "now", ignore_errors=True)
        (folder / "now" / "logs").mkdir(parents=True)
        store = open_store(str(shutil.copy(folder / "empty.db", folder / "now" / "studio.db")))
        for number, data in enumerate(files):
            (folder / "now" / "logs" / f"{number:02}.jsonl").write_bytes(data)
        import_paths(store, [folder / "now" / "logs"])
        found = _contents(store)
        store.close()
        return found

    return imported


def test_a_resumed_session_is_one_with_its_beginning(store: Store, tmp_path: Path) -> None:
    for name, data in (("a", session("a", FIRST)), ("b", session("b", GOES_ON))):
        (tmp_path / f"{name}.jsonl").write_bytes(data)
    first = import_paths(store, [tmp_path / "a.jsonl"])
    acts.add_tag(store, [1], "good", actor="me")
    second = import_paths(store, [tmp_path])
    assert (first.imported, second.imported, second.updated) == (1, 0, 1)
    with store.read() as connection:
        query = "SELECT id, external_id, tags, turns, completion_tokens FROM interaction"
        rows = connection.exec_driver_sql(query).all()
    assert [tuple(row) for row in rows] == [(1, "claude_code:b", '["good"]', 8, 4)]
    assert import_paths(store, [tmp_path]).already_present == 2


def test_what_a_person_edited_is_not_replaced(store: Store, tmp_path: Path) -> None:
    for name, lines in (("a", FIRST), ("b", GOES_ON)):
        (tmp_path / f"{name}.jsonl").write_bytes(session(name, lines))
    import_paths(store, [tmp_path / "a.jsonl"])
    acts.edit_answer(store, 1, "I looked.", actor="me")
    assert import_paths(store, [tmp_path / "b.jsonl"]).imported == 1


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_copies_branches_and_pieces_in_any_order(
    data: st.DataObject, kept: Callable[[Sequence[bytes]], dict[str, Any]]
) -> None:
    whole = [
        session("a", FIRST), session("b", GOES_ON), session("b2", GOES_ON), session("c", BRANCH),
        helper("b", 2), helper("b2", 3),
    ]  # fmt: skip
    pieces = list(whole)
    for log in data.draw(st.lists(st.sampled_from(whole), max_size=4)):
        pieces.append(log[: data.draw(st.integers(1, len(log) - 1))])
    random.Random(data.draw(st.integers(0, 10**6))).shuffle(pieces)
    found = kept(pieces)
    mains = {name: row for name, row in found.items() if "/" not in name}
    assert {name: row["turns"] for name, row in mains.items()} == {
        "claude_code:b": 8,
        "claude_code:c": 6,
    }
    helpers = {n: (row["parent_external"], row["agent"]) for n, row in found.items() if "/" in n}
    assert helpers == {
        "claude_code:b/a2": ("claude_code:b", "coder"),
        "claude_code:b2/a3": ("claude_code:b2", "coder"),
    }
