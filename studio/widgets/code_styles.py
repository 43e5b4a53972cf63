"""Which kind of word stands where in a piece of code: pygments' tokens as a few names."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache

CODE_MOST = 40_000  # characters; what is longer stays plain, since it would be felt
KINDS = ("comment", "string", "number", "keyword", "name")


Span = tuple[int, int, str]  # where it starts and ends, and its kind


def spans_between(found: Sequence[Span], begin: int, end: int) -> Sequence[Span]:
    """Those of the spans that lie between two places."""
    low = bisect_right(found, begin, key=lambda span: span[1])
    return found[low : bisect_left(found, end, low, key=lambda span: span[0])]


@lru_cache(maxsize=64)
def spans_of(code: str, language: str) -> tuple[Span, ...]:
    """The words that have a style of their own. A page of code takes 20 ms: for a thread."""
    if not language or len(code) > CODE_MOST:
        return ()
    from pygments.lexers import get_lexer_by_name
    from pygments.token import Token
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return ()
    kinds = (
        (Token.Comment, "comment"),
        (Token.Literal.String, "string"),
        (Token.Literal.Number, "number"),
        (Token.Keyword, "keyword"),
        (Token.Operator.Word, "keyword"),
        (Token.Name.Function, "name"),
        (Token.Name.Class, "name"),
        (Token.Name.Decorator, "name"),
    )
    found = []
    for start, token, value in lexer.get_tokens_unprocessed(code):
        kind = next((name for kind, name in kinds if token in kind), None)
        if kind is not None:
            found.append((start, start + len(value), kind))
    return tuple(found)
