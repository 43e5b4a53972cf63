"""A classifier of texts by their words: logistic regression in numpy, deterministic and small.

Multinomial, L2-penalised, over words, word pairs and the opening word (weighted by their rarity),
beside features of the caller's own. Trained by Nesterov's accelerated gradient.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

TERMS_MAX = 2_048
READ_CHARS = 2_000  # of a text; what is asked stands at its beginning
_PENALTY = 0.1  # of the squared weights, against the summed loss of all texts
_STEPS = 150
_RIDGE = 1e-3
_FILLERS = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "in", "into", "is", "it",
    "its", "of", "on", "or", "so", "that", "the", "this", "to", "was", "we", "with",
    "das", "dem", "den", "der", "des", "die", "ein", "eine", "einen", "für", "im", "ist", "mit",
    "und", "von", "zu",
})  # fmt: skip  # words that are no reason
_WORD = re.compile(r"[^\W\d_][\w+#'-]*")


@dataclass(frozen=True)
class WordModel:
    """Weights of terms (`terms` x classes) and of the caller's features (features x classes)."""

    terms: dict[str, int]
    rarity: Matrix
    term_weights: Matrix
    own_weights: Matrix
    bias: Matrix

    def logits(self, text: str, own: Sequence[float]) -> Matrix:
        """Unnormalised log-probabilities of the classes."""
        where, weights = self._found(text)
        found: Matrix = weights @ self.term_weights[where]
        return found + np.asarray(own, np.float32) @ self.own_weights + self.bias

    def knows(self, text: str) -> bool:
        """Whether the text holds any term."""
        return len(self._found(text)[0]) > 0

    def telling(self, text: str, chosen: int, count: int = 3) -> list[str]:
        """The terms of a text that spoke most for a class, against the others; perhaps none.

        Words such as "the" may speak, but are not named.
        """
        where, weights = self._found(text)
        rows = self.term_weights[where]
        spoke = weights * (rows[:, chosen] - rows.mean(axis=1))
        names = list(self.terms)
        best = [i for i in np.argsort(-spoke, kind="stable") if spoke[i] > 0]
        found = dict.fromkeys(names[int(where[i])].removeprefix("^") for i in best)
        return [term for term in found if not _FILLERS.issuperset(term.split())][:count]

    def _found(self, text: str) -> tuple[NDArray[np.int64], Matrix]:
        """Which terms the text holds, and their weights (of length 1 together)."""
        found = sorted({self.terms[term] for term in terms_of(text) if term in self.terms})
        where = np.asarray(found, np.int64)
        weights = self.rarity[where]
        length = float(np.linalg.norm(weights))
        return where, weights / length if length else weights


def terms_of(text: str) -> set[str]:
    """Words, pairs of words, and `^` with the first word."""
    words = [word.casefold() for word in _WORD.findall(text[:READ_CHARS])]
    pairs = (f"{a} {b}" for a, b in pairwise(words))
    return {*words, *pairs, *(f"^{word}" for word in words[:1])}


def fit(
    texts: Sequence[str], own: Sequence[Sequence[float]], labels: Sequence[int], classes: int
) -> WordModel:
    """Train on texts with their own features (texts x features) and classes from 0 up."""
    per_text = [terms_of(text) for text in texts]
    counted = Counter(term for terms in per_text for term in terms)
    common = sorted((term for term in counted if counted[term] > 1), key=lambda t: (-counted[t], t))
    terms = {term: place for place, term in enumerate(common[:TERMS_MAX])}
    rarity = np.array([1 + np.log(len(texts) / counted[term]) for term in terms], np.float32)
    features = np.asarray(own, np.float32).reshape(len(texts), -1)
    empty = WordModel(
        terms,
        rarity,
        np.zeros((len(terms), classes), np.float32),
        np.zeros((features.shape[1], classes), np.float32),
        np.zeros(classes, np.float32),
    )
    x = _Sparse.of(empty, texts, features)
    weights = _minimum(x, np.eye(classes, dtype=np.float32)[np.asarray(labels)])
    return WordModel(terms, rarity, weights[: len(terms)], weights[len(terms) : -1], weights[-1])


@dataclass(frozen=True)
class _Sparse:
    """A matrix of texts x (terms, the caller's features, 1) by its entries, row after row.

    A text has a dozen terms of thousands: so it takes a tenth of the time, and no threads.
    """

    columns: NDArray[np.int64]
    values: Matrix
    starts: NDArray[np.int64]
    width: int

    @classmethod
    def of(cls, model: WordModel, texts: Sequence[str], own: Matrix) -> _Sparse:
        """The matrix of texts, each with the caller's features (texts x features)."""
        features = np.arange(own.shape[1] + 1) + len(model.terms)
        found = [model._found(text) for text in texts]
        one = np.ones(1, np.float32)
        return cls(
            np.concatenate([part for where, _ in found for part in (where, features)]),
            np.concatenate(
                [p for (_, w), row in zip(found, own, strict=True) for p in (w, row, one)]
            ),
            np.cumsum([0, *(len(where) + len(features) for where, _ in found[:-1])]),
            len(model.terms) + len(features),
        )

    def times(self, weights: Matrix) -> Matrix:
        """Its product with weights (width x classes)."""
        found: Matrix = np.add.reduceat(self.values[:, None] * weights[self.columns], self.starts)
        return found

    def transposed_times(self, errors: Matrix) -> Matrix:
        """The product of its transpose with something for each text (texts x classes)."""
        lengths = np.diff([*self.starts, len(self.values)])
        spread = np.repeat(errors, lengths, axis=0) * self.values[:, None]
        sums = [np.bincount(self.columns, part, self.width) for part in spread.T]
        return np.stack(sums, axis=1).astype(np.float32)


def _minimum(x: _Sparse, wanted: Matrix) -> Matrix:
    """Weights (features x classes) of the least penalised cross-entropy."""
    size = np.float32(len(wanted))
    penalty = np.float32(_PENALTY) / size
    step = np.float32(1 / (0.5 * _largest_square(x) / size + penalty))
    weights: Matrix = np.zeros((x.width, wanted.shape[1]), np.float32)
    ahead = weights
    for turn in range(_STEPS):
        errors = softmax(x.times(ahead)) - wanted
        slope: Matrix = x.transposed_times(errors) / size + penalty * ahead
        following: Matrix = ahead - step * slope
        ahead = following + np.float32(turn / (turn + 3)) * (following - weights)
        weights = following
    return weights


def _largest_square(x: _Sparse) -> float:
    """The square of the largest singular value, by power iteration."""
    vector: Matrix = np.ones((x.width, 1), np.float32)
    for _ in range(20):
        vector = x.transposed_times(x.times(vector))
        vector /= max(float(np.linalg.norm(vector)), 1e-12)
    return float(np.linalg.norm(x.times(vector))) ** 2 * 1.1


def softmax(logits: Matrix) -> Matrix:
    """Probabilities along the last axis."""
    powers: Matrix = np.exp(logits - logits.max(axis=-1, keepdims=True))
    chances: Matrix = powers / powers.sum(axis=-1, keepdims=True)
    return chances


def margin(chances: Matrix) -> float:
    """The log-odds of the likeliest class."""
    best = min(max(float(chances.max()), 1e-6), 1 - 1e-6)
    return math.log(best / (1 - best))


@dataclass(frozen=True, slots=True)
class Platt:
    """Log-odds of a model to how often it is right: the logistic of `slope * odds + offset`."""

    slope: float
    offset: float

    def confidence(self, odds: float) -> float:
        """A probability from 0 to 1."""
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, self.slope * odds + self.offset))))


def fit_platt(odds: Sequence[float], right: Sequence[bool]) -> Platt:
    """Fit on answers to texts that the model was not trained on (Platt 1999, "Probabilistic
    Outputs for Support Vector Machines"), with his softened targets: a few answers that are all
    right do not give certainty. The mean confidence is the share that was right.
    """
    hits = sum(right)
    misses = len(right) - hits
    wanted = np.where(right, (hits + 1) / (hits + 2), 1 / (misses + 2))
    x = np.column_stack([np.asarray(odds, np.float64), np.ones(len(right))])

    def loss(at: NDArray[np.float64]) -> float:
        found = x @ at
        return float((np.logaddexp(0, found) - wanted * found).sum()) + _RIDGE / 2 * float(at @ at)

    weights = np.zeros(2)
    for _ in range(50):  # Newton's method; a step that goes too far is halved
        chances = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        curvature = (x * (chances * (1 - chances))[:, None]).T @ x + _RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, x.T @ (chances - wanted) + _RIDGE * weights)
        while loss(weights - step) > loss(weights) and float(np.abs(step).max()) > 1e-9:
            step /= 2
        weights = weights - step
    if weights[0] < 0:  # surer and less often right: then its odds tell nothing
        mean = float(wanted.mean())
        return Platt(0.0, math.log(mean / (1 - mean)))
    return Platt(float(weights[0]), float(weights[1]))
