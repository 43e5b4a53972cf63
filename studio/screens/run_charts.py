"""The charts of runs: which metrics stand on which, and the symbols that tell runs apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from studio.screens.run_reading import Known
from studio.widgets.chart import Chart
from studio.widgets.plot import AXIS, NOTCH, Series


class Shown(NamedTuple):
    """One chart. Of two metrics the second is drawn with the hollow symbols."""

    title: str
    metrics: tuple[str, ...]


CHARTS = (
    Shown("loss by step (● validation ○ training)", ("eval_loss", "loss")),
    Shown("validation loss by step", ("eval_loss",)),
    Shown("executed score by step", ("score",)),
    Shown("learning rate by step", ("learning_rate",)),
    Shown("gradient norm by step", ("grad_norm",)),
)
METRICS = sorted({metric for shown in CHARTS for metric in shown.metrics})
SYMBOLS = (("●", "○"), ("▲", "△"), ("■", "□"), ("◆", "◇"), ("★", "☆"), ("▼", "▽"))
MOST = len(SYMBOLS)  # runs on one chart


def draw(chart: Chart, known: Known, runs: Sequence[int], shown: Shown) -> None:
    """Draw one of the charts for some runs; the first is the one that `known` is of."""
    legend, series, lost = [(shown.title, AXIS)], [], 0
    for style, (run, symbols) in enumerate(zip(runs, SYMBOLS, strict=False)):
        found = [
            (symbol, known.curves[run, metric])
            for symbol, metric in zip(symbols, shown.metrics, strict=False)
            if (run, metric) in known.curves
        ]
        lost += sum(curve.lost for _, curve in found)
        series += [Series(symbol, style, curve.points) for symbol, curve in reversed(found)]
        told = "".join(symbol for symbol, _ in found) or "nothing yet of"
        legend.append((f"{told} run {run}", style if found else AXIS))
    if lost:
        legend.append((f"{lost:,} not finite", AXIS))
    step = known.run["selected_step"]
    if step is not None and series:
        legend.append((f"{NOTCH} step {step:,} selected", AXIS))
    chart.show(legend, series, percent="score" in shown.metrics, notch=step)
