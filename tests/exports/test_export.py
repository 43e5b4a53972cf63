"""What is exported loads in its consumers and trains exactly what `render` shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.errors import Refused
from db.store import Store
from exports.dataset import BuildRecipe, build
from exports.export import export
from exports.formats import FORMATS
from exports.frozen import StoredExample, examples_of, find_dataset
from exports.rendering import load_template
from exports.secrets import find_secrets, mask_secrets
from tests.conftest import exchange
from tests.exports.bases import make_base, trl_template

Add = Callable[..., list[int]]


def tool(name: str, **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = [
    tool("run_tests", path={"type": "string"}, slow={"type": "boolean"}),
    tool("create_ticket", title={"type": "string"}, priority={"enum": ["low", "high"]}),
]


def called(name: str, **arguments: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "c1", "type": "function", "function": function}],
    }


def with_call(task: str, name: str, **arguments: Any) -> dict[str, Any]:
    messages = [
        {"role": "user", "content": task},
        called(name, **arguments),
        {"role": "tool", "content": "ok", "tool_call_id": "c1"},
        {"role": "assistant", "content": "Done."},
    ]
    return {"messages": messages, "tools": TOOLS}


@pytest.fixture
def dataset(store: Store, add: Add) -> Store:
    """A dataset `calls` with two tools, arguments in both orders, and plain answers."""
    add(
        *(with_call(f"Run part {n}", "run_tests", path=f"p{n}", slow=True) for n in range(4)),
        *(with_call(f"Rerun part {n}", "run_tests", slow=False, path=f"p{n}") for n in range(4)),
        *(with_call(f"File it {n}", "create_ticket", title=f"t{n}", priority="low")
          for n in range(4)),
        *(exchange(f"Explain part {n}", f"It is number {n} of them.") for n in range(4)),
    )  # fmt: skip
    build(store, BuildRecipe("calls", split="70/20/10"))
    return store


def test_files_manifest_and_card_agree(dataset: Store, tmp_path: Path) -> None:
    files = export(dataset, find_dataset(dataset, "calls"), "trl", tmp_path / "out")
    for file in files:
        body = Path(file["path"]).read_bytes()
        assert hashlib.sha256(body).hexdigest() == file["sha256"]
        assert len(body.splitlines()) == file["rows"]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["dataset"] == "calls@1"
    assert [file["rows"] for file in manifest["files"]] == [file["rows"] for file in files]
    assert manifest["sources"][0]["format"] == "studio"
    assert "calls@1" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_loads_with_datasets(dataset: Store, tmp_path: Path, name: str) -> None:
    from datasets import load_dataset

    export(dataset, find_dataset(dataset, "calls"), name, tmp_path / "out")
    loaded = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {
        {"valid": "validation"}.get(split, split): n
        for split, n in find_dataset(dataset, "calls").report["examples"].items()
    }


def test_trl_tokenizes_the_file_to_the_ids_and_the_mask_of_render(
    dataset: Store, tmp_path: Path
) -> None:
    from datasets import load_dataset
    from trl.chat_template_utils import get_training_chat_template
    from trl.data_utils import _tokenize

    template = load_template(make_base(tmp_path / "base", trl_template("qwen2_5")))
    export(dataset, find_dataset(dataset, "calls"), "trl", tmp_path / "out")
    rows = load_dataset(
        "json", data_files=str(tmp_path / "out" / "train.jsonl"), split="train",
        cache_dir=str(tmp_path / "cache"),
    )  # fmt: skip
    examples = examples_of(dataset, find_dataset(dataset, "calls").id, split="train")
    assert len(rows) == len(examples)
    for row, example in zip(rows, examples, strict=True):
        theirs = _tokenize(
            template.tokenizer,
            row["messages"],
            tools=json.loads(row["tools"]) if row["tools"] else None,
            chat_template=get_training_chat_template(template.tokenizer),
            return_assistant_tokens_mask=True,
        )
        ours = template.render(example.messages, example.tools)
        assert ours.ids == theirs["input_ids"]
        assert [int(trained) for trained in ours.trained] == theirs["assistant_masks"]


def test_the_openai_form_has_arguments_as_text_and_ids(dataset: Store, tmp_path: Path) -> None:
    export(dataset, find_dataset(dataset, "calls"), "openai", tmp_path / "out")
    rows = [json.loads(line) for line in (tmp_path / "out" / "train.jsonl").open()]
    calls = [c for row in rows for m in row["messages"] for c in m.get("tool_calls") or ()]
    assert calls
    for call in calls:
        assert isinstance(json.loads(call["function"]["arguments"]), dict)
        assert call["id"]
    assert any("tools" not in row for row in rows)


def test_secrets_do_not_leave_unless_told_to(store: Store, add: Add, tmp_path: Path) -> None:
    key = "AKIA" + "ABCDEFGHIJKLMNOP"
    add(exchange("Deploy", f"export AWS_ACCESS_KEY_ID={key}"))
    build(store, BuildRecipe("leaky", split="100/0/0"))
    frozen = find_dataset(store, "leaky")
    with pytest.raises(Refused, match="AWS access key in interaction 1"):
        export(store, frozen, "trl", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert export(store, frozen, "trl", tmp_path / "out", allow_secrets=True)


def test_an_export_over_an_older_one_leaves_no_old_split(dataset: Store, tmp_path: Path) -> None:
    export(dataset, find_dataset(dataset, "calls"), "trl", tmp_path / "out")
    build(dataset, BuildRecipe("calls", split="100/0/0"))
    export(dataset, find_dataset(dataset, "calls"), "trl", tmp_path / "out")
    assert not (tmp_path / "out" / "valid.jsonl").exists()
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["dataset"] == "calls@2"


def test_keys_are_known_by_their_shapes_and_prose_is_not() -> None:
    text = f"use ghp_{'a' * 36} or hf_{'b' * 34}, postgres://me:hunter2@db/x, sk-ant-{'c' * 30}"
    kinds = [secret.kind for secret in find_secrets(text)]
    assert kinds == ["GitHub token", "Hugging Face token", "password in a URL", "Anthropic key"]
    assert mask_secrets(text).startswith("use [GitHub token] or [Hugging Face token],")
    for innocent in ("sk-learn", "a hash 0123456789abcdef0123456789abcdef", "http://x/y", "AKIA"):
        assert list(find_secrets(innocent)) == []


VALUES = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4)
ARGUMENTS = st.dictionaries(
    st.sampled_from("abc"), VALUES | st.lists(VALUES, max_size=2), max_size=3
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(ARGUMENTS, min_size=1, max_size=5))
def test_arguments_come_out_of_load_dataset_as_they_went_in(
    tmp_path_factory: pytest.TempPathFactory, arguments: list[dict[str, Any]]
) -> None:
    from datasets import load_dataset

    folder = tmp_path_factory.mktemp("arrow")
    rows = []
    for number, given_arguments in enumerate(arguments):
        messages = [{"role": "user", "content": "x"}, called("f", **given_arguments)]
        example = StoredExample(number, "train", "interaction", 1, None, None, messages, TOOLS)
        rows.append(FORMATS["trl"].row(example))
    path = folder / "train.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    loaded = load_dataset(
        "json", data_files=str(path), split="train", cache_dir=str(folder / "cache")
    )
    for row, back in zip(rows, loaded, strict=True):
        assert json.dumps(back["messages"]) == json.dumps(row["messages"])
        assert back["tools"] == row["tools"]
