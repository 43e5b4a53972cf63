"""Preflight: nothing trains until its examples were rendered, masked, cut and read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from db.store import Store
from exports.frozen import examples_of, find_dataset
from exports.rendering import load_template
from studio.evals.arms import base_arm
from studio.evals.evaluate import newest_rate
from studio.evals.known_suites import find_suite
from studio.training import data_checks, run_checks, template_checks
from studio.training.bases import Base, base_for
from studio.training.checks import Check, Flight
from studio.training.dry_run import runs_folder
from studio.training.recipe import Recipe, read_recipe

# In the order in which they are listed and shown.
CHECKS: tuple[Callable[[Flight], Check], ...] = (
    template_checks.render_prefix,
    template_checks.round_trip,
    template_checks.schema,
    template_checks.arguments,
    template_checks.mask,
    template_checks.stop_tokens,
    template_checks.truncation,
    template_checks.control_tokens,
    data_checks.leakage,
    data_checks.size,
    data_checks.mix,
    data_checks.small_agents,
    data_checks.learning_rate,
    run_checks.options_echo,
    run_checks.base_score,
    run_checks.dry_run,
    run_checks.resources,
    data_checks.hashes,
)

Progress = Callable[[float, float, str], None]


def preflight(
    store: Store,
    dataset: str,
    *,
    recipe: str | None = None,
    base: str | None = None,
    suites: Sequence[str] = (),
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run every check on a dataset; `ok` is false when one blocks."""
    read = read_recipe(recipe)[1] if recipe else None
    found_base = base_for(find_dataset(store, dataset), base, read.base if read else None)
    flight = prepare(store, dataset, read, found_base, suites)
    answers: list[Check] = []
    for number, check in enumerate(CHECKS):
        if progress is not None:
            progress(number, len(CHECKS), check.__name__)
        answers.append(check(flight))
        if answers[-1].status == "block":
            flight.blocked_by = flight.blocked_by or answers[-1].id
    return {
        "ok": all(answer.status != "block" for answer in answers),
        "dataset": flight.dataset.label,
        "base": found_base.name,
        "checks": [answer.as_dict() for answer in answers],
    }


def prepare(
    store: Store, dataset: str, recipe: Recipe | None, base: Base, suites: Sequence[str]
) -> Flight:
    """Read what is checked: the dataset's own `--avoid` suites count as well as those given."""
    frozen = find_dataset(store, dataset)
    names = dict.fromkeys([*(frozen.recipe.get("avoid") or ()), *suites])
    assert store.path is not None
    found_suites = [find_suite(name) for name in names]
    flight = Flight(
        location=str(store.path.resolve()),
        folder=runs_folder(store),
        dataset=frozen,
        examples=examples_of(store, frozen.id),
        base=base,
        template=load_template(base.folder),
        recipe=recipe,
        suites=found_suites,
    )
    if not flight.no_weights:
        flight.evaluated = newest_rate(store, base_arm(base), found_suites)
    return flight
