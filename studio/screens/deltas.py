"""The figures of a comparison as rows: overall, by category, by agent, and its items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studio.evals.compare import sentence, struck_sentence
from studio.evals.statistics import p_in_words
from studio.widgets.listing import ListColumn, Listing

STATES = ("broken", "fixed", "both wrong", "all")  # what the list of items can show


@dataclass(frozen=True, slots=True)
class Delta:
    """One row of the delta table: a group of items and its figures as `compare` gives them."""

    name: str
    kind: str  # overall, category, agent
    figures: Mapping[str, Any]

    def holds(self, item: Mapping[str, Any]) -> bool:
        """Whether an item belongs to this group."""
        return self.kind == "overall" or item[self.kind] == self.name

    @property
    def title(self) -> str:
        """The name; an agent's with the word."""
        return f"agent {self.name}" if self.kind == "agent" else self.name

    def in_words(self, margin: float) -> str:
        """What the difference lets us say."""
        return f"{self.title}: {sentence(self.figures, margin)}"


MARKS = {"overall": "", "category": " ", "agent": " @"}  # before the names; the header says it too
DELTA_COLUMNS = (
    ListColumn(" @ = agent", 13),
    ListColumn("n", 5, right=True),
    ListColumn("A %", 5, right=True),
    ListColumn("A 95%", 11, rank=2, right=True),
    ListColumn("B %", 5, right=True),
    ListColumn("B 95%", 11, rank=2, right=True),
    ListColumn("B−A", 6, right=True),
    ListColumn("95%", 14, right=True),
    ListColumn("fixed", 5, right=True),
    ListColumn("broken", 6, right=True),
    ListColumn("both", 5, rank=3, right=True),
    ListColumn("neither", 7, rank=3, right=True),
    ListColumn("p", 8, rank=2, right=True),
    ListColumn("items needed", 12, rank=1, right=True),
    ListColumn("verdict"),
)
ITEM_COLUMNS = (
    ListColumn("", 11),
    ListColumn("item", 14),
    ListColumn("category", 10, rank=1),
    ListColumn("agent", 11, rank=2),
    ListColumn("A", 13),
    ListColumn("B", 13),
    ListColumn("request"),
)


class DeltaList(Listing):
    """The delta table."""

    class Moved(Listing.Moved):
        """Another group."""

    class Opened(Listing.Opened):
        """A group was chosen."""


class ItemList(Listing):
    """The items."""

    class Moved(Listing.Moved):
        """Another item."""

    class Opened(Listing.Opened):
        """An item was chosen."""


def deltas_of(value: Mapping[str, Any]) -> list[Delta]:
    """The rows of an answer of `compare`."""
    return [
        Delta("overall", "overall", value["overall"]),
        *(Delta(name, "category", d) for name, d in value["by_category"].items()),
        *(Delta(name, "agent", d) for name, d in value["by_agent"].items()),
    ]


def delta_cells(delta: Delta) -> list[str]:
    """The cells of one row; rates, differences and intervals in points of a hundred."""
    figures = delta.figures
    a, b = figures["a"], figures["b"]
    low, high = figures["delta_ci95"]
    return [
        MARKS[delta.kind] + delta.name,
        f"{a['n']:,}",
        _rate(a["rate"]),
        _interval(a["ci95"]),
        _rate(b["rate"]),
        _interval(b["ci95"]),
        f"{100 * figures['delta']:+.1f}",
        f"{100 * low:+.1f} to {100 * high:+.1f}",
        str(figures["fixed"]),
        str(figures["broken"]),
        str(figures["both"]),
        str(figures["neither"]),
        p_in_words(figures["p_adjusted"]),
        "·" if figures["n_needed"] is None else f"{figures['n_needed']:,}",
        str(figures["verdict"]),
    ]


def state(item: Mapping[str, Any]) -> str:
    """`broken`, `fixed`, `both wrong` or `both right`; `struck` where it counts for nothing."""
    if item.get("struck"):
        return "struck"
    a, b = item["a"] == "passed", item["b"] == "passed"
    if a == b:
        return "both right" if a else "both wrong"
    return "broken" if a else "fixed"


def items_in(
    items: Sequence[Mapping[str, Any]], delta: Delta | None, wanted: str
) -> list[Mapping[str, Any]]:
    """The items of a group that ended so; `all` of them."""
    return [
        item
        for item in items
        if (delta is None or delta.holds(item)) and wanted in ("all", state(item))
    ]


def states_line(items: Sequence[Mapping[str, Any]], delta: Delta | None, wanted: str) -> str:
    """How many items of a group ended how; what is listed stands in brackets."""
    parts = []
    for name in STATES:
        count = len(items_in(items, delta, name))
        parts.append(f"[{name} {count:,}]" if name == wanted else f" {name} {count:,} ")
    where = f" in {delta.title}" if delta and delta.kind != "overall" else ""
    return f" {' '.join(parts)}{where}".replace("\n", " ")


def item_cells(item: Mapping[str, Any], request: str) -> list[str]:
    """The cells of one item."""
    agent, category = item["agent"] or "·", item["category"] or "·"
    return [state(item), item["item"], category, agent, item["a"], item["b"], request]


def as_text(names: Sequence[str], value: Mapping[str, Any], deltas: Sequence[Delta]) -> str:
    """The table for the clipboard, as Markdown."""
    a, b = names
    lines = [
        f"{b} against {a}",
        "",
        "| | n | A | B | fixed | broken | |",
        "|---|---|---|---|---|---|---|",
    ]
    for delta in deltas:
        figures = delta.figures
        cells = [
            delta.title,
            str(figures["a"]["n"]),
            *(
                f"{_rate(figures[arm]['rate'])}% ({_interval(figures[arm]['ci95'])})"
                for arm in "ab"
            ),
            str(figures["fixed"]),
            str(figures["broken"]),
            sentence(figures, value["margin"]),
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    if value["struck"]["n"]:
        lines += ["", struck_sentence(value["struck"])]
    return "\n".join(lines) + "\n"


def _rate(value: float | None) -> str:
    return "·" if value is None else f"{100 * value:.1f}"


def _interval(bounds: Sequence[float]) -> str:
    return f"{100 * bounds[0]:.1f}–{100 * bounds[1]:.1f}"
