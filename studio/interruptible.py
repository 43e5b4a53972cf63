"""Waiting for other threads so that Ctrl+C ends it, whenever it comes.

A signal that comes in the moment before a wait without end is noticed only when that wait ends
(the handler has run, and nothing wakes the wait). So no wait of the main thread is without end.
"""

from __future__ import annotations

import queue
from typing import TypeVar

LOOK_UP_SECONDS = 0.2

T = TypeVar("T")


def taken(done: queue.SimpleQueue[T]) -> T:
    """The next thing that other threads put into `done`. Raises KeyboardInterrupt on Ctrl+C."""
    while True:
        try:
            return done.get(timeout=LOOK_UP_SECONDS)
        except queue.Empty:
            continue
