"""Build a dataset: candidates judged, solutions chosen, splits drawn, general examples added.

The same recipe on the same store gives the same bytes. A draft is what `build` would freeze.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from db.errors import BadInput
from db.store import Store
from exports.candidates import Candidate
from exports.choosing import CountTokens, choose_examples
from exports.conversation import TEMPLATES, in_legacy_template
from exports.frozen import ExampleRow, freeze
from exports.leakage import CHOICES, Wall, overlaps, requests_of
from exports.mix import MIXES
from exports.quality import FILTERS, USUAL
from exports.replay import replay_rows
from exports.requests import same_requests
from exports.splits import SPLITS, assign, connected, draw, parse_shares
from exports.suites import Suite

STRATEGIES = ("deep", "diverse", "all")


@dataclass(frozen=True, slots=True)
class BuildRecipe:
    """How a dataset is made. `budget` is a number of interactions' examples, replay beside it.

    `deep` takes one solution a problem, `diverse` up to `solutions` that differ, `all` every one.
    `mix` other than `as_is` takes the agents in the proportion of `shares`; `quality` names
    filters; `tools` is a file of definitions, or `inferred`, for logs that do not hold what was
    offered; `max_tokens` leaves out what is longer in the base's tokens.

    What the suites of `avoid` share with it is dropped, or (`overlap` strike) stays, and the
    suites' items are struck from verdicts on it. `base` is the one that it is counted for.
    """

    name: str
    strategy: str = "all"
    solutions: int = 5
    budget: int | None = None
    where: str = ""
    split: str = "80/10/10"
    seed: int = 0
    avoid: tuple[str, ...] = ()
    overlap: str = "drop"
    replay: float = 0.0
    replay_from: str | None = None
    template: str = "tool_call"
    mix: str = "as_is"
    shares: dict[str, float] = field(default_factory=dict)
    quality: tuple[str, ...] = USUAL
    tools: str | None = None
    max_tokens: int | None = None
    base: str | None = None

    def check(self) -> None:
        """Raises BadInput for what cannot be built."""
        if self.strategy not in STRATEGIES:
            raise BadInput(f"no strategy {self.strategy!r}; there are {', '.join(STRATEGIES)}")
        if self.template not in TEMPLATES:
            raise BadInput(f"no template {self.template!r}; there are {', '.join(TEMPLATES)}")
        if not self.name or not all(c.isalnum() or c in "-_." for c in self.name):
            raise BadInput("a dataset's name is made of letters, digits, - _ and .")
        if not 0 <= self.replay < 1:
            raise BadInput("--replay is a share of the whole, at least 0 and under 1")
        if self.replay and not self.replay_from:
            raise BadInput("--replay needs general examples: give --replay-from FILE.jsonl")
        if self.solutions < 1 or (self.budget is not None and self.budget < 1):
            raise BadInput("--solutions and --budget are numbers from 1")
        if self.mix not in MIXES:
            raise BadInput(f"no mix {self.mix!r}; there are {', '.join(MIXES)}")
        if unknown := set(self.quality) - set(FILTERS):
            raise BadInput(f"no quality filter {min(unknown)!r}; there are {', '.join(FILTERS)}")
        if self.overlap not in CHOICES:
            raise BadInput(f"no choice {self.overlap!r} for overlaps; {' or '.join(CHOICES)}")
        if self.overlap == "strike" and not self.avoid:
            raise BadInput("--overlap strike needs --avoid SUITE: from which verdict to strike")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise BadInput("--max-tokens is a number from 1")


def build(
    store: Store,
    recipe: BuildRecipe,
    *,
    avoid: Sequence[Suite] = (),
    count_tokens: CountTokens | None = None,
    base: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Choose, split, freeze; returns the report. `avoid` are the suites that the recipe names.

    `base` (`{name, tokenizer, template}`) tells for which base it is, by the digests. Raises
    BadInput when nothing is left to train on.
    """
    rows, report = draft(store, recipe, avoid=avoid, count_tokens=count_tokens)
    report = {**report, "base": dict(base) if base else None}
    return freeze(store, recipe.name, asdict(recipe), rows, report)


def draft(
    store: Store,
    recipe: BuildRecipe,
    *,
    avoid: Sequence[Suite] = (),
    count_tokens: CountTokens | None = None,
) -> tuple[list[ExampleRow], dict[str, Any]]:
    """The examples that `build` would freeze, and its report without a name and a hash."""
    recipe.check()
    shares = parse_shares(recipe.split)
    wall = Wall(avoid, recipe.overlap)
    choice = choose_examples(store, recipe, wall, count_tokens)
    kept, dropped = choice.candidates, choice.dropped
    if not kept:
        reasons = ", ".join(f"{name} {n}" for name, n in dropped.most_common())
        raise BadInput(f"nothing to train on with {recipe.where or 'no filter'!r} ({reasons})")
    converted: Counter[str] = Counter()
    for candidate in kept:
        converted.update(candidate.conversation.converted)
    groups = connected(_group_keys(kept))
    splits = assign(groups, shares, recipe.seed)
    kept, splits = _apart(kept, splits, dropped)
    rows = [_row(c, split, recipe.template) for c, split in zip(kept, splits, strict=True)]
    if recipe.overlap == "strike":
        wall.leaking([row.messages for row in rows if row.split != "test"])
    rows += replay_rows(recipe, rows, wall, dropped)
    rows = sorted(rows, key=lambda row: (SPLITS.index(row.split), draw(recipe.seed, row.line())))
    if count_tokens is not None:
        for row in rows:
            row.tokens = count_tokens(row.messages, row.tools)
    more = {"mix": choice.places or {}, "overlap": wall.report()}
    return rows, {**_report(rows, dropped, converted), **more}


def _group_keys(kept: Sequence[Candidate]) -> list[list[tuple[str, int]]]:
    """What must not be torn apart: the problem, the cluster, and whatever is asked again later."""
    requests = [requests_of(candidate.conversation.messages) for candidate in kept]
    heads = iter(same_requests([request for asked in requests for request in asked]))
    keys = []
    for candidate, asked in zip(kept, requests, strict=True):
        own = [("request", next(heads)) for _ in asked]
        own.append(("problem", candidate.prospect.problem))
        if candidate.prospect.cluster is not None:
            own.append(("cluster", candidate.prospect.cluster))
        keys.append(own)
    return keys


def _apart(
    kept: Sequence[Candidate], splits: Sequence[str], dropped: Counter[str]
) -> tuple[list[Candidate], list[str]]:
    """Without what shares a long run of words with a split that judges it."""
    asked = [requests_of(candidate.conversation.messages) for candidate in kept]
    gone: set[int] = set()
    for side, judges in (("train", ("valid", "test")), ("valid", ("test",))):
        own = [n for n, split in enumerate(splits) if split == side]
        others = [asked[n] for n, split in enumerate(splits) if split in judges]
        gone |= {own[found.index] for found in overlaps([asked[n] for n in own], others)}
    dropped["shared_with_another_split"] += len(gone)
    left = [n for n in range(len(kept)) if n not in gone]
    return [kept[n] for n in left], [splits[n] for n in left]


def _row(candidate: Candidate, split: str, template: str) -> ExampleRow:
    messages = candidate.conversation.messages
    return ExampleRow(
        split=split,
        origin="interaction",
        messages=in_legacy_template(messages) if template == "legacy" else messages,
        tools=candidate.conversation.tools,
        interaction_id=candidate.id,
        agent=candidate.prospect.agent,
        problem=candidate.prospect.problem if candidate.prospect.problem >= 0 else None,
    )


def _report(
    rows: Sequence[ExampleRow], dropped: Counter[str], converted: Counter[str]
) -> dict[str, Any]:
    own = [row for row in rows if row.origin == "interaction"]
    tokens = [row.tokens for row in rows if row.tokens is not None]
    return {
        "examples": {name: sum(row.split == name for row in rows) for name in SPLITS},
        "problems": len({row.problem for row in own}),
        "replay": len(rows) - len(own),
        "dropped": {name: n for name, n in dropped.most_common() if n},
        "converted": dict(converted),
        "by_agent": dict(Counter(row.agent or "unknown" for row in own).most_common()),
        "tokens": sum(tokens) if tokens else None,
    }
