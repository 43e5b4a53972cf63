"""The mix of a collection, and how far its classes can be trusted, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from db.counted import counted
from studio.screen_text import screen_text
from studio.widgets.columns import fitted
from studio.widgets.listing import ListColumn

Value = Mapping[str, Any]

COLUMNS = (
    ListColumn("id", 7, right=True),
    ListColumn("is", 11),
    ListColumn("by", 8, 2),
    ListColumn("declared", 11),
    ListColumn("rules", 11),
    ListColumn("model", 11, 1),
    ListColumn("sure", 5, right=True),
    ListColumn("task"),
)


def cells(row: Value) -> tuple[str, ...]:
    """What the list shows of an interaction about which the opinions differ."""
    said = (row[key] or "·" for key in ("agent", "method", "declared", "rules", "model"))
    return (str(row["id"]), *said, percent(row["confidence"]), row["task"])


def percent(share: float | None) -> str:
    """`59.0%`, or a dot for nothing."""
    return "·" if share is None else f"{share:.1%}"


def report(stats: Value, advice: Value | None, trust: Value | None) -> str:
    """Everything that is known by now, as lines for the screen."""
    parts = [mix(stats)]
    if advice is not None:
        parts.append(advised(advice))
    if trust is not None:
        parts.append(trusted(trust))
    return screen_text("\n\n".join("\n".join(part) for part in parts))


def mix(stats: Value) -> Iterator[str]:
    """What was collected of each agent, against the plan, the words and a benchmark."""
    total = stats["total_interactions"] or 1
    words = stats["keyword_distribution"]
    bench = stats["benchmark"] or {"n": 0, "distribution": {}}
    planned, found = stats["planned_distribution"], stats["agent_distribution"]
    yield f"── mix of {counted(stats['total_interactions'], 'interaction')}"
    yield f"{'agent':<12} {'n':>7} {'share':>7} {'planned':>8} {'by words':>9} {'benchmark':>10}"
    of_words = sum(words.values()) or 1
    for name in dict.fromkeys((*planned, *found, *words, *bench["distribution"])):
        n = found.get(name, 0)
        there = percent(bench["distribution"].get(name, 0) / bench["n"]) if bench["n"] else "·"
        yield (
            f"{_named(name, 12)} {n:>7,} {percent(n / total):>7} {percent(planned.get(name)):>8} "
            f"{percent(words.get(name, 0) / of_words):>9} {there:>10}"
        )
    if bench["n"]:
        yield f"benchmark: {bench['name']}, {counted(bench['n'], 'task')}"
    else:
        yield "no benchmark was evaluated yet (studio stats --benchmark FILE shows one)"
    agreed = stats["keyword_agreement"]
    if agreed["n"]:
        yield (
            f"the words agree with what was declared or labelled on {percent(agreed['rate'])} of "
            f"{agreed['n']:,} ({_interval(agreed['ci95'])})"
        )


def advised(advice: Value) -> Iterator[str]:
    """Which base suits this mix, and one adapter or one for each agent."""
    yield f"── base: {advice['advice']}"
    yield advice["why"]
    bases = [f"{name} {base}" for name, base in advice["by_agent"].items() if base]
    yield f"by agent: {', '.join(bases)}"
    yield f"{advice['strategy'].replace('_', ' ')}: {advice['strategy_why']}"
    if advice["single_base"]:
        yield f"one adapter for all: {advice['single_base']}"


def trusted(trust: Value) -> Iterator[str]:
    """Who answers, the confusion tables and the reliability of the confidences."""
    yield "── how far the classes can be trusted"
    model = trust["model"]
    if model is None:
        yield (
            f"{trust['labels']:,} distinct requests are labelled by people; with "
            f"{trust['labels_needed']} of two agents or more a model learns from them: label the "
            "least certain ones (Q in Browse)"
        )
    else:
        who = "the model of your labels answers" if model["takes_over"] else "the rules stay"
        yield f"{who}: the model is {model['why']}"
    if not trust["labels"]:
        return
    for by, counts in trust["confusion"].items():
        yield ""
        yield f"labelled (down) against {by} (across), {counted(trust['labels'], 'request')}"
        yield " " * 12 + "".join(f" {_named(name, 11, right=True)}" for name in counts)
        for label, answered in counts.items():
            yield _named(label, 12) + "".join(f"{n:>12,}" for n in answered.values())
        yield ""
        yield f"reliability of the {by}: how often answers of a confidence are right"
        yield from _bins(trust["reliability"][by])


def _bins(bins: Sequence[Value]) -> Iterator[str]:
    yield f"{'confidence':<12} {'n':>6} {'mean':>7} {'right':>7}  95% interval"
    for row in bins:
        if row["n"]:
            between = f"{row['low']:.0%}–{row['high']:.0%}"
            yield (
                f"{between:<12} {row['n']:>6,} "
                f"{percent(row['confidence']):>7} {percent(row['accuracy']):>7}  "
                f"{_interval(row['ci95'])}"
            )


def _named(agent: str, width: int, *, right: bool = False) -> str:
    return fitted(screen_text(agent, one_line=True), width, right=right)


def _interval(bounds: Sequence[float]) -> str:
    return f"{100 * bounds[0]:.1f}–{100 * bounds[1]:.1f}%"
