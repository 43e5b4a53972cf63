"""When two requests ask the same: equal once folded, or near-identical with the same literals.

"Sort 12 items" and "sort 13 items" are two requests however alike their letters are; so are
"x + 1" and "x - 1", "in C" and "in C++", "delete" and "do not delete", "first" and "last".
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
_SIGN = re.compile(r"\+{1,2}|(?<=\w)#|[<>]=?|[=!]=|[*/%^&|~]|(?<![\w-])-\s?(?=\d|\w\b)")
_TURNS = re.compile(  # words of which one turns a request around
    r"""(?i:\b(?:not|no|never|without|cannot|ascending|descending|asc|desc|min|max|minimum|maximum
    |minimi[sz]e|maximi[sz]e|first|last|before|after|increas\w*|decreas\w*|enable\w?|disable\w?
    |include\w?|exclude\w?|add|remove|left|right|top|bottom|even|odd|true|false|less|more|greater
    |smaller|smallest|largest|shortest|longest|highest|lowest|encode|decode|encrypt|decrypt|open
    |close|start|stop|lock|unlock|push|pull|upper\w*|lower\w*)\b|n[\'’]t\b)""",
    re.VERBOSE,
)


def literals(request: str) -> tuple[str, ...]:
    """Numbers, quoted texts, identifiers, signs, and words of order and negation: what two
    wordings of one request must share.
    """
    found = (pattern.findall(request) for pattern in (_LITERAL, _SIGN, _TURNS))
    return tuple(sorted(match.lower() for matches in found for match in matches))


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
