"""Curves keep their shape when they are thinned; the time left is measured by the clock."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from db.models.base import table
from db.models.datasets import Dataset
from db.models.runs import Metric, Run
from db.store import Store
from studio.training.curves import MOST, curves, thinned
from studio.training.pace import pace_of, seconds_left

NUMBERS = st.floats(-1e6, 1e6)


@given(st.lists(NUMBERS, max_size=300), st.integers(8, 50))
def test_thinning_keeps_both_ends_and_the_extremes(values: list[float], most: int) -> None:
    points = list(enumerate(values))
    kept = thinned(points, most)
    assert len(kept) <= most or len(points) <= most
    assert kept == sorted(set(kept))
    assert set(kept) <= set(points)
    if points:
        assert {kept[0], kept[-1]} == {points[0], points[-1]}
        assert min(y for _, y in kept) == min(values)
        assert max(y for _, y in kept) == max(values)


def test_values_that_are_no_number_are_counted_and_left_out(store: Store) -> None:
    with store.write() as connection:
        connection.execute(
            insert(table(Dataset)).values(
                id=1,
                name="d",
                version=1,
                created_ms=0,
                recipe_json="{}",
                report_json="{}",
                sha256="0",
            )
        )
        connection.execute(
            insert(table(Run)).values(
                id=1,
                dataset_id=1,
                recipe="r",
                recipe_json="{}",
                base="b",
                folder="",
                state="finished",
                created_ms=0,
            )
        )
        values = [math.inf, *(1.0 / step for step in range(1, 5_000))]
        connection.execute(
            insert(table(Metric)),
            [{"run_id": 1, "step": n, "name": "loss", "value": v} for n, v in enumerate(values)],
        )  # fmt: skip
    found = curves(store, [1, 2], ["loss", "score"])
    assert list(found) == [(1, "loss")]
    assert found[1, "loss"].lost == 1
    assert found[1, "loss"].points[0] == (1, 1.0)
    assert len(found[1, "loss"].points) <= MOST


def write(folder: Path, *events: dict[str, Any]) -> None:
    text = "".join(json.dumps(event) + "\n" for event in events)
    (folder / "events.jsonl").write_text(text)


def at(seconds: float, event: str, **values: Any) -> dict[str, Any]:
    return {"at_ms": int(1000 * seconds), "event": event, **values}


def test_the_time_left_has_its_share_of_evaluations(tmp_path: Path) -> None:
    assert pace_of(tmp_path) is None
    write(tmp_path, at(0, "started"), at(1, "metrics", step=0))
    assert pace_of(tmp_path) is None
    # ten steps of one second, then ten seconds of evaluation
    write(tmp_path, at(0, "started"), at(1, "metrics", step=0), at(11, "metrics", step=10),
          at(21, "checkpoint", step=10))  # fmt: skip
    pace = pace_of(tmp_path)
    assert pace is not None
    assert pace.seconds == pytest.approx(2.0)
    assert seconds_left(pace, 30, 21_000) == pytest.approx(40.0)
    assert seconds_left(pace, 30, 26_000) == pytest.approx(35.0)
    assert seconds_left(pace, 30, 99_000) == 0


def test_the_pause_before_a_resume_does_not_count(tmp_path: Path) -> None:
    first = (at(0, "started"), at(1, "metrics", step=0), at(11, "metrics", step=10))
    then = (at(9_000, "started"), at(9_010, "metrics", step=12), at(9_016, "metrics", step=14))
    write(tmp_path, *first, *then)
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write('{"at_ms": 1, "ev')  # a line that is being written
    pace = pace_of(tmp_path)
    assert pace is not None
    assert pace.seconds == pytest.approx(3.0)
