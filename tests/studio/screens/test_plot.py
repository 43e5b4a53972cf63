"""Curves as text: whatever is drawn fits, has round ticks, and every series its symbol."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from studio.widgets.plot import Series, axis, plot

NUMBERS = st.floats(-1e6, 1e6)


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9), st.integers(1, 30))
def test_ticks_are_few_round_and_inside(low: float, more: float, most: int) -> None:
    found = axis(low, low + more, most)
    assert len(found.ticks) <= most + 1
    slack = 1e-6 * max(1.0, abs(found.low), abs(found.high))
    assert all(found.low - slack <= tick <= found.high + slack for tick in found.ticks)


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 10_000), NUMBERS), max_size=40), max_size=6),
    st.integers(0, 200),
    st.integers(0, 60),
)
def test_a_chart_fills_exactly_the_room_it_is_given(
    given_series: list[list[tuple[int, float]]], width: int, height: int
) -> None:
    symbols = "●▲■◆★▼"
    series = [
        Series(symbol, n, sorted(points))
        for n, (symbol, points) in enumerate(zip(symbols, given_series, strict=False))
    ]
    lines = plot(series, width, height, notch=5)
    assert len(lines) in (0, height)
    assert all(sum(len(cell.text) for cell in line) == width for line in lines)
    drawn = {cell.text for line in lines for cell in line}
    if lines and len(series) == 1:
        assert symbols[0] in drawn


def test_a_falling_curve_falls_from_the_left_above_to_the_right_below() -> None:
    lines = plot([Series("●", 0, [(0, 4.0), (100, 1.0)])], 40, 8)
    assert ["".join(cell.text for cell in line) for line in lines] == [
        "4┤●⠒⠢⠤⢄⣀                                ",
        " │      ⠉⠑⠒⠤⠤⣀⡀                         ",
        "3┤            ⠈⠉⠒⠢⠤⢄⣀                   ",
        "2┤                   ⠉⠑⠒⠢⠤⣀⡀            ",
        " │                         ⠈⠉⠒⠒⠤⢄⣀      ",
        "1┤                                ⠉⠑⠒⠢⠤●",
        " └┴─────────────────┴──────────────────┴",
        "  0                50                100",
    ]
