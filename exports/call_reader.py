"""One pass over what a model wrote that finds every attempted call and the text around them."""

from __future__ import annotations

import re

from exports.call_places import CLOSE, OPEN, Places
from exports.call_values import Attempt, Offered
from exports.json_calls import bare_call, broken_object, read_objects, told_call
from exports.json_fragments import Broken, read_fragment
from exports.xml_calls import read_function

_OPENER = re.compile(
    r"</?tool_call>|/tool_call>|<tools>|<function=|</?think(?:ing)?>|```"
    r'|(?P<object>\{(?=\s*+"))'
)
_FENCE = re.compile(r"```([A-Za-z0-9_+.-]*+)")
_CALL_FENCES = frozenset({"", "json", "jsonc", "json5", "xml", "tool_call", "tool_calls", "tool"})
_BRACKET = re.compile(r"[{\[]")
_TOLD = re.compile(r"^[^\w\n]{0,8}(?:tool|function)[ _-]calls?\s*:", re.IGNORECASE | re.MULTILINE)


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
        self.places = Places(text)
        self.offered = offered
        self.attempts: list[Attempt] = []
        self.kept: list[tuple[int, int]] = []
        self.in_fence = False  # a fence around tags: its end opens nothing
        self.bare: tuple[int, int] | None = None  # the bare object read last

    def read(self) -> None:
        """Go once through the text; fills `attempts` and `kept`."""
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
                return self.places.past(f"</{opener[0][1:]}", end)
            case "</think>" | "</thinking>":  # the prompt opened it: what came before is thought
                self.attempts.clear()
                self.kept.clear()
                return end
            case "```":
                return self._fence(start)
            case _:
                return self._bare_object(start)

    def _function(self, start: int, format_name: str) -> int:
        attempt, position = read_function(self.places, self.offered, start, format_name)
        self.attempts.append(attempt)
        return position

    def _tag(self, start: int) -> int:
        inner = self.places.space(start)
        if self.text.startswith("<function=", inner):
            return self._function(inner, "xml")
        close, border = self.places.border(start)
        bracket = _BRACKET.search(self.text, start, border)
        if bracket is None:
            empty = not self.text[start:border].strip()
            problems = [] if border == close < self.size else ["unclosed"]
            problems.append("truncated" if empty and border == self.size else "json")
            self.attempts.append(Attempt("tags", problems=problems))
            return self.places.past(CLOSE, border, only_here=True)
        attempts, position = read_objects(
            self.places, self.offered, bracket.start(), "tags", border
        )
        if position is None:
            return self._broken_tag(bracket.start(), start)
        alone = len(attempts) == 1 and bracket.start() == inner
        for attempt in attempts:
            attempt.exact = attempt.exact and alone
        self.attempts += attempts
        return self._end_of_tag(position)

    def _end_of_tag(self, position: int) -> int:
        if self.text.startswith(CLOSE, position):
            return position + len(CLOSE)
        close, border = self.places.border(position)
        if close == border < min(self.size, self.places.find("<function=", position)):
            self.attempts[-1].problems.append("repaired_json")  # something more in the tag
            return close + len(CLOSE)
        self.attempts[-1].problems.append("unclosed")
        return position

    def _broken_tag(self, bracket: int, start: int) -> int:
        close, border = self.places.border(start)
        if border == self.size:
            read = read_fragment(self.text, bracket, self.size)
            problem = "truncated" if isinstance(read, Broken) and read.cut else "json"
            problems = ["unclosed", problem]
        else:
            problems = ["json"] if border == close else ["unclosed", "json"]
        self.attempts.append(Attempt("tags", problems=problems))
        return self.places.past(CLOSE, border, only_here=True)

    def _orphan(self, start: int, end: int) -> int:
        """A closing tag that nothing opened: the bare call right before it, if any, is meant."""
        if self.bare and self.attempts and self.places.space(self.bare[1]) == start:
            self.attempts[-1].format = "tags"
        else:
            self.attempts.append(Attempt("tags"))
        self.attempts[-1].problems.append("no_open_tag")
        self.attempts[-1].exact = False
        return end

    def _tools_block(self, start: int) -> int:
        close = self.places.find("</tools>", start)
        found: list[Attempt] = []
        position = start
        while bracket := _BRACKET.search(self.text, position, close):
            attempts, after = read_objects(
                self.places, self.offered, bracket.start(), "tools_tag", close
            )
            found += attempts
            if after is None:
                found += broken_object(self.places, bracket.start(), "tools_tag", close)
                break
            position = max(after, bracket.end())
        self._add(found, unclosed=close == self.size)
        return self.places.past("</tools>", start)

    def _fence(self, start: int) -> int:
        language = _FENCE.match(self.text, start)
        assert language is not None
        if self.in_fence:
            self.in_fence = False
            return start + len("```")
        inner = self.places.space(language.end())
        if language[1].lower() in _CALL_FENCES:
            if self.text.startswith((OPEN, "<function="), inner):
                self.in_fence = True
                return inner
            if self.text.startswith(("{", "["), inner):
                return self._json_fence(inner)
        return self.places.past("```", language.end())

    def _json_fence(self, start: int) -> int:
        close = self.places.find("```", start)
        found, position = read_objects(self.places, self.offered, start, "json_fence", close)
        if position is None:
            self.attempts += broken_object(self.places, start, "json_fence", close)
            return self.places.past("```", start)
        self._add(found, unclosed=self.places.find("```", position) == self.size)
        return self.places.past("```", position)

    def _add(self, found: list[Attempt], *, unclosed: bool) -> None:
        if found and unclosed:
            found[-1].problems.append("unclosed")
        self.attempts += found

    def _bare_object(self, start: int) -> int:
        """A JSON object in plain text."""
        read = self.places.fragment(start, self.size)
        if isinstance(read, Broken):
            if read.open and not self.attempts:
                self.attempts += broken_object(self.places, start, "bare_json", self.size)
            return start + 1
        if told := told_call(read.value):
            self.attempts.append(told)
        elif call := bare_call(read.value, self.offered, repaired=read.repaired):
            self.attempts.append(call)
            self.bare = (start, read.end)
        return read.end
