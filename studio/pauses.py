"""What would make a key wait inside Python itself: walks for garbage, and threads that hold on.

A walk through all objects of the app takes 0.1 s. So nothing is walked while the app starts, what
survived one walk is left out of the next ones, what is new is walked when the hands rest, and all
when nobody types.
"""

from __future__ import annotations

import gc
import sys

YOUNG = 10_000  # objects more than before, after which the young ones are walked
SWITCH_SECONDS = 0.001  # after which a thread gives way to the drawing one; Python's own is 0.005


def begin() -> None:
    """Walk nothing until `settle`, and let no other thread keep the drawing one waiting."""
    gc.disable()
    sys.setswitchinterval(SWITCH_SECONDS)


def settle() -> None:
    """What is there by now stays; walk what comes. Does nothing where `begin` was not called."""
    if gc.isenabled():
        return
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 20)
    gc.callbacks.append(_spare_survivors)
    gc.enable()


def walk_young() -> None:
    """Find the garbage among what is new, a few ms. Nothing where `settle` did nothing."""
    if _spare_survivors in gc.callbacks:
        gc.collect(1)


def walk_all() -> None:
    """Find the garbage among what was spared, too: 0.1 s. Nothing where `settle` did nothing."""
    if _spare_survivors in gc.callbacks:
        gc.unfreeze()
        gc.collect()  # ends by sparing what survives


def _spare_survivors(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()
