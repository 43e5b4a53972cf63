"""The full-text index is merged in short transactions: what is found stays, and others get in."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from db import search_index
from db import store as db_store
from db.migrations import upgrade
from db.search_index import SEGMENTS, levels, merge_segments
from db.store import Store, open_store
from studio.collect import importing
from studio.collect.importing import import_paths
from tests.conftest import exchange

Add = Callable[..., list[int]]


def write_apart(add: Add, count: int, first: int = 0) -> None:
    """Rows in as many transactions, each with a word of its own and one that all have."""
    for number in range(first, first + count):
        own = " ".join(f"row{number}word{place}" for place in range(200))
        add(exchange(f"write task{number}", f"common word{number % 7} {own}"))


def hits(store: Store, word: str) -> list[int]:
    with store.read() as connection:
        found = connection.execute(
            text("SELECT rowid FROM interaction_fts WHERE interaction_fts MATCH :word"),
            {"word": word},
        )
        return sorted(found.scalars())


def segments(store: Store) -> list[int]:
    with store.read() as connection:
        return [level.segments for level in levels(connection)]


def is_sound(store: Store) -> bool:
    with store.write() as connection:
        connection.execute(
            text("INSERT INTO interaction_fts (interaction_fts) VALUES ('integrity-check')")
        )
    return True


def test_a_commit_merges_nothing_by_itself(store: Store, add: Add) -> None:
    for count in (1, 20, 100):
        write_apart(add, count - sum(segments(store)), sum(segments(store)))
        assert segments(store)[0] == count
        with store.read() as connection:
            by_hand = "SELECT count(DISTINCT segid) FROM interaction_fts_idx"
            assert connection.execute(text(by_hand)).scalar_one() == count


def test_few_segments_are_left_alone(store: Store, add: Add) -> None:
    write_apart(add, 20)
    merge_segments(store, lambda: pytest.fail("there was nothing to merge"))
    assert segments(store) == [20]


def test_a_full_level_becomes_one_segment_and_all_is_found(store: Store, add: Add) -> None:
    write_apart(add, SEGMENTS)
    before = hits(store, "common"), hits(store, "word3"), hits(store, "task77")
    merge_segments(store)
    assert sum(segments(store)) == 1
    assert (hits(store, "common"), hits(store, "word3"), hits(store, "task77")) == before
    assert len(before[0]) == SEGMENTS
    assert len(before[2]) == 1
    assert is_sound(store)


def test_another_program_writes_between_two_steps(
    store: Store, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "PAGES", 1)
    write_apart(add, SEGMENTS)
    other = sqlite3.connect(str(store.path), timeout=0)
    wrote = []

    def write() -> None:
        with other:
            other.execute("UPDATE interaction SET title = 'mine' WHERE id = 1")
        wrote.append(1)

    merge_segments(store, write)
    other.close()
    assert len(wrote) > 3
    assert sum(segments(store)) == 1


def test_an_interrupted_merge_loses_nothing_and_is_gone_on_with(
    store: Store, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "PAGES", 1)
    write_apart(add, SEGMENTS)

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge_segments(store, stop)
    with store.read() as connection:
        assert max(level.merging for level in levels(connection)) == SEGMENTS
    assert len(hits(store, "common")) == SEGMENTS
    write_apart(add, 3, SEGMENTS)
    merge_segments(store)
    assert sum(segments(store)) == 4
    assert len(hits(store, "common")) == SEGMENTS + 3
    assert is_sound(store)


def test_an_import_of_many_batches_keeps_the_segments_few(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 1)
    log = tmp_path / "log.jsonl"
    rows = [exchange(f"task{n}", "common", id=str(n)) for n in range(SEGMENTS + 40)]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert import_paths(store, [log]).imported == SEGMENTS + 40
    assert sum(segments(store)) < 50
    assert len(hits(store, "common")) == SEGMENTS + 40


def test_an_older_store_merges_nothing_while_it_commits_either(tmp_path: Path) -> None:
    path = tmp_path / "studio.db"
    older = db_store._engine(path)
    upgrade.upgrade(older, "0005")
    older.dispose()
    store = open_store(str(path))
    with store.read() as connection:
        rows = connection.execute(text("SELECT k, v FROM interaction_fts_config")).all()
    settings = {str(row.k): row.v for row in rows}
    store.close()
    assert settings["automerge"] == 0
    assert settings["crisismerge"] == 1000


@pytest.mark.parametrize(
    ("block", "numbers"),
    [
        (b"\x00", [0]),
        (b"\x7f\x81\x00", [127, 128]),
        (b"\x83\xff\x7f\x05", [65535, 5]),
        (b"\xff" * 9 + b"\x01", [2**64 - 1, 1]),
    ],
)
def test_integers_are_read_as_sqlite_writes_them(block: bytes, numbers: list[int]) -> None:
    assert list(search_index._varints(block)) == numbers
