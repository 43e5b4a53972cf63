"""One pass over what a model wrote that finds every attempted call and the text around them.

The places of every tag are listed once, and reads that fail are paid from a budget: the pass stays
linear in the text whatever the text is.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from exports.call_values import (
    Attempt,
    Call,
    Offered,
    is_signature,
    legacy_call,
    own_lines,
    read_value,
    typed,
    unquoted,
)
from exports.json_fragments import Broken, Fragment, read_fragment

OPEN, CLOSE = "<tool_call>", "</tool_call>"
_OPENER = re.compile(
    r"</?tool_call>|/tool_call>|<tools>|<function=|</?think(?:ing)?>|```"
    r'|(?P<object>\{(?=\s*+"))'
)
_FENCE = re.compile(r"```([A-Za-z0-9_+.-]*+)")
_CALL_FENCES = frozenset({"", "json", "jsonc", "json5", "xml", "tool_call", "tool_calls", "tool"})
_BRACKET = re.compile(r"[{\[]")
_SPACE = re.compile(r"\s*+")
_LOOKS_LIKE_A_CALL = re.compile(
    r'"(?:name|tool|tool_name|function|function_name|method|action)"\s*+:'
)
_TOLD = re.compile(r"^[^\w\n]{0,8}(?:tool|function)[ _-]calls?\s*:", re.IGNORECASE | re.MULTILINE)
_FUNCTION = re.compile(r"<function=([^>\n]{0,256})>")
_PARAMETER = re.compile(r"<parameter=([^>\n<]{0,256})(>?)")


def read_attempts(text: str, offered: Offered | None) -> tuple[list[Attempt], str]:
    """Every attempted call in order, and the text outside of them."""
    reader = _Reader(text, offered)
    reader.read()
    kept = "".join(text[start:end] for start, end in reader.kept).strip()
    if not reader.attempts and _TOLD.search(kept):
        reader.attempts.append(Attempt("bare_json", problems=["prose"]))
    return reader.attempts, kept


class _Reader:
    def __init__(self, text: str, offered: Offered | None) -> None:
        self.text = text
        self.size = len(text)
        self.offered = offered
        self.attempts: list[Attempt] = []
        self.kept: list[tuple[int, int]] = []
        self.in_fence = False  # a fence around tags: its end opens nothing
        self.bare: tuple[int, int] | None = None  # the bare object read last
        self.places: dict[str, list[int]] = {}
        self.budget = 8 * self.size + 10_000  # characters that failed reads may cost

    def read(self) -> None:
        position = kept_from = 0
        while opener := _OPENER.search(self.text, position):
            start = opener.start()
            position = self._at(opener)
            if opener["object"] and self.bare != (start, position):
                continue  # data or broken: it stays part of the text
            self.kept.append((kept_from, start))
            kept_from = position
        self.kept.append((kept_from, self.size))

    def _at(self, opener: re.Match[str]) -> int:
        """Read what an opener starts; returns where to go on."""
        start, end = opener.span()
        match opener[0]:
            case "<tool_call>":
                return self._tag(end)
            case "</tool_call>" | "/tool_call>":
                return self._orphan(start, end)
            case "<tools>":
                return self._tools_block(end)
            case "<function=":
                return self._function(start, "broken_xml")
            case "<think>" | "<thinking>":
                return self._past(f"</{opener[0][1:]}", end)
            case (
                "</think>" | "</thinking>"
            ):  # the prompt opened it: what came before does not count
                self.attempts.clear()
                self.kept.clear()
                return end
            case "```":
                return self._fence(start)
            case _:
                return self._bare_object(start)

    # -- JSON

    def _tag(self, start: int) -> int:
        inner = self._space(start)
        if self.text.startswith("<function=", inner):
            return self._function(inner, "xml")
        close, border = self._border(start)
        bracket = _BRACKET.search(self.text, start, border)
        if bracket is None:
            empty = not self.text[start:border].strip()
            problems = [] if border == close < self.size else ["unclosed"]
            problems.append("truncated" if empty and border == self.size else "json")
            self.attempts.append(Attempt("tags", problems=problems))
            return self._past(CLOSE, border, only_here=True)
        first = len(self.attempts)
        position = self._objects(bracket.start(), "tags", border)
        if position is None:
            return self._broken_tag(bracket.start(), start)
        alone = len(self.attempts) == first + 1 and bracket.start() == inner
        for attempt in self.attempts[first:]:
            attempt.exact = attempt.exact and alone
        return self._end_of_tag(position)

    def _end_of_tag(self, position: int) -> int:
        if self.text.startswith(CLOSE, position):
            return position + len(CLOSE)
        close, border = self._border(position)
        if close == border < min(self.size, self._find("<function=", position)):
            self.attempts[-1].problems.append("repaired_json")  # something more in the tag
            return close + len(CLOSE)
        self.attempts[-1].problems.append("unclosed")
        return position

    def _broken_tag(self, bracket: int, start: int) -> int:
        close, border = self._border(start)
        if border == self.size:
            read = read_fragment(self.text, bracket, self.size)
            problem = "truncated" if isinstance(read, Broken) and read.cut else "json"
            problems = ["unclosed", problem]
        else:
            problems = ["json"] if border == close else ["unclosed", "json"]
        self.attempts.append(Attempt("tags", problems=problems))
        return self._past(CLOSE, border, only_here=True)

    def _orphan(self, start: int, end: int) -> int:
        """A closing tag that nothing opened: the bare call right before it, if any, is meant."""
        if self.bare and self.attempts and self._space(self.bare[1]) == start:
            self.attempts[-1].format = "tags"
        else:
            self.attempts.append(Attempt("tags"))
        self.attempts[-1].problems.append("no_open_tag")
        self.attempts[-1].exact = False
        return end

    def _tools_block(self, start: int) -> int:
        close = self._find("</tools>", start)
        before = len(self.attempts)
        position = start
        while bracket := _BRACKET.search(self.text, position, close):
            after = self._objects(bracket.start(), "tools_tag", close)
            if after is None:
                self._failed("tools_tag", bracket.start(), close)
                break
            position = max(after, bracket.end())
        if close == self.size and len(self.attempts) > before:
            self.attempts[-1].problems.append("unclosed")
        return self._past("</tools>", start)

    def _fence(self, start: int) -> int:
        language = _FENCE.match(self.text, start)
        assert language is not None
        if self.in_fence:
            self.in_fence = False
            return start + len("```")
        inner = self._space(language.end())
        if language[1].lower() in _CALL_FENCES:
            if self.text.startswith((OPEN, "<function="), inner):
                self.in_fence = True
                return inner
            if self.text.startswith(("{", "["), inner):
                return self._json_fence(inner)
        return self._past("```", language.end())

    def _json_fence(self, start: int) -> int:
        close = self._find("```", start)
        before = len(self.attempts)
        position = self._objects(start, "json_fence", close)
        if position is None:
            self._failed("json_fence", start, close)
            return self._past("```", start)
        if self._find("```", position) == self.size and len(self.attempts) > before:
            self.attempts[-1].problems.append("unclosed")
        return self._past("```", position)

    def _bare_object(self, start: int) -> int:
        """A JSON object in plain text: a call only when it names an offered tool."""
        read = self._fragment(start, self.size)
        if isinstance(read, Broken):
            if read.open and not self.attempts:
                self._failed("bare_json", start, self.size)
            return start + 1
        value = read.value
        if value.get("type") == "function" and not is_signature(value):
            told = Attempt("bare_json", legacy=legacy_call(value), problems=["prose"])
            self.attempts.append(told)
        elif self._may_be_a_call(value):
            offered = {} if self.offered is None else self.offered
            attempt = read_value(
                value, "bare_json", offered, repaired=read.repaired, explicit=False
            )
            if attempt is not None:
                self.attempts.append(attempt)
                self.bare = (start, read.end)
        return read.end

    def _may_be_a_call(self, value: dict[str, Any]) -> bool:
        """Data with a "name" is common; a call has arguments, or the name of an offered tool."""
        if {"name", "arguments"} <= set(value):
            return True
        if isinstance(value.get("name"), str) and self.offered and value["name"] in self.offered:
            return True
        meant = None if "name" in value else legacy_call(value)
        return meant is not None and len(value) > 1

    def _objects(self, position: int, format_name: str, border: int) -> int | None:
        """Read JSON values that follow each other; None when the first is broken."""
        start = position
        while self.text.startswith(("{", "["), position):
            read = self._fragment(position, border)
            if isinstance(read, Broken) and read.open:  # a closing tag inside of a string?
                read = self._fragment(position, self.size)
            if isinstance(read, Broken):
                if position == start:
                    return None
                self._failed(format_name, position, border)
                return border
            explicit = format_name == "tags"
            values = read.value if isinstance(read.value, list) else [read.value]
            if explicit and not values:
                self.attempts.append(Attempt(format_name, problems=["json"]))
            for value in values:
                if format_name == "tools_tag" and is_signature(value):
                    continue
                attempt = read_value(
                    value, format_name, self.offered, repaired=read.repaired, explicit=explicit
                )
                if attempt is not None:
                    attempt.exact = attempt.exact and value is read.value
                    self.attempts.append(attempt)
            position = self._space(read.end)
            if self.text.startswith(",", position):
                position = self._space(position + 1)
        return position

    def _failed(self, format_name: str, start: int, border: int) -> None:
        """Note a broken object, if it looks like a call at all."""
        if self._looks_like_a_call(start, border):
            read = read_fragment(self.text, start, border)
            cut = isinstance(read, Broken) and read.cut and border == self.size
            self.attempts.append(Attempt(format_name, problems=["truncated" if cut else "json"]))

    def _looks_like_a_call(self, start: int, border: int) -> bool:
        return bool(_LOOKS_LIKE_A_CALL.search(self.text, start, min(border, start + 400)))

    # -- XML

    def _function(self, start: int, format_name: str) -> int:
        attempt = Attempt(format_name)
        self.attempts.append(attempt)
        if format_name == "broken_xml":
            attempt.problems.append("no_open_tag")
        head = _FUNCTION.match(self.text, start)
        if head is None:
            attempt.problems.append(
                "json" if "\n" in self.text[start : start + 400] else "truncated"
            )
            return start + len("<function=")
        name = unquoted(head[1].strip(), self.offered)
        arguments: dict[str, Any] = {}
        position = self._space(head.end())
        while self.text.startswith("<parameter=", position):
            position = self._space(self._parameter(position, name, arguments, attempt))
        position = self._end_of_function(position, attempt)
        if self.offered is not None and name not in self.offered:
            attempt.problems.append("unknown_tool")
        elif "truncated" not in attempt.problems:
            attempt.call = Call(name, arguments)
        return position

    def _parameter(
        self, start: int, function: str, arguments: dict[str, Any], attempt: Attempt
    ) -> int:
        head = _PARAMETER.match(self.text, start)
        assert head is not None
        end, after = self._end_of_value(head.end())
        if not head[2]:
            attempt.problems.append("dropped_parameter")
            return after
        if end == after:  # nothing closed it
            attempt.problems.append("truncated" if end == self.size else "no_close_tag")
        root = (self.offered or {}).get(function, {})
        properties = root.get("properties")
        known = properties if isinstance(properties, Mapping) else {}
        name = unquoted(head[1].strip(), known if known else None)
        arguments[name] = typed(own_lines(self.text[head.end() : end]), known.get(name), root)
        return after

    def _end_of_value(self, start: int) -> tuple[int, int]:
        """Where a parameter's value ends and where to go on; the same when its tag is missing."""
        own = self._find("</parameter>", start)
        sibling = self._find("<parameter=", start)
        block = min(self._find("</function>", start), self._find(CLOSE, start))
        another = min(self._find("<function=", block), self._find(OPEN, block))
        if own < sibling and not block < another < own:  # else it is a later call's end
            return own, own + len("</parameter>")
        end = min(sibling, block)
        return end, end

    def _end_of_function(self, position: int, attempt: Attempt) -> int:
        if self.text.startswith("</function>", position):
            position += len("</function>")
            after = self._space(position)
            if self.text.startswith(CLOSE, after):
                return after + len(CLOSE)
            if attempt.format == "xml":
                attempt.problems.append("unclosed")
            return position
        attempt.problems.append("no_close_tag")
        return self._past(CLOSE, position, only_here=True)

    # -- moving on

    def _fragment(self, start: int, limit: int) -> Fragment | Broken:
        if self.budget <= 0:
            return Broken(open=False, cut=False, scanned=0)
        read = read_fragment(self.text, start, limit)
        if isinstance(read, Broken):
            self.budget -= read.scanned
        return read

    def _border(self, position: int) -> tuple[int, int]:
        """(the next closing tag, the next tag of either kind)."""
        close = self._find(CLOSE, position)
        return close, min(close, self._find(OPEN, position))

    def _find(self, needle: str, position: int) -> int:
        """Where `needle` comes next, the text's length if never."""
        places = self.places.get(needle)
        if places is None:
            places = [found.start() for found in re.finditer(re.escape(needle), self.text)]
            self.places[needle] = places
        index = bisect_left(places, position)
        return places[index] if index < len(places) else self.size

    def _past(self, needle: str, position: int, *, only_here: bool = False) -> int:
        """Behind the next `needle`, or with `only_here` behind the one at `position`, if any."""
        if not only_here:
            position = self._find(needle, position)
        here = self.text.startswith(needle, position)
        return position + len(needle) if here else position

    def _space(self, position: int) -> int:
        found = _SPACE.match(self.text, position)
        return found.end() if found else position
