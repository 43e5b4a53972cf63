"""Memory that is no longer used goes back to the machine."""

from __future__ import annotations

import contextlib
import ctypes

_M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
LARGE = 1 << 20  # bytes


def give_back_large() -> None:
    """Large blocks, the ids of a million rows, go back as soon as they are freed.

    glibc keeps blocks of a size that was freed before, in pieces between others: a session of
    filters and searches grew by a third. Does nothing where the C library is another one.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE)
