"""Full-text search: what the user typed, quoted for FTS5."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\w+\*?")


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
