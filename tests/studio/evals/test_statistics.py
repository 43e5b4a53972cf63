"""Intervals keep their level, tests are exact, and the numbers of the findings come out."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.evals.statistics import (
    detectable,
    holm,
    items_for_equivalence,
    items_needed,
    mcnemar,
    paired_interval,
    wilson,
)


@pytest.mark.parametrize(
    ("passed", "n", "low", "high"),
    [(298, 302, 0.966, 0.995), (30, 30, 0.886, 1.0), (6, 24, 0.12, 0.45), (7, 24, 0.15, 0.49)],
)
def test_wilson_gives_the_intervals_of_the_background(
    passed: int, n: int, low: float, high: float
) -> None:
    assert list(wilson(passed, n)) == pytest.approx([low, high], abs=0.005)


def test_nothing_tried_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert paired_interval(0, 0, 0) == (-1.0, 1.0)


@pytest.mark.parametrize(
    ("fixed", "broken", "p"),
    [(1, 0, 1.0), (0, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (4, 3, 1.0), (10, 1, 0.01171875)],
)
def test_mcnemar_is_exact(fixed: int, broken: int, p: float) -> None:
    assert mcnemar(fixed, broken) == pytest.approx(p, abs=1e-12)
    assert mcnemar(broken, fixed) == mcnemar(fixed, broken)


def test_mcnemar_of_many_items_agrees_with_the_normal_approximation() -> None:
    z = (1100 - 1000 - 1) / math.sqrt(2100)
    assert mcnemar(1100, 1000) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=0.02)


def test_no_difference_on_few_items_is_no_certainty() -> None:
    low, high = paired_interval(0, 0, 24)
    assert low == pytest.approx(-0.138, abs=0.001)
    assert high == pytest.approx(0.138, abs=0.001)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 100))
def test_the_interval_holds_the_difference_and_mirrors(fixed: int, broken: int, rest: int) -> None:
    n = fixed + broken + rest
    if n == 0:
        return
    low, high = paired_interval(fixed, broken, n)
    delta = (fixed - broken) / n
    assert -1 <= low <= delta + 1e-9
    assert delta - 1e-9 <= high <= 1
    mirrored = paired_interval(broken, fixed, n)
    assert list(mirrored) == pytest.approx([-high, -low], abs=1e-6)


@pytest.mark.parametrize(
    ("share_b", "share_c", "n"), [(0.1, 0.1, 40), (0.25, 0.05, 30), (0.02, 0.0, 60)]
)
def test_the_interval_covers_the_truth_in_about_95_of_100_trials(
    share_b: float, share_c: float, n: int
) -> None:
    draw = random.Random(3)
    covered = 0
    trials = 1500
    for _ in range(trials):
        points = [draw.random() for _ in range(n)]
        fixed = sum(p < share_b for p in points)
        broken = sum(share_b <= p < share_b + share_c for p in points)
        low, high = paired_interval(fixed, broken, n)
        covered += low - 1e-9 <= share_b - share_c <= high + 1e-9
    assert covered / trials > 0.925


def test_power_gives_the_figures_of_the_findings() -> None:
    assert items_needed(0.04, 0.2) == pytest.approx(980, abs=5)
    assert 150 <= items_needed(0.10, 0.2) <= 240
    assert items_needed(0.20, 0.3) < items_needed(0.10, 0.3)
    assert items_for_equivalence(0.02, 0.0) == 189


def test_what_a_suite_can_detect_shrinks_with_its_size() -> None:
    sizes = [detectable(n, 0.2) for n in (24, 120, 360, 1000)]
    assert all(size is not None for size in sizes)
    assert sizes == sorted(sizes, reverse=True)  # type: ignore[type-var]
    assert detectable(5, 0.2) is None


def test_holm_adjusts_in_the_order_given() -> None:
    assert holm([0.01, 0.04, 0.03]) == [pytest.approx(0.03), pytest.approx(0.06),
                                        pytest.approx(0.06)]  # fmt: skip
    assert holm([]) == []
    assert holm([0.6, 0.9]) == [1.0, 1.0]
