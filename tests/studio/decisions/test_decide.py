"""What follows from a difference: every verdict from constructed evaluations, with its evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from db.errors import BadInput
from db.interactions import loads
from db.models.base import table
from db.models.evaluations import Arm, Decision, Evaluation, Outcome
from db.models.runs import Checkpoint, Run
from db.store import Store
from exports.frozen import ExampleRow, freeze
from exports.suites import Suite, read_suite
from studio.decisions.decide import decide, decide_specs
from studio.decisions.rules import Evidence, Rules, apply, read_rules
from studio.evals.arms import Arm as FoundArm
from studio.evals.compare import Verdict, compare
from studio.evals.workbench import find_arms

# (category, agent) -> (items, items that pass); the passing ones are the first ones.
Results = dict[tuple[str, str], tuple[int, int]]
BASE: Results = {("tool_call", "coder"): (100, 50), ("reasoning", "researcher"): (100, 50)}


def verdicts(results: Results) -> list[Verdict]:
    return [
        Verdict(f"{category}{n}", "passed" if n < passed else "wrong_answer", category, agent)
        for (category, agent), (items, passed) in results.items()
        for n in range(items)
    ]


def evidence(spec: str, results: Results, base: Results = BASE, **more: Any) -> Evidence:
    """An arm with these results beside a base with those."""
    own = verdicts(results)
    given: dict[str, Any] = {
        "trained": not spec.startswith("base"),
        "forced": False,
        "seconds_per_answer": 1.0,
        "seconds_to_beat": 1.0,
        **more,
    }
    return Evidence(
        spec=spec,
        rate=sum(v.passed for v in own) / len(own),
        delta=compare(verdicts(base), own),
        **given,
    )


def passing(tools: int, reasoning: int) -> Results:
    return {
        ("tool_call", "coder"): (100, tools),
        ("reasoning", "researcher"): (100, reasoning),
    }


def decided(*arms: Evidence, **rules: Any) -> dict[str, Any]:
    return decide(Rules(**rules), arms, "base")


def holds(value: dict[str, Any]) -> dict[str, bool | None]:
    return {rule["id"]: rule["holds"] for rule in value["rules"]}


def test_better_and_worse_nowhere_is_deployed_to_every_agent() -> None:
    value = decided(evidence("run:1", passing(90, 50)))
    assert (value["verdict"], value["arm"]) == ("deploy", "run:1")
    assert value["routes"] == {"coder": "run:1", "researcher": "run:1"}
    assert "worse nowhere" in value["scenario"]
    found = holds(value)
    assert found["better_somewhere"] is True
    assert found["preflight_passed"] is True
    assert found["beats_few_shot"] is None
    assert all(rule["evidence"] for rule in value["rules"])


def test_better_for_one_agent_and_worse_for_another_is_hybrid() -> None:
    value = decided(evidence("run:1", passing(90, 20)))
    assert value["verdict"] == "hybrid"
    assert value["routes"] == {"coder": "run:1", "researcher": "base"}
    assert holds(value)["no_category_worse"] is False
    assert "forgetting: reasoning" in str(value["rules"])


def test_an_agent_that_gets_worse_stays_with_the_base_though_no_category_is_worse() -> None:
    base = {("code", "coder"): (100, 40), ("code ", "tester"): (100, 60)}
    better = {("code", "coder"): (100, 95), ("code ", "tester"): (100, 30)}
    same_category = [
        [Verdict(f"{v.category}{v.item}", v.verdict, "code", v.agent) for v in verdicts(results)]
        for results in (base, better)
    ]
    arm = Evidence("run:1", True, False, 0.6, None, compare(same_category[0], same_category[1]))
    value = decide(Rules(), [arm], "base")
    assert value["verdict"] == "hybrid"
    assert value["routes"] == {"coder": "run:1", "tester": "base"}
    met = decide(Rules(min_rate=0.5), [arm], "base")  # the whole reaches what was asked for
    assert met["verdict"] == "deploy"
    assert met["routes"] == {"coder": "run:1", "tester": "base"}


def test_a_gain_that_costs_another_category_of_the_same_agent_is_retrained() -> None:
    base = {("tool_call", "coder"): (100, 50), ("reasoning", "coder"): (100, 60)}
    found = {("tool_call", "coder"): (100, 90), ("reasoning", "coder"): (100, 20)}
    value = decided(evidence("run:1", found, base))
    assert value["verdict"] == "retrain"
    assert value["routes"] == {"coder": "base"}


def test_worse_in_one_category_keeps_the_base() -> None:
    value = decided(evidence("run:1", passing(50, 10)))
    assert value["verdict"] == "keep_base"
    assert value["routes"] == {"coder": "base", "researcher": "base"}
    assert holds(value)["better_somewhere"] is False


def test_worse_in_several_categories_points_at_the_data() -> None:
    value = decided(evidence("run:1", passing(5, 10)))
    assert value["verdict"] == "check_data"
    assert "2 categories" in value["scenario"]
    prompted = decided(evidence("base+random4", passing(5, 10)))  # it was trained on no data
    assert prompted["verdict"] == "keep_base"


def test_no_difference_shown_on_enough_items_keeps_the_base() -> None:
    value = decided(evidence("run:1", passing(50, 50)))
    assert value["verdict"] == "keep_base"
    assert "no difference" in value["scenario"]


def test_too_few_items_decide_nothing_and_the_rules_say_null() -> None:
    base = {("tool_call", "coder"): (12, 6), ("reasoning", "researcher"): (12, 0)}
    found = {("tool_call", "coder"): (12, 6), ("reasoning", "researcher"): (12, 1)}
    value = decided(evidence("run:1", found, base))
    assert value["verdict"] == "undecided"
    assert "items" in value["scenario"]
    assert set(value["routes"].values()) == {"base"}
    assert holds(value)["better_somewhere"] is None
    assert holds(value)["no_category_worse"] is None
    assert holds(value)["no_agent_worse"] is None


def test_a_suite_without_agents_leaves_the_agents_open() -> None:
    base = {("tool_call", ""): (100, 50)}
    value = decided(evidence("run:1", {("tool_call", ""): (100, 90)}, base))
    assert value["verdict"] == "deploy"
    assert holds(value)["no_agent_worse"] is None
    assert set(value["routes"].values()) == {"run:1"}


def test_a_run_that_was_forced_through_preflight_may_not_serve() -> None:
    for results in (passing(90, 50), passing(90, 20)):
        value = decided(evidence("run:1", results, forced=True))
        assert value["verdict"] == "retrain"
        assert set(value["routes"].values()) == {"base"}
        assert holds(value)["preflight_passed"] is False
    allowed = decided(evidence("run:1", passing(90, 50), forced=True), require_preflight=False)
    assert allowed["verdict"] == "deploy"


def test_examples_in_the_prompt_that_do_as_well_are_enough() -> None:
    few_shot = evidence("base+random4", passing(90, 50))
    value = decided(evidence("run:1", passing(90, 50)), few_shot)
    assert value["verdict"] == "few_shot"
    assert set(value["routes"].values()) == {"base+random4"}
    judged = {arm["arm"]: arm["verdict"] for arm in value["arms"]}
    assert judged == {"run:1": "few_shot", "base+random4": "few_shot"}


def test_an_adapter_must_be_shown_to_beat_examples_that_help() -> None:
    few_shot = evidence("base+random4", passing(80, 50))
    near = decided(few_shot, evidence("run:1", passing(82, 50)))
    assert near["verdict"] == "few_shot"
    run = next(arm for arm in near["arms"] if arm["arm"] == "run:1")
    assert "not shown to beat" in run["scenario"]
    far = decided(few_shot, evidence("run:1", passing(99, 70)))
    assert (far["verdict"], far["arm"]) == ("deploy", "run:1")
    assert holds(far)["beats_few_shot"] is True


def test_examples_that_do_not_help_are_no_reason_against_an_adapter() -> None:
    value = decided(evidence("base+random4", passing(30, 30)), evidence("run:1", passing(90, 50)))
    assert (value["verdict"], value["arm"]) == ("deploy", "run:1")


def test_examples_alone_can_win_and_leave_an_agent_that_they_harm_with_the_base() -> None:
    value = decided(evidence("base+random4", passing(90, 50)))
    assert value["verdict"] == "few_shot"
    assert holds(value)["preflight_passed"] is None


@pytest.mark.parametrize(
    ("rules", "rule"),
    [({"min_rate": 0.98}, "rate_target"), ({"max_seconds_per_answer": 0.5}, "speed_target")],
)
def test_better_but_short_of_a_target_is_iterated(rules: dict[str, float], rule: str) -> None:
    value = decided(evidence("run:1", passing(90, 50)), **rules)
    assert value["verdict"] == "iterate"
    assert holds(value)[rule] is False


def test_a_target_missed_with_neither_quality_nor_speed_improved_is_aborted() -> None:
    same = passing(50, 50)
    value = decided(evidence("run:1", same, seconds_per_answer=13.0), max_seconds_per_answer=12)
    assert value["verdict"] == "abort"
    assert "neither quality nor speed" in value["scenario"]
    faster = evidence("run:1", same, seconds_per_answer=13.0, seconds_to_beat=20.0)
    assert decided(faster, max_seconds_per_answer=12)["verdict"] == "keep_base"
    unknown = evidence("run:1", same, seconds_to_beat=None, seconds_per_answer=13.0)
    assert decided(unknown, max_seconds_per_answer=12)["verdict"] == "keep_base"


def test_a_speed_that_nobody_measured_is_null() -> None:
    arm = evidence("run:1", passing(90, 50), seconds_per_answer=None)
    rulings = {ruling.id: ruling for ruling in apply(Rules(max_seconds_per_answer=1), arm, None)}
    assert rulings["speed_target"].holds is None
    assert "not known" in rulings["speed_target"].evidence


def test_the_arm_that_gets_furthest_decides_and_every_arm_is_listed() -> None:
    value = decided(
        evidence("run:1", passing(5, 10)),
        evidence("run:2", passing(90, 50)),
        evidence("run:3", passing(80, 50)),
    )
    assert (value["verdict"], value["arm"]) == ("deploy", "run:2")
    assert [arm["arm"] for arm in value["arms"]] == ["run:2", "run:3", "run:1"]


def test_rules_come_from_a_file_and_a_typo_is_pointed_at(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("min_rate: 0.98\nmargin: 0.05\n")
    assert read_rules(path).min_rate == 0.98
    assert read_rules(None).require_preflight is True
    path.write_text("min_rat: 0.98\n")
    with pytest.raises(BadInput, match=r"mine\.yaml: min_rat"):
        read_rules(path)


SUITE_ROW = (
    '{"id": "q%d", "category": "reasoning", "agent": "coder", "messages": '
    '[{"role": "user", "content": "%d?"}], "scorer": {"kind": "answer", "answer": "1"}}\n'
)


def store_run(store: Store, folder: Path) -> None:
    """A finished run that was forced through preflight, on a base of its own."""
    base, adapter = folder / "base", folder / "1" / "checkpoint-1"
    for place in (base, adapter):
        place.mkdir(parents=True)
        (place / "model.safetensors").write_bytes(b"not read here")
        (place / "tokenizer.json").write_text("{}")
        (place / "config.json").write_text("{}")
    message = {"role": "user", "content": "x"}
    freeze(store, "d", {}, [ExampleRow("train", "interaction", [message], [])], {})
    run = {"dataset_id": 1, "recipe": "r", "recipe_json": "{}", "base": str(base), "forced": True}
    state = {"folder": str(adapter.parent), "state": "finished", "created_ms": 0, "step": 1}
    checkpoint = {"run_id": 1, "step": 1, "path": str(adapter), "digest": "x"}
    with store.write() as connection:
        connection.execute(insert(table(Run)).values(**run, **state))
        connection.execute(insert(table(Checkpoint)).values(checkpoint))


def store_evaluation(store: Store, arm: FoundArm, suite: Suite, passed: int) -> None:
    """The first `passed` items of the suite pass."""
    arms, evaluations = table(Arm), table(Evaluation)
    with store.write() as connection:
        named = {"spec": arm.spec, "digest": arm.digest, "details_json": "{}"}
        arm_id = connection.execute(insert(arms).values(named).returning(arms.c.id)).scalar_one()
        whole = {
            "arm_id": arm_id,
            "suite": suite.name,
            "suite_sha256": suite.sha256,
            "n": len(suite.items),
            "created_ms": 0,
            "report_json": '{"seconds_per_answer": 1.5}',
        }
        statement = insert(evaluations).values(whole).returning(evaluations.c.id)
        evaluation = connection.execute(statement).scalar_one()
        outcomes = [
            {
                "evaluation_id": evaluation,
                "item": item.id,
                "category": item.category,
                "agent": item.agent,
                "verdict": "passed" if number < passed else "wrong_answer",
                "detail": "",
            }
            for number, item in enumerate(suite.items)
        ]
        connection.execute(insert(table(Outcome)), outcomes)


def test_a_decision_from_stored_evaluations_is_kept_with_its_evidence(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "suite.jsonl"
    path.write_text("".join(SUITE_ROW % (n, n) for n in range(100)))
    suite = read_suite(path)
    store_run(store, tmp_path)
    arms = find_arms(store, ["base", "run:1"], None)
    for arm, passed in zip(arms, (40, 90), strict=True):
        store_evaluation(store, arm, suite, passed)
    value = decide_specs(store, [], str(path))  # every finished run
    assert (value["verdict"], value["against"]) == ("retrain", "base")
    assert "forced through preflight" in value["scenario"]
    assert value["routes"] == {"coder": "base"}
    with store.read() as connection:
        row = connection.execute(select(table(Decision))).one()
    assert (row.verdict, loads(row.report_json)) == ("retrain", value)


def test_nothing_to_decide_is_said(store: Store) -> None:
    with pytest.raises(BadInput, match="nothing was evaluated yet"):
        decide_specs(store, [], None)
    with pytest.raises(BadInput, match="nothing to decide"):
        decide_specs(store, ["base"], "nano")
