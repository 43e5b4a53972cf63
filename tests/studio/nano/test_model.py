"""The shipped base loads like any model, does what its card says, and stops."""

import json
from typing import Any

import pytest

from studio.evals.statistics import wilson
from studio.nano import MODEL, SUITE
from studio.nano.card import sha256


@pytest.fixture(scope="module")
def loaded() -> tuple[Any, Any]:
    """Model and tokenizer, loaded as anyone would."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoModelForCausalLM.from_pretrained(MODEL), AutoTokenizer.from_pretrained(MODEL)


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    """The shipped card."""
    found: dict[str, Any] = json.loads((MODEL / "card.json").read_text(encoding="utf-8"))
    return found


def answer(loaded: tuple[Any, Any], item: dict[str, Any]) -> str:
    """The model's greedy answer to an item, control tokens included."""
    model, words = loaded
    asked = words.apply_chat_template(
        item["messages"],
        tools=item.get("tools"),
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    written = model.generate(**asked)[0, asked["input_ids"].shape[1] :]
    text: str = words.decode(written)
    return text


def test_it_is_a_small_qwen2(loaded: tuple[Any, Any], card: dict[str, Any]) -> None:
    model, words = loaded
    assert type(model).__name__ == "Qwen2ForCausalLM"
    assert model.num_parameters() == card["parameters"] < 1_500_000
    assert (MODEL / "model.safetensors").stat().st_size < 6_000_000
    ends = [words.convert_tokens_to_ids(token) for token in ("<|im_end|>", "<|endoftext|>")]
    assert model.generation_config.eos_token_id == ends
    assert not model.generation_config.do_sample


def test_the_card_is_about_these_weights(card: dict[str, Any]) -> None:
    assert card["sha256"] == sha256(MODEL / "model.safetensors")
    log = (MODEL / "training_log.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(log[-1])["tokens"] == card["tokens"]


@pytest.mark.parametrize("category", ["tool_call", "code", "reasoning"])
def test_the_card_leaves_room_to_win_and_to_lose(card: dict[str, Any], category: str) -> None:
    measured = card["accuracy"][category]
    assert measured["n"] >= 120
    assert 0.40 <= measured["rate"] <= 0.80
    assert measured["ci95"] == pytest.approx(
        list(wilson(measured["passed"], measured["n"])), abs=1e-4
    )


def test_it_calls_a_tool_with_values_that_it_never_saw(loaded: tuple[Any, Any]) -> None:
    items = [json.loads(line) for line in SUITE.read_text(encoding="utf-8").splitlines()]
    known = [i for i in items if i["category"] == "tool_call" and i["agent"] == "reviewer"][:5]
    right = 0
    for item in known:
        (call,) = item["scorer"]["calls"]
        expected = json.dumps(call)
        right += answer(loaded, item) == f"<tool_call>\n{expected}\n</tool_call><|im_end|>"
    assert right >= 3


def test_it_writes_a_function_in_a_fence_and_stops(loaded: tuple[Any, Any]) -> None:
    asked = "Write a function list_even(numbers) that returns a list of the numbers that are even."
    text = answer(loaded, {"messages": [{"role": "user", "content": asked}]})
    assert text.startswith("```python\ndef list_even(numbers):\n    return ")
    assert text.endswith("\n```<|im_end|>")
