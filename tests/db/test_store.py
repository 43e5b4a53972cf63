"""A store opens, upgrades, refuses what is none, and loses no update of four writers."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db import store as db_store
from db.errors import NotFound, StoreError
from db.migrations import HEAD, upgrade
from db.models.schema import METADATA
from db.reader import is_current
from db.store import Store, open_store

WRITER = """
import sys
from db.store import open_store
store = open_store(sys.argv[1])
for _ in range(int(sys.argv[2])):
    with store.write() as connection:
        value = connection.exec_driver_sql("SELECT imported FROM source WHERE id = 1").scalar()
        connection.exec_driver_sql("UPDATE source SET imported = ? WHERE id = 1", (value + 1,))
"""


def test_a_missing_store_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="studio import"):
        open_store(str(tmp_path / "none.db"))
    assert not (tmp_path / "none.db").exists()


def test_a_folder_a_text_and_another_database_are_no_stores(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is no database, " * 100)
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE mine (x)")
    for name, reason in ((".", "directory"), ("text.db", "not a studio"), ("other.db", "not a")):
        with pytest.raises(StoreError, match=reason):
            open_store(str(tmp_path / name), create=True)
    with pytest.raises(StoreError, match=r"damaged: file is not a database$"):
        open_store(str(tmp_path / "text.db"))


def test_a_store_that_another_program_writes_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db_store, "BUSY_TIMEOUT_MS", 50)
    path = tmp_path / "studio.db"
    older = db_store._engine(path)
    upgrade.upgrade(older, "0001")
    older.dispose()
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="is being written by another program; try again"):
        open_store(str(path))
    writer.close()


def test_a_newer_store_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "studio.db"
    open_store(str(path), create=True).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer studio"):
        open_store(str(path))


def test_the_migrations_make_the_tables_of_the_models(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        changes = [
            change
            for change in compare_metadata(context, METADATA)
            if "interaction_fts" not in str(change)
        ]
    assert changes == []


def test_head_is_the_newest_migration() -> None:
    script = ScriptDirectory(str(Path(upgrade.__file__).parent))
    assert script.get_current_head() == HEAD


def test_a_url_opens_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "studio.db"
    open_store(str(path), create=True).close()
    assert open_store(f"sqlite:///{path}").path == path
    with pytest.raises(StoreError, match="only SQLite"):
        open_store("postgresql://localhost/x")


@pytest.mark.parametrize("table", ["act", "act_item"])
def test_acts_cannot_be_changed_even_by_hand(store: Store, table: str) -> None:
    with store.write() as connection:
        connection.execute(
            text("INSERT INTO act VALUES (1, 0, 'me', 'accept', 'null', 1, '{}', '{}', NULL)")
        )
        connection.execute(text("INSERT INTO source VALUES (1,'p','f','s',1,'complete',0,0,0)"))
        connection.execute(
            text(
                "INSERT INTO interaction (id, external_id, source_id, line, title, status, tags, "
                "turns, tool_calls, task_chars, output_chars, task_hash, content_hash) "
                "VALUES (1, 'x', 1, 1, '', 'new', '[]', 0, 0, 0, 0, '', '')"
            )
        )
        connection.execute(text("INSERT INTO act_item VALUES (1, 1, '{}', '{}')"))
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET before_json = 'x'"):
        with pytest.raises(IntegrityError, match="append-only"), store.write() as connection:
            connection.execute(text(statement))


def test_four_writers_and_a_reader_lose_nothing(store: Store) -> None:
    rounds = 60
    with store.write() as connection:
        connection.execute(text("INSERT INTO source VALUES (1,'p','f','s',1,'complete',0,0,0)"))
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(store.path), str(rounds)])
        for _ in range(4)
    ]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        with store.read() as connection:
            now = connection.execute(text("SELECT imported FROM source")).scalar_one()
        assert now >= seen
        seen = now
    assert [writer.returncode for writer in writers] == [0] * 4
    with store.read() as connection:
        assert connection.execute(text("SELECT imported FROM source")).scalar_one() == 4 * rounds


def test_an_older_store_is_upgraded_after_a_copy_and_its_secrets_are_found(tmp_path: Path) -> None:
    path, token = tmp_path / "studio.db", "ghp_" + "aB3dE6gH9j" * 4
    body = f'[{{"role":"user","content":"use {token}"}}]'
    older = db_store._engine(path)
    upgrade.upgrade(older, "0001")
    with older.begin() as connection:
        connection.execute(text("INSERT INTO source VALUES (1,'p','f','s',1,'complete',0,0,0)"))
        for number, messages in ((1, "[]"), (2, body)):
            connection.execute(
                text(
                    "INSERT INTO interaction (id, external_id, source_id, line, title, status, "
                    "tags, turns, tool_calls, task_chars, output_chars, task_hash, content_hash) "
                    "VALUES (:id, :id, 1, 1, :title, 'accepted', '[]', 0, 0, 0, 0, '', '')"
                ),
                {"id": number, "title": f"use {token}" if number == 2 else "Hi"},
            )
            connection.execute(
                text("INSERT INTO interaction_body VALUES (:id, :task, :messages, NULL, NULL)"),
                {"id": number, "task": f"use {token}", "messages": messages},
            )
        connection.execute(text("UPDATE interaction_body SET task = 'Hi' WHERE id = 1"))
    older.dispose()
    assert not is_current(path)
    told: list[str] = []
    store = open_store(str(path), tell=told.append)
    assert told == [f"upgrading {path} (0 MB), after a copy beside it"]
    assert is_current(path)
    with store.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT title, status, secrets, secret_kinds FROM interaction ORDER BY id"
        ).all()
    assert [tuple(row) for row in rows] == [
        ("Hi", "accepted", 0, None),
        ("use [GitHub token]", "accepted", 1, "GitHub token"),
    ]
    (copy,) = tmp_path.glob("studio.db.backup-0001-*")
    with sqlite3.connect(copy) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    store.close()
    open_store(str(path), tell=told.append).close()
    assert len(told) == 1
