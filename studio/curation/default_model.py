"""The default classifier: a model over the shipped examples and what the rules find.

It is there before anybody has labelled anything. Its examples (`agent_examples.yaml`) were written
for it; agents without examples are left to the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from studio import settings
from studio.curation.rules import features, rule_scores
from studio.curation.word_model import Platt, WordModel, fit, margin, softmax

SURENESS = Platt(0.75, 0.02)
"""Log-odds to how often it is right: fitted to the cross-validated answers to the examples, which
a test does again."""
SUREST = 0.98  # some hundred examples do not show more


@dataclass(frozen=True, slots=True)
class Guess:
    """An agent, how surely (0..1), and the terms of the task that spoke most for it."""

    agent: str
    confidence: float
    telling: tuple[str, ...]


@dataclass(frozen=True)
class DefaultModel:
    """Knows the agents that have examples, in the order of the team."""

    words: WordModel
    agents: tuple[str, ...]

    def answer(self, text: str, scores: dict[str, float]) -> Guess | None:
        """The likeliest agent given the text and what the rules find in it; None where no term of
        the text is known and the rules find nothing.
        """
        if not any(scores.values()) and not self.words.knows(text):
            return None
        chances = softmax(self.words.logits(text, features(scores)))
        best = int(chances.argmax())
        telling = self.words.telling(text, best)
        sure = min(SUREST, SURENESS.confidence(margin(chances)))
        return Guess(self.agents[best], sure, tuple(telling))

    def leanings(self, text: str, scores: dict[str, float]) -> list[float]:
        """How much it leans to each agent that it knows, as features of a model of one's own."""
        logits = self.words.logits(text, features(scores))
        return [float(value) for value in (logits - logits.mean()) / 2]


@lru_cache
def trained() -> DefaultModel | None:
    """The model of the examples; None with examples of fewer than two agents. Takes 0.2 s."""
    examples = settings.agent_examples()
    if len(examples) < 2:
        return None
    texts = [text for listed in examples.values() for text in listed]
    labels = [place for place, listed in enumerate(examples.values()) for _ in listed]
    return DefaultModel(train(texts, labels, len(examples)), tuple(examples))


def train(texts: Sequence[str], labels: Sequence[int], classes: int) -> WordModel:
    """A model of some examples, with what the rules find in them."""
    return fit(texts, [features(rule_scores(text)[0]) for text in texts], labels, classes)
