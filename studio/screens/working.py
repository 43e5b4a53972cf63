"""A screen that has commands done in a child process: one at a time, said on its message line."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from textual import on
from textual.message import Message
from textual.timer import Timer

from db.errors import StudioError
from studio.command_job import CommandJob
from studio.commands import Command
from studio.screens.frame import StudioScreen

TICK = 0.3  # seconds between looks at what a command says

Then = Callable[[Any], None]
Failed = Callable[[StudioError], None]


class WorkingScreen(StudioScreen):
    """Runs commands beside the screen, which shows their progress and can end them."""

    class Ended(Message):
        """A command came to its end, with an answer or with an error, or was cancelled."""

        def __init__(self, job: CommandJob, answer: Any, error: StudioError | None) -> None:
            self.job, self.answer, self.error = job, answer, error
            super().__init__()

    def __init__(self, path: Path, table: Sequence[Command]) -> None:
        super().__init__(path, table)
        self._job: CommandJob | None = None
        self._what, self._since = "", 0.0
        self._then: Then = lambda _: None
        self._failed: Failed = self._say_error
        self._ticking: Timer | None = None

    @property
    def working(self) -> bool:
        """Whether a command runs."""
        return self._job is not None

    def do(
        self, what: str, arguments: Sequence[str], then: Then, failed: Failed | None = None
    ) -> None:
        """Run a command in place of the one that runs; `what` says what goes on, "" nothing."""
        self.cancel_work()
        self._job = job = CommandJob(arguments, self.studio.location)
        self._what, self._since = what, time.monotonic()
        self._then, self._failed = then, failed or self._say_error
        self.run_worker(partial(self._run, job), thread=True, group="commands")
        self._ticking = self.set_interval(TICK, self._tick)
        self._tick()

    def cancel_work(self) -> bool:
        """End the command that runs; False where none does."""
        if self._job is None:
            return False
        self._job.cancel()
        self._stop()
        return True

    def interrupt_work(self) -> None:
        """Ask the command to end; what it is for gets None, or its answer if it was done before."""
        if self._job is not None:
            self._job.cancel()
            self._what = "cancelling"
            self._tick()

    def on_unmount(self) -> None:
        """End what nobody waits for any more."""
        self.cancel_work()

    def _run(self, job: CommandJob) -> None:
        try:
            self.post_message(self.Ended(job, job.run(), None))
        except StudioError as error:
            self.post_message(self.Ended(job, None, error))

    def _stop(self) -> None:
        self._job = None
        if self._ticking is not None:
            self._ticking.stop()

    def _tick(self) -> None:
        if self._job is not None and self._what:
            said = f": {self._job.progress}" if self._job.progress else ""
            seconds = time.monotonic() - self._since
            way_out = "" if self._job.cancelled else " · Esc cancels"
            self.say(f"{self._what}{said} · {seconds:.0f} s{way_out}")

    def _say_error(self, error: StudioError) -> None:
        self.say(f"error: {error}", wrong=True)

    @on(Ended)
    def _ended(self, event: Ended) -> None:
        if event.job is not self._job:
            return  # another one took its place
        self._stop()
        if event.error is not None:
            self._failed(event.error)
        else:
            self._then(event.answer)
