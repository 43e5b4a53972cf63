"""Ctrl+C where something is written, counted and waited for.

A signal that comes in the moment before a wait without end is noticed only when that wait ends
(the handler has run, and nothing wakes the wait). So no wait of the main thread is without end.
One that comes between a commit and its being counted makes a wrong answer, and one in a callback
of the interpreter is lost. So it is noted there, and raised where it does no harm.
"""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

LOOK_UP_SECONDS = 0.2

T = TypeVar("T")

_noted = False  # no Event: its lock could be held by whom the signal comes upon


def taken(done: queue.SimpleQueue[T]) -> T:
    """The next thing that other threads put into `done`. Raises KeyboardInterrupt on Ctrl+C."""
    while True:
        raise_noted()
        try:
            return done.get(timeout=LOOK_UP_SECONDS)
        except queue.Empty:
            continue


def raise_noted() -> None:
    """Raise the KeyboardInterrupt that was noted, if there is one."""
    global _noted
    if _noted:
        _noted = False
        raise KeyboardInterrupt


@contextmanager
def interrupts_noted() -> Iterator[None]:
    """Within it Ctrl+C comes out of `taken` and `raise_noted` only; pressed again, at once.

    One that neither of them met is raised at the end. Changes nothing outside the main thread.
    """
    global _noted
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, _note)
    try:
        yield
        raise_noted()
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _noted = False


def _note(*_: object) -> None:
    global _noted
    if _noted:
        raise KeyboardInterrupt
    _noted = True
