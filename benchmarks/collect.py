"""Import end to end beside SQLModel's `add_all`; a gigabyte of sessions: seconds and memory.

`add_all` is given the same rows, ready to be stored, and makes no search index; ours reads, checks
and recognises files, leaves out what is there already, looks for secrets, and indexes. What reading
and indexing cost is told apart. Every measurement is a process of its own, `repeats` times in turn;
the fastest counts.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from benchmarks import big_store, made_up_sessions
from studio.cli.frame import note, say, table

Clocked = tuple[float, float]  # wall and CPU seconds
NAMES = {
    "import": "studio import",
    "read": "of which reading and checking",
    "index": "of which the search index",
    "add_all": "SQLModel add_all, 5,000 rows a commit",
}


class Clock:
    """Wall and CPU seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> Clocked:
        """What has passed."""
        return time.perf_counter() - self._wall, time.process_time() - self._cpu


def write_rows(path: Path, rows: int) -> None:
    """Made-up interactions in our own form, one a line."""
    with path.open("w", encoding="utf-8") as file:
        for record in big_store.records(rows, 1):
            row = {
                "id": record.external_id,
                "agent": record.agent,
                "provider": record.provider,
                "model": record.model,
                "success": record.success,
                "error": record.error,
                "started_at": record.started_ms,
                "duration_ms": record.duration_ms,
                "prompt_tokens": record.prompt_tokens,
                "completion_tokens": record.completion_tokens,
                "messages": record.messages,
            }
            file.write(json.dumps(row) + "\n")


def records_of(path: Path) -> list[Any]:
    """The records of a log, as its format reads them."""
    from studio.collect.formats import recognised
    from studio.collect.log import Log, Rejected

    log = Log(path, path.stat().st_size)
    known = recognised(log.head)
    assert known is not None
    return [one for one in known.read(log) if not isinstance(one, Rejected)]


def import_logs(logs: Path, store: Path) -> Clocked:
    """Seconds of `studio import`, without the interpreter's start."""
    from db.store import open_store
    from studio.collect.importing import import_paths

    opened = open_store(str(store), create=True)
    clock = Clock()
    import_paths(opened, [logs])
    return clock.read()


def index_only(logs: Path, store: Path) -> Clocked:
    """Seconds to index the same texts in batches as large as an import's, and store nothing."""
    from db.interactions import output_of, task_of
    from db.store import open_store
    from studio.collect.importing import BATCH_ROWS

    opened = open_store(str(store), create=True)
    texts = [
        (number, task_of(record.messages), output_of(record.messages))
        for number, record in enumerate(records_of(logs), 1)
    ]
    clock = Clock()
    for start in range(0, len(texts), BATCH_ROWS):
        with opened.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO interaction_fts (rowid, task, answer) VALUES (?, ?, ?)",
                texts[start : start + BATCH_ROWS],
            )
    return clock.read()


def read_only(logs: Path, _store: Path) -> Clocked:
    """Seconds for the format to read and check every row."""
    clock = Clock()
    records_of(logs)
    return clock.read()


def add_all(logs: Path, store: Path) -> Clocked:
    """Seconds for SQLModel to store the same rows, which are made before the clock starts."""
    from sqlmodel import Session

    from db.interactions import derived, dumps, output_of, task_of
    from db.models.interactions import Interaction, InteractionBody, Source
    from db.store import open_store

    opened = open_store(str(store), create=True)
    rows: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for number, record in enumerate(records_of(logs), 1):
        task = task_of(record.messages)
        narrow = {"id": number, "external_id": record.external_id, "source_id": 1}
        narrow |= {"line": record.line, "agent": record.agent, "provider": record.provider}
        narrow |= {"model": record.model, "success": record.success, "error": record.error}
        narrow |= {"started_ms": record.started_ms, "duration_ms": record.duration_ms}
        narrow |= derived(record.messages, record.tools, task, output_of(record.messages))
        rows.append((narrow, {"id": number, "task": task, "messages": dumps(record.messages)}))
    clock = Clock()
    with Session(opened.engine) as session:
        session.add(
            Source(
                id=1, path=str(logs), format="studio", sha256="", bytes=0, state="complete",
                imported_ms=0,
            )
        )  # fmt: skip
        session.commit()
        for start in range(0, len(rows), 5_000):
            part = rows[start : start + 5_000]
            session.add_all([Interaction(**narrow) for narrow, _ in part])
            session.add_all([InteractionBody(**body) for _, body in part])
            session.commit()
    return clock.read()


MEASURED: dict[str, Callable[[Path, Path], Clocked]] = {
    "import": import_logs,
    "read": read_only,
    "index": index_only,
    "add_all": add_all,
}


def measured(name: str, logs: Path, folder: Path) -> dict[str, float]:
    """One measurement in a process of its own: wall and CPU seconds, MB of memory at its peak."""
    store = folder / "measured.db"
    for path in folder.glob("measured.db*"):
        path.unlink()
    command = [sys.executable, "-m", "benchmarks.collect", "--one", name, str(logs), str(store)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def one(name: str, logs: str, store: str) -> None:
    """In the child: measure, and say it on stdout."""
    wall, cpu = MEASURED[name](Path(logs), Path(store))
    told = {"wall": wall, "cpu": cpu}
    told["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(told))


@click.command()
@click.option("--rows", default=20_000, show_default=True, help="Interactions of a small log.")
@click.option("--megabytes", default=1000, show_default=True, help="Of Claude Code sessions.")
@click.option("--repeats", default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
def main(rows: int, megabytes: int, repeats: int, as_json: bool) -> None:
    """Measure imports beside SQLModel's add_all, and the memory of large ones."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        logs = folder / "rows.jsonl"
        write_rows(logs, rows)
        found = _side_by_side(logs, folder, repeats)
        large = _large(folder, megabytes)
    if as_json:
        click.echo(json.dumps({"rows": rows, "side_by_side": found, "large": large}))
        return
    say(f"{rows:,} interactions of about 2.6 KB, the fastest of {repeats}")
    _say_side_by_side(found)
    say()
    headers = ("seconds", "MB/s", "peak_MB")
    table(
        ("Claude Code sessions", *headers),
        [
            (what, f"{one['wall']:.1f}", f"{megabytes / one['wall']:.0f}", f"{one['peak_mb']:.0f}")
            for what, one in large.items()
        ],
        right=" ".join(headers),
    )


def _say_side_by_side(found: dict[str, dict[str, float]]) -> None:
    headers = ("wall", "CPU", "peak_MB", "against_add_all")
    base = found["add_all"]["wall"]
    table(
        ("seconds", *headers),
        [
            (NAMES[key], f"{one['wall']:.2f}", f"{one['cpu']:.2f}", f"{one['peak_mb']:.0f}",
             f"{base / one['wall']:.1f}x")
            for key, one in found.items()
        ],
        right=" ".join(headers),
    )  # fmt: skip
    ratios = []
    for clock in ("wall", "cpu"):
        stored = found["import"][clock] - found["read"][clock] - found["index"][clock]
        ratios.append(f"{found['add_all'][clock] / stored:.1f}x by {clock} time")
    say(f"stored alone, without reading and index: {', '.join(ratios)}")


def _side_by_side(logs: Path, folder: Path, repeats: int) -> dict[str, dict[str, float]]:
    best: dict[str, dict[str, float]] = {}
    for turn in range(repeats):
        for name in MEASURED:
            note(f"{turn + 1} of {repeats}: {NAMES[name]}")
            told = measured(name, logs, folder)
            if name not in best or told["wall"] < best[name]["wall"]:
                best[name] = told
    return best


def _large(folder: Path, megabytes: int) -> dict[str, dict[str, float]]:
    found = {}
    for what, path in (("one file", folder / "one.jsonl"), ("a file each", folder / "sessions")):
        note(f"{megabytes:,} MB of sessions, {what}")
        files = made_up_sessions.write(path, megabytes)
        found[f"{megabytes:,} MB in {files:,} file{'s'[: files > 1]}"] = measured(
            "import", path, folder
        )
        with suppress(OSError):
            path.unlink()
    return found


if __name__ == "__main__" and sys.argv[1:2] == ["--one"]:
    one(*sys.argv[2:])
