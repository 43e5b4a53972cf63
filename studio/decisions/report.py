"""A decision in words: a summary to paste, a report to keep. Every rate has its n and interval."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from db.counted import counted
from studio.evals.compare import sentence

HOLDS = {True: "true", False: "false", None: "null"}
IN_WORDS = {True: "holds", False: "does not hold", None: "not known"}
VERDICTS: dict[str, str] = {
    "deploy": "deploy it",
    "few_shot": "few-shot is enough",
    "hybrid": "hybrid: the adapter for some agents",
    "iterate": "iterate: better, but not there yet",
    "retrain": "retrain",
    "undecided": "undecided: more items are needed",
    "keep_base": "keep the base model",
    "check_data": "check the data",
    "abort": "abort",
}

Decision = Mapping[str, Any]  # an answer of `decide_board`


def rate(figures: Mapping[str, Any]) -> str:
    """`274 of 380, 72.1% (67.4–76.4%)`."""
    low, high = figures["ci95"]
    return (
        f"{figures['passed']} of {figures['n']}, {100 * figures['rate']:.1f}% "
        f"({100 * low:.1f}–{100 * high:.1f}%)"
    )


def summary(value: Decision) -> str:
    """A few lines of plain text."""
    first = value["arms"][0]
    lines = [
        f"{value['verdict'].upper().replace('_', ' ')}: {value['scenario']}",
        f"Suite {value['suite']}, {counted(value['n'], 'item')}. "
        f"{value['against']}: {rate(first['overall']['a'])}",
    ]
    for arm in value["arms"]:
        said = sentence(arm["overall"], value["margin"])
        lines.append(f"{arm['arm']}: {rate(arm['overall']['b'])}; {said}")
    for rule in value["rules"]:
        lines.append(f"- {rule['id']} {IN_WORDS[rule['holds']]}: {rule['evidence']}")
    lines += [f"{arm} serves {', '.join(agents)}" for arm, agents in by_arm(value).items()]
    return "\n".join(lines) + "\n"


def by_arm(value: Decision) -> dict[str, list[str]]:
    """The agents that each arm serves."""
    served: dict[str, list[str]] = {}
    for agent, arm in value["routes"].items():
        served.setdefault(arm, []).append(agent)
    return served


def markdown(value: Decision, at_ms: int) -> str:
    """The whole report: verdict, arms, rules with their evidence, deltas by group, routes."""
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at_ms / 1000))
    title = VERDICTS[value["verdict"]]
    parts = [
        f"# {_cell(title[:1].upper() + title[1:])}",
        _cell(value["scenario"]),
        f"Verdict {value['verdict']} for {_cell(value['arm'])} against {_cell(value['against'])}, "
        f"on suite {_cell(value['suite'])} with {counted(value['n'], 'item')}; {when}. "
        "Intervals are 95%: Wilson for rates, "
        "Tango for paired differences; p by the exact McNemar test, adjusted by Holm within a "
        f"table. Differences within ±{100 * value['margin']:g} points count as none.",
        "## Arms",
        _arms(value),
    ]
    for arm in value["arms"]:
        parts += [f"## {_cell(arm['arm'])}", _cell(arm["scenario"]), _rules(arm["rules"])]
        parts.append(_deltas(arm, value["margin"]))
    parts += ["## Routes", _table(("agent", "served by"), list(value["routes"].items()))]
    return "\n\n".join(parts) + "\n"


def _arms(value: Decision) -> str:
    numbers = value["evaluations"]
    base = value["arms"][0]["overall"]["a"]
    rows = [(value["against"], numbers[value["against"]], rate(base), "the arm to beat", "")]
    rows += [
        (
            arm["arm"],
            numbers[arm["arm"]],
            rate(arm["overall"]["b"]),
            sentence(arm["overall"], value["margin"]),
            arm["verdict"],
        )
        for arm in value["arms"]
    ]
    return _table(("arm", "evaluation", "passed", "difference", "verdict"), rows)


def _rules(rules: Sequence[Mapping[str, Any]]) -> str:
    rows = [(rule["id"], HOLDS[rule["holds"]], rule["evidence"]) for rule in rules]
    return _table(("rule", "holds", "evidence"), rows)


def _deltas(arm: Mapping[str, Any], margin: float) -> str:
    rows = [
        (
            name,
            rate(figures["a"]),
            rate(figures["b"]),
            figures["fixed"],
            figures["broken"],
            sentence(figures, margin),
        )
        for name, figures in [
            ("overall", arm["overall"]),
            *arm["by_category"].items(),
            *((f"agent {agent}", figures) for agent, figures in arm["by_agent"].items()),
        ]
    ]
    return _table(("", "to beat", "this arm", "fixed", "broken", "difference"), rows)


def _table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(_cell(str(cell)) for cell in row) + " |" for row in lines)


def _cell(text: str) -> str:
    """A name from outside as one harmless cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
