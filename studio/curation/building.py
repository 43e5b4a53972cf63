"""From the store to a dataset: problems assigned, the base's own replay and tokens, then built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from db.errors import BadInput
from db.store import Store
from exports.conversation import Message, Tool
from exports.dataset import BuildRecipe, build
from exports.rendering import load_template
from studio.curation.problems import assign_problems
from studio.evals.known_suites import find_suite
from studio.training.bases import find_base


def build_dataset(store: Store, recipe: BuildRecipe, *, base: str) -> dict[str, Any]:
    """Build with the base's general examples where none were named; returns the report."""
    found = find_base(base)
    if recipe.replay and recipe.replay_from is None:
        if found.replay is None:
            raise BadInput(
                f"the base {base} has no general examples: give --replay-from FILE.jsonl"
            )
        recipe = replace(recipe, replay_from=str(found.replay))
    recipe.check()
    assign_problems(store)
    template = load_template(found.folder)

    def count(messages: Sequence[Message], tools: Sequence[Tool]) -> int:
        return len(template.render(messages, tools).ids)

    avoid = [find_suite(name) for name in recipe.avoid]
    return build(store, recipe, avoid=avoid, count_tokens=count)
