"""What a measurement found: values by name, and what they come to."""

from __future__ import annotations

from statistics import median

from studio.cli.frame import table


class Figures:
    """Values by name in the order in which they came, all in one unit."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def add(self, name: str, value: float) -> None:
        """One more value."""
        self.values.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        """The middle one."""
        return median(self.values[name])

    def p95(self, name: str) -> float:
        """What 95% of the values do not exceed."""
        ordered = sorted(self.values[name])
        return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]

    def summary(self) -> dict[str, dict[str, float]]:
        """n, median, p95 and most of each name."""
        return {
            name: {
                "n": len(values),
                "median": round(self.median(name), 1),
                "p95": round(self.p95(name), 1),
                "most": round(max(values), 1),
            }
            for name, values in self.values.items()
        }

    def show(self) -> None:
        """The same as a table."""
        rows = [
            (name, *(f"{value:,.0f}" for value in numbers.values()))
            for name, numbers in self.summary().items()
        ]
        table(("what", "n", "median", "p95", "most"), rows, right="n median p95 most")
