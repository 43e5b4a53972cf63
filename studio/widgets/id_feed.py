"""The ids of a table, read in a worker and sent to it as messages."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from array import array
from collections.abc import Callable
from pathlib import Path

from textual.message import Message
from textual.worker import get_current_worker

from db.reader import PAGE, Query, Reader

DRAWING = 0.05  # seconds in which the first page is drawn, before all ids compete with that


class Filled(Message):
    """Ids of a query in order, some of them missing unless it is the `whole`.

    `newest` is the store's last id.
    """

    def __init__(self, generation: int, ids: array[int], newest: int, whole: bool) -> None:
        self.generation, self.ids, self.newest, self.whole = generation, ids, newest, whole
        super().__init__()


class Grew(Message):
    """Ids that came into the store since the array was filled, in its order."""

    def __init__(self, generation: int, ids: array[int], newest: int) -> None:
        self.generation, self.ids, self.newest = generation, ids, newest
        super().__init__()


class Failed(Message):
    """The store could not be read."""

    def __init__(self, generation: int, reason: str) -> None:
        self.generation, self.reason = generation, reason
        super().__init__()


class IdFeed:
    """Reads ids in a worker thread: the first page at once, then all; `interrupt` ends it."""

    def __init__(self, path: Path, post: Callable[[Message], object]) -> None:
        self._path, self._post = path, post
        self._reader: Reader | None = None

    def interrupt(self) -> None:
        """End the query that runs, since nobody wants its answer any more."""
        if self._reader is not None:
            with contextlib.suppress(sqlite3.ProgrammingError):  # it has ended meanwhile
                self._reader.interrupt()

    def fill(self, generation: int, wanted: Query) -> None:
        """Send the ids of a query."""
        worker = get_current_worker()
        try:
            self._reader = Reader(self._path)
            with contextlib.closing(self._reader) as reader:
                newest = reader.newest()
                ids = reader.ids(wanted.sooner, limit=PAGE) if wanted.sooner else array("q")
                if len(ids) < PAGE:
                    ids = reader.ids(wanted, limit=PAGE)
                self._post(Filled(generation, ids, newest, len(ids) < PAGE))
                if len(ids) == PAGE and not self._cancelled_within(DRAWING):
                    self._post(Filled(generation, reader.ids(wanted), newest, True))
        except sqlite3.Error as error:
            if not worker.is_cancelled:
                self._post(Failed(generation, str(error)))

    def _cancelled_within(self, seconds: float) -> bool:
        time.sleep(seconds)
        return get_current_worker().is_cancelled

    def grow(self, generation: int, wanted: Query, above: int) -> None:
        """Send the ids of a query above one that is known."""
        worker = get_current_worker()
        try:
            with contextlib.closing(Reader(self._path)) as reader:
                newest = reader.newest()
                found = reader.ids(wanted, above=above)
        except sqlite3.Error:
            return  # the next look asks again
        if not worker.is_cancelled:
            self._post(Grew(generation, found, newest))
