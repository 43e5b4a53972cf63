"""Which answers to a problem are different solutions, and which k of them to train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Indel

from exports.code_blocks import normalised_tree, python_code

SAME_PROSE = 0.90


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a problem. `rank` orders them, smallest first (verified before the rest)."""

    id: int
    text: str
    rank: int = 0


def shape(text: str) -> str:
    """What makes an answer the same solution: its code's normalised tree, else its text."""
    code = python_code(text)
    tree = normalised_tree(code) if code else None
    return tree if tree is not None else " ".join(text.split())


def distinct(answers: Sequence[Answer]) -> list[Answer]:
    """One answer of each solution, the best ranked first; ties keep their order.

    Code is the same solution when its normalised trees are equal, prose when its similarity
    (normalised indel, 0..1) is at least `SAME_PROSE`.
    """
    kept: list[tuple[Answer, str, bool]] = []
    for answer in sorted(answers, key=lambda a: (a.rank, a.id)):
        own = shape(answer.text)
        is_code = own.startswith("Module(")
        for _, other, other_is_code in kept:
            if own == other:
                break
            prose = not is_code and not other_is_code
            if prose and Indel.normalized_similarity(own, other, score_cutoff=SAME_PROSE) > 0:
                break
        else:
            kept.append((answer, own, is_code))
    return [answer for answer, _, _ in kept]


def choose(answers: Sequence[Answer], k: int) -> list[Answer]:
    """The best ranked answer, then again and again the one farthest from all chosen so far.

    Only within the best rank that has any left, so that verified solutions come first.
    """
    left = distinct(answers) if len(answers) > 1 else list(answers)
    if len(left) <= k:
        return left
    shapes = {answer.id: shape(answer.text) for answer in left}
    chosen = [left.pop(0)]
    nearest = {a.id: _distance(shapes[a.id], shapes[chosen[0].id]) for a in left}
    while len(chosen) < k:
        rank = min(answer.rank for answer in left)
        best = max((a for a in left if a.rank == rank), key=lambda a: (nearest[a.id], -a.id))
        left.remove(best)
        chosen.append(best)
        for answer in left:
            nearest[answer.id] = min(
                nearest[answer.id], _distance(shapes[answer.id], shapes[best.id])
            )
    return chosen


def _distance(a: str, b: str) -> float:
    return Indel.normalized_distance(a, b)
