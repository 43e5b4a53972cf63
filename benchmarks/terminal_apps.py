"""The programs that `benchmarks.terminal` starts: ours, an empty Textual app, and its peer.

textual-fastdatatable has an environment of its own, made once in the user's cache, since its pins
are not ours. It shows the same columns of the same rows, in the same order, from an Arrow file.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
from platformdirs import user_cache_path

from db.reader import Reader
from studio.cli.frame import note

EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("first text")
Empty().run()
"""
# Ours, with a clock in its event loop that should strike every 10 ms. At its end it tells when it
# struck, how late (s), and how long its own thread was busy meanwhile: the rest is the machine's.
TICKING = """
import asyncio, json, sys, time
from studio import pauses
pauses.begin()
from studio.app import AdapterStudio
late = []
async def tick():
    while True:
        began, busy = time.monotonic(), time.thread_time()
        await asyncio.sleep(0.01)
        late.append((began, time.monotonic() - began - 0.01, time.thread_time() - busy))
async def main():
    ticking = asyncio.create_task(tick())
    await AdapterStudio(sys.argv[1]).run_async()
    ticking.cancel()
asyncio.run(main())
with open(sys.argv[2], "w") as file:
    json.dump(late, file)
"""
# The same clock with nothing else to do: what the machine makes any program wait.
BARE_TICKING = """
import asyncio, json, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
late = []
async def tick():
    while True:
        began = time.monotonic()
        await asyncio.sleep(0.01)
        late.append((began, time.monotonic() - began - 0.01, 0))
try:
    asyncio.run(tick())
finally:
    with open(sys.argv[1], "w") as file:
        json.dump(late, file)
"""
TO_ARROW = """
import sqlite3, sys, pyarrow as pa, pyarrow.parquet as pq
texts = "agent", "model", "provider", "status", "title"
numbers = "started_ms", "duration_ms", "completion_tokens", "success"
schema = pa.schema([("id", pa.int64()), *((name, pa.string()) for name in texts),
                    *((name, pa.int64()) for name in numbers)])
rows = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).execute(
    f"SELECT {', '.join(schema.names)} FROM interaction ORDER BY id DESC")
with pq.ParquetWriter(sys.argv[2], schema) as writer:
    while part := rows.fetchmany(100_000):
        writer.write_table(pa.table(list(map(list, zip(*part))), schema=schema))
"""
PEER = """
import sys
from textual.app import App
from textual_fastdatatable import ArrowBackend, DataTable
class Peer(App):
    def compose(self):
        backend = ArrowBackend.from_parquet(sys.argv[1])
        yield DataTable(backend=backend, cursor_type="row", max_column_content_width=60)
    def on_mount(self):
        self.query_one(DataTable).focus()
Peer().run()
"""


def studio_program() -> list[str]:
    """How a user starts us."""
    script = Path(sys.executable).with_name("studio")
    return [str(script)] if script.is_file() else [sys.executable, "-m", "studio"]


def peer_python() -> Path:
    """The interpreter of textual-fastdatatable's environment, which is made when it is missing."""
    folder = user_cache_path("adapter-studio") / "benchmarks" / "textual-fastdatatable"
    python = folder / "bin" / "python"
    if not (folder / "made").exists():
        note(f"making an environment for textual-fastdatatable in {folder} …")
        wanted = ("textual-fastdatatable", f"textual=={version('textual')}")
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
        except subprocess.CalledProcessError as error:
            raise click.ClickException(
                f"textual-fastdatatable cannot be installed in {folder}: {error}; "
                "--no-peer measures without it"
            ) from error
        (folder / "made").touch()
    return python


def newest_id(store: Path) -> int:
    """The id of the first row that all programs show."""
    with contextlib.closing(Reader(store)) as reader:
        return reader.newest()


def arrow_file(python: Path, store: Path, folder: Path) -> Path:
    """The rows of a store in the columns of the table, the newest first, for the peer."""
    target = folder / "rows.parquet"
    subprocess.run([python, "-c", TO_ARROW, store, target], check=True)
    return target
