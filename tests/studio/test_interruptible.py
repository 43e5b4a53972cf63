"""Ctrl+C ends a wait for other threads, whenever it comes, and nothing but a wait."""

from __future__ import annotations

import queue
import signal
import threading

import pytest

from studio.interruptible import interrupts_noted, taken


def test_what_other_threads_put_is_taken_in_order() -> None:
    done: queue.SimpleQueue[int] = queue.SimpleQueue()

    def put() -> None:
        for value in (1, 2):
            done.put(value)

    threading.Timer(0.5, put).start()
    assert [taken(done), taken(done)] == [1, 2]


def test_an_interrupt_that_wakes_nobody_still_ends_the_wait() -> None:
    done: queue.SimpleQueue[int] = queue.SimpleQueue()

    def interrupt() -> None:  # in this thread: the waiting one gets no EINTR
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    def wait() -> None:
        threading.Timer(0.3, interrupt).start()
        taken(done)

    rescue = threading.Timer(60.0, lambda: done.put(0))
    rescue.start()
    with pytest.raises(KeyboardInterrupt):
        wait()
    rescue.cancel()


class Work:
    """Something is done and counted, with Ctrl+C between the two."""

    def __init__(self, presses: int = 1) -> None:
        self.presses, self.counted = presses, 0
        self.done: queue.SimpleQueue[int] = queue.SimpleQueue()

    @interrupts_noted()
    def run(self, *, waits: bool = False, error: Exception | None = None) -> None:
        for _ in range(self.presses):
            signal.raise_signal(signal.SIGINT)
        if error is not None:
            raise error
        self.counted += 1
        if waits:
            taken(self.done)


@pytest.mark.parametrize("waits", [True, False])
def test_an_interrupt_between_two_waits_is_kept_for_the_next_or_the_end(waits: bool) -> None:
    work = Work()
    with pytest.raises(KeyboardInterrupt):
        work.run(waits=waits)
    assert work.counted == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_that_is_repeated_waits_for_nothing() -> None:
    work = Work(presses=2)
    with pytest.raises(KeyboardInterrupt):
        work.run()
    assert work.counted == 0


def test_an_error_after_an_interrupt_leaves_none_behind() -> None:
    work = Work()
    with pytest.raises(OSError, match="full"):
        work.run(error=OSError("the disk is full"))
    work.done.put(1)
    assert taken(work.done) == 1
