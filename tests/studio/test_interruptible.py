"""Ctrl+C ends a wait for other threads even where the signal does not wake that wait."""

from __future__ import annotations

import queue
import signal
import threading

import pytest

from studio.interruptible import taken


def test_what_other_threads_put_is_taken_in_order() -> None:
    done: queue.SimpleQueue[int] = queue.SimpleQueue()
    for value in (1, 2):
        threading.Timer(0.5 * value, done.put, (value,)).start()
    assert [taken(done), taken(done)] == [1, 2]


def test_an_interrupt_that_wakes_nobody_still_ends_the_wait() -> None:
    done: queue.SimpleQueue[int] = queue.SimpleQueue()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's job ignores it

    def interrupt() -> None:  # in this thread: the waiting one gets no EINTR
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    threading.Timer(0.3, interrupt).start()
    rescue = threading.Timer(10.0, lambda: done.put(0))
    rescue.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            taken(done)
    finally:
        rescue.cancel()
        signal.signal(signal.SIGINT, before)
