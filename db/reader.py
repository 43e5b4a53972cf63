"""What the terminal draws of a store: ids in order, rows by id, one conversation in full.

Plain sqlite3 and read-only: the first rows are on the screen before SQLAlchemy is imported, an
array of a million ids costs 8 MB, and a long query is interrupted by the next one. A reader is
used by one thread at a time; only `interrupt` may be called by another.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from db.migrations import HEAD

PAGE = 128  # rows that are fetched at once


class Row(NamedTuple):
    """The narrow columns of one interaction, as stored."""

    id: int
    agent: str | None
    agent_method: str | None
    agent_confidence: float | None
    agent_reason: str | None
    provider: str | None
    model: str | None
    title: str
    success: int | None
    error: str | None
    status: str
    tags: str
    note: str | None
    started_ms: int | None
    duration_ms: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    stop_reason: str | None
    tool_calls: int
    cluster: int | None
    problem: int | None
    verified: str | None
    secrets: int


class Body(NamedTuple):
    """The text of one interaction (JSON as stored), where it came from, and the acts on it."""

    row: Row
    messages: str
    tools: str | None
    path: str
    line: int
    format: str
    acts: list[tuple[int, str, str, str]]  # (at_ms, actor, kind, value_json), oldest first


class ActLine(NamedTuple):
    """One act in short; `only` is the interaction when it concerned a single one."""

    kind: str
    value_json: str
    rows: int
    only: int | None


_COLUMNS = ", ".join(Row._fields)


class Query(NamedTuple):
    """A statement that selects ids in the order of `sort`.

    `sooner` finds a part of them, in the same order and much earlier.
    """

    sql: str
    parameters: tuple[object, ...]
    sort: str
    sooner: Query | None = None

    @property
    def by_id(self) -> bool:
        """Whether a new interaction belongs at the beginning or the end of what was found."""
        return self.sort in ("id", "-id")


def query(filter_text: str = "", search: str = "", sort: str = "-id") -> Query:
    """The statement of a view. Raises FilterError for a filter or an order that is wrong."""
    if sort in ("id", "-id") and not filter_text.strip() and not search.strip():
        direction = "DESC" if sort == "-id" else "ASC"
        return Query(f"SELECT id FROM interaction ORDER BY id {direction}", (), sort)
    from db import filters  # imports SQLAlchemy, which the first rows do not wait for

    sql, parameters = filters.compiled(filter_text, search, sort)
    found = Query(sql, parameters, sort)
    if not search.strip() or not found.by_id:
        return found
    # the hits of an unfinished word are merged before the first one comes, those of a whole are not
    sql, parameters = filters.compiled(filter_text, f"{search} ", sort)
    return (
        found
        if parameters == found.parameters
        else found._replace(sooner=Query(sql, parameters, sort))
    )


def read_only(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises sqlite3.Error where there is no such file."""
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=ro",
        uri=True,
        check_same_thread=False,
        isolation_level=None,
        timeout=10,
    )


def is_current(path: Path) -> bool:
    """Whether a store file has the newest schema: what is older is upgraded before it is drawn."""
    try:
        with closing(read_only(path)) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return bool(found == (HEAD,))
    except sqlite3.Error:
        return False


class Reader:
    """A read-only connection to the file of a store. Raises sqlite3.Error where it is none."""

    def __init__(self, path: Path) -> None:
        self._connection = read_only(path)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def interrupt(self) -> None:
        """End the query that runs, from another thread."""
        self._connection.interrupt()

    def ids(
        self, wanted: Query, *, limit: int | None = None, above: int | None = None
    ) -> array[int]:
        """The ids of a query in order, at most `limit`, or only those above an id."""
        sql, parameters = wanted.sql, wanted.parameters
        if above is not None:
            sql, parameters = f"SELECT id FROM ({sql}) WHERE id > ?", (*parameters, above)
        if limit is not None:
            sql, parameters = f"{sql} LIMIT ?", (*parameters, limit)
        cursor = self._connection.execute(sql, parameters)
        found = array("q")
        while part := cursor.fetchmany(8_192):
            found.extend([row[0] for row in part])
        if above is not None:  # the order of an inner query is nobody's promise
            found = array("q", sorted(found, reverse=wanted.sort == "-id"))
        return found

    def rows(self, ids: Sequence[int]) -> dict[int, Row]:
        """Rows by id; ids that are not there are left out."""
        marks = ",".join("?" * len(ids))
        cursor = self._connection.execute(
            f"SELECT {_COLUMNS} FROM interaction WHERE id IN ({marks})", list(ids)
        )
        return {row[0]: Row._make(row) for row in cursor}

    def total(self, since: tuple[int, int] = (0, 0)) -> tuple[int, int]:
        """How many interactions there are, and the highest id, at one moment.

        `since` is what this said before: only what came since is counted, for none is ever removed.
        """
        known, above = since
        count = "count(*) FROM interaction" + (" WHERE id > ?" if above else "")  # all by an index
        newest = "coalesce(max(id), 0) FROM interaction"
        found = self._connection.execute(
            f"SELECT (SELECT {count}), (SELECT {newest})", (above,) if above else ()
        ).fetchone()
        return known + found[0], found[1]

    def newest(self) -> int:
        """The highest id, 0 in an empty store."""
        found = self._connection.execute("SELECT max(id) FROM interaction").fetchone()[0]
        return int(found or 0)

    def version(self) -> int:
        """A number that changes when anybody else has written to the store."""
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def values(self, column: str, limit: int = 200) -> list[str]:
        """The distinct values of a column of `interaction`, for completion."""
        assert column in Row._fields
        cursor = self._connection.execute(
            f"SELECT DISTINCT {column} FROM interaction WHERE {column} IS NOT NULL LIMIT ?",
            (limit,),
        )
        return sorted(str(row[0]) for row in cursor)

    def body(self, identity: int) -> Body | None:
        """One interaction in full; None when it is not there."""
        row = self.rows([identity]).get(identity)
        found = self._connection.execute(
            "SELECT b.messages, b.tools, s.path, i.line, s.format FROM interaction i "
            "JOIN interaction_body b ON b.id = i.id JOIN source s ON s.id = i.source_id "
            "WHERE i.id = ?",
            (identity,),
        ).fetchone()
        if row is None or found is None:
            return None
        acts = self._connection.execute(
            "SELECT a.at_ms, a.actor, a.kind, a.value_json FROM act_item i "
            "JOIN act a ON a.id = i.act_id WHERE i.interaction_id = ? ORDER BY a.id",
            (identity,),
        ).fetchall()
        messages, tools, path, line, log_format = found
        return Body(row, messages, tools, path, line, log_format, acts)

    def act(self, identity: int) -> ActLine:
        """One act in short."""
        kind, value, count = self._connection.execute(
            "SELECT kind, value_json, ids_count FROM act WHERE id = ?", (identity,)
        ).fetchone()
        only = None
        if count == 1:
            only = self._connection.execute(
                "SELECT interaction_id FROM act_item WHERE act_id = ?", (identity,)
            ).fetchone()[0]
        return ActLine(kind, value, count, only)
