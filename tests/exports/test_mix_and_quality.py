"""Agents come in the proportion that was asked for, and each drop has its counted reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.errors import BadInput
from db.store import Store
from exports.dataset import BuildRecipe, build
from exports.frozen import examples_of, find_dataset
from exports.mix import quotas
from exports.quality import FILTERS, USUAL, parse_filters
from tests.conftest import exchange
from tests.exports.test_dataset import TOOLS, story

Add = Callable[..., list[int]]
PLAN = {"coder": 0.5, "tester": 0.3, "reviewer": 0.2}


@pytest.fixture
def team(store: Store, add: Add) -> Store:
    """60 answers of the coder, 20 of the tester, 8 of the reviewer, and 5 of nobody."""
    agents = ["coder"] * 60 + ["tester"] * 20 + ["reviewer"] * 8 + [None] * 5
    add(*(exchange(f"Tell story {n}", story(n), agent=a) for n, a in enumerate(agents)))
    return store


def test_as_it_is_everything_comes(team: Store) -> None:
    report = build(team, BuildRecipe("x"))
    assert report["by_agent"] == {"coder": 60, "tester": 20, "reviewer": 8, "unknown": 5}


def test_as_planned_the_scarcest_agent_decides(team: Store) -> None:
    report = build(team, BuildRecipe("x", mix="planned", shares=PLAN))
    assert report["by_agent"] == {"coder": 20, "tester": 12, "reviewer": 8}
    assert report["dropped"]["over_the_mix"] == 40 + 8 + 5
    assert report["mix"] == report["by_agent"]


def test_under_a_budget_others_fill_what_an_agent_lacks(team: Store) -> None:
    report = build(team, BuildRecipe("x", mix="planned", shares=PLAN, budget=56))
    assert report["by_agent"] == {"coder": 30, "tester": 18, "reviewer": 8}


def test_balanced_takes_as_many_of_each(team: Store) -> None:
    report = build(team, BuildRecipe("x", mix="balanced"))
    assert report["by_agent"] == {"coder": 8, "tester": 8, "reviewer": 8}


COUNTS = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 50))
SHARES = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1))


@given(COUNTS, SHARES, st.none() | st.integers(1, 200))
def test_quotas_are_within_what_there_is_and_the_budget(
    available: dict[str, int], shares: dict[str, float], budget: int | None
) -> None:
    found = quotas(available, shares, budget)
    assert all(0 <= n <= available[name] and shares[name] > 0 for name, n in found.items())
    if budget is not None:
        shared = sum(available[name] for name in available if shares.get(name, 0) > 0)
        assert sum(found.values()) == min(budget, shared)


BROKEN_CALL = '<tool_call>\n{"name": "run_tests", "arguments": {"path": \n</tool_call>'
LINES = [f"this line says the number {n} and nothing else" for n in range(20)]
BAD: dict[str, list[dict[str, Any]]] = {
    "truncated": [exchange("a", "It began there, it went on and", stop_reason="max_tokens"),
                  exchange("b", "It began once, it went on and", stop_reason="length")],
    "unreadable_call": [exchange("c", BROKEN_CALL, tools=TOOLS)],
    "refusal": [exchange("d", "I'm sorry, but I can't help with that request at all."),
                exchange("e", "As an AI language model, I have no opinions on that.")],
    "short_answer": [exchange("f", "Sure.")],
    "broken_code": [exchange("g", "```python\ndef f(:\n    return 1 1\n```")],
    "repetitive": [exchange("h", "\n".join(LINES[:3] * 7))],
}  # fmt: skip
GOOD = [
    exchange("1", "It began and it ended well.", stop_reason="stop"),
    exchange("2", "I am sorry to hear that the build fails. Run it again with -v."),
    exchange("3", "```python\ndef f(v):\n    return sum(v)\n```"),
    exchange("4", "\n".join([*LINES, "    }", "    }", "    }", "    }", "}", "}", "}", "}"])),
    exchange("5", "A call is written as ```json\n{\"retries\": 3}\n``` in the configuration."),
    {
        "messages": [
            {"role": "user", "content": "6"},
            {"role": "assistant", "content": "", "tool_calls": [
                {"id": "c", "type": "function",
                 "function": {"name": "run_tests", "arguments": {}}}]},
        ],
        "tools": TOOLS,
    },
]  # fmt: skip


@pytest.mark.parametrize("name", FILTERS)
def test_each_filter_drops_its_own_and_says_so(store: Store, add: Add, name: str) -> None:
    bad = [row for rows in BAD.values() for row in rows]
    add(*bad, *GOOD)
    report = build(store, BuildRecipe("x", quality=(name,), split="100/0/0"))
    assert report["dropped"] == {name: len(BAD[name])}
    assert sum(report["examples"].values()) == len(bad) + len(GOOD) - len(BAD[name])


def test_the_usual_filters_are_on_and_can_be_turned_off(store: Store, add: Add) -> None:
    add(*(row for rows in BAD.values() for row in rows), *GOOD)
    assert set(build(store, BuildRecipe("x"))["dropped"]) == set(USUAL)
    assert build(store, BuildRecipe("x", quality=()))["dropped"] == {}
    assert set(build(store, BuildRecipe("x", quality=parse_filters("all")))["dropped"]) == set(BAD)


def test_what_is_too_long_stays_out(store: Store, add: Add) -> None:
    add(exchange("short", "one two three"), exchange("long", "one " * 100))

    def count(messages: Any, _: Any) -> int | None:
        return len(str(messages[-1]["content"]).split())

    report = build(
        store, BuildRecipe("x", max_tokens=50, split="100/0/0"), count_tokens=count
    )  # fmt: skip
    assert report["dropped"] == {"too_long": 1}
    assert report["tokens"] == 3
    assert len(examples_of(store, find_dataset(store, "x").id)) == 1


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        (BuildRecipe("x", mix="even"), "no mix 'even'"),
        (BuildRecipe("x", quality=("nice",)), "no quality filter 'nice'"),
        (BuildRecipe("x", max_tokens=0), "--max-tokens"),
    ],
)
def test_what_cannot_be_asked_for_says_why(team: Store, recipe: BuildRecipe, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        build(team, recipe)
    with pytest.raises(BadInput, match="no quality filter 'nice'"):
        parse_filters("truncated,nice")
