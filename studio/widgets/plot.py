"""Curves as text: lines in braille dots, points as symbols, axes with round numbers.

What a series is told by is its symbol, which stands on its line every few cells; its colour only
helps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # by column, then by row of a cell
EVERY = 9  # cells between the symbols on a line
NOTCH = "╋"  # on the axis
AXIS = -1  # instead of a series' number


@dataclass(frozen=True, slots=True)
class Series:
    """One curve: the symbol that it is told by, its style's number, and (x, y) in order of x."""

    symbol: str
    style: int
    points: Sequence[tuple[float, float]]


class Cell(NamedTuple):
    """A character and the style of the series that it belongs to."""

    text: str
    style: int


class Range(NamedTuple):
    """The values that an axis goes from and to, and the round ones that it names."""

    low: float
    high: float
    ticks: list[float]

    def share(self, value: float) -> float:
        """Where a value lies, 0 at the low end and 1 at the high one."""
        return (value - self.low) / (self.high - self.low)


def axis(low: float, high: float, most: int, least: float = 0.0) -> Range:
    """An axis from low to high with at most about `most` round ticks, `least` or more apart."""
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-90):  # one value, but for rounding
        low, high = low - (abs(low) / 2 or 0.5), high + (abs(high) / 2 or 0.5)
    rough = max((high - low) / max(1, most), least)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * n for n in (1, 2, 5, 10, 20) if power * n >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return Range(low, high, [n * step for n in range(first, last + 1)])


def plot(
    series: Sequence[Series],
    width: int,
    height: int,
    *,
    percent: bool = False,
    notch: float | None = None,
) -> list[list[Cell]]:
    """The lines of a chart of `width` by `height` cells, axes included; empty without points.

    `percent` is for fractions, on an axis from 0 to 1. `notch` is an x that the axis marks.
    """
    xs = [x for one in series for x, _ in one.points]
    ys = [y for one in series for _, y in one.points]
    if not xs or width < 20 or height < 4:
        return []
    rows = height - 2
    y_axis = axis(0, 1, max(2, rows // 4)) if percent else axis(min(ys), max(ys), max(2, rows // 2))
    labels = _y_labels(y_axis, rows, percent)
    margin = max(len(label) for label in labels)
    columns = width - margin - 1
    x_axis = axis(0, max(*xs, 1), columns // 12, least=1)
    body = _body(series, x_axis, y_axis, columns, rows)
    lines = [
        [Cell(f"{label:>{margin}}{'┤' if label else '│'}", AXIS), *cells]
        for label, cells in zip(labels, body, strict=True)
    ]
    for text in _x_lines(x_axis, columns, notch):
        edge = "└" if len(lines) == rows else " "
        lines.append([Cell(" " * margin + edge + text, AXIS)])
    return lines


def _y_labels(y_axis: Range, rows: int, percent: bool) -> list[str]:
    """The label of each row, from the top: the ends as they are, ticks where there is room."""
    labels = [""] * rows
    labels[0], labels[-1] = (_label(y, percent) for y in (y_axis.high, y_axis.low))
    for tick in y_axis.ticks:
        row = round((1 - y_axis.share(tick)) * (rows - 1))
        if 0 < row < rows - 1:
            labels[row] = _label(tick, percent)
    return labels


def _label(value: float, percent: bool) -> str:
    return f"{100 * value:.0f}%" if percent else f"{value:.3g}"


def _x_lines(x_axis: Range, columns: int, notch: float | None) -> tuple[str, str]:
    """The axis with its ticks, and the numbers under them."""
    line, under = ["─"] * columns, [" "] * columns
    free = 0  # the first cell that no label has taken
    for tick in x_axis.ticks:
        at, label = round(x_axis.share(tick) * (columns - 1)), f"{tick:,.6g}"
        start = max(0, min(at - len(label) // 2, columns - len(label)))
        if start >= free:
            line[at] = "┴"
            under[start : start + len(label)] = label
            free = start + len(label) + 1
    if notch is not None and 0 <= x_axis.share(notch) <= 1:
        line[round(x_axis.share(notch) * (columns - 1))] = NOTCH
    return "".join(line), "".join(under)


def _body(
    series: Sequence[Series], x_axis: Range, y_axis: Range, columns: int, rows: int
) -> list[list[Cell]]:
    """The cells inside the axes: all lines first, then the symbols on top of them."""
    dots = [[0] * columns for _ in range(rows)]
    owner = [[AXIS] * columns for _ in range(rows)]
    symbols: dict[tuple[int, int], Cell] = {}
    for number, one in enumerate(series):
        places = [
            (
                round(x_axis.share(x) * (columns * 2 - 1)),
                round((1 - y_axis.share(y)) * (rows * 4 - 1)),
            )
            for x, y in one.points
        ]
        for x, y in _line(places):
            dots[y // 4][x // 2] |= _DOTS[x % 2][y % 4]
            owner[y // 4][x // 2] = one.style
        for x, y in _marked(places, offset=number * EVERY // max(1, len(series))):
            symbols[y // 4, x // 2] = Cell(one.symbol, one.style)
    return [
        [
            symbols.get((row, column))
            or Cell(
                chr(0x2800 + dots[row][column]) if dots[row][column] else " ", owner[row][column]
            )
            for column in range(columns)
        ]
        for row in range(rows)
    ]


def _line(places: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The dots that join the places."""
    if len(places) == 1:
        yield places[0]
    for (x0, y0), (x1, y1) in pairwise(places):
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for step in range(steps + 1):
            yield round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps)


def _marked(places: Sequence[tuple[int, int]], offset: int) -> Iterator[tuple[int, int]]:
    """The places that get the symbol: all where they are far apart, else one every few cells."""
    few = len(places) * EVERY < (places[-1][0] - places[0][0]) if places else False
    wanted = -1 if few or len(places) == 1 else places[0][0] + 2 * offset if places else 0
    for n, (x, y) in enumerate(places):
        if x >= wanted or n == len(places) - 1:
            yield x, y
            wanted = x + (-1 if few else 2 * EVERY)
