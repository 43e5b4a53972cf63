"""A classifier that learns from a person's own labels, and takes over where it is shown better.

It begins with what the rules and the default model know, so that few labels lose nothing of that.

It is compared with the rules by cross-validation, paired on the same labelled requests. Copies of
a request count once and stand in one fold: the same words never train and test it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select

from db.models.interactions import BODIES, INTERACTIONS
from db.store import Store
from exports.requests import same_requests
from studio import settings
from studio.curation import default_model
from studio.curation.classify import Answer, classify_text
from studio.curation.rules import features, rule_scores
from studio.curation.word_model import (
    Matrix,
    Platt,
    WordModel,
    fit,
    fit_platt,
    margin,
    softmax,
)
from studio.evals.compare import Verdict, compare, sentence

FEWEST_LABELS = 20  # distinct requests; fewer show nothing
FEWEST_OF_AN_AGENT = 5  # the model keeps out where the rules name an agent with fewer labels
LABELS_MAX = 2_000  # the newest; training stays a matter of seconds
FOLDS = 5
_ROWS_MAX = 20_000  # labelled interactions that are looked at; a filter may have labelled millions


@dataclass(frozen=True, slots=True)
class Labelled:
    """A request that a person labelled, and every interaction that asked it."""

    text: str
    agent: str
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Learned:
    """The model on all labels, and what cross-validation says of it.

    `rules` and `held_out` are the answers to each labelled request: of the rules, and of a model
    that was trained without its fold. `comparison` is the overall delta of `evals.compare` from
    the rules (A) to the model (B).
    """

    items: list[Labelled]
    rules: list[Answer]
    held_out: list[Answer]
    comparison: dict[str, Any]
    by_agent: dict[str, Any]
    model: _Speaker

    @property
    def takes_over(self) -> bool:
        """Whether the model is measurably better than the rules."""
        return bool(self.comparison["verdict"] == "better")

    def summary(self) -> dict[str, Any]:
        """`takes_over`, `labels` (distinct requests), the comparison, and it in a sentence."""
        found = self.comparison
        rates = f"{found['b']['rate']:.1%} right against the rules' {found['a']['rate']:.1%}"
        return {
            "takes_over": self.takes_over,
            "labels": len(self.items),
            "comparison": found,
            "why": f"{rates} on {len(self.items):,} labelled requests; {sentence(found)}",
        }

    def answer(self, text: str) -> Answer:
        """The model's answer to a task, or the rules' where it keeps out."""
        return self.model.answer(text, classify_text(text))


@dataclass(frozen=True)
class _Speaker:
    """A model with how sure it may be, and the agents of which it saw labels enough."""

    words: WordModel
    sureness: Platt
    covered: frozenset[str]
    labels: int
    agents: list[str]

    def answer(self, text: str, rule: Answer) -> Answer:
        """The model's answer to a task; the rules' where too few labels name their agent."""
        if rule.agent not in self.covered:
            return rule
        chances = softmax(self.words.logits(text, _own_features(text)))
        best = int(chances.argmax())
        telling = ", ".join(f"“{term}”" for term in self.words.telling(text, best))
        reason = f"learned from {self.labels:,} of your labels"
        return Answer(
            self.agents[best],
            self.sureness.confidence(margin(chances)),
            f"{reason}: {telling}" if telling else reason,
            "model",
        )


def learn(store: Store) -> Learned | None:
    """Train on the labels of people and compare with the rules; None with too few labels.

    Takes seconds with some hundreds of labels. The same labels give the same model.
    """
    items = labelled_requests(store)
    if len(items) < FEWEST_LABELS or len({item.agent for item in items}) < 2:
        return None
    lessons = _Lessons.of(items)
    parts = [lessons.part(fold) for fold in range(FOLDS)]
    models = [lessons.fit(trained) for trained, _ in parts]
    chances = np.zeros((len(items), len(lessons.agents)), np.float32)
    for model, (_, tried) in zip(models, parts, strict=True):
        for i in tried:
            chances[i] = softmax(model.logits(lessons.texts[i], lessons.own[i]))
    rules = [classify_text(item.text) for item in items]
    held_out = [*rules]
    for model, (trained, tried) in zip(models, parts, strict=True):
        speaker = lessons.speaker(model, trained, chances)
        for i in tried:
            held_out[i] = speaker.answer(items[i].text, rules[i])
    compared = compare(_verdicts(items, rules), _verdicts(items, held_out))
    everything = list(range(len(items)))
    speaker = lessons.speaker(lessons.fit(everything), everything, chances)
    return Learned(items, rules, held_out, compared["overall"], compared["by_agent"], speaker)


def labelled_requests(store: Store) -> list[Labelled]:
    """The newest distinct requests that a person labelled, each with its commonest label."""
    columns = INTERACTIONS.c
    statement = (
        select(columns.id, columns.agent, BODIES.c.task)
        .join_from(INTERACTIONS, BODIES, columns.id == BODIES.c.id)
        .where(columns.agent_method == "human", columns.agent.in_(list(settings.agents())))
        .order_by(columns.id.desc())
        .limit(_ROWS_MAX)
    )
    with store.read() as connection:
        rows = connection.execute(statement).all()
    groups: dict[int, list[int]] = defaultdict(list)
    for place, head in enumerate(same_requests([row.task for row in rows])):
        groups[head].append(place)
    found = []
    for head, places in list(groups.items())[:LABELS_MAX]:
        agent = Counter(rows[place].agent for place in places).most_common(1)[0][0]
        ids = tuple(rows[place].id for place in places)
        found.append(Labelled(rows[head].task, agent, ids))
    return found


def _own_features(text: str) -> list[float]:
    """What the rules find for each agent, and how the default model leans: labels add to both."""
    scores = rule_scores(text)[0]
    model = default_model.trained()
    return [*features(scores), *(model.leanings(text, scores) if model is not None else ())]


@dataclass(frozen=True)
class _Lessons:
    """The labelled requests as what a model is trained on, and the fold of each."""

    texts: list[str]
    own: list[list[float]]
    labels: list[int]
    agents: list[str]
    folds: list[int]

    @classmethod
    def of(cls, items: Sequence[Labelled]) -> _Lessons:
        """The lessons in labelled requests, their folds drawn so that each has every agent."""
        agents = list(settings.agents())
        labels = [agents.index(item.agent) for item in items]
        texts = [item.text for item in items]
        return cls(texts, [_own_features(text) for text in texts], labels, agents, _folds(labels))

    def part(self, fold: int) -> tuple[list[int], list[int]]:
        """What to train on, and what to try then: the fold."""
        trained = [i for i, own in enumerate(self.folds) if own != fold]
        return trained, [i for i, own in enumerate(self.folds) if own == fold]

    def fit(self, chosen: Sequence[int]) -> WordModel:
        """A model trained on the chosen requests (their indices)."""
        return fit(
            [self.texts[i] for i in chosen],
            [self.own[i] for i in chosen],
            [self.labels[i] for i in chosen],
            len(self.agents),
        )

    def speaker(self, model: WordModel, chosen: Sequence[int], chances: Matrix) -> _Speaker:
        """A model of the chosen; `chances` are those of models that had not seen each text."""
        counted = Counter(self.agents[self.labels[i]] for i in chosen)
        covered = frozenset(name for name, n in counted.items() if n >= FEWEST_OF_AN_AGENT)
        sureness = fit_platt(
            [margin(chances[i]) for i in chosen],
            [int(chances[i].argmax()) == self.labels[i] for i in chosen],
        )
        return _Speaker(model, sureness, covered, len(chosen), self.agents)


def _folds(labels: Sequence[int]) -> list[int]:
    """A fold for each label: every fold gets its part of every class."""
    seen: Counter[int] = Counter()
    folds = []
    for label in labels:
        folds.append((seen[label] + label) % FOLDS)
        seen[label] += 1
    return folds


def _verdicts(items: Sequence[Labelled], answers: Sequence[Answer]) -> list[Verdict]:
    return [
        Verdict(
            str(item.ids[0]),
            "passed" if answer.agent == item.agent else "wrong_answer",
            agent=item.agent,
        )
        for item, answer in zip(items, answers, strict=True)
    ]
