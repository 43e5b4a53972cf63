"""Which base model suits a collection: by the share of its tasks that are not coding.

The rule: at least 40% non-coding tasks ask for a general base, over 80% coding ones for a code
base, between them nothing is said. A share that comes from few interactions says little of the
next ones, so it is also told whether its 95% interval lies on the same side of the bound.
"""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import func, select

from db import filters
from db.errors import BadInput
from db.models.interactions import INTERACTIONS
from db.store import Store
from studio import settings
from studio.curation.classify import LOW_CONFIDENCE
from studio.evals.statistics import wilson
from studio.training.bases import BaseSettings, known_bases

GENERAL_FROM = 0.40  # share of non-coding tasks
CODE_BELOW = 0.20
_MOST_NEEDED = 1_000_000


def advise(store: Store, where: str = "") -> dict[str, Any]:
    """The mix of what nobody dropped, the advice with its reason, and a base for every agent.

    `unlabelled` have no agent of the team; of the `n` others the agent of `unsure` is little more
    than a guess, which the interval does not cover. `advice` is `general`, `code` or `undecided`;
    `settled` whether the share's whole interval gives the same. `strategy` is `per_agent` where two
    agents or more have enough interactions for an adapter of their own, else `single`;
    `single_base` is the base for one adapter for all, null when undecided. Raises BadInput for a
    base of `agents.yaml` that `bases.yaml` does not have.
    """
    counts, unlabelled, unsure = _counts(store, where)
    n = sum(counts.values())
    coding = {name for name, agent in settings.agents().items() if agent.coding}
    other = sum(count for name, count in counts.items() if name not in coding)
    share = other / n if n else None
    bounds = wilson(other, n)
    advice = _advice(share)
    settled = n > 0 and {_advice(bound) for bound in bounds} == {advice}
    agents = _agents(counts, n)
    strategy, strategy_why = _strategy(agents)
    single = settings.agents_file().single
    return {
        "n": n,
        "unlabelled": unlabelled,
        "unsure": unsure,
        "mix": {name: count / n for name, count in counts.items()},
        "counts": counts,
        "non_coding_share": share,
        "non_coding_ci95": list(bounds),
        "advice": advice,
        "settled": settled,
        "why": _why(share, bounds, n, settled),
        "single_base": {"code": single.code, "general": single.general}.get(advice),
        "by_agent": {name: agent["base"] for name, agent in agents.items()},
        "agents": agents,
        "strategy": strategy,
        "strategy_why": strategy_why,
    }


def _counts(store: Store, where: str) -> tuple[dict[str, int], int, int]:
    """Interactions by agent, most first; how many have none of the team, and an unsure one."""
    agent, sure = INTERACTIONS.c.agent, INTERACTIONS.c.agent_confidence
    with store.read() as connection:
        rows = connection.execute(
            select(agent, func.count(), func.count().filter(sure < LOW_CONFIDENCE))
            .where(filters.where(where), INTERACTIONS.c.status != "dropped")
            .group_by(agent)
            .order_by(func.count().desc(), agent)
        ).all()
    ours = [(name, int(n), int(few)) for name, n, few in rows if name in settings.agents()]
    found = {name: n for name, n, _ in ours}
    unlabelled = sum(int(n) for _, n, _ in rows) - sum(found.values())
    return found, unlabelled, sum(few for _, _, few in ours)


def _advice(share: float | None) -> str:
    if share is None:
        return "undecided"
    if share >= GENERAL_FROM:
        return "general"
    return "code" if share < CODE_BELOW else "undecided"


def _why(share: float | None, bounds: tuple[float, float], n: int, settled: bool) -> str:
    if share is None:
        return "no interaction has an agent yet: studio classify gives them theirs"
    told = (
        f"{share:.1%} of {n:,} interactions are not coding tasks "
        f"(95% interval {100 * bounds[0]:.1f}–{100 * bounds[1]:.1f}%): "
    )
    told += {
        "general": f"{GENERAL_FROM:.0%} or more ask for a general base",
        "code": f"with over {1 - CODE_BELOW:.0%} coding tasks a code base serves best",
        "undecided": f"between {CODE_BELOW:.0%} and {GENERAL_FROM:.0%} neither base is the choice",
    }[_advice(share)]
    if settled:
        return told
    crossed = next(bound for bound in (GENERAL_FROM, CODE_BELOW) if bounds[0] < bound <= bounds[1])
    needed = _needed(share, crossed)
    more = f"; at this share about {needed:,} interactions settle it" if needed else ""
    return f"{told}. The interval crosses {crossed:.0%}{more}: evaluate both bases on these tasks"


def _needed(share: float, bound: float) -> int | None:
    """How many interactions it takes until the interval of this share leaves the bound out."""
    n = 8
    while n <= _MOST_NEEDED:
        low, high = wilson(round(share * n), n)
        if low >= bound or high < bound:
            return int(math.ceil(n / 10) * 10)
        n = math.ceil(n * 1.05)
    return None


def _agents(counts: dict[str, int], n: int) -> dict[str, dict[str, Any]]:
    """Every agent of the team: its base, its interactions, and whether they are enough for it."""
    found = {}
    for name, agent in settings.agents().items():
        base = _base(name, agent.base)
        count = counts.get(name, 0)
        enough = base.enough_rows if base else None
        found[name] = {
            "base": agent.base,
            "coding": agent.coding,
            "n": count,
            "share": count / n if n else None,
            "enough_rows": enough,
            "enough": enough is not None and count >= enough,
        }
    return found


def _base(agent: str, name: str | None) -> BaseSettings | None:
    if name is None:
        return None
    if name not in known_bases():
        raise BadInput(
            f"agents.yaml: {agent}: no base {name!r} in bases.yaml; there are "
            f"{', '.join(known_bases())}"
        )
    return known_bases()[name]


def _strategy(agents: dict[str, dict[str, Any]]) -> tuple[str, str]:
    """One adapter for each agent, or one for all."""
    enough = [name for name, agent in agents.items() if agent["enough"]]
    if len(enough) > 1:
        others = [name for name in agents if name not in enough]
        rest = f"; {', '.join(others)} stay with their base until they have more" if others else ""
        return "per_agent", f"{', '.join(enough)} have rows enough for adapters of their own{rest}"
    short = ", ".join(
        f"{name} {agent['n']:,} of {agent['enough_rows']:,}"
        for name, agent in agents.items()
        if agent["enough_rows"] and not agent["enough"]
    )
    return "single", f"too few rows for an adapter for each agent ({short})"
