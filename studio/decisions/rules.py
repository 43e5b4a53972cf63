"""The rules of a decision: what must hold of an adapter before it serves, and what follows.

Every rule answers true, false or null (the data cannot decide), with its evidence in a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from db.counted import counted
from studio.evals.compare import Verdict, compare, sentence
from studio.settings import Settings, config_path, read_yaml


class Rules(Settings):
    """`decisions.yaml`."""

    min_rate: float | None = Field(default=None, ge=0, le=1)
    max_seconds_per_answer: float | None = Field(default=None, gt=0)
    margin: float = Field(default=0.02, gt=0, lt=1)
    max_detectable: float = Field(default=0.2, gt=0, le=1)
    require_preflight: bool = True


def read_rules(path: Path | None) -> Rules:
    """The rules of a file, else those of `decisions.yaml`."""
    return read_yaml(path or config_path("decisions.yaml"), Rules)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one arm beside the arm to beat: `delta` is an answer of `compare`.

    `seconds_to_beat` are the seconds an answer of the arm to beat.
    """

    spec: str
    trained: bool
    forced: bool
    rate: float
    seconds_per_answer: float | None
    delta: Mapping[str, Any]
    seconds_to_beat: float | None = None

    def outcomes(self) -> list[Verdict]:
        """Its verdict on every item that counts."""
        rows = (row for row in self.delta["items"] if not row.get("struck"))
        return [Verdict(row["item"], row["b"]) for row in rows]

    def verdicts(self, group: str) -> dict[str, str]:
        """The verdict in every category or agent."""
        return {name: str(delta["verdict"]) for name, delta in self.delta[group].items()}


@dataclass(frozen=True, slots=True)
class Ruling:
    """A rule applied: whether it holds (None: unknown) and what was seen."""

    id: str
    holds: bool | None
    evidence: str

    def as_dict(self) -> dict[str, Any]:
        """The JSON form of the command contract."""
        return {"id": self.id, "holds": self.holds, "evidence": self.evidence}


def apply(rules: Rules, arm: Evidence, few_shot: Evidence | None) -> list[Ruling]:
    """Every rule on one arm; `few_shot` is the best arm that only changes the prompt."""
    return [
        _suite_can_tell(rules, arm),
        _better_somewhere(arm),
        _no_category_worse(arm),
        _no_agent_worse(arm),
        _beats_few_shot(arm, few_shot),
        _preflight_passed(rules, arm),
        *_targets(rules, arm),
    ]


def _suite_can_tell(rules: Rules, arm: Evidence) -> Ruling:
    overall = arm.delta["overall"]
    seen = overall["detectable"]
    n = overall["a"]["n"]
    if seen is None:
        return Ruling(
            "suite_can_tell",
            False,
            f"{counted(n, 'item detects', 'items detect')} no difference at all",
        )
    return Ruling(
        "suite_can_tell",
        seen <= rules.max_detectable or overall["verdict"] != "undecided",
        f"{counted(n, 'item detects', 'items detect')} {100 * seen:.0f} points or more",
    )


def _better_somewhere(arm: Evidence) -> Ruling:
    better = _where(arm, "by_category", "better")
    verdict = arm.delta["overall"]["verdict"]
    seen = f"overall {sentence(arm.delta['overall'], arm.delta['margin'])}"
    holds = True if better or verdict == "better" else None if verdict == "undecided" else False
    return Ruling("better_somewhere", holds, seen + _list("; better in", better))


def _no_category_worse(arm: Evidence) -> Ruling:
    return _none_worse("no_category_worse", arm, "by_category", "forgetting:")


def _no_agent_worse(arm: Evidence) -> Ruling:
    if not arm.delta["by_agent"]:
        return Ruling("no_agent_worse", None, "the suite names no agents")
    return _none_worse("no_agent_worse", arm, "by_agent", "worse for")


def _none_worse(identity: str, arm: Evidence, group: str, words: str) -> Ruling:
    """False where one is worse, null where one is undecided."""
    worse, undecided = _where(arm, group, "worse"), _where(arm, group, "undecided")
    if worse:
        return Ruling(identity, False, _list(words, worse))
    seen = "none is shown to be worse" + _list("; undecided:", undecided)
    return Ruling(identity, None if undecided else True, seen)


def _beats_few_shot(arm: Evidence, few_shot: Evidence | None) -> Ruling:
    if not arm.trained:
        return Ruling("beats_few_shot", None, "this arm is not trained")
    if few_shot is None:
        return Ruling("beats_few_shot", None, "no few-shot arm was evaluated: try base+random4")
    margin = arm.delta["margin"]
    delta = compare(few_shot.outcomes(), arm.outcomes(), margin=margin)["overall"]
    holds = {"better": True, "worse": False, "equivalent": False}.get(delta["verdict"])
    return Ruling("beats_few_shot", holds, f"beside {few_shot.spec} {sentence(delta, margin)}")


def _preflight_passed(rules: Rules, arm: Evidence) -> Ruling:
    if not arm.trained:
        return Ruling("preflight_passed", None, "this arm is not trained")
    if not arm.forced:
        return Ruling("preflight_passed", True, "its examples passed preflight")
    return Ruling(
        "preflight_passed", not rules.require_preflight, "it was forced through preflight"
    )


def _targets(rules: Rules, arm: Evidence) -> list[Ruling]:
    rulings = []
    if rules.min_rate is not None:
        seen = f"{100 * arm.rate:.1f}%, wanted {100 * rules.min_rate:.1f}%"
        rulings.append(Ruling("rate_target", arm.rate >= rules.min_rate, seen))
    if rules.max_seconds_per_answer is not None:
        took = arm.seconds_per_answer
        holds = None if took is None else took <= rules.max_seconds_per_answer
        seen = "its speed is not known" if took is None else f"{took:.2f} s an answer"
        seen += f", at most {rules.max_seconds_per_answer:g} s wanted"
        rulings.append(Ruling("speed_target", holds, seen))
    return rulings


def _where(arm: Evidence, group: str, verdict: str) -> list[str]:
    return [name for name, found in arm.verdicts(group).items() if found == verdict]


def _list(before: str, names: list[str]) -> str:
    return f"{before} {', '.join(names)}" if names else ""


def conclude(arm: Evidence, rulings: list[Ruling], few_shot: Evidence | None) -> tuple[str, str]:
    """(verdict, scenario in a sentence) of one arm by its rulings."""
    holds = {ruling.id: ruling.holds for ruling in rulings}
    if not holds["suite_can_tell"] and not holds["better_somewhere"]:
        needed = arm.delta["overall"]["n_needed"]
        return "undecided", f"the suite is too small to tell; about {needed:,} items are needed"
    if not holds["better_somewhere"]:
        return _not_better(arm, holds)
    if holds["no_category_worse"] is False:
        agents = arm.verdicts("by_agent").values()
        if "better" in agents and holds["preflight_passed"] is not False:
            return "hybrid", f"{arm.spec} is better for some agents and worse in a category"
        return "retrain", f"{arm.spec} gains in one place and forgets in another"
    if few_shot is not None and arm.trained and _few_shot_is_enough(holds, few_shot):
        return (
            "few_shot",
            f"{arm.spec} is not shown to beat {few_shot.spec}, which needs no training",
        )
    if holds["preflight_passed"] is False:
        return "retrain", f"{arm.spec} is better, but was forced through preflight"
    if False in (holds.get("rate_target"), holds.get("speed_target")):
        return "iterate", f"{arm.spec} is better, but misses a target"
    return _better(arm, holds)


def _few_shot_is_enough(holds: Mapping[str, bool | None], few_shot: Evidence) -> bool:
    """Examples in the prompt that do as well; or that may, and beat the base themselves."""
    if holds["beats_few_shot"] is None:
        return bool(few_shot.delta["overall"]["verdict"] == "better")
    return not holds["beats_few_shot"]


def _better(arm: Evidence, holds: Mapping[str, bool | None]) -> tuple[str, str]:
    """Better where it was trained, no category worse, no target missed."""
    worse = _where(arm, "by_agent", "worse")
    if not arm.trained:
        return "few_shot", f"{arm.spec} beats the base without training"
    if not worse:
        return "deploy", f"{arm.spec} is better, and shown to be worse nowhere"
    if holds.get("rate_target"):
        return "deploy", f"{arm.spec} reaches the target, though worse for {', '.join(worse)}"
    return "hybrid", f"{arm.spec} is better, but worse for {', '.join(worse)}"


def _not_better(arm: Evidence, holds: Mapping[str, bool | None]) -> tuple[str, str]:
    """No gain was shown: harm, no difference, or too few items to say."""
    overall = arm.delta["overall"]
    bad = len(_where(arm, "by_category", "worse"))
    if bad > 1 and arm.trained:
        return "check_data", f"{arm.spec} is worse in {bad} categories: look at its data"
    if not bad and overall["verdict"] == "undecided":
        needed = overall["n_needed"]
        return "undecided", f"no difference shown; about {needed} items would decide"
    missed = False in (holds.get("rate_target"), holds.get("speed_target"))
    if missed and _no_faster(arm):
        return "abort", f"{arm.spec} misses a target and improves neither quality nor speed"
    if not bad and overall["verdict"] == "equivalent":
        return "keep_base", f"{arm.spec} makes no difference"
    return "keep_base", f"{arm.spec} is worse than the base"


def _no_faster(arm: Evidence) -> bool:
    """Whether an answer is known to take as long as the arm to beat needs, or longer."""
    if arm.seconds_per_answer is None or arm.seconds_to_beat is None:
        return False
    return arm.seconds_per_answer >= arm.seconds_to_beat
