"""One call as an XML function block: `<function=name><parameter=key>value</parameter>…`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from exports.call_places import CLOSE, OPEN, Places
from exports.call_values import Attempt, Call, Offered, own_lines, typed, unquoted

_FUNCTION = re.compile(r"<function=([^>\n]{0,256})>")
_PARAMETER = re.compile(r"<parameter=([^>\n<]{0,256})(>?)")


def read_function(
    places: Places, offered: Offered | None, start: int, format_name: str
) -> tuple[Attempt, int]:
    """The call of the function block at `start`, and where to go on.

    `format_name`: xml inside of a tool-call tag, broken_xml outside. `offered` None: every name
    counts.
    """
    attempt = Attempt(format_name)
    if format_name == "broken_xml":
        attempt.problems.append("no_open_tag")
    head = _FUNCTION.match(places.text, start)
    if head is None:
        one_line = "\n" not in places.text[start : start + 400]
        attempt.problems.append("truncated" if one_line else "json")
        return attempt, start + len("<function=")
    name = unquoted(head[1].strip(), offered)
    root = (offered or {}).get(name, {})
    arguments: dict[str, Any] = {}
    position = places.space(head.end())
    while places.text.startswith("<parameter=", position):
        position = places.space(_parameter(places, position, root, arguments, attempt))
    position = _end_of_function(places, position, attempt)
    if offered is not None and name not in offered:
        attempt.problems.append("unknown_tool")
    elif "truncated" not in attempt.problems:
        attempt.call = Call(name, arguments)
    return attempt, position


def _parameter(
    places: Places,
    start: int,
    root: Mapping[str, Any],
    arguments: dict[str, Any],
    attempt: Attempt,
) -> int:
    """Read one parameter into the arguments; `root` is the schema of its function."""
    head = _PARAMETER.match(places.text, start)
    assert head is not None
    end, after = _end_of_value(places, head.end())
    if not head[2]:
        attempt.problems.append("dropped_parameter")
        return after
    if end == after:  # nothing closed it
        attempt.problems.append("truncated" if end == places.size else "no_close_tag")
    properties = root.get("properties")
    known = properties if isinstance(properties, Mapping) else {}
    name = unquoted(head[1].strip(), known if known else None)
    arguments[name] = typed(own_lines(places.text[head.end() : end]), known.get(name), root)
    return after


def _end_of_value(places: Places, start: int) -> tuple[int, int]:
    """Where a parameter's value ends and where to go on; the same when its tag is missing."""
    own = places.find("</parameter>", start)
    sibling = places.find("<parameter=", start)
    block = min(places.find("</function>", start), places.find(CLOSE, start))
    another = min(places.find("<function=", block), places.find(OPEN, block))
    if own < sibling and not block < another < own:  # else it is a later call's end
        return own, own + len("</parameter>")
    end = min(sibling, block)
    return end, end


def _end_of_function(places: Places, position: int, attempt: Attempt) -> int:
    if places.text.startswith("</function>", position):
        position += len("</function>")
        after = places.space(position)
        if places.text.startswith(CLOSE, after):
            return after + len(CLOSE)
        if attempt.format == "xml":
            attempt.problems.append("unclosed")
        return position
    attempt.problems.append("no_close_tag")
    return places.past(CLOSE, position, only_here=True)
