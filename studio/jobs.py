"""Heavy work in a child process of its own session: it goes on when the one who started it ends.

A job is known by its pid and its start time; a pid alone could be somebody else's by now.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

_SAME_START = 1.0  # seconds by which two readings of a start time may differ


@dataclass(frozen=True, slots=True)
class Job:
    """A child process that was started. `started` is in seconds since 1970."""

    pid: int
    started: float


def environment(threads: int | None) -> dict[str, str]:
    """The environment of a child that computes: quiet, offline in its habits, `threads` at most."""
    quiet = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_DISABLE_TELEMETRY": "1"}
    if threads:  # with busy neighbours more threads are slower
        quiet |= {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
    return quiet


def spawn(
    module: str,
    arguments: Sequence[str],
    log: Path,
    environment: Mapping[str, str],
    *,
    answer: Path | None = None,
    held: Collection[signal.Signals] = (),
) -> Job:
    """Start `python -m module arguments` in its own session, its output appended to `log`.

    With `answer` its stdout becomes that file, and only what it says on stderr goes to the log.
    Signals that are `held` wait until the job takes them with `take_signals`.
    """
    with ExitStack() as files:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, held)  # a child begins with our mask
        files.callback(signal.pthread_sigmask, signal.SIG_SETMASK, before)
        output = files.enter_context(log.open("ab"))
        child = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output if answer is None else files.enter_context(answer.open("wb")),
            stderr=output,
            start_new_session=True,
            env={**os.environ, **environment},
        )
    return Job(child.pid, started_at(child.pid))


def take_signals(signals: Collection[signal.Signals], handler: Callable[..., object]) -> None:
    """In a job: handle signals from now on, and those that came since it was started."""
    for one in signals:
        signal.signal(one, handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)


def started_at(pid: int) -> float:
    """When a process was started; 0 when there is none."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def alive(pid: int | None, started: float | None) -> bool:
    """Whether just this process still runs (a zombie does not)."""
    if pid is None or started is None:
        return False
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < _SAME_START
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def ask_to_stop(
    pid: int | None, started: float | None, how: signal.Signals = signal.SIGTERM
) -> bool:
    """Send the job a signal if it is still that process; whether it was."""
    if pid is None or not alive(pid, started):
        return False
    os.kill(pid, how)
    return True


def tail(log: Path, lines: int = 12) -> list[str]:
    """The last lines of a log; none when there is no log."""
    return last_text(log, 65_536).splitlines()[-lines:]


def last_text(log: Path, most: int) -> str:
    """The last `most` bytes of a log as a terminal shows them; empty when there is no log."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - most))
        text = file.read().decode("utf-8", "replace")
    return text if "\r" not in text else "\n".join(map(_redrawn, text.split("\n")))


def _redrawn(line: str) -> str:
    """What stays of a line that a progress bar draws over itself: its last state."""
    return next((part for part in reversed(line.split("\r")) if part.strip()), "")
