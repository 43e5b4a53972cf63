"""Which agent a task is for: the declared agent first, then the rules and the examples that ship,
or a model of the person's own labels where that is shown to be better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from db import acts, filters
from db.models.interactions import BODIES, INTERACTIONS
from db.store import Store
from studio import settings
from studio.curation.rules import confidence, rule_scores

LOW_CONFIDENCE = 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """An agent for a task, how surely (0..1), why, and by which method."""

    agent: str
    confidence: float
    reason: str
    method: str


def classify_text(text: str) -> Answer:
    """The agent that the rules and the examples give a task, with the words that decided it."""
    from studio.curation.default_model import trained  # numpy, for those who classify

    scores, reasons = rule_scores(text)
    first = max(scores, key=lambda name: scores[name])
    model = trained()
    if model is None or (scores[first] and first not in model.agents):  # the rules alone know it
        if scores[first]:
            return Answer(first, confidence(scores), ", ".join(reasons[first]), "rule")
    elif (guess := model.answer(text, scores)) is not None:
        like = ", ".join(f"“{term}”" for term in guess.telling)
        found = [*reasons[guess.agent], *([f"like {guess.agent} tasks: {like}"] if like else [])]
        reason = ", ".join(found) or f"worded like {guess.agent} tasks"
        return Answer(guess.agent, guess.confidence, reason, "rule")
    team = settings.agents()
    likeliest = max(team, key=lambda name: team[name].planned)
    return Answer(
        likeliest, team[likeliest].planned, "no rule matched; the commonest agent", "rule"
    )


def classify_store(store: Store, where: str = "", *, actor: str) -> dict[str, Any]:
    """Give every matching interaction an agent, as one act that can be undone.

    What a person labelled stays; a declared agent of ours comes before the rules, and a model of
    the person's labels in their place where it is measurably better (`model` says how much).
    """
    from studio.curation.learned import learn  # it needs this module's rules

    learned = learn(store)
    judge = learned.answer if learned is not None and learned.takes_over else classify_text
    statement = (
        select(
            INTERACTIONS.c.id,
            INTERACTIONS.c.agent,
            INTERACTIONS.c.agent_method,
            INTERACTIONS.c.declared_agent,
            BODIES.c.task,
        )
        .join_from(INTERACTIONS, BODIES, INTERACTIONS.c.id == BODIES.c.id)
        .where(filters.where(where))
    )
    rows: list[tuple[int, dict[str, object]]] = []
    by_agent: Counter[str] = Counter()
    by_method: Counter[str] = Counter({"declared": 0, "human": 0, "model": 0, "rule": 0})
    low = 0
    with store.read() as connection:
        for row in connection.execute(statement):
            if row.agent_method == "human":
                by_agent[row.agent] += 1
                by_method["human"] += 1
                continue
            answer = _answer(row.declared_agent, row.task, judge)
            by_agent[answer.agent] += 1
            by_method[answer.method] += 1
            low += answer.confidence < LOW_CONFIDENCE
            values: dict[str, object] = {
                "agent": answer.agent,
                "agent_method": answer.method,
                "agent_confidence": round(answer.confidence, 4),
                "agent_reason": answer.reason,
            }
            rows.append((row.id, values))
    done = acts.set_rows(store, rows, actor=actor, kind="classify", value=where or None)
    return {
        "classified": sum(by_agent.values()),
        "changed": done.changed,
        "act": done.acts[0] if done.acts else None,
        "by_agent": dict(by_agent.most_common()),
        "by_method": dict(by_method),
        "low_confidence": low,
        "model": learned.summary() if learned is not None else None,
    }


def _answer(declared: str | None, task: str, judge: Callable[[str], Answer]) -> Answer:
    named = settings.agent_named(declared)
    if named:
        return Answer(named, 1.0, f"the log declares {declared}", "declared")
    return judge(task)
