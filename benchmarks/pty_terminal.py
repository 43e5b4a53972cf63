"""A program in a terminal of its own: keys go in, and a clock stops when a text has come out."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from typing import Self

import click
import psutil

COLUMNS, LINES = 160, 48
_SEQUENCE = re.compile(rb"\x1b\[[0-9;?<>=$]*[A-Za-z~]|\x1b[()][A-Z0-9]|\x1b[=>]|\x1b\][^\x07]*\x07")


def _environment() -> dict[str, str]:
    """Ours, as a user's: modules that were compiled once are not compiled again."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        "TERM": "xterm-256color",
    }


class Terminal:
    """A program in a pty of 160 by 48. It reads and writes; questions stay unanswered."""

    def __init__(self, *command: str, config: str) -> None:
        self._read = b""
        self._leader, follower = pty.openpty()
        size = struct.pack("HHHH", LINES, COLUMNS, 0, 0)
        fcntl.ioctl(follower, termios.TIOCSWINSZ, size)
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
            env={**_environment(), "XDG_CONFIG_HOME": config},
        )  # fmt: skip
        os.close(follower)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def until(self, text: str, seconds: float = 60.0) -> float:
        """Milliseconds until the program has written this text, from the last `press` or start."""
        return self.until_match(re.compile(re.escape(text)), seconds)[0]

    def until_match(
        self, wanted: re.Pattern[str], seconds: float = 60.0, *, other_than: str | None = None
    ) -> tuple[float, str]:
        """Milliseconds until it has written what a pattern meets, and the pattern's last group.

        `other_than` is an answer that is not the one.
        """
        end = time.perf_counter() + seconds
        while True:
            shown = _SEQUENCE.sub(b"", self._read).decode("utf-8", "replace")
            for found in reversed(list(wanted.finditer(shown))):
                answer = found[found.re.groups]
                if answer != other_than:
                    return 1000 * (time.perf_counter() - self.began), answer
            if not select.select([self._leader], [], [], max(0, end - time.perf_counter()))[0]:
                raise click.ClickException(f"{wanted.pattern!r} never came, but {shown[-400:]!r}")
            try:
                self._read += os.read(self._leader, 65_536)
            except OSError as error:  # the program has ended
                raise click.ClickException(f"{wanted.pattern!r} never came: it ended") from error

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
        """Resident memory of the program, in MB."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    def cpu_ms(self) -> float:
        """Milliseconds of user and system time that the program has taken so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return 1000 * float(times.user + times.system)

    def quit(self) -> None:
        """Press ctrl+q, and wait for the end."""
        self.press("\x11")
        end = time.perf_counter() + 10
        while self.process.poll() is None and time.perf_counter() < end:
            if select.select([self._leader], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):
                    os.read(self._leader, 65_536)

    def close(self) -> None:
        """End the program."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
        self.process.wait(10)
        os.close(self._leader)
