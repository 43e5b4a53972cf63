"""One JSON value from bytes, as tolerant as is safe: what cannot be kept says where it broke."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import msgspec

DEPTH_LIMIT = 200
MENDED_LIMIT = 1 << 20
_TOKENS = re.compile(
    rb'(?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+")|(?P<cut>")|(?P<open>[\[{])|(?P<close>[\]}])|(?P<comma>,)',
    re.DOTALL,
)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Damaged(Exception):
    """The bytes are no JSON value that can be kept; the message says why and where."""


def decode(data: bytes) -> Any:
    """The value of one JSON text. NaN and Infinity become None, lone surrogates and NUL U+FFFD.

    Raises Damaged for anything else that JSON does not allow, and for nesting over 200 levels.
    """
    if data.count(b"[") + data.count(b"{") > DEPTH_LIMIT and _depth(data) > DEPTH_LIMIT:
        raise Damaged(f"nested deeper than {DEPTH_LIMIT} levels")
    try:
        value = msgspec.json.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _decode_odd(data)
    return _storable(value) if b"\\u0000" in data else value


def _decode_odd(data: bytes) -> Any:
    """The slow way, for what msgspec refuses: it may still be usable, and knows the column."""
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        at = error.start
        raise Damaged(f"not UTF-8: byte 0x{data[at]:02x} at byte offset {at}") from error
    try:
        return _storable(json.loads(text, parse_constant=lambda _: None))
    except json.JSONDecodeError as error:
        what = "NUL byte" if text[error.pos : error.pos + 1] == "\0" else error.msg
        place = f"at column {error.colno}"
        if error.lineno > 1:
            place = f"at its line {error.lineno}, column {error.colno}"
        raise Damaged(f"not JSON: {what.removesuffix(' at')} {place}") from error
    except (ValueError, RecursionError) as error:
        raise Damaged(f"not usable JSON: {error}") from error


def mended(data: bytes) -> Any:
    """What a JSON text that was cut off holds up to the cut, by its first MiB: to recognise it by.

    Raises Damaged when that is nothing.
    """
    data = data[:MENDED_LIMIT].strip()
    closers: list[bytes] = []
    before = b""  # up to the last comma, with its brackets closed
    ending = b""
    for match in _TOKENS.finditer(data):
        kind = match.lastgroup
        if kind == "open":
            closers.append(b"]" if match.group() == b"[" else b"}")
        elif kind == "close" and closers:
            closers.pop()
        elif kind == "comma":
            before = data[: match.start()] + b"".join(reversed(closers))
        elif kind == "cut":
            ending = b'"'
            break
    try:
        return decode(data + ending + b"".join(reversed(closers)))
    except Damaged:
        return decode(before)


def _depth(data: bytes) -> int:
    deepest = depth = 0
    for match in _TOKENS.finditer(data):
        kind = match.lastgroup
        if kind == "open":
            depth += 1
            deepest = max(deepest, depth)
        elif kind == "close":
            depth -= 1
        elif kind == "cut":
            break
    return deepest


def _storable(value: Any) -> Any:
    """The value with every string and number such that any database and UTF-8 can hold it."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
