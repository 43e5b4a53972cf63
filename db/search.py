"""Full-text search: what the user typed, quoted for FTS5."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\w+\*?")
_WORD = re.compile(r"\w+")
_TYPED = re.compile(r'"([^"]*)"?|([^\s"]+)')


def match_expression(typed: str) -> str | None:
    """An FTS5 query that finds the typed words in order as a phrase; None when there are none.

    A trailing `*` searches for the beginning of the last word. Nothing that was typed is taken as
    an operator of FTS5.
    """
    tokens = _TOKEN.findall(typed)
    if not tokens:
        return None
    prefix = tokens[-1].endswith("*")
    words = " ".join(token.rstrip("*") for token in tokens)
    return f'"{words}"' + ("*" if prefix else "")


def typed_expression(typed: str) -> str | None:
    """An FTS5 query for a search that is being typed; None when there is nothing to search for.

    All words have to occur, in any order; the last one may be unfinished. Words in double quotes
    have to stand together.
    """
    found: list[str] = []
    for phrase, word in _TYPED.findall(typed):
        expression = match_expression(phrase or word)
        if expression is not None:
            found.append(expression)
    if not found:
        return None
    if not typed[-1:].isspace() and not found[-1].endswith("*") and not typed.endswith('"'):
        found[-1] += "*"
    return " AND ".join(found)


def hit_pattern(typed: str) -> re.Pattern[str] | None:
    """What of a text to show as found by such a search; None when there is nothing to show."""
    words = [
        r"\W+".join(map(re.escape, _WORD.findall(phrase or word)))
        for phrase, word in _TYPED.findall(typed)
    ]
    pattern = "|".join(rf"\b{word}" for word in words if word)
    return re.compile(pattern, re.IGNORECASE) if pattern else None
