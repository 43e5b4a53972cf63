"""Preflight: nothing trains until its examples were rendered, masked, cut and read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from db.store import Store
from exports.frozen import examples_of, find_dataset
from exports.rendering import load_template
from studio.evals.known_suites import find_suite
from studio.training import data_checks, template_checks
from studio.training.bases import Base, find_base
from studio.training.checks import Check, Flight
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
    found_base = find_base(base or (read.base if read else "nano"))
    flight = prepare(store, dataset, read, found_base, suites)
    answers: list[Check] = []
    for number, check in enumerate(CHECKS):
        if progress is not None:
            progress(number, len(CHECKS), check.__name__)
        answers.append(check(flight))
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
    return Flight(
        dataset=frozen,
        examples=examples_of(store, frozen.id),
        base=base,
        template=load_template(base.folder),
        recipe=recipe,
        suites=[find_suite(name) for name in names],
    )
