"""JSON inside other text: find where a value ends, read it, mend what models often get wrong.

Everything here is linear in the text and never raises on any of it.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

_STRING = r'"(?:[^"\\]|\\.)*+"'
_TOKEN = re.compile(rf'{_STRING}|"|[{{}}\[\]]', re.DOTALL)
_TRAILING_COMMA = re.compile(rf"({_STRING})|,(?=\s*+[}}\]])", re.DOTALL)
_MAX_DEPTH = 200


@dataclass(frozen=True, slots=True)
class Fragment:
    """A JSON value in a text: where it ends, its value, and whether it had to be mended."""

    end: int
    value: Any
    repaired: bool


@dataclass(frozen=True, slots=True)
class Broken:
    """No JSON value stands here.

    `open` tells that its brackets never close, `cut` that more than closing brackets is missing;
    `scanned` is how many characters were read to find out.
    """

    open: bool
    cut: bool
    scanned: int


def read_fragment(text: str, start: int, limit: int) -> Fragment | Broken:
    """The JSON object or array that begins at `start` and ends before `limit`."""
    end = _closing(text, start, limit)
    if end is None:
        cut = not text[max(start, limit - 64) : limit].rstrip().endswith(("}", "]"))
        return Broken(open=True, cut=cut, scanned=limit - start)
    part = text[start:end]
    value = _loads(part, strict=True)
    if value is not _NOTHING:
        return Fragment(end, value, repaired=_repeats_a_key(part))
    mended = _TRAILING_COMMA.sub(lambda found: found[1] or "", part)
    value = _loads(mended, strict=False)  # raw line breaks in strings
    if value is _NOTHING:
        return Broken(open=False, cut=False, scanned=end - start)
    return Fragment(end, value, repaired=True)


def decode_once(text: str) -> Any | None:
    """The value of a text that is one JSON document, else None."""
    value = _loads(text, strict=False)
    return None if value is _NOTHING else value


_NOTHING = object()


def _loads(text: str, *, strict: bool) -> Any:
    try:
        return json.loads(
            text, strict=strict, parse_constant=_no_constant, parse_float=_finite_float
        )
    except (ValueError, RecursionError):
        return _NOTHING


def _repeats_a_key(text: str) -> bool:
    """Whether an object says a key twice; JSON leaves open which one counts, we take the last."""
    repeated = False

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        kept = dict(found)
        repeated = repeated or len(kept) < len(found)
        return kept

    if text.count('":') + text.count('" :') > 1:
        json.loads(text, object_pairs_hook=pairs)
    return repeated


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON value")


def _finite_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits} is out of range")
    return value


def _closing(text: str, start: int, limit: int) -> int | None:
    """Where the bracket at `start` is closed, brackets in strings left aside."""
    depth = 0
    for token in _TOKEN.finditer(text, start, limit):
        mark = token[0]
        if mark in "{[":
            depth += 1
            if depth > _MAX_DEPTH:
                return None
        elif mark in "}]":
            depth -= 1
            if depth == 0:
                return token.end()
        elif mark == '"':  # a string that never ends
            return None
    return None
