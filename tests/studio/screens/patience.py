"""Waiting for an app that is driven: by conditions, so that a busy machine only makes it slower."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from textual._wait import wait_for_idle
from textual.pilot import Pilot

PATIENCE = 120.0  # seconds after which something never comes to pass, as from a child process


async def until(pilot: Pilot[Any], holds: Callable[[], object], shows: Callable[[], str]) -> None:
    """Wait for what a worker, a thread or another process brings about."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"it never came to pass; the screen shows:\n{shows()}"
        await pilot.pause(0.01)


async def idle(*times: float) -> None:
    """Textual's wait after a key, and then until the loop has nothing left that it could run.

    Textual looks at processor time alone: to it a process that gets none is idle.
    """
    await wait_for_idle(*times)
    loop = asyncio.get_running_loop()
    while loop._ready:  # type: ignore[attr-defined]
        await asyncio.sleep(0)
