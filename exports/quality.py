"""Filters for what is no good example, each with the reason that is counted.

Those of `USUAL` are sure of themselves and always on unless told otherwise: what was cut off, and
what tried to call a tool and cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from db.errors import BadInput
from exports.code_blocks import normalised_tree, python_code
from exports.conversation import Conversation
from exports.tool_calls import parse

CUT_OFF = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", "truncated"})
_REFUSES = re.compile(
    r"\s*(?:i['’]m |i am )?(?:really |very |so )?(?:sorry|afraid)\b[^.\n]{0,80}"
    r"\b(?:can['’]?t|cannot|can not|unable|not able)\b"
    r"|\s*i (?:can['’]?t|cannot|can not|am unable to|am not able to) (?:help|assist|provide|fulfil)"
    r"|\s*as an ai\b",
    re.IGNORECASE,
)
_SHORT = 20  # characters
_LINE = 10  # characters from which a repeated line is no mere bracket


@dataclass(frozen=True, slots=True)
class Answered:
    """What a filter looks at: the conversation, its last answer's text, and why that ended."""

    conversation: Conversation
    output: str
    stop_reason: str | None


def _truncated(answered: Answered) -> bool:
    return (answered.stop_reason or "").casefold() in CUT_OFF


def _unreadable_call(answered: Answered) -> bool:
    """Some turn tries to call a tool, and neither form nor meaning of the call can be read."""
    tools = answered.conversation.tools or None
    for message in answered.conversation.messages:
        if message["role"] == "assistant" and message["content"] and not message.get("tool_calls"):
            found = parse(message["content"], tools)
            if found.format is not None and not found.calls and not found.legacy:
                return True
    return False


def _refusal(answered: Answered) -> bool:
    return _REFUSES.match(answered.output) is not None


def _short_answer(answered: Answered) -> bool:
    """Fewer than 20 characters, and no call."""
    called = any(message.get("tool_calls") for message in answered.conversation.messages)
    return not called and len(answered.output.strip()) < _SHORT


def _broken_code(answered: Answered) -> bool:
    code = python_code(answered.output)
    return code is not None and normalised_tree(code) is None


def _repetitive(answered: Answered) -> bool:
    """More than 30% of the lines repeat an earlier one (Rae et al. 2021, Gopher, table A1)."""
    lines = [line.strip() for line in answered.output.splitlines()]
    lines = [line for line in lines if len(line) >= _LINE]
    return len(lines) >= _LINE and len(set(lines)) < 0.7 * len(lines)


FILTERS: dict[str, Callable[[Answered], bool]] = {
    "truncated": _truncated,
    "unreadable_call": _unreadable_call,
    "refusal": _refusal,
    "short_answer": _short_answer,
    "broken_code": _broken_code,
    "repetitive": _repetitive,
}
USUAL = ("truncated", "unreadable_call")


def parse_filters(text: str) -> tuple[str, ...]:
    """`usual`, `all`, `none`, or names with commas between. Raises BadInput for an unknown one."""
    known = {"usual": USUAL, "all": tuple(FILTERS), "none": ()}
    if text in known:
        return known[text]
    names = tuple(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in FILTERS]
    if unknown:
        raise BadInput(
            f"no quality filter {unknown[0]!r}; there are {', '.join(FILTERS)} and usual, all, none"
        )
    return names


def first_reason(answered: Answered, filters: Sequence[str]) -> str | None:
    """The first of the filters that an answer fails."""
    return next((name for name in filters if FILTERS[name](answered)), None)
