"""An arm is found by its spec, named by what it depends on, and never put on another base."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import insert

from db.errors import BadInput, NotFound
from db.models.base import table
from db.models.runs import Checkpoint, Run
from db.store import Store
from exports.frozen import ExampleRow, freeze
from exports.suites import Item
from studio.evals.arms import base_arm, find_arm
from studio.training.bases import base_digest, find_base

ITEM = Item("x", "code", None, [{"role": "user", "content": "add 3 and 5"}], [], {"kind": "answer"})


def model(folder: Path, **files: str) -> Path:
    """A folder that looks like a base or an adapter."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"config.json": "{}", "tokenizer.json": "{}", "model.safetensors": "w", **files}
    for name, content in files.items():
        (folder / name).write_text(content)
    return folder


def row(n: int) -> ExampleRow:
    messages = [
        {"role": "user", "content": f"add {n} and {n + 2}"},
        {"role": "assistant", "content": f"Answer: {2 * n + 2}"},
    ]
    return ExampleRow("train", "interaction", messages, [])


@pytest.fixture
def trained(store: Store, tmp_path: Path) -> Store:
    """A run on a base of its own, with checkpoints at 10 (selected) and 20."""
    base = model(tmp_path / "base")
    freeze(store, "sums", {}, [row(n) for n in range(10)], {})
    values = {"dataset_id": 1, "recipe": "r", "recipe_json": "{}", "base": str(base)}
    rest = {"folder": "x", "state": "finished", "created_ms": 0, "selected_step": 10}
    with store.write() as connection:
        digest = base_digest(base)
        connection.execute(insert(table(Run)).values(**values, **rest, base_digest=digest))
        for step in (10, 20):
            path = str(model(tmp_path / f"checkpoint-{step}", **{"model.safetensors": f"{step}"}))
            checkpoint = {"run_id": 1, "step": step, "path": path, "digest": "x"}
            connection.execute(insert(table(Checkpoint)).values(checkpoint))
    return store


def test_a_run_means_its_selected_checkpoint_and_a_step_another(trained: Store) -> None:
    selected, other = find_arm(trained, "run:1"), find_arm(trained, "run:1@20")
    assert selected.adapter is not None
    assert selected.adapter.name == "checkpoint-10"
    assert other.adapter is not None
    assert other.adapter.name == "checkpoint-20"
    assert selected.digest != other.digest
    assert find_arm(trained, "run:1@10").digest == selected.digest


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "chat_template.jinja"])
def test_a_run_is_not_evaluated_on_a_base_that_has_changed(
    trained: Store, tmp_path: Path, name: str
) -> None:
    (tmp_path / "base" / name).write_text("another")
    with pytest.raises(BadInput, match="has changed since run 1 was trained"):
        find_arm(trained, "run:1")


def test_the_digest_names_model_prompt_and_examples_not_the_spelling(
    trained: Store, tmp_path: Path
) -> None:
    base = str(tmp_path / "base")
    plain = find_arm(trained, "base", default_base=base)
    assert plain.digest == find_arm(trained, f"base:{base}").digest
    assert plain.digest == base_arm(find_base(base)).digest
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("Be brief.")
    specs = ("base+random2", "base+random3", "base+retrieved2", f"base+prompt:{prompt}")
    arms = [find_arm(trained, s, default_base=base, examples="sums") for s in specs]
    assert len({plain.digest, *(arm.digest for arm in arms)}) == 5
    (tmp_path / "base" / "chat_template.jinja").write_text("{{ messages }}")
    assert find_arm(trained, "base", default_base=base).digest != plain.digest


def test_the_conditions_shape_what_the_model_is_given(trained: Store, tmp_path: Path) -> None:
    base = str(tmp_path / "base")
    retrieved = find_arm(trained, "base+retrieved2", default_base=base, examples="sums")
    messages, _ = retrieved.messages_for(ITEM)
    assert [m["role"] for m in messages] == ["user", "assistant"] * 2 + ["user"]
    assert messages[2]["content"] == "add 3 and 5"  # the nearest stands last
    assert retrieved.messages_for(ITEM) == (messages, [])
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("Be brief.\n")
    told = find_arm(trained, f"base+prompt:{prompt}", default_base=base)
    assert told.messages_for(ITEM)[0][0] == {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("everything", "is no arm"),
        ("run:x", "a run is run:7 or run:7@500"),
        ("base+few", "is no prompt condition"),
        ("base+random0", "at least one example"),
        ("base+random40", "10 training examples, 40 are wanted"),
        ("base+prompt:nothing.txt", "cannot be read"),
        ("adapter:nowhere", "holds no adapter"),
    ],
)
def test_a_spec_that_is_none_says_what_there_is(
    trained: Store, tmp_path: Path, spec: str, says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        find_arm(trained, spec, default_base=str(tmp_path / "base"), examples="sums")


def test_what_is_not_there_is_named(trained: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no run 7"):
        find_arm(trained, "run:7")
    with pytest.raises(NotFound, match="step 15; there are 10, 20"):
        find_arm(trained, "run:1@15")
    adapter = model(tmp_path / "adapter")
    config = {"base_model_name_or_path": str(tmp_path / "base")}
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    assert find_arm(trained, f"adapter:{adapter}").base.folder == tmp_path / "base"
