"""`studio build` and `studio export` as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from db.store import Store
from tests.conftest import exchange
from tests.exports.bases import make_base, trl_template

Add = Callable[..., list[int]]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(store: Store, tmp_path: Path) -> Run:
    """`studio …` on the store of the test, without a login to the Hub."""

    def command(*arguments: object) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
        location = store.location
        return subprocess.run(
            [sys.executable, "-m", "studio", *map(str, arguments), "--store", location, "--json"],
            capture_output=True, text=True, check=False, cwd=tmp_path,
            env={**clean, "HF_HOME": str(tmp_path / "home")},
        )  # fmt: skip

    return command


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = make_base(tmp_path / "base", trl_template("qwen2_5"))
    (folder / "config.json").write_text("{}")
    return folder


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_from_the_store_to_text_in_the_template_of_a_base(
    run: Run, base: Path, add: Add, tmp_path: Path
) -> None:
    add(exchange("What is two and two?", "That is four, as ever."), exchange("cut", "off and then",
        stop_reason="length"))  # fmt: skip
    built = answer(run("build", "sums", "--base", base, "--split", "100/0/0", "--mix", "as_is"))
    assert built["dropped"] == {"truncated": 1}
    assert built["tokens_counted"] == {"by": "tiktoken", "reason": None}
    done = answer(run("export", "sums", "--format", "text", "--out", tmp_path / "out",
                      "--licence", "/logs/*=MIT"))  # fmt: skip
    assert [file["rows"] for file in done["files"]] == [1]
    (line,) = (tmp_path / "out" / "train.jsonl").read_text().splitlines()
    assert json.loads(line)["text"].endswith(
        "<|im_start|>assistant\nThat is four, as ever.<|im_end|>\n"
    )
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["sources"][0]["licence"] == "MIT"
    assert manifest["base"]["template"]


def test_secrets_and_a_missing_login_are_answers_of_one_line(
    run: Run, base: Path, add: Add, tmp_path: Path
) -> None:
    add(exchange("Deploy", "export AWS_ACCESS_KEY_ID=AKIA" + "Q7ZJ" * 4))
    answer(run("build", "leaky", "--base", base, "--split", "100/0/0"))
    wanted = ("export", "leaky", "--format", "sharegpt", "--out", tmp_path / "out")
    blocked = run(*wanted)
    assert blocked.returncode == 1
    assert "AWS access key in interaction 1" in blocked.stderr
    assert "Q7ZJQ7ZJ" not in blocked.stderr
    unknown = run(*wanted, "--allow-secrets", "--push", "me/leaky")
    assert unknown.returncode == 2
    assert "hf auth login" in unknown.stderr
    assert not (tmp_path / "out").exists()
    assert answer(run(*wanted, "--allow-secrets"))["pushed"] is None


def test_a_filter_that_is_none_is_named_with_the_others(run: Run, add: Add) -> None:
    add(exchange("a", "b"))
    done = run("build", "x", "--quality", "nice")
    assert done.returncode == 2
    assert "broken_code" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
