"""Open a store: one SQLite file (or a SQLAlchemy URL of one), upgraded to the newest schema.

Readers take `store.read()`, writers `store.write()`: one short transaction that takes the write
lock at once (BEGIN IMMEDIATE), so that nobody's update is lost and nobody fails half way.
A person's decisions are written with `durable=True`: they survive a power cut, not only a kill.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from db.errors import NotFound, StoreError
from db.migrations import HEAD

BUSY_TIMEOUT_MS = 10_000
ASK_EVERY = 0.0005  # seconds between two tries of a person's decision to get the write lock
CACHE_KIB = 32 << 10  # of pages, at most, in the memory of each connection
CHECKPOINT_PAGES = 8_000  # of the write-ahead log, 32 MB, are written back at once


class Store:
    """An open store. `location` is what the user gave; `path` the file, None when in memory."""

    def __init__(self, engine: Engine, location: str, path: Path | None) -> None:
        self.engine = engine
        self.location = location
        self.path = path

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection with one consistent view of the store."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Connection]:
        """A connection that holds the write lock; commits at the end, rolls back on an error."""
        with self.engine.connect() as connection:
            connection = connection.execution_options(studio_write="FULL" if durable else "NORMAL")
            try:
                with connection.begin():
                    yield connection
            except OperationalError as error:
                if "locked" in str(error):
                    raise StoreError(
                        f"{self.location} is held by another writer for over "
                        f"{BUSY_TIMEOUT_MS // 1000} s; try again when it has finished"
                    ) from error
                raise StoreError(f"{self.location}: {error.orig}") from error

    def close(self) -> None:
        """Release every connection; the file may be moved afterwards."""
        self.engine.dispose()


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def store_path(location: str) -> Path:
    """The SQLite file that a location (a path, or a `sqlite:///` URL) names.

    Raises StoreError for a URL of another database.
    """
    if "://" not in location:
        return Path(location)
    try:
        url: URL = make_url(location)
    except ArgumentError as error:
        raise StoreError(f"{location!r} is neither a path nor a database URL") from error
    if url.get_backend_name() != "sqlite" or not url.database:
        raise StoreError(
            f"{location!r}: only SQLite stores are supported; give a path or sqlite:///PATH"
        )
    return Path(url.database)


def open_store(
    location: str, *, create: bool = False, tell: Callable[[str], None] | None = None
) -> Store:
    """Open the store at `location`, upgrading an older one after a backup.

    `create` makes a new store where there is none; otherwise that is NotFound. `tell` hears when an
    upgrade begins, which reads the whole store. Raises StoreError when the file is no store, is
    newer than this program, or cannot be read.
    """
    path = store_path(location)
    if path.is_dir():
        raise StoreError(f"{path} is a directory; give the path of a store file")
    if not path.exists():
        if not create:
            raise NotFound(
                f"no store at {path}: import something first (studio import PATH --store {path})"
            )
        if not path.parent.is_dir():
            raise StoreError(f"{path.parent} does not exist; make the folder first")
    engine = _engine(path)
    store = Store(engine, location, path)
    try:
        _bring_up_to_date(store, path, tell or (lambda _: None))
    except (DatabaseError, sqlite3.DatabaseError) as error:
        engine.dispose()
        raise StoreError(f"{path} {_trouble(error)}") from error
    except StoreError:
        engine.dispose()
        raise
    return store


def _trouble(error: Exception) -> str:
    """Why a store cannot be opened, in SQLite's words without SQLAlchemy's, and the way out."""
    said = str(error.orig if isinstance(error, DatabaseError) else error)
    if "locked" in said:
        return "is being written by another program; try again when that is done"
    if "readonly" in said:
        return "cannot be written by you: change its owner or its mode, or copy it"
    return f"is not a studio store, or is damaged: {said}"


def _engine(path: Path) -> Engine:
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # what it logs is raised, too
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA recursive_triggers = ON")  # else REPLACE goes round the triggers
        cursor.execute("PRAGMA synchronous = NORMAL")
        # an import touches the same pages of the indexes again and again
        cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        level = connection.get_execution_options().get("studio_write")
        if level is None:
            connection.exec_driver_sql("BEGIN")
            return
        durable = level == "FULL"
        connection.exec_driver_sql(f"PRAGMA synchronous = {level}")  # void inside a transaction
        pages = CHECKPOINT_PAGES * (4 if durable else 1)  # a person does not do it for an import
        connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {pages}")
        if durable:
            _ask_often(connection)
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _ask_often(connection: Connection) -> None:
    """Begin between two batches of an import: a person waits, but SQLite would sleep up to 0.1 s.

    Raises OperationalError when the lock was held by others for BUSY_TIMEOUT_MS.
    """
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    end = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        while time.monotonic() < end:
            try:
                raw.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    break
                time.sleep(ASK_EVERY)
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # the last try, whose error is SQLAlchemy's
    finally:
        raw.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")


def _bring_up_to_date(store: Store, path: Path, tell: Callable[[str], None]) -> None:
    with store.read() as connection:
        tables = set(connection.execute(text("SELECT name FROM sqlite_master")).scalars())
        revision = None
        if "alembic_version" in tables:
            revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if revision == HEAD:
        return
    from db.migrations.upgrade import known_revisions, upgrade

    if revision is None and tables:
        raise StoreError(f"{path} is a SQLite database, but not a studio store")
    if revision is not None:
        if revision not in known_revisions():
            raise StoreError(
                f"{path} was written by a newer studio (schema {revision}, this one knows {HEAD}); "
                "upgrade studio"
            )
        tell(f"upgrading {path} ({path.stat().st_size / 1e6:,.0f} MB), after a copy beside it")
        _backup(path, str(revision))
    upgrade(store.engine)


def _backup(path: Path, revision: str) -> Path:
    """Copy the store beside itself before an upgrade."""
    target = path.with_name(f"{path.name}.backup-{revision}-{now_ms()}")
    with sqlite3.connect(path) as source, sqlite3.connect(target) as copy:
        source.backup(copy)
    return target
