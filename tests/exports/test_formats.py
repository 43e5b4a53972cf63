"""Each format is what its consumer documents, and means to it what the base's template writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from db.errors import BadInput
from exports.formats import FORMATS, row_writer
from exports.formats.exchanges import Untold
from exports.frozen import StoredExample
from exports.rendering import Template, load_template
from tests.exports.bases import make_base, trl_template

GOLDEN = Path(__file__).parent / "golden"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "run_tests",
            "description": "Run the tests of a folder.",
            "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
        },
    }
]


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def said(text: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def calls(*paths: str) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": "run_tests", "arguments": {"path": path}},
        }
        for number, path in enumerate(paths)
    ]


def result(text: str, number: int = 0) -> dict[str, Any]:
    return {"role": "tool", "content": text, "tool_call_id": f"call_{number}"}


CONVERSATIONS: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "one turn": ([user("Say é."), said("é ☃\n")], []),
    "a system prompt and two turns": (
        [{"role": "system", "content": "You test."}, user("hello"), said("hi"), user("again"),
         said("hi", reasoning_content="they greet twice")],
        [],
    ),
    "a call": (
        [user("run it"), said("", tool_calls=calls('a "b"')), result("3 passed"), said("Green.")],
        TOOLS,
    ),
    "parallel calls": (
        [user("run both"), said("", tool_calls=calls("a", "b")), result("ok"), result("red", 1),
         said("One failed.")],
        TOOLS,
    ),
    "text beside a call": (
        [user("run it"), said("I will.", tool_calls=calls("a")), result("ok"), said("Done.")], TOOLS
    ),
    "tools that are not needed": ([user("hi"), said("Hello.")], TOOLS),
}  # fmt: skip


def example(name: str) -> StoredExample:
    messages, tools = CONVERSATIONS[name]
    return StoredExample(1, "train", "interaction", 1, None, None, messages, tools)


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return load_template(make_base(tmp_path_factory.mktemp("qwen"), trl_template("qwen2_5")))


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_writes_what_it_wrote_before(name: str, qwen: Template) -> None:
    write = row_writer(name, qwen)
    rows = {title: write(example(title)) for title in CONVERSATIONS}
    expected = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    assert json.dumps(rows) == json.dumps(expected)  # the order of keys counts too


def chat(system: str | None, turns: list[tuple[str, str]]) -> str:
    """What LLaMA-Factory's template `qwen` writes: each turn as it is told, under its role."""
    roles = {"human": "user", "gpt": "assistant"}
    text = f"<|im_start|>system\n{system}<|im_end|>\n"
    for speaker, value in turns:
        text += f"<|im_start|>{roles[speaker]}\n{value}<|im_end|>\n"
    return text


def system_of(text: str) -> str:
    """The system turn of a rendered text: the base's default and the tools stand there."""
    return text.removeprefix("<|im_start|>system\n").partition("<|im_end|>\n")[0]


def trained(title: str) -> StoredExample:
    """An example without the reasoning, for which these formats have no place."""
    messages, tools = CONVERSATIONS[title]
    kept = [{k: v for k, v in turn.items() if k != "reasoning_content"} for turn in messages]
    return StoredExample(1, "train", "interaction", 1, None, None, kept, tools)


@pytest.mark.parametrize("title", CONVERSATIONS)
def test_alpaca_read_as_documented_is_the_text_of_the_base(title: str, qwen: Template) -> None:
    row = FORMATS["alpaca"].row(example(title))
    assert row["input"] == ""
    turns = [pair for asked, answer in [*row["history"], (row["instruction"], row["output"])]
             for pair in (("human", asked), ("gpt", answer))]  # fmt: skip
    wanted = qwen.text_of(trained(title).messages, trained(title).tools)
    assert chat(system_of(wanted), turns) == wanted
    assert row["system"] in system_of(wanted)


@pytest.mark.parametrize("title", CONVERSATIONS)
def test_sharegpt_read_as_documented_is_the_text_of_the_base(title: str, qwen: Template) -> None:
    row = FORMATS["sharegpt"].row(example(title))
    turns = []
    for place, turn in enumerate(row["conversations"]):
        assert turn["from"] in (("human", "observation"), ("gpt", "function_call"))[place % 2]
        value = turn["value"]
        if turn["from"] == "function_call":
            called = json.loads(value)
            value = "\n".join(
                f"<tool_call>\n{json.dumps(call, ensure_ascii=False)}\n</tool_call>"
                for call in (called if isinstance(called, list) else [called])
            )
        if turn["from"] == "observation":
            value = f"<tool_response>\n{value}\n</tool_response>"
        turns.append((("human", "gpt")[place % 2], value))
    wanted = qwen.text_of(trained(title).messages, trained(title).tools)
    assert chat(system_of(wanted), turns) == wanted
    assert json.loads(row["tools"] or "[]") == CONVERSATIONS[title][1]


@pytest.mark.parametrize("title", CONVERSATIONS)
def test_mlx_and_text_are_tokenized_to_the_ids_of_render(title: str, qwen: Template) -> None:
    wanted = qwen.render(*CONVERSATIONS[title]).ids
    row = json.loads(json.dumps(FORMATS["mlx"].row(example(title))))
    theirs = qwen.tokenizer.apply_chat_template(
        row["messages"], tools=row.get("tools"), return_dict=False
    )
    assert theirs == wanted
    text = row_writer("text", qwen)(example(title))["text"]
    assert qwen.tokenizer(text, add_special_tokens=False)["input_ids"] == wanted


@pytest.mark.parametrize(
    "messages",
    [
        [user("a"), user("b"), said("c")],
        [said("a"), user("b"), said("c")],
        [user("a"), said("b"), said("c")],
        [user("a"), {"role": "system", "content": "s"}, said("c")],
        [user("a"), said("", tool_calls=calls("x")), result("ok"), user("b"), said("c")],
    ],
)
def test_turns_that_do_not_alternate_are_told_apart(messages: list[dict[str, Any]]) -> None:
    one = StoredExample(1, "train", "interaction", 1, None, None, messages, [])
    for name in ("sharegpt", "alpaca"):
        with pytest.raises(Untold, match="turns_do_not_alternate"):
            FORMATS[name].row(one)


def test_text_wants_a_base() -> None:
    with pytest.raises(BadInput, match="--base"):
        row_writer("text", None)


def test_sharegpt_comes_back_from_the_import(tmp_path: Path) -> None:
    """With calls as they were, parallel results joined into one as the format wants it."""
    from exports.conversation import training_conversation
    from studio.collect.formats import sharegpt
    from studio.collect.log import Log

    path = tmp_path / "train.jsonl"
    titles = [title for title in CONVERSATIONS if title != "parallel calls"]
    rows = [FORMATS["sharegpt"].row(example(title)) for title in titles]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    records = list(sharegpt.read(Log(path, path.stat().st_size)))
    for title, record in zip(titles, records, strict=True):
        back = training_conversation(record.messages, record.tools)  # type: ignore[union-attr]
        assert back is not None
        assert [plain(m) for m in back.messages] == [plain(m) for m in trained(title).messages]
        assert back.tools == CONVERSATIONS[title][1]


def plain(message: dict[str, Any]) -> tuple[str, str, list[Any]]:
    """A message without the ids of its calls, which no format but ours keeps."""
    functions = [call["function"] for call in message.get("tool_calls") or ()]
    return message["role"], message["content"], functions
