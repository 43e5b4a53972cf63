"""The app on a big store in a terminal: ms from a key to the text that answers it, beside its peer.

Every program runs in a pty; a clock starts when a key is written and stops when the terminal has
received what the key should bring. An empty Textual app, ours and textual-fastdatatable (the same
rows, as Arrow) take turns in each round; then once more while `studio import` runs in another
process, whose rows stay in the store. CPU stands beside wall time where the machine may be shared.
At last a clock of 10 ms strikes in our event loop while one browses during an import, and while two
answers of 11 MB are compared.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from benchmarks.big_store import write, write_log
from benchmarks.figures import Figures
from benchmarks.pty_terminal import COLUMNS, LINES, Terminal
from benchmarks.terminal_apps import EMPTY, PEER, arrow_file, newest_id, peer_python, studio_program
from benchmarks.ticks import browsing, comparing, long_pair, waits_while
from studio.cli.frame import note, say

AT = re.compile(r"▸[ ●] *(\d+) ")  # the row under the cursor
ALL = re.compile(r"\d of ")  # with an ellipsis while ids are still being read
SAVED = {"t": "→ tester", "r": "→ researcher"}
PAUSE = 0.15  # seconds of silence before the next key


class Session:
    """Ours and the peer, open on the same rows, and what their keys took."""

    def __init__(self, ours: Terminal, peer: Terminal | None, rows: int, figures: Figures) -> None:
        self.ours, self.peer, self.rows, self.figures = ours, peer, rows, figures

    def round(self, repeats: int, number: int) -> None:
        """Every kind of key, ours and the peer's in turns."""
        self._move("move", "j", repeats)
        self._move("page", "\x04", repeats)
        self._move("jump", "Gg" * (repeats // 2), 1)
        if self.peer is not None:
            self._peer("move", "\x1b[B", repeats, 1)
            self._peer("page", "\x1b[6~", repeats, 0)
        self._label(repeats)
        self._filter()
        self._search(number)

    def _move(self, name: str, keys: str, repeats: int) -> None:
        self._press("g")
        at = None
        for key in keys * repeats:
            self.ours.press(key)
            took, at = self.ours.until_match(AT, other_than=at)
            self.figures.add(name, took)
            self.ours.quiet(PAUSE)

    def _press(self, key: str) -> None:
        self.ours.press(key)
        self.ours.quiet(PAUSE)

    def _peer(self, name: str, key: str, repeats: int, step: int) -> None:
        assert self.peer is not None
        row = re.compile(r"(?:^|\D)(\d{1,7}) +(?:coder|tester|researcher|coordinator|reviewer)")
        at = None
        for _ in range(repeats):
            self.peer.press(key)
            took, at = self.peer.until_match(row, other_than=at if step else None)
            self.figures.add(f"{name}, textual-fastdatatable", took)
            self.peer.quiet(PAUSE)

    def _label(self, repeats: int) -> None:
        self._press("g")
        for key in ("tr" * repeats)[:repeats]:
            self.ours.press(key)
            self.figures.add("label", self.ours.until(SAVED[key]))
            self.ours.quiet(PAUSE)
        for _ in range(repeats):  # the store is left as it was found
            self.ours.press("u")
            self.figures.add("undo", self.ours.until("undone: 1 row"))
            self.ours.quiet(PAUSE)

    def _filter(self) -> None:
        self._press("G")
        self._press("f")
        self._press("agent:reviewer")
        self.ours.press("\r")
        self.figures.add("filter, first rows", self._first_rows())
        self._leave()

    def _search(self, number: int) -> None:
        unique = f"item{self.rows // 2 + 7 * number}"
        for name, text in (("search, a common word", "queue"), ("search, one row", unique)):
            self._press("G")
            self._press("/")
            self.ours.press(text)
            self.figures.add(f"{name}, first rows", self._first_rows())
            self._leave()

    def _first_rows(self) -> float:
        """Until the cursor is on another row than the oldest, where it was."""
        return self.ours.until_match(AT, other_than="1")[0]

    def _leave(self) -> None:
        """Take the filter or the search away; a second Escape would leave the app."""
        self.ours.quiet(0.5)
        self.ours.press("\x1b")
        time.sleep(1.0)  # else the next key makes an Alt of it
        self.ours.quiet(0.5)


def starts(store: Path, config: str, figures: Figures) -> None:
    """One start of the empty app and one of ours."""
    with Terminal(sys.executable, "-c", EMPTY, config=config) as empty:
        figures.add("first text, empty Textual app", empty.until("first text"))
        figures.add("CPU to first text, empty Textual app", empty.cpu_ms())
    with Terminal(*studio_program(), "--store", str(store), config=config) as ours:
        text = ours.until("Browse")
        figures.add("first text", text)
        figures.add("CPU to first text", ours.cpu_ms())
        figures.add("first rows, after the first text", ours.until_match(AT)[0] - text)
        figures.add("all ids, after the first text", ours.until_match(ALL)[0] - text)


@contextlib.contextmanager
def importing(store: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`studio import` of a log into the store, in a process of its own."""
    command = [*studio_program(), "import", str(log), "--store", str(store)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            yield child
        finally:
            child.terminate()


def keys(
    store: Path, arrow: Path | None, config: str, rows: int, rounds: int, repeats: int,
    figures: Figures, log: Callable[[], Path] | None = None,
) -> None:  # fmt: skip
    """Rounds of keys in ours and the peer; with logs, an import of one runs all the while."""
    shown = str(newest_id(store))
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(
            Terminal(*studio_program(), "--store", str(store), config=config)
        )
        ours.until("c coder")  # the store is open for acts
        peer = None
        if arrow is not None:
            command = (str(peer_python()), "-c", PEER, str(arrow))
            peer = stack.enter_context(Terminal(*command, config=config))
            figures.add("first rows, textual-fastdatatable", peer.until(shown, 300))
            peer.quiet(1.0)
        ours.quiet(1.0)
        session = Session(ours, peer, rows, figures)
        for number in range(rounds):
            with importing(store, log()) if log is not None else contextlib.nullcontext() as child:
                session.round(repeats, number)
                if child is not None and child.poll() is not None:
                    note(f"round {number + 1} was longer than its import")
        figures.add("memory, MB", ours.memory_mb())
        if peer is not None:
            figures.add("memory, MB, textual-fastdatatable", peer.memory_mb())


def bars(figures: Figures) -> dict[str, float]:
    """The ratios that the goals of the design are about."""
    pairs = {
        "first text / an empty Textual app's, medians": (
            figures.median, "first text", "first text, empty Textual app"),
        "CPU to first text / an empty Textual app's, medians": (
            figures.median, "CPU to first text", "CPU to first text, empty Textual app"),
        "move / textual-fastdatatable's, p95": (
            figures.p95, "move", "move, textual-fastdatatable"),
        "page / textual-fastdatatable's, p95": (
            figures.p95, "page", "page, textual-fastdatatable"),
    }  # fmt: skip
    return {
        name: round(take(one) / take(other), 2)
        for name, (take, one, other) in pairs.items()
        if one in figures.values and other in figures.values
    }


def shown(title: str, figures: Figures) -> None:
    """One pass as a table with its ratios."""
    say(f"\n{title}")
    figures.show()
    for name, ratio in bars(figures).items():
        say(f"{ratio:.2f}x  {name}")


@click.command()
@click.option("--rows", default=1_000_000, show_default=True)
@click.option("--store", type=click.Path(path_type=Path), help="A store of so many made-up rows.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--repeats", default=8, show_default=True, help="Keys of a kind in a round.")
@click.option("--imported", default=200_000, show_default=True, help="Rows of the import.")
@click.option("--no-peer", is_flag=True, help="Without textual-fastdatatable.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
def main(
    rows: int, store: Path | None, rounds: int, repeats: int, imported: int, no_peer: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Measure the app on a store of made-up interactions, which is made where there is none."""
    alone, busy = Figures(), Figures()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = store or folder / "studio.db"
        if not path.exists():
            note(f"writing {rows:,} rows to {path} …")
            write(path, rows)
        arrow = None if no_peer else arrow_file(peer_python(), path, folder)

        def new_log() -> Path:
            log = folder / "log.jsonl"
            write_log(log, imported, seed=time.time_ns())
            return log

        with Terminal(*studio_program(), "--store", str(path), config=name) as warm:
            warm.until("c coder")  # it compiles our modules, and upgrades an older store
        for _ in range(2 * rounds):
            starts(path, name, alone)
        keys(path, arrow, name, rows, rounds, repeats, alone)
        keys(path, arrow, name, rows, rounds, repeats, busy, new_log)
        late = ticks(path, folder, imported)
    value = {
        "rows": rows,
        "terminal": f"{COLUMNS}x{LINES}",
        "alone_ms": alone.summary(),
        "during_an_import_ms": busy.summary(),
        "ratios": bars(alone),
        "ratios_during_an_import": bars(busy),
        "longest_wait_of_a_10_ms_clock_ms": late,
    }
    if as_json:
        click.echo(json.dumps(value))
        return
    shown(f"{rows:,} interactions, {COLUMNS}x{LINES}; ms", alone)
    shown(f"the same while {imported:,} rows are imported; ms", busy)
    say("\nthe longest wait of a clock of 10 ms in the event loop, ms")
    for what, waits in late.items():
        say(f"{what}: {', '.join(f'{name} {wait:.0f}' for name, wait in waits.items())}")


def ticks(store: Path, folder: Path, imported: int) -> dict[str, dict[str, float]]:
    """The longest waits while one browses, while an import runs, and over two long answers."""
    pair, log = folder / "pair.db", folder / "more.jsonl"
    long_pair(pair)
    write_log(log, imported // 4, seed=time.time_ns())
    found = {"browsing": waits_while(store, folder, browsing)}
    with importing(store, log):
        found["browsing during an import"] = waits_while(store, folder, browsing)
    found["two answers of 11 MB"] = waits_while(pair, folder, comparing)
    return found


if __name__ == "__main__":
    main()
