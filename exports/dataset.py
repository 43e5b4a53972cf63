"""Build a dataset: candidates judged, solutions chosen, splits drawn, general examples added.

The same recipe on the same store gives the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import xxhash

from db.errors import BadInput
from db.interactions import dumps
from db.store import Store
from exports.candidates import Candidate, find_candidates
from exports.conversation import TEMPLATES, Message, Tool, in_legacy_template, training_conversation
from exports.frozen import ExampleRow, freeze
from exports.leakage import overlaps, requests_of, suite_requests
from exports.requests import same_requests
from exports.solutions import choose
from exports.splits import SPLITS, assign, connected, parse_shares
from exports.suites import Suite

STRATEGIES = ("deep", "diverse", "all")

CountTokens = Callable[[Sequence[Message], Sequence[Tool]], int]


@dataclass(frozen=True, slots=True)
class BuildRecipe:
    """How a dataset is made. `budget` is a number of interactions' examples, replay beside it.

    `deep` takes one solution a problem, `diverse` up to `solutions` that differ, `all` every one.
    """

    name: str
    strategy: str = "all"
    solutions: int = 5
    budget: int | None = None
    where: str = ""
    split: str = "80/10/10"
    seed: int = 0
    avoid: tuple[str, ...] = ()
    replay: float = 0.0
    replay_from: str | None = None
    template: str = "tool_call"

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


def build(
    store: Store,
    recipe: BuildRecipe,
    *,
    avoid: Sequence[Suite] = (),
    count_tokens: CountTokens | None = None,
) -> dict[str, Any]:
    """Choose, split, freeze; returns the report. `avoid` are the suites that the recipe names.

    Raises BadInput when nothing is left to train on.
    """
    recipe.check()
    shares = parse_shares(recipe.split)
    found = find_candidates(store, recipe.where)
    kept, dropped = found.kept, found.dropped
    converted: Counter[str] = Counter()
    forbidden = [request for suite in avoid for request in suite_requests(suite)]
    kept = _without_leaks(kept, forbidden, dropped)
    kept = _chosen(kept, recipe, dropped)
    if not kept:
        reasons = ", ".join(f"{name} {n}" for name, n in dropped.most_common())
        raise BadInput(f"nothing to train on with {recipe.where or 'no filter'!r} ({reasons})")
    for candidate in kept:
        converted.update(candidate.conversation.converted)
    groups = connected(_group_keys(kept))
    splits = assign(groups, shares, recipe.seed)
    rows = [_row(c, split, recipe.template) for c, split in zip(kept, splits, strict=True)]
    rows += _replay(recipe, rows, forbidden, dropped)
    rows = sorted(rows, key=lambda row: (SPLITS.index(row.split), _draw(recipe.seed, row.line())))
    if count_tokens is not None:
        for row in rows:
            row.tokens = count_tokens(row.messages, row.tools)
    return freeze(store, recipe.name, asdict(recipe), rows, _report(rows, dropped, converted))


def _group_keys(kept: Sequence[Candidate]) -> list[list[tuple[str, int]]]:
    """What must not be torn apart: the problem, the cluster, and whatever is asked again later."""
    requests = [requests_of(candidate.conversation.messages) for candidate in kept]
    heads = iter(same_requests([request for asked in requests for request in asked]))
    keys = []
    for candidate, asked in zip(kept, requests, strict=True):
        own = [("request", next(heads)) for _ in asked]
        own.append(("problem", _problem(candidate)))
        if candidate.cluster is not None:
            own.append(("cluster", candidate.cluster))
        keys.append(own)
    return keys


def _problem(candidate: Candidate) -> int:
    """The problem's number; one of its own for an interaction that has none."""
    return candidate.problem if candidate.problem is not None else -candidate.id


def _without_leaks(
    kept: list[Candidate], forbidden: Sequence[Sequence[str]], dropped: Counter[str]
) -> list[Candidate]:
    if not forbidden:
        return kept
    texts = [requests_of(candidate.conversation.messages) for candidate in kept]
    leaked = {overlap.index for overlap in overlaps(texts, forbidden)}
    dropped["leaked"] += len(leaked)
    return [candidate for index, candidate in enumerate(kept) if index not in leaked]


def _chosen(kept: list[Candidate], recipe: BuildRecipe, dropped: Counter[str]) -> list[Candidate]:
    """The strategy's choice of each problem's solutions, within the budget."""
    by_problem: dict[int, list[Candidate]] = {}
    for candidate in kept:
        by_problem.setdefault(_problem(candidate), []).append(candidate)
    wanted = {"deep": 1, "diverse": recipe.solutions, "all": len(kept)}[recipe.strategy]
    order = sorted(by_problem, key=lambda key: _draw(recipe.seed, str(key)))
    if recipe.strategy == "diverse":  # the problems with most solutions are what it is for
        order.sort(key=lambda key: -min(len(by_problem[key]), wanted))
    chosen: list[Candidate] = []
    for key in order:
        group = {candidate.id: candidate for candidate in by_problem[key]}
        picked = choose([c.answer() for c in group.values()], wanted)
        room = len(picked) if recipe.budget is None else recipe.budget - len(chosen)
        dropped["same_or_surplus_solution"] += len(group) - len(picked)
        dropped["over_budget"] += max(0, len(picked) - room)
        chosen += [group[answer.id] for answer in picked[: max(0, room)]]
    return sorted(chosen, key=lambda candidate: candidate.id)


def _row(candidate: Candidate, split: str, template: str) -> ExampleRow:
    messages = candidate.conversation.messages
    return ExampleRow(
        split=split,
        origin="interaction",
        messages=in_legacy_template(messages) if template == "legacy" else messages,
        tools=candidate.conversation.tools,
        interaction_id=candidate.id,
        agent=candidate.agent,
        problem=candidate.problem,
    )


def _replay(
    recipe: BuildRecipe,
    rows: Sequence[ExampleRow],
    forbidden: Sequence[Sequence[str]],
    dropped: Counter[str],
) -> list[ExampleRow]:
    """General examples against forgetting, drawn by the seed, for training and validation."""
    if not recipe.replay or recipe.replay_from is None:
        return []
    pool = _general_examples(Path(recipe.replay_from))
    pool.sort(key=lambda example: _draw(recipe.seed, dumps(example[0])))
    taken = [*forbidden, *(requests_of(row.messages) for row in rows)]
    shared = {o.index for o in overlaps([requests_of(m) for m, _ in pool], taken)}
    dropped["replay_leaked"] += len(shared)
    pool = _without_repeats([e for index, e in enumerate(pool) if index not in shared])
    drawn: list[ExampleRow] = []
    for split in ("train", "valid"):
        own = sum(row.split == split for row in rows)
        wanted = round(own * recipe.replay / (1 - recipe.replay))
        if wanted > len(pool):
            raise BadInput(
                f"{recipe.replay_from} has {len(pool)} examples left where {wanted} are wanted; "
                "give more of them or a smaller --replay"
            )
        for messages, tools in pool[:wanted]:
            template = in_legacy_template(messages) if recipe.template == "legacy" else messages
            drawn.append(ExampleRow(split, "replay", template, tools))
        pool = pool[wanted:]
    return drawn


def _without_repeats(
    pool: list[tuple[list[Message], list[Tool]]],
) -> list[tuple[list[Message], list[Tool]]]:
    """Examples of which none asks what an earlier one asks: no request in two splits."""
    requests = [requests_of(messages) for messages, _ in pool]
    heads = iter(same_requests([request for asked in requests for request in asked]))
    seen: set[int] = set()
    kept = []
    for example, asked in zip(pool, requests, strict=True):
        own = {next(heads) for _ in asked}
        if not own & seen:
            kept.append(example)
        seen |= own
    return kept


def _general_examples(path: Path) -> list[tuple[list[Message], list[Tool]]]:
    examples = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: the replay examples cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            conversation = training_conversation(row["messages"], row.get("tools"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(
                f"{path}:{number}: a replay example is an object with messages: {error!r}"
            ) from error
        if conversation is not None:
            examples.append((conversation.messages, conversation.tools))
    return examples


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


def _draw(seed: int, text: str) -> int:
    return xxhash.xxh3_64_intdigest(f"{seed}:{text}".encode())
