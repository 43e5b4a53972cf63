"""Which kind of word stands where in a piece of code: pygments' tokens as a few names."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import lru_cache

CODE_MOST = 40_000  # characters; what is longer stays plain, since it would be felt
KINDS = ("comment", "string", "number", "keyword", "name")


def spans_between(
    code: str, language: str, begin: int, end: int
) -> tuple[tuple[int, int, str], ...]:
    """(start, end, kind) of the words that lie between two places and have a style of their own."""
    found = _spans(code, language)
    low = bisect_right(found, begin, key=lambda span: span[1])
    return found[low : bisect_left(found, end, low, key=lambda span: span[0])]


@lru_cache(maxsize=64)
def _spans(code: str, language: str) -> tuple[tuple[int, int, str], ...]:
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
