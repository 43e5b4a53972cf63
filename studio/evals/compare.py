"""Two arms on the same items: the paired difference, and what it lets us say.

*better* and *worse* need both the interval to leave zero out and the exact test, adjusted for the
groups read beside it, to reach p < 0.05. *equivalent* means that the interval lies within the
margin. Everything else is *undecided*, with the number of items that would decide it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.counted import counted
from db.errors import BadInput
from studio.evals import statistics

MARGIN = 0.02


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of one item in one arm; `struck` ones stand aside of every figure."""

    item: str
    verdict: str
    category: str = ""
    agent: str = ""
    struck: bool = False

    @property
    def passed(self) -> bool:
        """Whether it counts as passed; everything but `passed` does not."""
        return self.verdict == "passed"


def rate(passed: int, n: int) -> dict[str, Any]:
    """`{n, passed, rate, ci95}`, the form of every rate that is shown."""
    return {
        "n": n,
        "passed": passed,
        "rate": passed / n if n else None,
        "ci95": list(statistics.wilson(passed, n)),
    }


def rates_by(verdicts: Sequence[Verdict], key: Callable[[Verdict], str]) -> dict[str, Any]:
    """A rate for every value of the key that occurs, in the order of the names."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(key(verdict), []).append(verdict)
    return {
        name: rate(sum(v.passed for v in group), len(group))
        for name, group in sorted(groups.items())
        if name
    }


def compare(
    a: Sequence[Verdict], b: Sequence[Verdict], *, margin: float = MARGIN
) -> dict[str, Any]:
    """Overall, by category and by agent, and the items with both verdicts.

    Items that are struck from one of the verdicts count in no figure; `struck` says how many
    there are and how many of them each passed. Raises BadInput when the two do not hold the same
    items, or when all of them are struck.
    """
    every = _pair(a, b)
    pairs = [pair for pair in every if not _is_struck(pair)]
    if not pairs:
        raise BadInput("every item is struck from the verdict: evaluate on another suite")
    overall = _delta(pairs, margin)
    overall["p_adjusted"] = overall["p_value"]
    _decide(overall, margin)
    return {
        "overall": overall,
        "by_category": _by(pairs, lambda pair: pair[0].category, margin),
        "by_agent": _by(pairs, lambda pair: pair[0].agent, margin),
        "items": [
            {
                "item": left.item,
                "category": left.category or None,
                "agent": left.agent or None,
                "a": left.verdict,
                "b": right.verdict,
                **({"struck": True} if _is_struck((left, right)) else {}),
            }
            for left, right in every
        ],
        "struck": _struck_apart([pair for pair in every if _is_struck(pair)]),
        "margin": margin,
    }


def sentence(delta: Mapping[str, Any], margin: float = MARGIN) -> str:
    """One line that says what the difference lets us say."""
    low, high = (100 * bound for bound in delta["delta_ci95"])
    points = f"{100 * delta['delta']:+.1f} points ({low:+.1f} to {high:+.1f})"
    match delta["verdict"]:
        case "better" | "worse" as verdict:
            p_value = statistics.p_in_words(delta["p_adjusted"])
            sign = "" if p_value.startswith("<") else "= "
            return f"{verdict}: {points}, p {sign}{p_value}"
        case "equivalent":
            return f"equivalent: {points} lies within ±{100 * margin:.0f} points"
        case _:
            seen = delta["detectable"]
            known = (
                f"{counted(delta['a']['n'], 'item detects', 'items detect')} "
                f"{100 * seen:.0f} points or more"
                if seen is not None
                else f"{counted(delta['a']['n'], 'item detects', 'items detect')} nothing"
            )
            return f"undecided: {points}; {known}, about {delta['n_needed']:,} are needed"


def read_verdicts(path: Path) -> list[Verdict]:
    """Verdicts from a JSONL file of `{item, passed, category?, agent?}` (or `verdict`) rows.

    Raises BadInput with file, line and cause.
    """
    verdicts: list[Verdict] = []
    seen: dict[str, int] = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        verdict = _verdict(line, path, number)
        if verdict.item in seen:
            raise BadInput(
                f"{path}:{number}: item {verdict.item!r} stands already in line "
                f"{seen[verdict.item]}; each item counts once"
            )
        seen[verdict.item] = number
        verdicts.append(verdict)
    if not verdicts:
        raise BadInput(f"{path}: holds no rows")
    return verdicts


def _verdict(line: str, path: Path, number: int) -> Verdict:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}:{number}: not JSON: {error}") from error
    if not isinstance(row, dict) or "item" not in row:
        raise BadInput(f"{path}:{number}: a row needs the keys item and passed")
    passed = row.get("passed")
    verdict = row.get("verdict")
    if isinstance(verdict, str) and verdict:
        if isinstance(passed, bool) and passed != (verdict == "passed"):
            raise BadInput(f"{path}:{number}: passed and verdict contradict each other")
    elif isinstance(passed, bool) or passed in (0, 1):
        verdict = "passed" if passed else "wrong_answer"
    else:
        raise BadInput(f"{path}:{number}: passed must be true or false")
    return Verdict(
        str(row["item"]), verdict, str(row.get("category") or ""), str(row.get("agent") or "")
    )


Pair = tuple[Verdict, Verdict]


def _pair(a: Sequence[Verdict], b: Sequence[Verdict]) -> list[Pair]:
    right = {verdict.item: verdict for verdict in b}
    left = {verdict.item: verdict for verdict in a}
    for ours, theirs, name in ((left, right, "first"), (right, left, "second")):
        alone = [item for item in ours if item not in theirs]
        if alone:
            raise BadInput(
                f"{counted(len(alone), 'item is', 'items are')} only in the {name} of the "
                f"two ({', '.join(alone[:3])}"
                f"{', …' if len(alone) > 3 else ''}); a comparison needs the same items in both"
            )
    return [(verdict, right[verdict.item]) for verdict in a]


def _is_struck(pair: Pair) -> bool:
    return pair[0].struck or pair[1].struck


def _struck_apart(pairs: Sequence[Pair]) -> dict[str, int]:
    return {
        "n": len(pairs),
        "a_passed": sum(a.passed for a, _ in pairs),
        "b_passed": sum(b.passed for _, b in pairs),
    }


def struck_sentence(struck: Mapping[str, int]) -> str:
    """One line about the items that stand aside."""
    return (
        f"{counted(struck['n'], 'item is', 'items are')} struck, since the training side "
        "shares them: "
        f"A passed {struck['a_passed']:,} of them, B {struck['b_passed']:,}"
    )


def _by(pairs: Sequence[Pair], key: Callable[[Pair], str], margin: float) -> dict[str, Any]:
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        if key(pair):
            groups.setdefault(key(pair), []).append(pair)
    deltas = {name: _delta(group, margin) for name, group in sorted(groups.items())}
    adjusted = statistics.holm([delta["p_value"] for delta in deltas.values()])
    for delta, p_value in zip(deltas.values(), adjusted, strict=True):
        delta["p_adjusted"] = p_value
        _decide(delta, margin)
    return deltas


def _delta(pairs: Sequence[Pair], margin: float) -> dict[str, Any]:
    n = len(pairs)
    fixed = sum(b.passed and not a.passed for a, b in pairs)
    broken = sum(a.passed and not b.passed for a, b in pairs)
    discordance = (fixed + broken) / n if n else 0.0
    delta = (fixed - broken) / n if n else 0.0
    needed = (
        statistics.items_needed(delta, discordance)
        if fixed != broken
        else statistics.items_for_equivalence(margin, discordance)
    )
    return {
        "a": rate(sum(a.passed for a, _ in pairs), n),
        "b": rate(sum(b.passed for _, b in pairs), n),
        "delta": delta,
        "delta_ci95": list(statistics.paired_interval(fixed, broken, n)),
        "p_value": statistics.mcnemar(fixed, broken),
        "fixed": fixed,
        "broken": broken,
        "both": sum(a.passed and b.passed for a, b in pairs),
        "neither": sum(not a.passed and not b.passed for a, b in pairs),
        "n_needed": max(needed, n + 1),
        "detectable": statistics.detectable(n, discordance),
    }


def _decide(delta: dict[str, Any], margin: float) -> None:
    """Add the verdict; a decided one needs no more items."""
    low, high = delta["delta_ci95"]
    sure = delta["p_adjusted"] < statistics.ALPHA
    if -margin <= low and high <= margin:
        delta["verdict"] = "equivalent"
    elif sure and low > 0:
        delta["verdict"] = "better"
    elif sure and high < 0:
        delta["verdict"] = "worse"
    else:
        delta["verdict"] = "undecided"
    if delta["verdict"] != "undecided":
        delta["n_needed"] = None
