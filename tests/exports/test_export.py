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

from db.errors import BadInput, Refused
from db.store import Store
from exports.dataset import BuildRecipe, build
from exports.export import export
from exports.formats import FORMATS
from exports.frozen import StoredExample, examples_of, find_dataset
from exports.rendering import Template, load_template
from studio.nano import MODEL
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
    files = export(dataset, find_dataset(dataset, "calls"), "trl", tmp_path / "out").files
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

    template = load_template(make_base(tmp_path / "base", trl_template("qwen2_5")))
    frozen = find_dataset(dataset, "calls")
    export(dataset, frozen, name, tmp_path / "out", template=template)
    loaded = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {
        {"valid": "validation"}.get(split, split): n
        for split, n in frozen.report["examples"].items()
    }


@pytest.fixture(params=["qwen", "nano"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Template:
    if request.param == "qwen":
        return load_template(make_base(tmp_path / "base", trl_template("qwen2_5")))
    if not (MODEL / "tokenizer.json").is_file():
        pytest.skip("the embedded base is not built")
    return load_template(MODEL)


def test_the_trainer_of_trl_reads_the_file_to_the_ids_and_the_mask_of_render(
    dataset: Store, base: Template, tmp_path: Path
) -> None:
    from datasets import load_dataset
    from transformers import Qwen2Config, Qwen2ForCausalLM
    from trl import SFTConfig, SFTTrainer

    export(dataset, find_dataset(dataset, "calls"), "trl", tmp_path / "out")
    rows = load_dataset(
        "json", data_files=str(tmp_path / "out" / "train.jsonl"), split="train",
        cache_dir=str(tmp_path / "cache"),
    )  # fmt: skip
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(base.tokenizer), hidden_size=8, intermediate_size=8,
            num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1,
        )
    )  # fmt: skip
    trainer = SFTTrainer(
        model,
        SFTConfig(
            str(tmp_path / "run"), assistant_only_loss=True, max_length=None, bf16=False,
            use_cpu=True, report_to="none",
        ),
        train_dataset=rows,
        processing_class=base.tokenizer,
    )  # fmt: skip
    examples = examples_of(dataset, find_dataset(dataset, "calls").id, split="train")
    assert len(trainer.train_dataset) == len(examples)
    for theirs, example in zip(trainer.train_dataset, examples, strict=True):
        ours = base.render(example.messages, example.tools)
        assert ours.ids == theirs["input_ids"]
        assert [label != -100 for label in theirs["labels"]] == ours.trained
        assert any(ours.trained)


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


def test_licences_are_told_for_each_source_and_on_the_card(dataset: Store, tmp_path: Path) -> None:
    frozen = find_dataset(dataset, "calls")
    export(dataset, frozen, "trl", tmp_path / "mit", licences={"/logs/*": "MIT"})
    manifest = json.loads((tmp_path / "mit" / "manifest.json").read_text())
    (source,) = manifest["sources"]
    assert (source["licence"], source["examples"]) == (
        "MIT",
        sum(frozen.report["examples"].values()),
    )
    assert "license: mit\n" in (tmp_path / "mit" / "README.md").read_text()
    export(dataset, frozen, "trl", tmp_path / "none", licences={"/other/*": "MIT"})
    card = (tmp_path / "none" / "README.md").read_text()
    assert "license:" not in card
    assert "not stated (16 examples)" in card


def test_what_is_published_names_no_folder_of_this_machine(dataset: Store, tmp_path: Path) -> None:
    frozen = find_dataset(dataset, "calls")
    export(dataset, frozen, "trl", tmp_path / "out", published=True)
    written = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    assert "/logs" not in written
    assert '"path": "16.jsonl"' in written


def test_what_a_format_cannot_say_is_counted(store: Store, add: Add, tmp_path: Path) -> None:
    twice = [{"role": "user", "content": "a"}, *exchange("b", "c")["messages"]]
    add({"messages": twice}, exchange("What is it?", "It is that."))
    build(store, BuildRecipe("two", split="100/0/0"))
    done = export(store, find_dataset(store, "two"), "sharegpt", tmp_path / "out")
    assert done.left_out == {"turns_do_not_alternate": 1}
    assert [file["rows"] for file in done.files] == [1]
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["left_out"] == done.left_out
    assert "turns_do_not_alternate 1" in (tmp_path / "out" / "README.md").read_text()
    build(store, BuildRecipe("one", split="100/0/0", where="id:1"))
    with pytest.raises(BadInput, match="nothing in it can be said in alpaca"):
        export(store, find_dataset(store, "one"), "alpaca", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_llama_factory_finds_the_columns_described(dataset: Store, tmp_path: Path) -> None:
    export(dataset, find_dataset(dataset, "calls"), "sharegpt", tmp_path / "out")
    info = json.loads((tmp_path / "out" / "dataset_info.json").read_text())["calls_train"]
    row = json.loads((tmp_path / "out" / info["file_name"]).open().readline())
    assert set(info["columns"].values()) == set(row)
    export(dataset, find_dataset(dataset, "calls"), "trl", tmp_path / "out")
    assert not (tmp_path / "out" / "dataset_info.json").exists()


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
