"""What an import leaves in the store: once, whole, grown where the log grew, after a kill too."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from db import interactions
from db.acts import edit_answer, undo
from db.interactions import Record, Texts
from db.store import Store, open_store
from studio.collect import importing, writing
from studio.collect.importing import Progress, import_paths

Contents = Callable[[Store], dict[str, Any]]
HERE = Path(__file__).parent


def written(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def talk(identity: str, *said: str, **more: Any) -> dict[str, Any]:
    messages = [
        {"role": "assistant" if n % 2 else "user", "content": text} for n, text in enumerate(said)
    ]
    return {"id": identity, "agent": "coder", "messages": messages, **more}


def counts(summary: importing.Summary) -> tuple[int, int, int]:
    return summary.imported, summary.updated, summary.already_present


def test_the_same_rows_again_add_nothing(store: Store, tmp_path: Path, contents: Contents) -> None:
    """The same file, a copy, the rows written otherwise; copies inside one file are rows."""
    rows = [{"instruction": f"i{n % 5}", "output": "o"} for n in range(8)]
    path = written(tmp_path / "a", *rows)
    assert counts(import_paths(store, [path])) == (8, 0, 0)
    before = contents(store)
    assert counts(import_paths(store, [path])) == (0, 0, 8)
    (tmp_path / "copy").write_bytes(path.read_bytes())
    (tmp_path / "indented").write_text(json.dumps(rows, indent=4))
    assert counts(import_paths(store, [tmp_path / "copy", tmp_path / "indented"])) == (0, 0, 16)
    assert contents(store) == before


def test_rejected_lines_are_told_again(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text(json.dumps({"instruction": "i", "output": "o"}) + "\n{\n")
    first = import_paths(store, [path])
    assert import_paths(store, [path]).rejected == first.rejected != []


def test_a_conversation_that_grew_is_replaced_and_never_shortened(
    store: Store, tmp_path: Path, contents: Contents
) -> None:
    short = written(tmp_path / "short", talk("x", "hi", "hello", prompt_tokens=1))
    long = written(tmp_path / "long", talk("x", "hi", "hello", "more", "sure", prompt_tokens=9))
    assert counts(import_paths(store, [short])) == (1, 0, 0)
    assert counts(import_paths(store, [long])) == (0, 1, 0)
    grown = contents(store)
    assert (grown["studio:x"]["turns"], grown["studio:x"]["prompt_tokens"]) == (4, 9)
    with store.read() as connection:
        query = "SELECT rowid FROM interaction_fts WHERE interaction_fts MATCH 'sure'"
        assert len(connection.exec_driver_sql(query).all()) == 1
    written(short, talk("x", "hi", "hello", prompt_tokens=2))
    assert counts(import_paths(store, [short])) == (0, 0, 1)
    assert contents(store) == grown


def test_both_versions_in_one_import(store: Store, tmp_path: Path, contents: Contents) -> None:
    path = written(tmp_path / "a", talk("x", "hi", "a", "b"), talk("x", "hi"), talk("y", "yo"))
    assert counts(import_paths(store, [path])) == (2, 0, 1)
    assert contents(store)["studio:x"]["turns"] == 3


def test_what_a_person_edited_is_left_alone(
    store: Store, tmp_path: Path, contents: Contents
) -> None:
    import_paths(store, [written(tmp_path / "a", talk("x", "hi", "hello"))])
    edit_answer(store, 1, "a better answer", actor="me")
    edited = contents(store)
    long = written(tmp_path / "b", talk("x", "hi", "hello", "more", "sure"))
    assert counts(import_paths(store, [long])) == (0, 0, 1)
    assert contents(store) == edited
    undo(store, actor="me")
    longer = written(tmp_path / "c", talk("x", "hi", "hello", "more", "sure", "thanks"))
    assert counts(import_paths(store, [longer])) == (0, 1, 0)


@pytest.mark.parametrize("parent_first", [True, False])
def test_parents_and_children_in_either_order(
    store: Store, tmp_path: Path, contents: Contents, parent_first: bool
) -> None:
    parent = written(tmp_path / "parent", talk("p", "hi"))
    child = written(tmp_path / "child", talk("c", "do it", parent="p"))
    grandchild = written(tmp_path / "grandchild", talk("g", "do this", parent="c"))
    order = [parent, child, grandchild]
    for path in order if parent_first else reversed(order):
        import_paths(store, [path])
    found = contents(store)
    assert found["studio:c"]["parent"] == "studio:p"
    assert found["studio:g"]["parent"] == "studio:c"
    assert found["studio:p"]["parent"] is None


@pytest.mark.parametrize("session_first", [True, False])
def test_a_subagents_agent_is_what_its_session_asked_for(
    store: Store, tmp_path: Path, contents: Contents, session_first: bool
) -> None:
    rows = [json.loads(line) for line in (HERE / "golden" / "claude_code.jsonl").open()]
    session = written(tmp_path / "s1.jsonl", *(r for r in rows if not r.get("isSidechain")))
    agent = written(tmp_path / "agent-ag1.jsonl", *(r for r in rows if r.get("isSidechain")))
    for path in [session, agent] if session_first else [agent, session]:
        import_paths(store, [path])
    child = contents(store)["claude_code:s1/ag1"]
    assert child["parent"] == "claude_code:s1"
    assert json.loads(child["raw"])["subagent_type"] == "Explore"
    told = (child["agent"], child["declared_agent"], child["agent_method"])
    assert told == ("researcher", "researcher", "declared")
    before = contents(store)
    (tmp_path / "agent-ag1.jsonl").write_text((tmp_path / "agent-ag1.jsonl").read_text() + "\n")
    assert counts(import_paths(store, [agent])) == (0, 0, 1)
    assert contents(store) == before


@pytest.mark.parametrize("parent_first", [True, False])
def test_a_codex_subagent_is_what_its_session_spawned(
    store: Store, tmp_path: Path, contents: Contents, parent_first: bool
) -> None:
    def line(kind: str, **payload: Any) -> dict[str, Any]:
        return {"timestamp": "2026-01-02T03:04:05Z", "type": kind, "payload": payload}

    spawn = {"type": "collab_agent_spawn_end", "new_thread_id": "b", "new_agent_role": "reviewer"}
    asked = line("event_msg", type="user_message", message="Review it")
    parent = written(
        tmp_path / "a", line("session_meta", id="a"), asked, line("event_msg", **spawn)
    )
    source = {"subagent": {"thread_spawn": {"parent_thread_id": "a", "depth": 1}}}
    child = written(tmp_path / "b", line("session_meta", id="b", source=source), asked)
    for path in [parent, child] if parent_first else [child, parent]:
        import_paths(store, [path])
    found = contents(store)
    assert found["codex:b"]["parent"] == "codex:a"
    assert (found["codex:b"]["agent"], found["codex:a"]["agent"]) == ("reviewer", None)


@pytest.mark.parametrize("name", ["langfuse.json", "otlp_genai.jsonl"])
def test_an_agent_of_a_trace_has_the_one_that_called_it_as_parent(
    store: Store, contents: Contents, name: str
) -> None:
    import_paths(store, [HERE / "golden" / name])
    told = {row["agent"]: row["parent"] for row in contents(store).values() if row["agent"]}
    (caller,) = (agent for agent, parent in told.items() if parent is None)
    (called,) = set(told) - {caller}
    assert (caller, called) in {("researcher", "reviewer"), ("coordinator", "coder")}
    assert contents(store)[told[called]]["agent"] == caller


def test_a_declared_agent_holds_for_all(store: Store, tmp_path: Path, contents: Contents) -> None:
    path = written(tmp_path / "a", talk("x", "hi"), {"id": "y", **talk("y", "yo"), "agent": None})
    import_paths(store, [path], agent="tester")
    for row in contents(store).values():
        assert (row["agent"], row["agent_method"], row["declared_agent"]) == (
            "tester",
            "declared",
            "tester",
        )


def test_batches_are_short_transactions(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While an import runs, another writer gets its turn after every batch."""
    monkeypatch.setattr(importing, "BATCH_ROWS", 10)
    path = written(tmp_path / "a", *(talk(f"x{n}", "hi") for n in range(35)))
    seen: list[tuple[int, str]] = []

    def other(progress: Progress) -> None:
        with store.write() as connection:
            rows = connection.exec_driver_sql("SELECT count(*) FROM interaction").scalar_one()
            state = connection.exec_driver_sql("SELECT state FROM source").scalar()
        if progress.rows and (rows, state) not in seen:
            seen.append((rows, str(state)))

    import_paths(store, [path], progress=other)
    assert seen == [(n, "importing") for n in (10, 20, 30)] + [(35, "complete")]


def test_large_records_make_smaller_batches(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_CHARS", 1000)
    path = written(tmp_path / "a", *(talk(f"x{n}", "hi" * 300) for n in range(6)))
    rows: list[int] = []
    import_paths(store, [path], progress=lambda told: rows.append(told.rows))
    assert sorted(set(rows)) == [0, 2, 4, 6]


def test_progress_reaches_the_end(store: Store, tmp_path: Path) -> None:
    written(tmp_path / "a", *(talk(f"x{n}", "hi") for n in range(3)))
    (tmp_path / "b").write_text("prose")
    twice = (HERE / "golden" / "openai_chat.jsonl").read_bytes()  # this format is read twice
    (tmp_path / "c").write_bytes(twice)
    told: list[tuple[int, int, int, int, int]] = []

    def note(p: Progress) -> None:
        told.append((p.bytes_done, p.bytes_total, p.files_done, p.files_total, p.rows))

    import_paths(store, [tmp_path], progress=note)
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert told[-1] == (size, size, 3, 3, 8)
    assert all(done <= total for done, total, *_ in told)
    assert [done for done, *_ in told] == sorted(done for done, *_ in told)


def test_an_interrupted_import_keeps_what_was_committed(
    store: Store, tmp_path: Path, contents: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 10)
    path = written(tmp_path / "a", *(talk(f"x{n}", "hi") for n in range(35)))
    written(tmp_path / "b", talk("later", "hi"))

    def stop(progress: Progress) -> None:
        if progress.rows == 20:
            raise KeyboardInterrupt

    summary = import_paths(store, [tmp_path], progress=stop)
    assert (summary.imported, summary.interrupted) == (20, [str(path)])
    assert len(contents(store)) == 20
    summary = import_paths(store, [tmp_path])
    assert (counts(summary), summary.interrupted) == ((16, 0, 20), [])


IMPORT = (
    "import signal, sys; from pathlib import Path\n"
    "from db.store import open_store\n"
    "from studio.collect.importing import import_paths\n"
    "def wait_near_the_end(progress):  # for the kill, where the one who looks on is slow\n"
    "    while progress.rows >= 6000:\n"
    "        signal.pause()\n"
    "store = open_store(sys.argv[1], create=True)\n"
    "import_paths(store, [Path(sys.argv[2])], progress=wait_near_the_end)\n"
)


@pytest.mark.parametrize("rows_before", [1, 2000])
def test_kill_9_loses_nothing_that_was_committed(
    tmp_path: Path, contents: Contents, rows_before: int
) -> None:
    rows = [talk(f"x{n}", f"question {n}", "answer " * 50) for n in range(8000)]
    path = written(tmp_path / "log", *rows[:5000], "not a row", *rows[5000:])
    location = str(tmp_path / "studio.db")
    store = open_store(location, create=True)
    child = subprocess.Popen([sys.executable, "-c", IMPORT, location, str(path)])
    while child.poll() is None:
        with store.read() as connection:
            here = connection.exec_driver_sql("SELECT count(*) FROM interaction").scalar_one()
        if here >= rows_before:
            os.kill(child.pid, signal.SIGKILL)
            break
        time.sleep(0.002)
    assert child.wait() == -signal.SIGKILL, "the import ended before it could be killed"
    store.close()
    store = open_store(location)
    committed = contents(store)
    assert rows_before <= len(committed) < len(rows)
    with store.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        assert connection.exec_driver_sql("SELECT state FROM source").scalar_one() == "importing"
    summary = import_paths(store, [path])
    assert counts(summary) == (8000 - len(committed), 0, len(committed))
    assert [one.line for one in summary.rejected] == [5001]
    after = contents(store)
    assert after.keys() == {f"studio:x{n}" for n in range(8000)}
    assert {key: after[key] for key in committed} == committed
    again = import_paths(store, [path])
    assert (counts(again), again.rejected) == ((0, 0, 8000), summary.rejected)
    store.close()


def test_others_write_while_an_import_works_texts_out(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(str(store.path), timeout=0)
    worked_out = []

    def prepare(record: Record) -> Texts:
        with other:
            other.execute("UPDATE interaction SET title = title")
        worked_out.append(record.external_id)
        return interactions.prepare(record)

    monkeypatch.setattr(writing, "prepare", prepare)
    path = written(tmp_path / "a", talk("a", "u", "v"), talk("b", "u", "w"))
    assert counts(import_paths(store, [path])) == (2, 0, 0)
    written(path, talk("a", "u", "v"), talk("b", "u", "w"), talk("c", "u", "x"))
    assert counts(import_paths(store, [path])) == (1, 0, 2)
    other.close()
    assert len(worked_out) == len(set(worked_out)) == 3, "what is there is not worked out again"
