"""How long a step of a run takes by the clock, its share of evaluations and saving included.

The time of a bare training step promises an end that comes too early: in a run that evaluates
every 30 steps of 0.3 s, a third of the time goes into evaluations.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from studio import jobs

WINDOW = 400  # lines of the events that are looked at


class Pace(NamedTuple):
    """`seconds` a step, measured up to `step`, which was reached `at_ms`."""

    seconds: float
    step: int
    at_ms: int


def pace_of(folder: Path) -> Pace | None:
    """The pace of a run since it was last started or resumed; None while there are no two steps."""
    reached: list[tuple[int, int]] = []
    for line in jobs.tail(folder / "events.jsonl", WINDOW):
        try:
            event = json.loads(line)
        except ValueError:  # the first line of the tail may begin in its middle
            continue
        if event.get("event") == "started":
            reached.clear()
        elif isinstance(event.get("step"), int):
            reached.append((event["step"], event["at_ms"]))
    if not reached or reached[-1][0] <= reached[0][0]:
        return None
    (first, began), (last, ended) = reached[0], reached[-1]
    return Pace((ended - began) / 1000 / (last - first), last, ended)


def seconds_left(pace: Pace, total_steps: int, now_ms: int) -> float:
    """Seconds until the last step, what has passed since the last one that is known taken off."""
    left = (total_steps - pace.step) * pace.seconds - (now_ms - pace.at_ms) / 1000
    return max(0.0, left)
