"""Which agent a task is for: the declared agent first, then keyword rules that give their reason,
or a model of the person's own labels where that is shown to be better.

The confidence of a rule is meant as a probability. It follows from how far the best agent's score
lies before the second's, with a sharpness (inverse temperature; Guo et al. 2017, "On Calibration
of Modern Neural Networks") fitted to labelled tasks; the tests hold it against them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import select

from db import acts, filters
from db.models import BODIES, INTERACTIONS
from db.store import Store
from studio import settings

LOW_CONFIDENCE = 0.5
SHARPNESS = 3.0
SUREST = 0.93  # how often the surest answers are right, ambiguous tasks among them
_LEAD_WEIGHT, _GENERIC_WEIGHT, _WORD_WEIGHT, _PHRASE_BONUS = 2.0, 0.75, 1.0, 0.75
_PREFIX = re.compile(
    r"^(?:\W|\b(?:please|can you|could you|you are|as an? [\w ]+?,|i want to|i need to|let's|"
    r"we need to|task|todo|step \d+|phase \d+|\d+)\b[:.)]?\s*)+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An agent for a task, how surely (0..1), why, and by which method."""

    agent: str
    confidence: float
    reason: str
    method: str


@lru_cache
def _patterns() -> dict[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    compiled = {}
    for name, agent in settings.agents().items():
        leads = "|".join(map(_words, sorted(agent.leads, key=len, reverse=True)))
        words = "|".join(map(_words, sorted(agent.words, key=len, reverse=True)))
        compiled[name] = (
            re.compile(rf"(?:{leads or '(?!)'})\b", re.IGNORECASE),
            re.compile(rf"\b(?:{words or '(?!)'})\b", re.IGNORECASE),
        )
    return compiled


def _words(phrase: str) -> str:
    return re.escape(phrase).replace(r"\ ", r"\s+")


def classify_text(text: str) -> Answer:
    """The agent that the keyword rules give a task, with the words that decided it."""
    scores, reasons = rule_scores(text)
    best = max(scores, key=lambda name: scores[name])
    if scores[best] == 0:
        share = max(agent.planned for agent in settings.agents().values())
        likeliest = max(settings.agents(), key=lambda name: settings.agents()[name].planned)
        return Answer(likeliest, share, "no rule matched; the commonest agent", "rule")
    total = sum(math.exp(SHARPNESS * (score - scores[best])) for score in scores.values())
    confidence = min(SUREST, 1 / total)
    return Answer(best, confidence, ", ".join(reasons[best]), "rule")


def rule_scores(text: str) -> tuple[dict[str, float], dict[str, list[str]]]:
    """How much the rules find for each agent (0 or more), and what they found."""
    head = _PREFIX.sub("", text[:400])
    scores: dict[str, float] = {}
    reasons: dict[str, list[str]] = {}
    for name, (leads, words) in _patterns().items():
        score = 0.0
        found: list[str] = []
        if lead := leads.match(head):
            weak = lead[0].lower() in settings.agents_file().generic
            score += _GENERIC_WEIGHT if weak else _LEAD_WEIGHT + _PHRASE_BONUS * lead[0].count(" ")
            found.append(f"begins with “{lead[0].lower()}”")
        counted = Counter(match[0].lower() for match in words.finditer(text[:2000]))
        score += sum(_WORD_WEIGHT + _PHRASE_BONUS * word.count(" ") for word in counted)
        found += [f"“{word}”" for word in list(counted)[:3]]
        scores[name], reasons[name] = score, found
    return scores, reasons


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
