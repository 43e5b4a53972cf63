"""Decide: the best of the arms by the rules, and which arm serves which agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from db.errors import BadInput
from db.interactions import dumps, loads
from db.models.base import table
from db.models.evaluations import Arm as ArmRow
from db.models.evaluations import Decision, Evaluation
from db.models.runs import Run
from db.store import Store, now_ms
from exports.suites import Suite
from studio import settings
from studio.decisions.rules import Evidence, Rules, apply, conclude, read_rules
from studio.evals.arms import Arm
from studio.evals.compare import compare
from studio.evals.evaluate import Progress
from studio.evals.known_suites import find_suite
from studio.evals.workbench import find_arms, verdicts_of

ARMS, EVALUATIONS, RUNS, DECISIONS = table(ArmRow), table(Evaluation), table(Run), table(Decision)
# The most that can be done comes first.
_RANK = ("deploy", "few_shot", "hybrid", "iterate", "retrain", "undecided", "keep_base",
         "check_data", "abort")  # fmt: skip


def decide_specs(
    store: Store,
    specs: Sequence[str],
    suite: str | None,
    *,
    rules: Path | None = None,
    against: str = "base",
    examples: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Decide between arms (all finished runs when none is named) and keep the decision.

    Raises BadInput when there is nothing to decide about.
    """
    given = list(specs) or _finished_runs(store)
    found_suite = find_suite(suite or _last_suite(store))
    read = read_rules(rules)
    candidates = [spec for spec in given if spec != against]
    if not candidates:
        raise BadInput("nothing to decide: name arms, or train and evaluate a run first")
    arms = find_arms(store, [against, *candidates], examples)
    evidence = _evidence(store, arms, found_suite, read, progress)
    value = {"against": against, "suite": found_suite.name, **decide(read, evidence, against)}
    keep(store, value)
    return value


def keep(store: Store, value: Mapping[str, Any]) -> int:
    """Keep a decision with its evidence and its routes; returns its number."""
    with store.write(durable=True) as connection:
        return int(
            connection.execute(
                insert(DECISIONS)
                .values(
                    created_ms=now_ms(),
                    verdict=value["verdict"],
                    scenario=value["scenario"],
                    report_json=dumps(value),
                )
                .returning(DECISIONS.c.id)
            ).scalar_one()
        )


def decide(rules: Rules, evidence: Sequence[Evidence], against: str) -> dict[str, Any]:
    """The verdict over all arms: that of the arm that gets furthest, with everyone's beside it."""
    untrained = [arm for arm in evidence if not arm.trained]
    few_shot = max(untrained, key=lambda arm: arm.rate, default=None)
    judged = []
    for arm in evidence:
        rulings = apply(rules, arm, few_shot if arm.trained else None)
        verdict, scenario = conclude(arm, rulings, few_shot)
        judged.append((_RANK.index(verdict), -arm.rate, arm, verdict, scenario, rulings))
    judged.sort(key=lambda row: row[:2])
    _, _, arm, verdict, scenario, rulings = judged[0]
    return {
        "verdict": verdict,
        "scenario": scenario,
        "arm": arm.spec,
        "rules": [ruling.as_dict() for ruling in rulings],
        "routes": _routes(verdict, arm, few_shot, against),
        "arms": [
            {
                "arm": other.spec,
                "verdict": its,
                "scenario": why,
                "rate": other.rate,
                "rules": [ruling.as_dict() for ruling in all_its],
                **{key: other.delta[key] for key in ("overall", "by_category", "by_agent")},
            }
            for _, _, other, its, why, all_its in judged
        ],
    }


def _routes(verdict: str, arm: Evidence, few_shot: Evidence | None, against: str) -> dict[str, str]:
    """Which arm serves which agent: the base wherever the arm was not shown to be as good."""
    by_agent = arm.verdicts("by_agent")
    names = list(settings.agents()) if not by_agent else list(by_agent)
    if verdict == "deploy":
        return {a: against if by_agent.get(a) == "worse" else arm.spec for a in names}
    if verdict == "few_shot" and few_shot is not None:
        worse = few_shot.verdicts("by_agent")
        return {a: against if worse.get(a) == "worse" else few_shot.spec for a in names}
    if verdict == "hybrid":
        return {a: arm.spec if by_agent.get(a) == "better" else against for a in names}
    return dict.fromkeys(names, against)


def _evidence(
    store: Store, arms: Sequence[Arm], suite: Suite, rules: Rules, progress: Progress | None
) -> list[Evidence]:
    verdicts = verdicts_of(store, arms, suite, progress=progress)
    forced = _forced_runs(store)
    to_beat = _report(store, arms[0], suite).get("seconds_per_answer")
    evidence = []
    for arm, own in zip(arms[1:], verdicts[1:], strict=True):
        report = _report(store, arm, suite)
        evidence.append(
            Evidence(
                spec=arm.spec,
                trained=arm.adapter is not None,
                forced=arm.adapter is not None and str(arm.adapter.parent) in forced,
                rate=sum(v.passed for v in own) / len(own),
                seconds_per_answer=report.get("seconds_per_answer"),
                delta=compare(verdicts[0], own, margin=rules.margin),
                seconds_to_beat=to_beat,
            )
        )
    return evidence


def _report(store: Store, arm: Arm, suite: Suite) -> dict[str, Any]:
    with store.read() as connection:
        found = connection.execute(
            select(EVALUATIONS.c.report_json)
            .join_from(EVALUATIONS, ARMS, EVALUATIONS.c.arm_id == ARMS.c.id)
            .where(ARMS.c.digest == arm.digest, EVALUATIONS.c.suite_sha256 == suite.sha256)
            .order_by(EVALUATIONS.c.id.desc())
        ).scalar()
    return dict(loads(found)) if found else {}


def _forced_runs(store: Store) -> set[str]:
    with store.read() as connection:
        return set(connection.execute(select(RUNS.c.folder).where(RUNS.c.forced)).scalars())


def _finished_runs(store: Store) -> list[str]:
    with store.read() as connection:
        rows = connection.execute(
            select(RUNS.c.id).where(RUNS.c.state == "finished").order_by(RUNS.c.id)
        ).scalars()
        return [f"run:{identity}" for identity in rows]


def _last_suite(store: Store) -> str:
    """The suite that was used last."""
    with store.read() as connection:
        name = connection.execute(
            select(EVALUATIONS.c.suite).order_by(EVALUATIONS.c.id.desc())
        ).scalar()
    if name is None:
        raise BadInput("nothing was evaluated yet: give --suite, or studio evaluate first")
    return str(name)
