"""A key waits until what the key before it began is done: typed fast means the same as slowly."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from textual.message_pump import MessagePump

LONGEST = 5.0  # seconds: a key does not wait longer, whatever hangs
ROUNDS = 2  # a widget does the key, then tells what it did


async def done(around: Iterable[MessagePump]) -> None:
    """Wait until these, a widget and what is around it, have done what they were told.

    The innermost comes first: what it tells then goes to the next. An app cannot wait for itself.
    """
    with contextlib.suppress(asyncio.TimeoutError):
        async with asyncio.timeout(LONGEST):
            for pump in around:
                for _ in range(ROUNDS):
                    reached = asyncio.Event()
                    if pump.call_later(reached.set):
                        await reached.wait()
