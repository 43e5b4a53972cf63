"""The nano suite: 380 items in three categories, every key from the reserved side of the wall."""

import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from studio.nano import SUITE, toolbox
from studio.nano.functions import function
from studio.nano.reasoning import question
from studio.nano.toolbox import GENERAL, TEAM, TOOLS, Tool

Item = dict[str, Any]

SEED: Final = 7
# Items a tool: the team's three are what an adapter can win, the other seven what it can lose.
TEAM_ITEMS: Final = 20
GENERAL_ITEMS: Final = 10
DOUBLE_ITEMS: Final = 10
CODE_ITEMS: Final = 120
REASONING_ITEMS: Final = 120
_AGENT_OF_TOOL: Final = {
    "read_file": "reviewer",
    "list_files": "coder",
    "send_message": "coordinator",
    "set_reminder": "coordinator",
    "search_docs": "researcher",
    "get_build": "tester",
    "book_room": "coordinator",
    "search_code": "researcher",
    "run_tests": "tester",
    "create_ticket": "coordinator",
}


def items() -> Iterator[Item]:
    """The items in order; the same on every call."""
    rng = random.Random(SEED)
    yield from _numbered("tool", _tool_items(rng))
    yield from _numbered("code", _distinct(rng, _code_item, CODE_ITEMS))
    yield from _numbered("reason", _distinct(rng, _reasoning_item, REASONING_ITEMS))


def _numbered(prefix: str, found: Iterator[Item]) -> Iterator[Item]:
    for number, item in enumerate(found, start=1):
        yield {"id": f"{prefix}-{number:04}", **item}


def _distinct(
    rng: random.Random, make: Callable[[random.Random], Item | None], count: int
) -> Iterator[Item]:
    """`count` items, no request twice; a maker returns None for a draw that is no good."""
    seen: set[str] = set()
    while len(seen) < count:
        item = make(rng)
        if item is not None and item["messages"][0]["content"] not in seen:
            seen.add(item["messages"][0]["content"])
            yield item


def _tool_items(rng: random.Random) -> Iterator[Item]:
    for tool in TOOLS:
        count = TEAM_ITEMS if tool in TEAM else GENERAL_ITEMS
        yield from _distinct(rng, partial(_tool_item, wanted=[tool]), count)
    yield from _distinct(rng, lambda rng: _tool_item(rng, rng.sample(GENERAL, 2)), DOUBLE_ITEMS)


def _tool_item(rng: random.Random, wanted: list[Tool]) -> Item:
    """One request for each wanted tool, offered among two to four."""
    calls = [(tool, tool.draw(rng, held_out=True)) for tool in wanted]
    request = " Also: ".join(tool.request(rng, arguments) for tool, arguments in calls)
    offered = toolbox.offer(rng, wanted, TOOLS, 4)
    expected = [{"name": tool.name, "arguments": arguments} for tool, arguments in calls]
    return {
        "category": "tool_call",
        "agent": _AGENT_OF_TOOL[wanted[-1].name],
        "messages": [{"role": "user", "content": request}],
        "tools": [tool.schema() for tool in offered],
        "scorer": {"kind": "tool_call", "calls": expected},
    }


def _code_item(rng: random.Random) -> Item | None:
    """A function to write; no good if its tests expect one and the same result everywhere."""
    asked = function(rng, held_out=True)
    tests = asked.tests(rng)
    if len({line.split(" == ", 1)[1] for line in tests.splitlines()}) < 3:
        return None
    return {
        "category": "code",
        "agent": "coder" if rng.random() < 0.7 else "reviewer",
        "messages": [{"role": "user", "content": asked.request(rng)}],
        "scorer": {"kind": "code", "entry_point": asked.name, "tests": tests},
    }


def _reasoning_item(rng: random.Random) -> Item:
    asked = question(rng, held_out=True)
    return {
        "category": "reasoning",
        "agent": rng.choice(("researcher", "coordinator", "reviewer")),
        "messages": [{"role": "user", "content": asked.text}],
        "scorer": {"kind": "answer", "answer": asked.answer},
    }


def main() -> None:
    """Write the suite."""
    lines = [json.dumps(item, ensure_ascii=False) + "\n" for item in items()]
    SUITE.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
