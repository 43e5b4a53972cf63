"""The executed score of a checkpoint: validation turns generated, read and compared.

A turn can be scored when it makes calls (the same calls must be read back) or ends in a final
answer (the same one must be given). Everything else has no executed score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exports.call_values import Call
from exports.conversation import calls_of
from exports.frozen import StoredExample
from exports.suites import Item
from exports.tool_calls import parse
from studio.evals.score import final_answer, same_answer, same_calls

if TYPE_CHECKING:
    from studio.evals.generate import Model

MAX_NEW_TOKENS = 192


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn to generate: what comes before it, and the calls or the final answer wanted."""

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    calls: list[Call]
    answer: str | None


def scorable_turns(examples: Sequence[StoredExample], limit: int) -> list[Turn]:
    """The first scorable turn of each example, up to `limit`."""
    turns: list[Turn] = []
    for example in examples:
        for number, message in enumerate(example.messages):
            turn = _turn(example, number) if message["role"] == "assistant" else None
            if turn is not None:
                turns.append(turn)
                break
        if len(turns) == limit:
            break
    return turns


def _turn(example: StoredExample, number: int) -> Turn | None:
    message = example.messages[number]
    before = example.messages[:number]
    read = parse(message["content"], example.tools or None)
    calls = calls_of(message) or read.calls or read.legacy
    if calls:
        return Turn(before, example.tools, calls, None)
    marked = "answer" in message["content"].lower() or "####" in message["content"]
    answer = final_answer(message["content"]) if marked else None
    return Turn(before, example.tools, [], answer) if answer else None


def item_turns(items: Sequence[Item]) -> list[Turn]:
    """The items of a suite that want calls or a final answer, as turns."""
    turns = []
    for item in items:
        calls = [Call(c["name"], c["arguments"]) for c in item.scorer.get("calls") or ()]
        answer = item.scorer.get("answer") if item.scorer["kind"] == "answer" else None
        if calls or answer is not None:
            answer = None if answer is None else str(answer)
            turns.append(Turn(item.messages, item.tools, calls, answer))
    return turns


def executed_score(model: Model, turns: Sequence[Turn]) -> tuple[float | None, int]:
    """(share of turns that come out as wanted, number of turns); None without any."""
    from studio.evals.generate import Decoding, Request

    if not turns:
        return None, 0
    decoding = Decoding(max_new_tokens=MAX_NEW_TOKENS)
    requests = [Request(model.template.prompt(t.messages, t.tools), decoding) for t in turns]
    passed = 0
    for batch in model.generate(requests, None):
        passed += sum(_passes(turns[number], answer.text) for number, answer in batch)
    return passed / len(turns), len(turns)


def _passes(turn: Turn, text: str) -> bool:
    if turn.calls:
        return same_calls(parse(text, turn.tools or None).calls, turn.calls)
    given = final_answer(text)
    return given is not None and turn.answer is not None and same_answer(given, turn.answer)
