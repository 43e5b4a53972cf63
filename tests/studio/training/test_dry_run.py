"""Two steps of the real trainer before a run: what they show, and what is said without them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from db.models.base import table
from db.models.evaluations import Arm, Evaluation
from db.store import Store
from studio.evals.arms import base_arm
from studio.training import run_checks
from studio.training.bases import find_base
from studio.training.checks import Flight
from studio.training.dry_run import Report
from studio.training.footprint import footprint, lora_parameters, weight_shapes
from studio.training.preflight import CHECKS
from studio.training.recipe import Lora
from tests.exports.bases import add_weights, make_base, trl_template
from tests.studio.training.flights import flight_of, good_recipe, good_rows

Prepare = Callable[..., Flight]
OF_A_RUN = [c for c in CHECKS if c.__module__ == run_checks.__name__]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base with random weights: one layer, 16 wide."""
    return add_weights(make_base(tmp_path_factory.mktemp("tiny"), trl_template("qwen2_5")))


@pytest.fixture
def ready(store: Store, tiny: Path) -> Prepare:
    """`ready(rows, recipe=…)`: what preflight is given, on the tiny base."""
    return partial(flight_of, store, tiny)


def seen(flight: Flight, **report: Any) -> Flight:
    """The flight after a dry run that gave this report."""
    whole = Report(
        device="cpu",
        memory_free=2**33,
        memory_peak=2**29,
        passed=12,
        scored=24,
        options=None,
        losses=[2.0, 1.5],
        gradients=[0.7, 0.5],
        step_seconds=0.5,
        logit_change=0.3,
        reload_error=0.0,
    )
    flight.dry_run = replace(whole, **report)
    return flight


def test_two_steps_of_the_real_trainer_and_they_are_not_taken_twice(ready: Prepare) -> None:
    recipe = good_recipe(batch_size=2, lora=Lora(r=4, alpha=8, targets=["q_proj", "v_proj"]))
    flight = ready(recipe=recipe)
    found = {check.__name__: check(flight) for check in OF_A_RUN}
    assert found["options_echo"].status == "pass"
    assert found["dry_run"].status == "pass", found["dry_run"]
    assert "saved and read back" in found["dry_run"].detail
    assert found["resources"].status == "pass"
    assert "16 steps in about" in found["resources"].detail
    # random weights make no calls; four validation turns are too few to say so
    assert found["base_score"].status == "warn"
    assert "passes 0 of 4 validation turns" in found["base_score"].detail

    report = flight.dry_run
    assert len(report.losses) == len(report.gradients) == 2
    assert report.options is not None
    assert report.options["lora"]["target_modules"] == ["q_proj", "v_proj"]
    (folder,) = (flight.folder / "dry-runs").iterdir()
    assert {path.name for path in folder.iterdir()} == {"request.json", "report.json", "log.txt"}

    kept = folder / "report.json"
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "device": "read, not run"}))
    assert ready(recipe=recipe).dry_run.device == "read, not run"


def test_a_recipe_that_the_trainer_refuses_blocks_with_its_words(ready: Prepare) -> None:
    rows = [row for row in good_rows() if row.split == "train"]
    flight = ready(rows, recipe=good_recipe(lora=Lora(targets=["query_proj"])))
    check = run_checks.dry_run(flight)
    assert check.status == "block"
    assert "query_proj" in check.detail
    assert run_checks.options_echo(flight).status == "warn"
    (folder,) = (flight.folder / "dry-runs").iterdir()
    assert not (folder / "report.json").exists()  # it is tried again the next time


def test_nothing_is_run_where_a_check_has_blocked_already(ready: Prepare) -> None:
    flight = ready()
    flight.blocked_by = "round_trip"
    for check in (run_checks.options_echo, run_checks.base_score, run_checks.dry_run):
        answer = check(flight)
        assert (answer.status, answer.detail) == ("warn", "not run: round_trip blocks already")
    assert not flight.folder.exists()


@pytest.mark.parametrize(
    ("report", "says"),
    [
        ({"losses": [2.0, float("nan")]}, "the loss is not finite: 2, nan"),
        ({"gradients": [0.5, 0.0]}, "gradient's norm is 0.5, 0"),
        ({"logit_change": 0.0}, "changes the logits by 0"),
        ({"logit_change": 0.4, "reload_error": 0.3}, "read back from the disk differs by 0.3"),
        ({"problem": "OutOfMemoryError: 2 GiB", "logit_change": None}, "OutOfMemoryError: 2 GiB"),
    ],
)
def test_what_would_make_the_run_worthless_blocks_it(
    ready: Prepare, report: dict[str, Any], says: str
) -> None:
    check = run_checks.dry_run(seen(ready(), **report))
    assert check.status == "block"
    assert says in check.detail
    assert check.remedy


def test_an_option_that_did_not_reach_the_trainer_blocks(ready: Prepare) -> None:
    recipe = good_recipe()
    received: dict[str, Any] = {"arguments": {}, "lora": {"target_modules": ["q_proj"]}}
    for _, part, name, wanted in run_checks.OPTIONS:
        received[part][name] = wanted(recipe)
    assert run_checks.options_echo(seen(ready(), options=received)).status == "pass"
    received["lora"]["r"] = 8
    check = run_checks.options_echo(seen(ready(), options=received))
    assert check.status == "block"
    assert "lora.r is 8 where the recipe says 16" in check.detail


@pytest.mark.parametrize(
    ("passed", "scored", "status", "says"),
    [
        (12, 24, "pass", "12 of 24 validation turns: 31–69%"),
        (0, 24, "block", "broken template"),
        (24, 24, "block", "nothing is left to learn"),
        (0, 5, "warn", "too few to tell"),
        (None, 0, "warn", "not run: no validation turn"),
    ],
)
def test_a_base_at_nothing_or_at_everything_blocks_where_the_items_are_enough(
    ready: Prepare, passed: int | None, scored: int, status: str, says: str
) -> None:
    check = run_checks.base_score(seen(ready(), passed=passed, scored=scored))
    assert check.status == status
    assert says in check.detail


def test_a_stored_evaluation_of_the_base_counts_before_a_sample(
    ready: Prepare, store: Store, tiny: Path
) -> None:
    arms, evaluations = table(Arm), table(Evaluation)
    with store.write() as connection:
        digest = base_arm(find_base(str(tiny))).digest
        arm = connection.execute(
            insert(arms).values(spec="base", digest=digest, details_json="{}").returning(arms.c.id)
        ).scalar_one()
        connection.execute(
            insert(evaluations).values(
                arm_id=arm,
                suite="nano",
                suite_sha256="0",
                n=200,
                created_ms=0,
                report_json='{"passed": 90, "n": 200}',
            )
        )
    flight = ready()
    check = run_checks.base_score(flight)
    assert check.status == "pass"
    assert "90 of 200 items of suite nano (stored evaluation)" in check.detail
    assert not flight.folder.exists()


def test_the_footprint_follows_from_the_shapes_of_the_weights(tiny: Path) -> None:
    shapes = weight_shapes(tiny)
    # q 16→16, k and v 16→8, o 16→16; gate and up 16→32, down 32→16
    attention = (16 + 16) + 2 * (16 + 8) + (16 + 16)
    assert lora_parameters(shapes, Lora(r=4)) == 4 * (attention + 3 * (16 + 32))
    assert lora_parameters(shapes, Lora(r=4, targets=["q_proj", "v_proj"])) == 4 * (32 + 24)
    recipe = good_recipe(batch_size=2, evaluate_every=8)
    small = footprint(tiny, recipe, rows=60, longest=100, value_bytes=4)
    weights = sum(path.stat().st_size for path in tiny.glob("*.safetensors"))
    assert small.weights == pytest.approx(weights, rel=0.1)
    half = footprint(tiny, recipe, rows=60, longest=100, value_bytes=2)
    assert half.weights == small.weights / 2
    more = footprint(tiny, good_recipe(batch_size=8), rows=60, longest=100, value_bytes=4)
    assert more.activations == 4 * small.activations
    cut = footprint(tiny, good_recipe(batch_size=2), rows=60, longest=9999, value_bytes=4)
    assert cut.activations == pytest.approx(5.12 * small.activations)
    often = footprint(tiny, good_recipe(evaluate_every=2), rows=60, longest=100, value_bytes=4)
    assert often.disk == 3 * small.disk


def test_too_little_memory_or_room_is_warned_of(ready: Prepare) -> None:
    gpu = {"device": "NVIDIA H200", "memory_free": 2**29}
    check = run_checks.resources(seen(ready(), **gpu))
    assert check.status == "warn"
    assert "too little memory" in check.detail
    assert "batch_size" in str(check.remedy)
    greedy = good_recipe(lora=Lora(r=1000), steps=10**7, evaluate_every=1)
    check = run_checks.resources(seen(ready(recipe=greedy)))
    assert check.status == "warn"
    assert "too little room on the disk" in check.detail


def test_without_a_recipe_only_the_base_is_scored(ready: Prepare) -> None:
    flight = seen(ready())
    flight.recipe = None
    found = {check.__name__: check(flight) for check in OF_A_RUN}
    assert found["base_score"].status == "pass"
    for name in ("options_echo", "dry_run", "resources"):
        assert found[name].detail == "not run: no recipe was given (--recipe)"


def test_steps_are_counted_as_the_trainer_counts_them() -> None:
    assert good_recipe(steps=7).total_steps(1000) == 7
    epochs = good_recipe(steps=None, epochs=1.5, batch_size=8, accumulate=2)
    assert epochs.total_steps(48) == 5  # three steps an epoch; the half of one counts whole
    assert epochs.total_steps(49) == 6
