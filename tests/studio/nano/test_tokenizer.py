"""The tokenizer reads any text back and renders the Qwen2.5 template in few tokens."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.nano import MODEL
from studio.nano.corpus import conversations
from studio.nano.tokenizer import CONTROL, template_file


@pytest.fixture(scope="module")
def words() -> Any:
    """The shipped tokenizer, loaded as anyone would."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(MODEL)


@settings(deadline=None, max_examples=300)
@given(text=st.text())
def test_any_text_comes_back_in_nfc(words: Any, text: str) -> None:
    """Qwen2's tokenizer composes characters first, so does this one."""
    ids = words.encode(text, add_special_tokens=False)
    assert words.decode(ids) == unicodedata.normalize("NFC", text)


@settings(deadline=None, max_examples=300)
@given(text=st.text(alphabet=" \n\"'{}:,_ab1`<>|/#", max_size=60))
def test_the_tokenizer_file_gives_the_same_ids(words: Any, text: str) -> None:
    from tokenizers import Tokenizer

    from_file = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    assert from_file.encode(text, add_special_tokens=False).ids == words.encode(text)


@pytest.mark.parametrize(
    "text",
    ["\u00e9 ﬁ \u200b  two\t\r\n", '"}}, "required": ["x"]}}}', "```python\n\n```", " <tools>"],
)
def test_text_near_the_added_tokens_comes_back(words: Any, text: str) -> None:
    assert words.decode(words.encode(text, add_special_tokens=False)) == text


@pytest.mark.parametrize("control", CONTROL)
def test_control_strings_are_single_tokens(words: Any, control: str) -> None:
    assert len(words.encode(control, add_special_tokens=False)) == 1


def test_turns_end_with_the_end_token_which_is_not_the_pad_token(words: Any) -> None:
    assert (words.eos_token, words.pad_token) == ("<|im_end|>", "<|endoftext|>")


def test_the_template_is_the_one_that_trl_knows(words: Any) -> None:
    assert words.chat_template == template_file("qwen2_5").read_text(encoding="utf-8")


def test_a_prompt_is_a_prefix_of_the_conversation_in_tokens(words: Any) -> None:
    for drawn in conversations(seed=99, count=100):
        messages, tools = drawn["messages"], drawn.get("tools")
        for place, message in enumerate(messages):
            if message["role"] == "assistant":
                asked = words.apply_chat_template(
                    messages[:place], tools=tools, add_generation_prompt=True
                )["input_ids"]
                whole = words.apply_chat_template(messages[: place + 1], tools=tools)["input_ids"]
                assert whole[: len(asked)] == asked


def test_the_training_mask_holds_answers_and_nothing_else(words: Any) -> None:
    training = template_file("qwen2_5_training").read_text(encoding="utf-8")
    for drawn in conversations(seed=98, count=50):
        encoded = words.apply_chat_template(
            drawn["messages"],
            tools=drawn.get("tools"),
            chat_template=training,
            return_dict=True,
            return_assistant_tokens_mask=True,
        )
        pairs = zip(encoded["input_ids"], encoded["assistant_masks"], strict=True)
        trained = words.decode([token for token, inside in pairs if inside])
        turns = [m for m in drawn["messages"] if m["role"] == "assistant"]
        assert trained.count(words.eos_token) == len(turns)
        assert "<|im_start|>" not in trained
        for turn in turns:
            assert turn["content"] in trained


def test_three_offered_tools_cost_less_than_two_hundred_tokens(words: Any) -> None:
    from studio.nano.toolbox import TOOLS

    tools = [tool.schema() for tool in TOOLS[:3]]
    asked = [{"role": "user", "content": "List the *.py files in src/parser."}]
    ids = words.apply_chat_template(asked, tools=tools, add_generation_prompt=True)["input_ids"]
    assert len(ids) < 200
