"""How many examples of each agent: as it is, as planned, or balanced."""

from __future__ import annotations

from collections.abc import Mapping

MIXES = ("as_is", "planned", "balanced")


def quotas(
    available: Mapping[str, int], shares: Mapping[str, float], budget: int | None
) -> dict[str, int]:
    """The number of examples of each agent that has a share and any examples.

    Without a budget the shares are exact, so that the scarcest agent decides how many there are.
    With one, what an agent lacks of its share is filled by the others in proportion to theirs.
    """
    wanted = {name: share for name, share in shares.items() if share > 0 and available.get(name)}
    if not wanted:
        return {}
    scale = sum(wanted.values())
    wanted = {name: share / scale for name, share in wanted.items()}
    if budget is None:
        total = min(available[name] / share for name, share in wanted.items())
        return {name: min(available[name], round(total * share)) for name, share in wanted.items()}
    return _filled(available, wanted, budget)


def _filled(
    available: Mapping[str, int], shares: Mapping[str, float], budget: int
) -> dict[str, int]:
    given: dict[str, int] = {}
    open_shares = dict(shares)
    left = min(budget, sum(available[name] for name in shares))
    while open_shares:
        scale = sum(open_shares.values())
        scarce = [n for n, share in open_shares.items() if available[n] <= left * share / scale]
        if not scarce:
            break
        for name in scarce:
            given[name] = available[name]
            del open_shares[name]
        left = min(budget, sum(available[name] for name in shares)) - sum(given.values())
    return given | _whole(open_shares, left)


def _whole(shares: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole numbers in proportion to the shares that sum to the total (largest remainders)."""
    scale = sum(shares.values())
    exact = {name: total * share / scale for name, share in shares.items()}
    numbers = {name: int(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: numbers[name] - exact[name])
    for name in by_remainder[: total - sum(numbers.values())]:
        numbers[name] += 1
    return numbers
