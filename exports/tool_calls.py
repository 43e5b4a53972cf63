"""The tool-call contract: how a call is written, and how every form that models emit is read.

The template is `<tool_call>\\n{"name": …, "arguments": {…}}\\n</tool_call>`; only that is *strict*.
`parse` also reads, and names as such: ```json fences, XML function blocks, the same without their
opening tag, bare JSON that names an offered tool, and `<tools>` blocks. It never raises, never
guesses silently, takes time linear in the text, and never reads the same span twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exports.call_reader import read_attempts
from exports.call_values import Call, offered_tools

FORMATS = ("tags", "json_fence", "xml", "broken_xml", "bare_json", "tools_tag")
PROBLEMS = (
    "unclosed",  # the text or the next call comes before the closing tag
    "json",  # what stands there is no JSON
    "string_arguments",  # arguments are a string; read when it holds an object
    "no_open_tag",  # a function block or a closing tag that nothing opened
    "no_close_tag",  # a parameter or function block without its end
    "dropped_parameter",  # <parameter=name without its bracket
    "wrong_keys",  # "tool", "args", "parameters", …: see `legacy`
    "prose",  # a call told, not made
    "unknown_tool",  # names a tool that was not offered
    "truncated",  # the text ends in the middle of a call
    "repaired_json",  # trailing commas, raw line breaks, a bracket too many, a key twice
)
_EXPLICIT = ("tags", "xml", "broken_xml")


@dataclass(slots=True)
class Parse:
    """What a text holds.

    `format` is that of the first call or, where none could be read, of the first attempt; None
    where nothing was attempted. `problems` are repairs made and errors found, `legacy` what calls
    in other keys meant, `text` what stands outside of the calls.
    """

    calls: list[Call] = field(default_factory=list)
    format: str | None = None
    strict: bool = False
    problems: list[str] = field(default_factory=list)
    legacy: list[Call] = field(default_factory=list)
    text: str = ""


def render_call(name: str, arguments: Mapping[str, Any]) -> str:
    """A call as the tool-call template writes it."""
    body = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    return f"<tool_call>\n{body}\n</tool_call>"


def render_legacy_call(name: str, arguments: Mapping[str, Any]) -> str:
    """A call as the old template wrote it: a ```json fence with the key "tool"."""
    body = json.dumps({"tool": name, "arguments": arguments}, ensure_ascii=False)
    return f"```json\n{body}\n```"


def parse(text: str, tools: Sequence[Any] | None = None) -> Parse:
    """Read the calls out of what a model wrote.

    `tools` are the tools that were offered (OpenAI objects, function objects or names); without
    them every name counts as offered, except in bare JSON.
    """
    attempts, kept = read_attempts(text, offered_tools(tools))
    for formats in (_EXPLICIT, ("json_fence", "tools_tag")):  # else a call in JSON is commentary
        if any(a.call for a in attempts if a.format in formats):
            attempts = [a for a in attempts if a.format in formats]
            break
    first = next((a for a in attempts if a.call), attempts[0] if attempts else None)
    problems = list(dict.fromkeys(p for attempt in attempts for p in attempt.problems))
    calls = [a.call for a in attempts if a.call]
    return Parse(
        calls=calls,
        format=first.format if first and (calls or first.format != "bare_json") else None,
        strict=bool(calls)
        and not problems
        and all(a.exact and a.format == "tags" for a in attempts),
        problems=problems,
        legacy=[a.legacy for a in attempts if a.legacy],
        text=kept,
    )
