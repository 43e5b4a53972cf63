"""What is said of a dataset: what is in it, its agents against the plan, what was left out, why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.content import Content

from db.counted import counted
from studio.screen_text import screen_text
from studio.widgets.columns import fitted

BAR = 24  # cells of a share of 100%
WORDS = {
    "dropped": "dropped by hand",
    "failed": "the interaction failed",
    "failed_tests": "its code failed the tests",
    "exact_duplicate": "the same text as another one",
    "near_duplicate": "nearly the same as another one",
    "no_answer": "nothing in it answers",
    "tool_not_offered": "calls a tool that it was not offered",
    "same_or_surplus_solution": "another solution of its problem was taken",
    "leaked": "a suite asks the same",
    "shared_with_another_split": "a long passage that a split to judge with has too",
    "replay_leaked": "general examples that a suite asks",
    "too_long": "longer than the tokens allowed",
    "over_the_mix": "more than the mix has room for",
    "over_budget": "more than the budget has room for",
    "truncated": "the answer was cut off",
    "unreadable_call": "a call that cannot be read",
    "refusal": "the model refused",
    "short_answer": "hardly an answer",
    "broken_code": "code that does not parse",
    "repetitive": "repeats itself",
}


def report_of(
    report: Mapping[str, Any],
    plan: Mapping[str, float],
    recipe: Mapping[str, Any] | None = None,
    *,
    brief: bool = False,
) -> Content:
    """The report of `studio build`; `plan` are the planned shares of the agents (0..1)."""
    parts = [Content.assemble(*_sizes(report))]
    if brief and report["dropped"]:
        parts.append(dropped_line(report["dropped"]))
    if recipe is not None:
        parts.append(Content.styled(_clean(recipe_line(recipe)), "$text-muted"))
        if recipe.get("template") == "legacy":
            parts.append(Content.styled("! template legacy: preflight blocks it", "$text-error"))
    parts += walls_of(report)
    parts += [Content(""), mix_of(report["by_agent"], plan)]
    if report["dropped"] and not brief:
        parts += [Content(""), dropped_of(report["dropped"])]
    if report["converted"]:
        said = ", ".join(f"{name} {n:,}" for name, n in report["converted"].items())
        parts += [Content(""), Content(_clean(f"calls turned into the template: {said}"))]
    return Content("\n").join(parts)


def _sizes(report: Mapping[str, Any]) -> list[Content]:
    counts = " · ".join(f"{n:,} {split}" for split, n in report["examples"].items())
    general = f", {counted(report['replay'], 'general example')}" if report["replay"] else ""
    tokens = "" if report["tokens"] is None else f"{counted(report['tokens'], 'token')} · "
    return [
        Content.styled(_clean(counts), "bold"),
        Content(f"\n{tokens}{counted(report['problems'], 'problem')}{general}"),
    ]


def recipe_line(recipe: Mapping[str, Any]) -> str:
    """How a dataset was built, as the options of `studio build`, without what is usual."""
    words = [f"filter {recipe['where'] or 'none'}", f"strategy {recipe['strategy']}"]
    if recipe["strategy"] == "diverse":
        words.append(f"{recipe['solutions']} solutions")
    if recipe["budget"] is not None:
        words.append(f"budget {recipe['budget']:,}")
    words.append(f"split {recipe['split']}")
    words += [f"{name} {recipe[name]}" for name in ("seed", "replay") if recipe[name]]
    if recipe["mix"] != "as_is":
        words.append(f"mix {recipe['mix']}")
    if recipe["avoid"]:
        words.append(f"avoids {' '.join(recipe['avoid'])}")
    if recipe.get("base"):
        words.append(f"for {recipe['base'].rpartition('/')[2]}")
    return " · ".join(words)


def walls_of(report: Mapping[str, Any]) -> list[Content]:
    """What is struck from the verdict of which suite, where that was the choice."""
    walls = (report.get("overlap") or {}).get("suites", ())
    return [
        Content.styled(
            _clean(
                f"! {len(wall['struck']):,} of {wall['items']:,} items of {wall['suite']} are "
                "struck from its verdict: they are in here"
            ),
            "$text-warning",
        )
        for wall in walls
        if wall["struck"]
    ]


def mix_of(by_agent: Mapping[str, int], plan: Mapping[str, float]) -> Content:
    """A bar for each agent; the plan is the line in it."""
    total = sum(by_agent.values()) or 1
    lines = [Content.styled("agent            n  share   (│ is the plan)", "bold")]
    names = [*(name for name in plan if name in by_agent or plan[name]), *by_agent]
    for name in dict.fromkeys(names):
        share, planned = by_agent.get(name, 0) / total, plan.get(name)
        lines.append(
            Content.assemble(
                fitted(_clean(name), 12),
                f" {by_agent.get(name, 0):>5,} {100 * share:>4.0f}%  ",
                Content.styled(bar(share, planned), "$text-accent"),
                "  no plan" if planned is None else f"  plan {100 * planned:.0f}%",
            )
        )
    return Content("\n").join(lines)


def bar(share: float, planned: float | None, cells: int = BAR) -> str:
    """A share as a bar with a line where the plan ends."""
    filled = round(share * cells)
    drawn = ["█"] * filled + ["·"] * (cells - filled)
    if planned is not None:
        drawn[min(cells - 1, round(planned * cells))] = "│"
    return "".join(drawn)


def dropped_of(dropped: Mapping[str, int]) -> Content:
    """How many were left out for which reason."""
    lines: Sequence[Content] = [
        Content.styled(f"left out: {sum(dropped.values()):,}", "bold"),
        *(
            Content(_clean(f"{n:>7,}  {WORDS.get(reason, reason.replace('_', ' '))}"))
            for reason, n in dropped.items()
        ),
    ]
    return Content("\n").join(lines)


def dropped_line(dropped: Mapping[str, int]) -> Content:
    """The same in a line or two."""
    said = " · ".join(
        f"{n:,} {WORDS.get(reason, reason.replace('_', ' '))}" for reason, n in dropped.items()
    )
    return Content(_clean(f"left out {sum(dropped.values()):,}: {said}"))


def _clean(text: str) -> str:
    return screen_text(text.replace("\n", " "))
