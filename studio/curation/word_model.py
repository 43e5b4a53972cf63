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

    def telling(self, text: str, chosen: int, count: int = 3) -> list[str]:
        """The terms of a text that spoke most for a class, against the others; perhaps none."""
        where, weights = self._found(text)
        rows = self.term_weights[where]
        spoke = weights * (rows[:, chosen] - rows.mean(axis=1))
        names = list(self.terms)
        best = [i for i in np.argsort(-spoke, kind="stable") if spoke[i] > 0]
        found = dict.fromkeys(names[int(where[i])].removeprefix("^") for i in best)
        return list(found)[:count]

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
    x = np.zeros((len(texts), len(terms) + features.shape[1] + 1), np.float32)
    for row, text in enumerate(texts):
        where, weights = empty._found(text)
        x[row, where] = weights
    x[:, len(terms) : -1] = features
    x[:, -1] = 1
    weights = _minimum(x, np.eye(classes, dtype=np.float32)[np.asarray(labels)])
    return WordModel(terms, rarity, weights[: len(terms)], weights[len(terms) : -1], weights[-1])


def _minimum(x: Matrix, wanted: Matrix) -> Matrix:
    """Weights (features x classes) of the least penalised cross-entropy."""
    size, penalty = np.float32(len(x)), np.float32(_PENALTY / len(x))
    step = np.float32(1 / (0.5 * _largest_square(x) / len(x) + _PENALTY / len(x)))
    weights: Matrix = np.zeros((x.shape[1], wanted.shape[1]), np.float32)
    ahead = weights
    for turn in range(_STEPS):
        slope: Matrix = x.T @ (softmax(x @ ahead) - wanted) / size + penalty * ahead
        following: Matrix = ahead - step * slope
        ahead = following + np.float32(turn / (turn + 3)) * (following - weights)
        weights = following
    return weights


def _largest_square(x: Matrix) -> float:
    """The square of the largest singular value, by power iteration."""
    vector = np.ones(x.shape[1], np.float32)
    for _ in range(20):
        vector = x.T @ (x @ vector)
        vector /= max(float(np.linalg.norm(vector)), 1e-12)
    return float(np.linalg.norm(x @ vector)) ** 2 * 1.1


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
