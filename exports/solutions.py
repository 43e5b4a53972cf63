"""Which answers to a problem are different solutions, and which k of them to train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Indel

from exports.code_blocks import normalised_tree, python_code
from exports.near_duplicates import find_clusters

SAME_PROSE = 0.90
_FEW = 200  # shapes up to which every pair is compared, in a third of a second at most


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
    """One answer of each solution, the best ranked first; ties keep their order."""
    return [group[0] for group in solutions(answers)]


def solutions(answers: Sequence[Answer]) -> list[list[Answer]]:
    """The answers of each solution, its best ranked first, and the best solution first.

    Code is the same solution when its normalised trees are equal, prose when its similarity
    (normalised indel, 0..1) is at least `SAME_PROSE`.
    """
    ordered = sorted(answers, key=lambda a: (a.rank, a.id))
    shapes = [shape(answer.text) for answer in ordered]
    found: list[list[Answer]] = []
    seen: dict[str, list[Answer]] = {}
    prose: dict[int, list[str]] = {}  # the first wording of each solution, by group of likeness
    for answer, own, group in zip(ordered, shapes, _groups(shapes), strict=True):
        same = seen.get(own)
        if same is None and not own.startswith("Module("):
            near = prose.setdefault(group, [])
            alike = next((other for other in near if _same_prose(own, other)), None)
            if alike is None:
                near.append(own)
            else:
                same = seen[alike]
        if same is None:
            same = []
            found.append(same)
        same.append(answer)
        seen.setdefault(own, same)
    return found


def _same_prose(a: str, b: str) -> bool:
    return Indel.normalized_similarity(a, b, score_cutoff=SAME_PROSE) > 0


def _groups(shapes: Sequence[str]) -> list[int]:
    """A group for each: prose of two groups is never the same. One group where they are few."""
    if len(set(shapes)) <= _FEW:
        return [0] * len(shapes)
    labels = find_clusters(shapes, threshold=100 * SAME_PROSE).labels.tolist()
    return [label if label >= 0 else -1 - place for place, label in enumerate(labels)]


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
