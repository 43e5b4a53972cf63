"""The suite measures what it says, and nothing of it occurs in what the base is trained on."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import jsonschema
import pytest

from studio.nano import REPLAY, SAMPLE, SUITE, corpus, suite
from studio.nano.toolbox import BY_NAME, TEAM


def rows(path: Any) -> list[dict[str, Any]]:
    """The objects of a JSON lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def items() -> list[dict[str, Any]]:
    """The shipped suite."""
    return rows(SUITE)


@pytest.fixture(scope="module")
def trained() -> list[dict[str, Any]]:
    """Conversations that something is trained on: corpus (a part), replay set, sample."""
    return [*corpus.conversations(seed=1, count=4_000), *rows(REPLAY), *rows(SAMPLE)]


def messages(found: Iterable[dict[str, Any]], role: str) -> list[dict[str, Any]]:
    """All messages of a role."""
    return [m for row in found for m in row["messages"] if m["role"] == role]


def test_the_generator_gives_the_shipped_bytes(items: list[dict[str, Any]]) -> None:
    assert list(suite.items()) == items


def test_every_category_and_every_agent_can_be_judged(items: list[dict[str, Any]]) -> None:
    categories = Counter(item["category"] for item in items)
    assert set(categories) == {"tool_call", "code", "reasoning"}
    assert min(categories.values()) >= 120
    agents = Counter(item["agent"] for item in items)
    assert set(agents) == {"coder", "tester", "researcher", "coordinator", "reviewer"}
    assert min(agents.values()) >= 20
    assert len({item["id"] for item in items}) == len(items)


def test_expected_calls_are_offered_and_fit_their_schema(items: list[dict[str, Any]]) -> None:
    called = Counter[str]()
    for item in items:
        if item["category"] == "tool_call":
            offered = {tool["function"]["name"]: tool["function"] for tool in item["tools"]}
            assert 2 <= len(offered) <= 4
            for call in item["scorer"]["calls"]:
                called[call["name"]] += 1
                jsonschema.validate(call["arguments"], offered[call["name"]]["parameters"])
    assert set(called) == set(BY_NAME)


def test_arguments_can_be_read_off_the_request(items: list[dict[str, Any]]) -> None:
    for item in items:
        for call in item["scorer"].get("calls", ()):
            for value in call["arguments"].values():
                assert str(value) in item["messages"][0]["content"]


def test_code_items_name_the_function_and_test_more_than_one_result(
    items: list[dict[str, Any]],
) -> None:
    for item in items:
        if item["category"] == "code":
            name, tests = item["scorer"]["entry_point"], item["scorer"]["tests"]
            assert f"{name}(" in item["messages"][0]["content"]
            asserts = tests.splitlines()
            assert 3 <= len(asserts) <= 6
            assert all(line.startswith(f"assert {name}(") for line in asserts)
            assert len({line.split(" == ", 1)[1] for line in asserts}) >= 3


def test_no_request_of_the_suite_is_trained_on(
    items: list[dict[str, Any]], trained: list[dict[str, Any]]
) -> None:
    asked = {message["content"] for message in messages(items, "user")}
    assert not asked & {message["content"] for message in messages(trained, "user")}


def test_no_reserved_value_or_function_is_trained_on(
    items: list[dict[str, Any]], trained: list[dict[str, Any]]
) -> None:
    answers = messages(trained, "assistant")
    calls = [c["function"] for m in answers for c in m.get("tool_calls", ())]
    known = {str(value) for call in calls for value in call["arguments"].values()}
    code = "\n".join(message["content"] for message in answers)
    for item in items:
        for call in item["scorer"].get("calls", ()):
            assert str(call["arguments"][BY_NAME[call["name"]].key]) not in known
        if item["category"] == "code":
            assert f"def {item['scorer']['entry_point']}(" not in code


def test_the_teams_tools_never_occur_in_corpus_or_replay() -> None:
    drawn = [*corpus.conversations(seed=1, count=4_000), *rows(REPLAY)]
    text = json.dumps(drawn)
    assert not [tool.name for tool in TEAM if re.search(rf"\b{tool.name}\b", text)]


def test_the_replay_set_is_what_its_generator_gives() -> None:
    assert rows(REPLAY) == list(corpus.replay())
    assert len(rows(REPLAY)) == corpus.REPLAY_SIZE
