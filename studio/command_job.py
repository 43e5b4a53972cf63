"""A command of the studio as a child process, for whoever must not do heavy work itself.

The app asks the same commands as a person at a shell would and reads their JSON: no model library
is ever imported into the process that draws the screen.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO, Any

import psutil

from db.errors import BadInput, Refused, StudioError
from studio import jobs

GRACE = 3.0  # seconds that a cancelled command has to tidy up


class CommandJob:
    """`studio ARGUMENTS --json --store LOCATION`. `progress` is the last line it has said."""

    def __init__(self, arguments: Sequence[str], location: str) -> None:
        self.arguments = [*arguments, "--json", "--store", location]
        self.progress = ""
        self.cancelled = False
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None

    def run(self) -> Any:
        """Run it to its end and return its answer; None when it was cancelled before. For a thread.

        Raises Refused or BadInput with the line that the command has said.
        """
        with self._lock:
            if self.cancelled:
                return None
            self._child = child = self._start()
        assert child.stdout is not None
        assert child.stderr is not None
        listener = threading.Thread(target=self._listen, args=(child.stderr,))
        listener.start()
        with child:
            said = child.stdout.read()
            listener.join()
        if self.cancelled and child.returncode != 0:
            return None
        return self._answer(child.returncode, said)

    def cancel(self) -> None:
        """Interrupt it, and kill it with its children where that does not end it. Does not wait."""
        with self._lock:
            self.cancelled = True
            child = self._child
        if child is None or child.poll() is not None:
            return
        child.send_signal(signal.SIGINT)  # so that it ends its own children and removes its files
        timer = threading.Timer(GRACE, _kill, args=(child,))
        timer.daemon = True
        timer.start()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "studio", *self.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,  # the screen is drawn on ours
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            env={**os.environ, **jobs.environment(None), "STUDIO_PROGRESS_SECONDS": "0.3"},
        )

    def _listen(self, stream: IO[str]) -> None:
        for line in stream:
            if line.strip():
                self.progress = line.strip()

    def _answer(self, code: int, said: str) -> Any:
        """What the command answered; with exit code 1 that can be a document that says no."""
        complaint = self.progress.removeprefix("studio: ")
        if code in (0, 1) and said.strip():
            with contextlib.suppress(ValueError):
                return json.loads(said)
        if code == 1:
            raise Refused(complaint)
        if code == 2 and complaint:
            raise BadInput(complaint)
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise StudioError(f"studio {self.arguments[0]} {how} and gave no answer: {complaint}")


def _kill(child: subprocess.Popen[str]) -> None:
    if child.poll() is not None:
        return
    with contextlib.suppress(psutil.Error):  # one that ended just now
        for process in psutil.Process(child.pid).children(recursive=True):
            process.kill()
    child.kill()
