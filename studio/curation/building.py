"""From the store to a dataset: problems assigned, the base's own replay and tokens, then built."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from db.errors import BadInput
from db.store import Store
from exports.choosing import CountTokens
from exports.conversation import Message, Tool
from exports.dataset import BuildRecipe, build, draft
from exports.rendering import Template, load_template
from exports.tokens import TokenCounter
from studio import settings
from studio.curation.problems import assign_problems
from studio.evals.known_suites import find_suite
from studio.training.bases import find_base, lasting_name

Tell = Callable[[str], None]


def build_dataset(
    store: Store,
    recipe: BuildRecipe,
    *,
    base: str,
    only_draft: bool = False,
    tell: Tell = lambda _: None,
) -> dict[str, Any]:
    """Build with the base's general examples and the team's plan where none are named.

    Returns the report, and who counted the tokens. A draft freezes nothing: its report has no
    dataset and no sha256. `tell` hears what goes on.
    """
    found = find_base(base)
    if recipe.replay and recipe.replay_from is None:
        if found.replay is None:
            raise BadInput(
                f"the base {base} has no general examples: give --replay-from FILE.jsonl"
            )
        recipe = replace(recipe, replay_from=str(found.replay))
    if recipe.mix == "planned" and not recipe.shares:
        planned = {name: agent.planned for name, agent in settings.agents().items()}
        recipe = replace(recipe, shares=planned)
    recipe = replace(recipe, base=lasting_name(found))
    recipe.check()
    tell("grouping by problem")
    assign_problems(store)
    tell("choosing examples")
    template = load_template(found.folder)
    counter = TokenCounter(template.tokenizer.backend_tokenizer)
    avoid = [find_suite(name) for name in recipe.avoid]
    count = _count_with(template, counter, tell)
    if only_draft:
        _, report = draft(store, recipe, avoid=avoid, count_tokens=count)
        report = {"dataset": None, **report, "sha256": None}
    else:
        digests = {"tokenizer": template.tokenizer_digest, "template": template.template_digest}
        about = {"name": lasting_name(found), **digests}
        report = build(store, recipe, avoid=avoid, count_tokens=count, base=about)
    counted_by = "tokenizer" if counter.reason else "tiktoken"
    return {**report, "tokens_counted": {"by": counted_by, "reason": counter.reason}}


def _count_with(template: Template, counter: TokenCounter, tell: Tell) -> CountTokens:
    """Counts the tokens of an example; None where the template refuses to write it."""
    from jinja2 import TemplateError

    counted = itertools.count(1)

    def count(messages: Sequence[Message], tools: Sequence[Tool]) -> int | None:
        tell(f"tokens of {next(counted):,} examples")
        try:
            return counter.count(template.text_of(messages, tools))
        except TemplateError:  # preflight says which example and why
            return None

    return count
