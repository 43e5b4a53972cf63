"""What is rendered and masked is what the trainer will tokenize and train, token by token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exports.rendering import CannotMask, Template, load_template, tokens_of, without_secrets
from tests.exports.bases import make_base, trl_template

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "run_tests",
            "description": "Run tests.",
            "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
        },
    }
]


def call(identity: str, **arguments: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "type": "function",
        "function": {"name": "run_tests", "arguments": arguments},
    }


CONVERSATIONS: dict[str, list[dict[str, Any]]] = {
    "one turn": [
        {"role": "user", "content": "add two numbers"},
        {"role": "assistant", "content": "def add(a, b):\n    return a + b"},
    ],
    "a system prompt and several turns": [
        {"role": "system", "content": "You test."},
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "hi ☃\n\n"},
        {"role": "user", "content": "again"},
        {"role": "assistant", "content": "hi"},
    ],
    "parallel calls and their results": [
        {"role": "user", "content": "run both"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [call("1", path="a"), call("2", path='b\n"c"')],
        },
        {"role": "tool", "content": "ok", "tool_call_id": "1"},
        {"role": "tool", "content": "failed", "tool_call_id": "2"},
        {"role": "assistant", "content": "one failed"},
    ],
    "text and a call, empty arguments": [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": "I will.", "tool_calls": [call("1")]},
        {"role": "tool", "content": "", "tool_call_id": "1"},
        {"role": "assistant", "content": "é"},
    ],
}


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return load_template(make_base(tmp_path_factory.mktemp("qwen"), trl_template("qwen2_5")))


@pytest.mark.parametrize("name", CONVERSATIONS)
@pytest.mark.parametrize("tools", [[], TOOLS])
def test_ids_and_mask_are_those_of_trl(
    qwen: Template, name: str, tools: list[dict[str, Any]]
) -> None:
    from trl.chat_template_utils import get_training_chat_template

    messages = CONVERSATIONS[name]
    rendered = qwen.render(messages, tools)
    theirs = qwen.tokenizer.apply_chat_template(
        messages,
        tools=tools or None,
        chat_template=get_training_chat_template(qwen.tokenizer),
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    assert rendered.ids == theirs["input_ids"]
    assert [int(trained) for trained in rendered.trained] == theirs["assistant_masks"]


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_the_training_text_is_the_templates_own(qwen: Template, name: str) -> None:
    messages = CONVERSATIONS[name]
    plain = qwen.tokenizer.apply_chat_template(messages, tools=TOOLS, tokenize=False)
    assert qwen.render(messages, TOOLS).text == plain


def test_every_template_that_trl_can_train_has_its_twin_found(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    from trl.chat_template_utils import get_training_chat_template

    folder = make_base(tmp_path_factory.mktemp("twin"), "x")
    tokenizer = load_template(folder).tokenizer
    spec_folder = Path(trl_folder())
    checked = 0
    for twin in sorted(spec_folder.glob("*_training.jinja")):
        name = twin.name.removesuffix("_training.jinja")
        tokenizer.chat_template = trl_template(name)
        tokenizer.save_pretrained(str(folder))
        try:
            wanted = get_training_chat_template(tokenizer)
        except ValueError:
            continue
        assert load_template(folder).training_text == (wanted or tokenizer.chat_template), name
        checked += 1
    assert checked > 10


def trl_folder() -> str:
    import importlib.util

    spec = importlib.util.find_spec("trl")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return f"{spec.submodule_search_locations[0]}/chat_templates"


def test_tokens_join_to_the_text(qwen: Template) -> None:
    rendered = qwen.render(CONVERSATIONS["a system prompt and several turns"], [])
    assert "".join(token["text"] for token in tokens_of(rendered)) == rendered.text


def test_an_unknown_template_is_masked_turn_by_turn_to_the_same_tokens(
    tmp_path: Path, qwen: Template
) -> None:
    edited = trl_template("qwen2_5").replace("created by Alibaba Cloud", "as edited by us")
    other = load_template(make_base(tmp_path, edited))
    assert other.training_text is None
    for messages in CONVERSATIONS.values():
        ours, known = other.render(messages, TOOLS), qwen.render(messages, TOOLS)
        said = [t["text"] for t in tokens_of(ours) if t["trained"]]
        wanted = [t["text"] for t in tokens_of(known) if t["trained"]]
        # TRL also trains the line break after "assistant", which belongs to the prompt
        assert "".join(said) == "".join(wanted).removeprefix("\n").replace(
            "<|im_end|>\n\n", "<|im_end|>\n"
        )


def test_a_template_that_rewrites_earlier_turns_cannot_be_masked(tmp_path: Path) -> None:
    forgetful = (
        "{%- for m in messages -%}{%- if loop.last or m.role != 'assistant' -%}"
        "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{%- endif -%}{%- endfor -%}"
        "{%- if add_generation_prompt -%}<|im_start|>assistant\n{%- endif -%}"
    )
    template = load_template(make_base(tmp_path, forgetful))
    with pytest.raises(CannotMask, match="differently"):
        template.render(CONVERSATIONS["a system prompt and several turns"], [])


def test_tokens_are_shown_without_the_secrets_in_them() -> None:
    texts = ["my ", "key is sk-ant", "-api03-", "Zk4qLx9TbW2mVr7YpN5cHd8sJf3gKa6e", "", " ok", "\n"]
    shown = without_secrets([{"id": n, "text": text} for n, text in enumerate(texts)])
    assert [token["id"] for token in shown] == list(range(7))
    assert [len(token["text"]) for token in shown] == [len(text) for text in texts]
    assert "".join(token["text"] for token in shown).startswith("my key is •••")
    assert [token["text"] for token in shown[3:]] == ["•" * 32, "", " ok", "\n"]
