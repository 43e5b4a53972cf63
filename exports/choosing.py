"""Which interactions a recipe takes: judged problem by problem, as many as the budget asks for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from db.store import Store
from exports.candidates import Candidate, Prospect, find_prospects, judged
from exports.conversation import Message, Tool
from exports.leakage import Wall
from exports.mix import quotas
from exports.solutions import choose
from exports.splits import connected, draw
from exports.tool_definitions import tools_by_format

if TYPE_CHECKING:
    from exports.dataset import BuildRecipe

CountTokens = Callable[[Sequence[Message], Sequence[Tool]], int | None]
BATCH = 10_000  # interactions whose texts are read at a time where a budget may end it


@dataclass(slots=True)
class Choice:
    """The chosen by id, how many were left out why, and each agent's places under a mix."""

    candidates: list[Candidate] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    places: dict[str, int] | None = None


def choose_examples(
    store: Store,
    recipe: BuildRecipe,
    wall: Wall,
    count_tokens: CountTokens | None,
) -> Choice:
    """The strategy's choice of each problem's solutions, within the budget and the mix.

    Under a budget (and no mix, which needs to know what there is) texts are read only until it is
    filled; what was never looked at counts as over the budget.
    """
    prospects, dropped = find_prospects(store, recipe.where)
    choice = Choice(dropped=dropped)
    tools = tools_by_format(store, recipe.where, recipe.tools)
    judge = _Judge(store, recipe, wall, count_tokens, dropped, _by_problem(prospects), tools)
    open_ended = recipe.budget is None or recipe.mix != "as_is"
    for problems in judge.batches(len(prospects) if open_ended else BATCH):
        offers = judge.offers(problems)
        if recipe.mix != "as_is":
            choice.places = _places(offers, recipe)
        _take(offers, choice, recipe.budget)
        if not open_ended and len(choice.candidates) == recipe.budget:
            break
    if left := judge.not_offered():
        dropped["over_budget"] += left
    choice.candidates.sort(key=lambda candidate: candidate.id)
    return choice


@dataclass(slots=True)
class _Judge:
    """Reads the texts of whole units: problems that share a cluster are judged together."""

    store: Store
    recipe: BuildRecipe
    wall: Wall
    count_tokens: CountTokens | None
    dropped: Counter[str]
    waiting: dict[int, list[Prospect]]  # by problem, not read yet
    tools: dict[str, list[Tool]]  # by format, where its logs do not say what was offered
    ready: dict[int, list[Candidate]] = field(default_factory=dict)  # read, not offered yet
    units: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.units = _units(self.waiting)

    def batches(self, size: int) -> Iterator[list[int]]:
        """The problems in the order of choice, about `size` interactions at a time."""
        sizes = {problem: len(group) for problem, group in self.waiting.items()}
        order = sorted(sizes, key=lambda problem: draw(self.recipe.seed, problem))
        if self.recipe.strategy == "diverse":  # problems with most solutions are what it is for
            order.sort(key=lambda problem: -min(sizes[problem], self.recipe.solutions))
        batch: list[int] = []
        total = 0
        for problem in order:
            batch.append(problem)
            total += sizes[problem]
            if total >= size:
                yield batch
                batch, total = [], 0
        if batch:
            yield batch

    def offers(self, problems: Sequence[int]) -> list[list[Candidate]]:
        """The solutions that the strategy takes of each problem, in their order."""
        self._read(problems)
        wanted = {"deep": 1, "diverse": self.recipe.solutions}.get(self.recipe.strategy)
        offers = []
        for problem in problems:
            group = {candidate.id: candidate for candidate in self.ready.pop(problem)}
            picked = choose([c.answer() for c in group.values()], wanted or len(group))
            self.dropped["same_or_surplus_solution"] += len(group) - len(picked)
            offers.append([group[answer.id] for answer in picked])
        return offers

    def not_offered(self) -> int:
        """How many interactions were never looked at, or never came to their turn."""
        return sum(map(len, self.waiting.values())) + sum(map(len, self.ready.values()))

    def _read(self, problems: Sequence[int]) -> None:
        mates = (mate for problem in problems for mate in self.units.get(problem, [problem]))
        wanted = [problem for problem in dict.fromkeys(mates) if problem in self.waiting]
        prospects = [prospect for problem in wanted for prospect in self.waiting.pop(problem)]
        prospects.sort(key=lambda prospect: prospect.id)
        found, reasons = judged(self.store, prospects, self.recipe.quality, self.tools)
        self.dropped.update(reasons)
        found = _without_leaks(found, self.wall, self.dropped)
        found = _short_enough(found, self.recipe.max_tokens, self.count_tokens, self.dropped)
        self.ready.update({problem: [] for problem in wanted})
        for candidate in found:
            self.ready[candidate.prospect.problem].append(candidate)


def _by_problem(prospects: Sequence[Prospect]) -> dict[int, list[Prospect]]:
    groups: dict[int, list[Prospect]] = defaultdict(list)
    for prospect in prospects:
        groups[prospect.problem].append(prospect)
    return dict(groups)


def _units(by_problem: dict[int, list[Prospect]]) -> dict[int, list[int]]:
    """The problems that clusters connect with each problem that has any."""
    clusters = {
        problem: {prospect.cluster for prospect in group if prospect.cluster is not None}
        for problem, group in by_problem.items()
    }
    linked = [problem for problem, own in clusters.items() if own]
    units: dict[int, list[int]] = defaultdict(list)
    roots = connected([sorted(clusters[problem]) for problem in linked])
    for problem, root in zip(linked, roots, strict=True):
        units[root].append(problem)
    return {problem: units[root] for problem, root in zip(linked, roots, strict=True)}


def _without_leaks(found: list[Candidate], wall: Wall, dropped: Counter[str]) -> list[Candidate]:
    if not wall.suites or wall.choice != "drop":
        return found
    leaked = wall.leaking([candidate.conversation.messages for candidate in found])
    dropped["leaked"] += len(leaked)
    return [candidate for index, candidate in enumerate(found) if index not in leaked]


def _short_enough(
    found: list[Candidate],
    max_tokens: int | None,
    count_tokens: CountTokens | None,
    dropped: Counter[str],
) -> list[Candidate]:
    """Those within `max_tokens`; one whose tokens cannot be counted is left to preflight."""
    if max_tokens is None or count_tokens is None:
        return found
    short = [
        candidate
        for candidate in found
        if (count_tokens(candidate.conversation.messages, candidate.conversation.tools) or 0)
        <= max_tokens
    ]
    dropped["too_long"] += len(found) - len(short)
    return short


def _places(offers: list[list[Candidate]], recipe: BuildRecipe) -> dict[str, int]:
    """How many examples of each agent there may be."""
    agents = (candidate.prospect.agent for group in offers for candidate in group)
    available = Counter(agent for agent in agents if agent is not None)
    shares = recipe.shares if recipe.mix == "planned" else dict.fromkeys(available, 1.0)
    return quotas(available, shares, recipe.budget)


def _take(offers: list[list[Candidate]], choice: Choice, budget: int | None) -> None:
    """Add what fits into the agents' places and the budget, problem by problem."""
    places = choice.places
    taken = Counter(candidate.prospect.agent for candidate in choice.candidates)
    for candidate in (candidate for group in offers for candidate in group):
        agent = candidate.prospect.agent
        if places is not None and taken[agent] >= places.get(agent or "", 0):
            choice.dropped["over_the_mix"] += 1
        elif budget is not None and len(choice.candidates) >= budget:
            choice.dropped["over_budget"] += 1
        else:
            choice.candidates.append(candidate)
            taken[agent] += 1
