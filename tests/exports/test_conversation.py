"""Old calls become structured ones, where it is sure what they mean; the rest stays as it was."""

from __future__ import annotations

from typing import Any

from exports.call_values import Call
from exports.conversation import calls_of, in_legacy_template, training_conversation
from exports.tool_calls import render_legacy_call

TOOLS = [{"type": "function", "function": {"name": "run_tests", "parameters": {}}}]


def talk(answer: str, *more: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"role": "user", "content": "run them"},
        {"role": "assistant", "content": answer},
        *more,
    ]


def test_an_old_call_becomes_a_structured_one_and_keeps_its_text() -> None:
    old = "I will run them.\n" + render_legacy_call("run_tests", {"path": "a"})
    found = training_conversation(
        talk(old, {"role": "tool", "content": "ok"}, {"role": "assistant", "content": "done"}),
        TOOLS,
    )
    assert found is not None
    asked = found.messages[1]
    assert (asked["content"], calls_of(asked)) == (
        "I will run them.",
        [Call("run_tests", {"path": "a"})],
    )
    assert found.converted == {"legacy": 1}
    assert found.messages[2]["tool_call_id"] == asked["tool_calls"][0]["id"]


def test_a_call_of_something_that_was_not_offered_stays_text() -> None:
    text = render_legacy_call("launch", {})
    found = training_conversation(talk(text), TOOLS)
    assert found is not None
    assert found.messages[1] == {"role": "assistant", "content": text}
    assert not found.converted


def test_a_broken_call_stays_text_for_preflight_to_find() -> None:
    text = '<tool_call>{"name": "run_tests", "arguments": {'
    found = training_conversation(talk(text), TOOLS)
    assert found is not None
    assert found.messages[1]["content"] == text


def test_a_conversation_ends_with_what_the_assistant_said() -> None:
    found = training_conversation(
        talk("yes", {"role": "user", "content": "thanks"}, {"role": "assistant", "content": None}),
        None,
    )
    assert found is not None
    assert [m["role"] for m in found.messages] == ["user", "assistant"]


def test_without_an_answer_or_a_request_there_is_nothing_to_train() -> None:
    assert training_conversation([{"role": "user", "content": "hello"}], None) is None
    assert training_conversation([{"role": "assistant", "content": "hello"}], None) is None
    assert training_conversation([], None) is None


def test_the_legacy_template_writes_what_the_conversion_reads() -> None:
    found = training_conversation(talk(render_legacy_call("run_tests", {"path": "a"})), TOOLS)
    assert found is not None
    again = training_conversation(in_legacy_template(found.messages), TOOLS)
    assert again is not None
    assert [calls_of(m) for m in again.messages] == [calls_of(m) for m in found.messages]
