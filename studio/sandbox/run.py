"""Many tasks over several lanes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator

from studio.interruptible import taken

from .errors import SandboxUnavailable
from .lane import Lane
from .policy import Limits, Result, Task
from .probes import probe

_NO_LIMITS_CHANGED = Limits()


def run_tasks(
    tasks: Iterable[Task],
    *,
    workers: int = 2,
    limits: Limits = _NO_LIMITS_CHANGED,
    unsandboxed: bool = False,
) -> Iterator[Result]:
    """Run tasks side by side and yield each result as it is finished.

    `tasks` is read as lanes become free, never far ahead. Closing the iterator, Ctrl-C or the end
    of this process, kill -9 too, ends every process that was started.

    Args:
        workers: how many lanes, each of which keeps about one core busy.
        unsandboxed: run without any wall, with limits of memory and time only; results say so.

    Raises:
        SandboxUnavailable: hostile code cannot be held here, and `unsandboxed` was not asked for.
    """
    tier = "unsandboxed" if unsandboxed else _tier()
    return _Run(tasks, max(1, workers), tier, limits).results()


def _tier() -> str:
    report = probe()
    if report.tier == "C":
        raise SandboxUnavailable(report.explanation())
    return report.tier


class _Run:
    """The threads of one call; each owns a lane."""

    def __init__(self, tasks: Iterable[Task], workers: int, tier: str, limits: Limits) -> None:
        self._tasks = iter(tasks)
        self._waiting: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Result | BaseException] = queue.SimpleQueue()
        self._lanes = [Lane(tier, limits) for _ in range(workers)]

    def results(self) -> Iterator[Result]:
        """Results as they come, in no order. An error of a lane or of the tasks is raised here."""
        threads = [
            threading.Thread(target=self._work, args=(lane,), daemon=True) for lane in self._lanes
        ]
        for thread in threads:
            thread.start()
        unfinished = 1
        try:
            # One task in every lane and one waiting for it.
            unfinished = sum(self._hand_out() for _ in range(2 * len(threads)))
            while unfinished:
                result = taken(self._done)
                if isinstance(result, BaseException):
                    raise result
                unfinished += self._hand_out() - 1
                yield result
        finally:
            if unfinished:  # an error, a Ctrl-C, a reader who has seen enough
                for lane in self._lanes:
                    lane.abandon()
            for _ in threads:
                self._waiting.put(None)
            for thread in threads:
                thread.join()

    def _hand_out(self) -> bool:
        """Read a task in the caller's own thread; False when there are no more."""
        task = next(self._tasks, None)
        if task is not None:
            self._waiting.put(task)
        return task is not None

    def _work(self, lane: Lane) -> None:
        try:
            while (task := self._waiting.get()) is not None:
                self._done.put(lane.run(task))
        except BaseException as error:  # noqa: BLE001 - raised again where the results are read
            self._done.put(error)
        finally:
            lane.close()
