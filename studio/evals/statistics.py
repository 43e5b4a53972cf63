"""How far a rate and a paired difference can be trusted. Rates and differences are fractions of 1.

All differences are `b - a` over the same items: `fixed` items fail in A and pass in B, `broken`
ones the other way round; both together are the discordant items.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

LEVEL = 0.95
ALPHA = 1 - LEVEL
POWER = 0.8
_Z = NormalDist().inv_cdf(1 - ALPHA / 2)
_Z_POWER = NormalDist().inv_cdf(POWER)
_FEWEST_DISCORDANT = 6  # an exact McNemar test below that never reaches p < 0.05


def wilson(passed: int, n: int) -> tuple[float, float]:
    """The 95% score interval of a rate (Wilson 1927); (0, 1) when there is nothing to go by."""
    if n == 0:
        return 0.0, 1.0
    rate, z2 = passed / n, _Z * _Z
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    low = 0.0 if passed == 0 else max(0.0, centre - half)
    high = 1.0 if passed == n else min(1.0, centre + half)
    return low, high


def mcnemar(fixed: int, broken: int) -> float:
    """Two-sided exact p-value that as many would be fixed as broken (McNemar 1947, binomial)."""
    n = fixed + broken
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, k) for k in range(min(fixed, broken) + 1))
    return min(1.0, float(2 * tail / 2**n) if n < 1000 else math.exp(_log(2 * tail) - n * _LN2))


_LN2 = math.log(2)
_LEAST_P = 1e-300  # floats lose their digits at 2e-308


def _log(value: int) -> float:
    """Natural logarithm of an integer of any size."""
    shift = max(0, value.bit_length() - 60)
    return math.log(value >> shift) + shift * _LN2


def p_in_words(p_value: float) -> str:
    """A p-value in two digits; a bound below what a float can hold, since no p is 0."""
    return f"{p_value:.2g}" if p_value >= _LEAST_P else f"< {_LEAST_P:.0g}"


def paired_interval(fixed: int, broken: int, n: int) -> tuple[float, float]:
    """The 95% score interval of the paired difference (Tango 1998, Statistics in Medicine 17:891).

    It keeps its level where few or no items differ, where a bootstrap would claim certainty.
    """
    if n == 0:
        return -1.0, 1.0
    delta = (fixed - broken) / n
    low = _solve(lambda d: _tango(fixed, broken, n, d) - _Z, -1.0, delta)
    high = _solve(lambda d: _tango(fixed, broken, n, d) + _Z, delta, 1.0)
    return low, high


def _tango(fixed: int, broken: int, n: int, delta: float) -> float:
    """The score statistic of the hypothesis that the true difference is `delta`."""
    a = 2 * n
    b = -fixed - broken + (2 * n - fixed + broken) * delta
    c = -broken * delta * (1 - delta)
    q = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
    variance = n * (2 * q + delta * (1 - delta))
    difference = fixed - broken - n * delta
    if variance <= 1e-12:
        return 0.0 if abs(difference) < 1e-9 else math.copysign(math.inf, difference)
    return difference / math.sqrt(variance)


def _solve(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a decreasing function crosses zero, by bisection."""
    for _ in range(80):
        middle = (low + high) / 2
        if function(middle) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def items_needed(delta: float, discordance: float) -> int:
    """Paired items for 80% power at alpha 0.05 (Connor 1987, Biometrics 43:207).

    `delta` is the true difference (not 0), `discordance` the share of items on which the arms
    differ, at least as large.
    """
    size = abs(delta)
    share = min(1.0, max(discordance, size))
    root = _Z * math.sqrt(share) + _Z_POWER * math.sqrt(max(0.0, share - size * size))
    return max(_FEWEST_DISCORDANT, math.ceil(root * root / (size * size) - 1e-9))


def items_for_equivalence(margin: float, discordance: float) -> int:
    """Items after which arms that do not differ would be shown equal within the margin."""
    by_variance = (_Z + _Z_POWER) ** 2 * discordance / (margin * margin)
    by_silence = _Z * _Z * (1 - margin) / margin  # no item differs at all
    return math.ceil(max(by_variance, by_silence))


def detectable(n: int, discordance: float) -> float | None:
    """The smallest difference that `n` paired items show with 80% power; None when none is."""
    if n < _FEWEST_DISCORDANT:
        return None
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if items_needed(max(middle, 1e-6), discordance) > n:
            low = middle
        else:
            high = middle
    return max(high, _FEWEST_DISCORDANT / n)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted for being read together (Holm 1979), in the order given."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted
