"""The curves of runs: what they reported by step, thinned to what a screen can show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from db.models.base import table
from db.models.runs import Metric
from db.store import Store

METRICS = table(Metric)
MOST = 1_000  # points of one curve

Points = list[tuple[int, float]]


class Curve(NamedTuple):
    """(step, value) in order; `lost` counts values that are no finite number."""

    points: Points
    lost: int


def curves(store: Store, runs: Sequence[int], names: Sequence[str]) -> dict[tuple[int, str], Curve]:
    """The curves of some runs by (run, name of the metric); a curve without values is left out."""
    found: dict[tuple[int, str], Points] = {}
    with store.read() as connection:
        rows = connection.execute(
            select(METRICS.c.run_id, METRICS.c.name, METRICS.c.step, METRICS.c.value)
            .where(METRICS.c.run_id.in_(runs), METRICS.c.name.in_(names))
            .order_by(METRICS.c.step)
        )
        for run, name, step, value in rows:
            found.setdefault((run, name), []).append((step, value))
    return {key: _curve(points) for key, points in found.items()}


def _curve(points: Points) -> Curve:
    finite = [point for point in points if math.isfinite(point[1])]
    return Curve(thinned(finite, MOST), len(points) - len(finite))


def thinned(points: Points, most: int) -> Points:
    """At most `most` of the points: the lowest and highest of each stretch, and both ends."""
    if len(points) <= most:
        return points
    kept = {points[0], points[-1]}
    stretches = max(1, (most - 2) // 2)
    for number in range(stretches):
        stretch = points[
            number * len(points) // stretches : (number + 1) * len(points) // stretches
        ]
        kept.add(min(stretch, key=lambda point: point[1]))
        kept.add(max(stretch, key=lambda point: point[1]))
    return sorted(kept)
