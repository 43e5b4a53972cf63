"""What the keyword rules of `agents.yaml` find in a task: a score by agent, with the words."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache

from studio import settings

_LEAD_WEIGHT, _GENERIC_WEIGHT, _WORD_WEIGHT, _PHRASE_BONUS = 2.0, 0.75, 1.0, 0.75
_MOST_OF_A_RULE = 6.0
_SHARPNESS = (
    3.0  # inverse temperature (Guo et al. 2017, "On Calibration of Modern Neural Networks")
)
_SUREST = 0.93  # how often the surest answers of rules alone are right
_PREFIX = re.compile(
    r"^(?:\W|\b(?:please|can you|could you|you are|as an? [\w ]+?,|i want to|i need to|let's|"
    r"we need to|task|todo|step \d+|phase \d+|\d+)\b[:.)]?\s*)+",
    re.IGNORECASE,
)


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


def confidence(scores: dict[str, float]) -> float:
    """How surely the agent with the best score is the right one, by the rules alone (0..1)."""
    best = max(scores.values())
    total = sum(math.exp(_SHARPNESS * (score - best)) for score in scores.values())
    return min(_SUREST, 1 / total)


def features(scores: dict[str, float]) -> list[float]:
    """The rules' scores as what a model is trained on, in the order of the team."""
    return [min(score, _MOST_OF_A_RULE) / 2 for score in scores.values()]
