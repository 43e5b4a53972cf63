"""Whatever the files hold, an import ends in rows, rejections or unknown files, in any order."""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.store import Store, open_store
from studio.collect.importing import Summary, import_paths
from studio.collect.plain_yaml import parse
from tests.studio.collect.golden_files import FOLDER, SOURCES, content

Contents = Callable[[Store], dict[str, Any]]
GOLDEN = {path.stem: content(path) for path in SOURCES}
JSON = [path for path in SOURCES if path.suffix in (".json", ".jsonl")]
QUICK = settings(
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store to copy: making one takes longer than an import."""
    path = tmp_path_factory.mktemp("empty") / "studio.db"
    open_store(str(path), create=True).close()
    return path


@contextmanager
def new_store(empty: Path) -> Iterator[tuple[Store, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        path = shutil.copy(empty, Path(folder) / "studio.db")
        logs = Path(folder) / "logs"
        logs.mkdir()
        store = open_store(str(path))
        yield store, logs
        store.close()


def accounted(store: Store, summary: Summary, rows: dict[str, Any], files: int) -> None:
    assert summary.imported == sum(summary.by_format.values()) == len(rows)
    with store.read() as connection:
        states = connection.exec_driver_sql("SELECT state FROM source").scalars().all()
    assert set(states) <= {"complete"}
    assert len(states) + len(summary.unknown) <= files
    for row in rows.values():
        for message in json.loads(row["messages"]):
            assert isinstance(message["content"], str)
            calls = message.get("tool_calls", [])
            assert all(isinstance(call["function"]["arguments"], dict) for call in calls)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A golden file with pieces cut out, bytes put in, or another one behind it."""
    data = GOLDEN[draw(st.sampled_from(sorted(GOLDEN)))]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        to = draw(st.integers(at, min(len(data), at + 200)))
        data = data[:at] + draw(st.binary(max_size=6)) + data[to:]
    return data + draw(st.sampled_from([b"", b"\n", b"\0" * 9, GOLDEN["alpaca"]]))


@settings(QUICK, max_examples=100)
@given(data=st.one_of(damaged(), st.binary(max_size=300)))
def test_any_bytes(empty: Path, contents: Contents, data: bytes) -> None:
    with new_store(empty) as (store, logs):
        (logs / "log").write_bytes(data)
        first = import_paths(store, [logs])
        rows = contents(store)
        accounted(store, first, rows, 1)
        second = import_paths(store, [logs])
        assert (second.imported, second.updated) == (0, 0)
        assert second.unknown == first.unknown
        assert contents(store) == rows


LEAVES = st.one_of(
    st.sampled_from([None, True, 0, -1, 2**70, 1e300, float("nan"), "", "x", "{}", '{"a": 1}']),
    st.sampled_from(["user", "tool", "text", "tool_use", "tool_result", "data: {}", "\ud800\0"]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["type", "text", "name", "content"]), inner, max_size=3),
    ),
    max_leaves=4,
)


KEYS = ["role", "name", "id", "type", "error", "status", "agent", "parent", "tools", "model"]
KEYS += ["task", "timestamp", "created", "agentId", "isSidechain", "isMeta", "system", "history"]
KEYS += ["reasoning_content", "refusal", "function_call", "tool_calls", "attachment", "raw"]


@st.composite
def bent(draw: st.DrawFn, value: Any) -> Any:
    """The value with something inside it, or all of it, replaced by something else, or gone."""
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 5)) == 0:
        return draw(VALUES)
    copy = value.copy()
    key = draw(st.sampled_from(sorted(copy) if isinstance(copy, dict) else range(len(copy))))
    if draw(st.integers(0, 5)) == 0:
        del copy[key]
    elif isinstance(copy, dict) and draw(st.integers(0, 5)) == 0:
        copy[draw(st.sampled_from(KEYS))] = draw(VALUES)
    else:
        copy[key] = draw(bent(copy[key]))
    return copy


def rows_of(path: Path) -> list[Any]:
    text = path.read_text()
    try:
        whole = json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]
    return whole if isinstance(whole, list) else [whole]


@settings(QUICK, max_examples=25)
@given(data=st.data())
@pytest.mark.parametrize("path", JSON, ids=lambda path: path.stem)
def test_any_values_where_a_format_has_others(
    empty: Path, contents: Contents, path: Path, data: st.DataObject
) -> None:
    rows = rows_of(path)
    for _ in range(data.draw(st.integers(1, 6))):
        number = data.draw(st.integers(0, len(rows) - 1))
        rows[number] = data.draw(bent(rows[number]))
    with new_store(empty) as (store, logs):
        (logs / "log").write_text("\n".join(json.dumps(row) for row in rows))
        summary = import_paths(store, [logs / "log"], format=path.stem)
        accounted(store, summary, contents(store), 1)


@QUICK
@given(data=st.data())
def test_any_values_in_a_cassette(empty: Path, contents: Contents, data: st.DataObject) -> None:
    cassette = parse((FOLDER / "vcr.yaml").read_text())
    listed = [one for one in cassette["interactions"] if isinstance(one["request"]["body"], str)]
    for _ in range(data.draw(st.integers(1, 6))):
        listed = data.draw(bent(listed))
    with new_store(empty) as (store, logs):
        (logs / "log").write_text(json.dumps({"interactions": listed}))
        summary = import_paths(store, [logs / "log"], format="vcr")
        accounted(store, summary, contents(store), 1)


CELLS = st.one_of(
    st.sampled_from(
        [None, 0, -1, 2**62, 1e300, b"\xff", "", "x", "[]", "{", "m1", "m5", "u1", "c1"]
    ),
    st.sampled_from(['{"arguments": [1]}', '{"text_ref": [{"fragment": [], "literal": 1}, 2]}']),
)


@QUICK
@given(data=st.data())
def test_any_values_in_a_database(empty: Path, contents: Contents, data: st.DataObject) -> None:
    with new_store(empty) as (store, logs):
        (logs / "log").write_bytes(GOLDEN["llm_logs"])
        with closing(sqlite3.connect(logs / "log")) as database:
            names = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            tables = sorted(name for (name,) in names)
            for _ in range(data.draw(st.integers(1, 6))):
                table = data.draw(st.sampled_from(tables))
                columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
                column, row = data.draw(st.sampled_from(columns)), data.draw(st.integers(0, 3))
                chosen = f"rowid IN (SELECT rowid FROM {table} LIMIT 2 OFFSET {row})"
                with suppress(sqlite3.IntegrityError):
                    update = f'UPDATE {table} SET "{column}" = ? WHERE {chosen}'
                    database.execute(update, (data.draw(CELLS),))
            database.commit()
        summary = import_paths(store, [logs / "log"])
        accounted(store, summary, contents(store), 1)


def studio_rows(identity: str, length: int, tokens: int) -> list[Any]:
    said = ["hi", "hello", "more", "sure"][:length]
    messages = [
        {"role": "assistant" if n % 2 else "user", "content": text} for n, text in enumerate(said)
    ]
    return [{"id": identity, "agent": "coder", "messages": messages, "prompt_tokens": tokens}]


def session_rows(identity: str, length: int, tokens: int) -> list[Any]:
    lines = rows_of(FOLDER / "claude_code.jsonl")
    return [
        {**line, "sessionId": identity}
        for line in lines[: 4 * length]
        if "sessionId" in line and (tokens > 1 or line.get("isSidechain"))
    ]


def exchange_rows(identity: str, length: int, tokens: int) -> list[Any]:
    rows: list[Any] = []
    messages: list[Any] = []
    for turn in range(length):
        messages = [*messages, {"role": "user", "content": f"{identity} {turn}"}]
        choices = [{"message": {"role": "assistant", "content": "yes"}}]
        response = {"id": identity, "choices": choices, "usage": {"completion_tokens": tokens}}
        rows.append({"request": {"messages": messages}, "response": response})
        messages = [*messages, choices[0]["message"]]
    return rows


def rollout_rows(identity: str, length: int, tokens: int) -> list[Any]:
    header, *lines = rows_of(FOLDER / "codex.jsonl")
    header["payload"] |= {"id": identity, "cli_version": str(tokens)}
    return [header, *lines[: 6 * length]]


@settings(QUICK, max_examples=15)
@given(
    files=st.lists(
        st.tuples(
            st.sampled_from([studio_rows, session_rows, exchange_rows, rollout_rows]),
            st.sampled_from(["x", "y"]),
            st.integers(1, 4),
            st.integers(1, 3),
        ),
        min_size=2,
        max_size=3,
    )
)
def test_any_order_gives_the_same_store(
    empty: Path, contents: Contents, files: list[tuple[Any, str, int, int]]
) -> None:
    seen = []
    for order in itertools.permutations(range(len(files))):
        with new_store(empty) as (store, logs):
            for number in order:
                rows, identity, length, tokens = files[number]
                path = logs / str(number)
                lines = [json.dumps(row) for row in rows(identity, length, tokens)]
                path.write_text("\n".join(lines))
                import_paths(store, [path])
                import_paths(store, [path])
            seen.append(contents(store))
    assert all(one == seen[0] for one in seen)
