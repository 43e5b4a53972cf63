"""Calls as JSON objects: in tags and fences where they are announced, and bare in plain text."""

from __future__ import annotations

import re
from typing import Any

from exports.call_places import Places
from exports.call_values import Attempt, Offered, is_signature, legacy_call, read_value
from exports.json_fragments import Broken, read_fragment

_LOOKS_LIKE_A_CALL = re.compile(
    r'"(?:name|tool|tool_name|function|function_name|method|action)"\s*+:'
)


def read_objects(
    places: Places, offered: Offered | None, position: int, format_name: str, border: int
) -> tuple[list[Attempt], int | None]:
    """The calls of JSON values that follow each other, and where to go on.

    None in its place when the first value is broken; a later broken one ends at `border`.
    """
    attempts: list[Attempt] = []
    start = position
    while places.text.startswith(("{", "["), position):
        read = places.fragment(position, border)
        if isinstance(read, Broken) and read.open:  # a closing tag inside of a string?
            read = places.fragment(position, places.size)
        if isinstance(read, Broken):
            if position == start:
                return attempts, None
            return attempts + broken_object(places, position, format_name, border), border
        attempts += _calls_in(read.value, format_name, offered, repaired=read.repaired)
        position = places.space(read.end)
        if places.text.startswith(",", position):
            position = places.space(position + 1)
    return attempts, position


def _calls_in(
    read: Any, format_name: str, offered: Offered | None, *, repaired: bool
) -> list[Attempt]:
    """The calls of one JSON value, an object or an array of them."""
    explicit = format_name == "tags"
    values = read if isinstance(read, list) else [read]
    if explicit and not values:
        return [Attempt(format_name, problems=["json"])]
    attempts = []
    for value in values:
        if format_name == "tools_tag" and is_signature(value):
            continue
        attempt = read_value(value, format_name, offered, repaired=repaired, explicit=explicit)
        if attempt is not None:
            attempt.exact = attempt.exact and value is read
            attempts.append(attempt)
    return attempts


def broken_object(places: Places, start: int, format_name: str, border: int) -> list[Attempt]:
    """The failed call of a broken object; none when it does not look like a call at all."""
    if not _LOOKS_LIKE_A_CALL.search(places.text, start, min(border, start + 400)):
        return []
    read = read_fragment(places.text, start, border)
    cut = isinstance(read, Broken) and read.cut and border == places.size
    return [Attempt(format_name, problems=["truncated" if cut else "json"])]


def told_call(value: dict[str, Any]) -> Attempt | None:
    """What the definition of a call is (`"type": "function"`): told in prose, not made."""
    if value.get("type") != "function" or is_signature(value):
        return None
    return Attempt("bare_json", legacy=legacy_call(value), problems=["prose"])


def bare_call(value: dict[str, Any], offered: Offered | None, *, repaired: bool) -> Attempt | None:
    """What an object in plain text is as a call: only when it names an offered tool."""
    if not _may_be_a_call(value, offered):
        return None
    return read_value(value, "bare_json", offered or {}, repaired=repaired, explicit=False)


def _may_be_a_call(value: dict[str, Any], offered: Offered | None) -> bool:
    """Data with a "name" is common; a call has arguments, or the name of an offered tool."""
    if {"name", "arguments"} <= set(value):
        return True
    if isinstance(value.get("name"), str) and offered and value["name"] in offered:
        return True
    meant = None if "name" in value else legacy_call(value)
    return meant is not None and len(value) > 1
