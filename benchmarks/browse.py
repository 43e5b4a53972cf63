"""Browse on a big store through a terminal: milliseconds from a key to the text that answers it.

The app runs in a pty; a clock starts when a key is written and stops when the terminal has
received what the key should bring: the row's own id, a count. The same store is opened by an
empty Textual app first, whose first text is what ours is compared with.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

import click
import psutil

from benchmarks.big_store import write
from studio.cli.frame import say, table

EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("first text")
Empty().run()
"""
COLUMNS, LINES = 160, 48
_SEQUENCE = re.compile(rb"\x1b\[[0-9;?<>=$]*[A-Za-z~]|\x1b[()][A-Z0-9]|\x1b[=>]|\x1b\][^\x07]*\x07")


class Terminal:
    """A program in a pty of 160 by 48, which answers the questions that a terminal is asked."""

    def __init__(self, *command: str, config: str) -> None:
        self.began = time.perf_counter()
        self._read = b""
        self._leader, follower = pty.openpty()
        size = struct.pack("HHHH", LINES, COLUMNS, 0, 0)
        fcntl.ioctl(follower, termios.TIOCSWINSZ, size)
        self.process = subprocess.Popen(
            command, stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "XDG_CONFIG_HOME": config},
        )  # fmt: skip
        os.close(follower)

    def until(self, text: str, seconds: float = 60.0) -> float:
        """Milliseconds until the program has written this text, from the last `press` or start."""
        wanted, end = text.encode(), time.perf_counter() + seconds
        while wanted not in _SEQUENCE.sub(b"", self._read):
            if not select.select([self._leader], [], [], max(0, end - time.perf_counter()))[0]:
                raise click.ClickException(f"{text!r} never came")
            self._read += os.read(self._leader, 65_536)
        return 1000 * (time.perf_counter() - self.began)

    def quiet(self, seconds: float = 0.3) -> None:
        """Read on until nothing has come for a while; a blinking cursor ends after 3 s."""
        end = time.perf_counter() + 3
        while time.perf_counter() < end and select.select([self._leader], [], [], seconds)[0]:
            os.read(self._leader, 65_536)

    def press(self, keys: str) -> None:
        """Write keys and start the clock; what came before counts no more."""
        self._read = b""
        self.began = time.perf_counter()
        os.write(self._leader, keys.encode())

    def memory_mb(self) -> float:
        """Resident memory of the program."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    def close(self) -> None:
        """End the program."""
        os.kill(self.process.pid, signal.SIGTERM)
        self.process.wait(10)
        os.close(self._leader)


def measured(store: Path, rows: int, repeats: int) -> dict[str, list[float]]:
    """Milliseconds of each kind of answer."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as config:
        for _ in range(3):
            empty = Terminal(sys.executable, "-c", EMPTY, config=config)
            found.setdefault("first text, empty Textual app", []).append(empty.until("first text"))
            empty.close()
            ours = Terminal(sys.executable, "-m", "studio", "--store", str(store), config=config)
            found.setdefault("first text", []).append(ours.until("Browse"))
            found.setdefault("first rows", []).append(ours.until(str(rows)))
            found.setdefault("all ids", []).append(ours.until(f"{rows:,} of {rows:,}"))
            ours.quiet(1.0)
            if len(found["first text"]) < 3:
                ours.close()
        _keys(ours, rows, repeats, found)
        found["memory, MB"] = [ours.memory_mb()]
        ours.close()
    return found


def _keys(app: Terminal, rows: int, repeats: int, found: dict[str, list[float]]) -> None:
    page = LINES - 5  # status, header, message, keys, and the row that stays in sight
    at = 0

    def time_of(name: str, keys: str, text: str) -> None:
        app.press(keys)
        found.setdefault(name, []).append(app.until(text))
        app.quiet(0.15)

    for _ in range(repeats):
        at += 1
        time_of("move", "j", f"▸ {rows - at:>7}")
    for _ in range(repeats):
        at += page
        time_of("page", "\x04", f"▸ {rows - at:>7}")
    for _ in range(repeats // 2):
        time_of("jump", "G", f"▸ {1:>7}")
        time_of("jump", "g", f"▸ {rows:>7}")
    for _ in range(repeats // 2):
        time_of("label", "t", "→ tester")
        time_of("label", "r", "→ researcher")
    for _ in range(2 * (repeats // 2)):  # the store is left as it was found
        time_of("undo", "u", "undone: 1 row")
    for number in range(max(1, repeats // 5)):
        app.press("/")
        app.until("search")
        app.quiet()
        time_of("search, one row", f"item{rows // 2 + number} ", f" 1 of {rows:,}")
        app.press("\x15")  # all that was typed, gone
        app.until(f"{rows:,} of {rows:,}")
        time_of("search, common word", "queue ", f"… of {rows:,}")
        app.quiet(1.0)
        app.press("\x1b")
        app.until(f"{rows:,} of {rows:,}")
        app.quiet(1.0)


@click.command()
@click.option("--rows", default=100_000, show_default=True)
@click.option("--store", type=click.Path(path_type=Path), help="A store of so many rows.")
@click.option("--repeats", default=20, show_default=True)
def main(rows: int, store: Path | None, repeats: int) -> None:
    """Measure Browse on a store of made-up interactions, which is made where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        path = store or Path(folder) / "studio.db"
        if not path.exists():
            write(path, rows)
        found = measured(path, rows, repeats)
    say(f"{rows:,} interactions, {path.stat().st_size / 1e9:.1f} GB, {COLUMNS}x{LINES}; ms")
    table(
        ("what", "n", "median", "p95", "most"),
        [
            (name, len(values), *(f"{_at(values, share):.0f}" for share in (0.5, 0.95, 1.0)))
            for name, values in found.items()
        ],
        right="n median p95 most",
    )


def _at(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


if __name__ == "__main__":
    main()
