"""When two requests ask the same: equal once folded, or near-identical with the same literals.

"Sort 12 items" and "sort 13 items" are two requests however alike their letters are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from db.interactions import normalised
from exports.near_duplicates import find_clusters

NEAR = 92.0
_LITERAL = re.compile(
    r"""\d+|"[^"]*"|'[^']*'|`[^`]*`|\w+(?:[_./:=<>@#-]+\w+)+|\w*_\w*|\w*[a-z][A-Z]\w*|\b[A-Z]{2,}\b"""
)


def literals(request: str) -> tuple[str, ...]:
    """Numbers, quoted texts and identifiers: what two wordings of one request must share."""
    return tuple(sorted(match.lower() for match in _LITERAL.findall(request)))


def same_requests(requests: Sequence[str]) -> list[int]:
    """For each request the index of the first one that asks the same (itself when it is first)."""
    first: dict[str, int] = {}
    for index, request in enumerate(requests):
        first.setdefault(normalised(request), index)
    marks = [literals(requests[index]) for index in first.values()]
    numbers = {mark: number for number, mark in enumerate(dict.fromkeys(marks))}
    labels = find_clusters(
        list(first), threshold=NEAR, groups=[numbers[mark] for mark in marks]
    ).labels
    head_of_label: dict[int, int] = {}
    head_of = {
        folded: index if label < 0 else head_of_label.setdefault(int(label), index)
        for (folded, index), label in zip(first.items(), labels, strict=True)
    }
    return [head_of[normalised(request)] for request in requests]
