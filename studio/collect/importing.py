"""Import log files: walk, recognise, read, and write in short batches; nothing is stored twice."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from db.interactions import Record
from db.search_index import merge_segments
from db.store import Store
from studio.collect import sources
from studio.collect.formats import named, recognised
from studio.collect.log import CHUNK, Format, Log, Rejected
from studio.collect.overview import newest, overview
from studio.collect.walking import walk, why
from studio.collect.writing import Counts, prepare_new, write_records
from studio.interruptible import interrupts_noted, raise_noted

BATCH_ROWS = 128  # written in 8 ms: a person's decision waits for one batch, not longer
BATCH_CHARS = 1 << 20
REASON_CHARS = 2000
JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")

__all__ = ["Progress", "Rejected", "Summary", "import_paths"]


@dataclass(slots=True)
class Progress:
    """How far an import is. `rows` counts what was read, new or not."""

    path: str = ""
    bytes_done: int = 0
    bytes_total: int = 0
    files_done: int = 0
    files_total: int = 0
    rows: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Summary:
    """What an import did. `rejected` holds lines and files that could not be read, `unknown`
    files of no known format, `interrupted` the file that a person's Ctrl+C left unfinished,
    `overview` the figures of what is new.
    """

    imported: int = 0
    updated: int = 0
    already_present: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    by_format: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    bytes: int = 0
    interrupted: list[str] = field(default_factory=list)
    overview: dict[str, Any] = field(default_factory=dict)


def import_paths(
    store: Store,
    paths: Sequence[Path],
    *,
    format: str | None = None,
    agent: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Summary:
    """Import files and folders into the store.

    `format` forces one format by name, `agent` declares the agent of every interaction. Raises
    BadInput, before anything is imported, for a path that does not exist or an unknown format.
    Ctrl+C (KeyboardInterrupt, also out of `progress`) ends the import: what was committed stays,
    and importing the same file again completes it.
    """
    return _Import(store, format, agent, progress).run(paths)


class _Import:
    def __init__(
        self,
        store: Store,
        format_name: str | None,
        agent: str | None,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self.store = store
        self.format = named(format_name) if format_name else None
        self.agent = agent
        self.summary = Summary()
        self.progress = Progress()
        self._began = time.monotonic()
        self.projects: Counter[str] = Counter()
        self._on_progress = on_progress or (lambda _: None)

    def run(self, paths: Sequence[Path]) -> Summary:
        """Import every file, one after the other; Ctrl-C ends it between two transactions."""
        began = self._began
        with self.store.read() as connection:
            before = newest(connection)
        try:
            with interrupts_noted():
                for path, size in self._files(paths):
                    self._file(path, size)
        except KeyboardInterrupt:
            if self.progress.path:
                self.summary.interrupted.append(self.progress.path)
        with self.store.read() as connection:
            self.summary.overview = overview(connection, before, self.projects)
        self.summary.bytes = self.progress.bytes_done
        self.summary.seconds = time.monotonic() - began
        return self.summary

    def _files(self, paths: Sequence[Path]) -> list[tuple[Path, int]]:
        files: list[tuple[Path, int]] = []
        for found in walk(paths, self.store.path):
            if isinstance(found, Rejected):
                self.summary.rejected.append(found)
            else:
                files.append(found)
        self.progress.files_total = len(files)
        self.progress.bytes_total = sum(size for _, size in files)
        return files

    def _file(self, path: Path, size: int) -> None:
        before = self.progress.bytes_done
        log = Log(path, size, lambda share: self._tell(bytes_done=before + round(share * size)))
        self._tell(path=log.name)
        try:
            known = self.format or recognised(log.head)
            if known is None:
                self._unrecognised(log)
            else:
                self._import(log, known)
        except OSError as error:
            self.summary.rejected.append(log.rejected(0, why(error)))
        self._tell(bytes_done=before + size, files_done=self.progress.files_done + 1)

    def _unrecognised(self, log: Log) -> None:
        """A file whose name promises JSON and that holds none is damaged, not of another format."""
        promises_json = log.path.suffix.lower() in JSON_SUFFIXES
        first = next(log.items(), None) if promises_json else None
        if isinstance(first, Rejected):
            self.summary.rejected.append(first)
            return
        self.summary.unknown.append(log.name)

    def _import(self, log: Log, known: Format) -> None:
        sha256 = _sha256(log)
        self.summary.by_format.setdefault(known.NAME, 0)
        with self.store.read() as connection:
            finished = sources.finished(connection, log, known.NAME, sha256)
        if finished is not None:
            self.summary.already_present += finished.rows
            self.summary.rejected += finished.rejected
            return
        with self.store.write() as connection:
            source_id = sources.begin(connection, log, known.NAME, sha256)
        batch = _Batch(source_id, known.NAME)
        for read in known.read(log):
            if isinstance(read, Rejected):
                batch.reject(read)
                self.summary.rejected.append(read)
            else:
                batch.add(self._declared(read))
            if batch.is_full:
                self._write(batch)
        self._write(batch, complete=True)

    def _write(self, batch: _Batch, *, complete: bool = False) -> None:
        prepare_new(self.store, batch.records)
        with self.store.write() as connection:
            counts = Counts()
            if batch.records:
                counts = write_records(connection, batch.records, batch.source_id)
            sources.advance(
                connection, batch.source_id, batch.rows, batch.rejected, complete=complete
            )
        self.summary.imported += counts.imported
        self.summary.updated += counts.updated
        self.summary.already_present += counts.already_present
        self.projects += counts.projects
        self.summary.by_format[batch.format_name] += counts.imported
        rows = self.progress.rows + len(batch.records)
        batch.clear()
        self._tell(rows=rows)
        merge_segments(self.store, self._tell)

    def _declared(self, record: Record) -> Record:
        """The record with the agent that the user declared."""
        if self.agent is not None:
            record.agent = self.agent
        return record

    def _tell(self, **changes: object) -> None:
        for key, value in changes.items():
            setattr(self.progress, key, value)
        self.progress.seconds = time.monotonic() - self._began
        self._on_progress(self.progress)
        raise_noted()


class _Batch:
    """What the next transaction writes."""

    def __init__(self, source_id: int, format_name: str) -> None:
        self.source_id = source_id
        self.format_name = format_name
        self.rows = 0  # of the file so far, this batch included
        self.records: list[Record] = []
        self.rejected: dict[int, str] = {}
        self._chars = 0
        self._last = (0, "")  # the rejection kept last: a line may hold several values

    def add(self, record: Record) -> None:
        """Take in an interaction."""
        self.records.append(record)
        self.rows += 1
        for message in record.messages:
            self._chars += len(message["content"]) + len(message.get("tool_calls") or ()) * 1000

    def reject(self, rejected: Rejected) -> None:
        """Take in the reason of a bad line; of a line with several, all of them."""
        line, reasons = self._last
        if line == rejected.line and reasons:
            reason = f"{reasons}; {rejected.reason}"[:REASON_CHARS]
        else:
            reason = rejected.reason[:REASON_CHARS]
        self._last = (rejected.line, reason)
        self.rejected[rejected.line] = reason

    @property
    def is_full(self) -> bool:
        """Whether it holds as many rows or characters as a transaction should."""
        rows = len(self.records) + len(self.rejected)
        return rows >= BATCH_ROWS or self._chars >= BATCH_CHARS

    def clear(self) -> None:
        """Forget what was written; the count of the file's rows goes on."""
        self.records.clear()
        self.rejected.clear()
        self._chars = 0


def _sha256(log: Log) -> str:
    """Of the bytes that there were when the import began."""
    state, left = hashlib.sha256(), log.size
    with log.path.open("rb") as file:
        while left > 0 and (chunk := file.read(min(CHUNK, left))):
            state.update(chunk)
            left -= len(chunk)
            raise_noted()
    return state.hexdigest()
