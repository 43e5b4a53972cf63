"""Rows that a table has read, by id: a page around each row that is wanted."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from db.reader import PAGE, Reader, Row
from studio.widgets.id_list import IdList

ROWS_KEPT = 64 * PAGE


class RowCache:
    """Rows of one store, read when they are wanted and forgotten when somebody wrote."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[int, Row] = {}
        self._reader: Reader | None = None
        self._version: int | None = None

    def row(self, ids: IdList, index: int) -> Row | None:
        """The row at an index of `ids`; None when it is no longer in the store."""
        identity = ids[index]
        if identity not in self._rows:
            reader = self._open()
            if reader is None:
                return None
            if len(self._rows) > ROWS_KEPT:
                self._rows.clear()
            start = index - index % PAGE
            self._rows.update(reader.rows(ids.part(start, start + PAGE)))
        return self._rows.get(identity)

    def known(self, identity: int) -> Row | None:
        """A row as it was last read; None when it was not."""
        return self._rows.get(identity)

    def forget(self) -> None:
        """Read everything anew when it is wanted again."""
        self._rows.clear()

    def changed(self) -> bool:
        """Whether anybody may have written to the store since this was last asked, if ever."""
        reader = self._open()
        if reader is None:
            return False
        before, self._version = self._version, reader.version()
        return before != self._version

    def newest(self) -> int:
        """The highest id in the store."""
        reader = self._open()
        return reader.newest() if reader is not None else 0

    def close(self) -> None:
        """Release the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _open(self) -> Reader | None:
        if self._reader is None:
            try:
                self._reader = Reader(self._path)
            except sqlite3.Error:
                return None
        return self._reader
