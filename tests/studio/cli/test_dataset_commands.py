"""build, render, preflight, export, parse keep the contract: keys, exit codes, one-line errors."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from db.models.base import table
from db.models.evaluations import Arm, Evaluation
from db.store import open_store
from exports.tool_calls import FORMATS, PROBLEMS, render_call, render_legacy_call
from studio.evals.arms import base_arm
from studio.evals.known_suites import find_suite
from studio.nano import MODEL, SAMPLE, SUITE
from studio.training.bases import find_base
from tests.exports.bases import make_base, trl_template
from tests.studio.cli.conftest import Run, talk, write_rows

CHECKS = (
    "render_prefix", "round_trip", "schema", "arguments", "mask", "stop_tokens", "truncation",
    "control_tokens", "leakage", "size", "mix", "small_agents", "learning_rate", "options_echo",
    "base_score", "dry_run", "resources", "hashes",
)  # fmt: skip
CALLS = "tools:>0 status:accepted"


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base's tokenizer and template, without weights."""
    folder = make_base(tmp_path_factory.mktemp("base"), trl_template("qwen2_5"))
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def sample(run: Run) -> Run:
    """The shipped sample, what succeeded accepted."""
    assert run("import", SAMPLE).code == 0
    assert run("accept", "--where", "success:true").json["changed"] == 298
    return run


@pytest.fixture
def tools(sample: Run, base: Path) -> Run:
    """A dataset `tools` of 40 conversations with tool calls."""
    ran = sample("build", "tools", "--where", CALLS, "--budget", 40, "--base", base)
    assert ran.code == 0, ran.err
    return sample


def test_build_answers_what_it_made_and_what_it_left_out(sample: Run, base: Path) -> None:
    arguments = ("build", "tools", "--where", CALLS, "--budget", 60, "--base", base)
    value = sample(*arguments, "--avoid", SUITE).json
    assert value["dataset"] == "tools@1"
    assert set(value["examples"]) == {"train", "valid", "test"}
    assert sum(value["examples"].values()) == sum(value["by_agent"].values()) == 60
    assert value["examples"]["train"] > value["examples"]["valid"] > 0
    assert 0 < value["problems"] <= 60
    assert value["dropped"]["over_budget"] > 0
    assert isinstance(value["tokens"], int)
    assert value["tokens"] > 60 * 50
    assert len(value["sha256"]) == 64
    assert sample(*arguments, "--avoid", SUITE).json == value  # the same again is the same version
    other = sample(*arguments, "--seed", 7).json
    assert other["dataset"] == "tools@2"
    assert other["sha256"] != value["sha256"]


def test_strategies_and_budgets_compare_depth_with_diversity(sample: Run, base: Path) -> None:
    found = {
        strategy: sample(
            "build", strategy, "--strategy", strategy, "--solutions", 3, "--budget", 12,
            "--where", "agent:coder tools:0 status:accepted", "--base", base,
        ).json
        for strategy in ("deep", "diverse")
    }  # fmt: skip
    assert {sum(value["examples"].values()) for value in found.values()} == {12}
    assert found["diverse"]["problems"] < found["deep"]["problems"] == 12


def test_render_shows_every_token_and_which_are_trained(tools: Run, base: Path) -> None:
    value = tools("render", "tools", "--base", base, "--split", "valid", "--limit", 2).json
    assert len(value["examples"]) == 2
    for example in value["examples"]:
        assert {"id", "text", "tokens"} <= set(example)
        assert "".join(token["text"] for token in example["tokens"]) == example["text"]
        assert {frozenset(token) for token in example["tokens"]} == {
            frozenset(("id", "text", "trained"))
        }
        trained = "".join(token["text"] for token in example["tokens"] if token["trained"])
        assert '<tool_call>\n{"name": ' in trained
        assert trained.rstrip().endswith("<|im_end|>")
        assert "<|im_start|>user" not in trained
    shown = tools("render", "tools", "--base", base, "--limit", 1, as_json=False).out
    assert shown.count("⟦") == shown.count("⟧") > 0


def test_preflight_blocks_with_exit_1_and_all_checks_in_their_order(tools: Run, base: Path) -> None:
    tools("build", "old", "--template", "legacy", "--where", CALLS, "--budget", 20, "--base", base)
    ran = tools("preflight", "old", "--base", base)
    assert ran.code == 1
    assert ran.json["ok"] is False
    assert tuple(check["id"] for check in ran.json["checks"]) == CHECKS
    found = {check["id"]: check for check in ran.json["checks"]}
    assert {check["status"] for check in found.values()} <= {"pass", "warn", "block"}
    assert found["round_trip"]["status"] == "block"
    assert "old template" in found["round_trip"]["detail"]
    assert isinstance(found["round_trip"]["example"]["example"], int)
    text = tools("preflight", "old", "--base", base, as_json=False)
    assert text.code == 1
    assert "BLOCK round_trip" in text.out
    assert "→ build with --template tool_call" in text.out
    assert "blocked" in text.out.splitlines()[-1]


def evaluated_before(path: Path) -> None:
    """The embedded base has passed 120 of the 200 items of its suite."""
    store = open_store(str(path))
    suite = find_suite("nano")
    arm = {"spec": "base", "digest": base_arm(find_base("nano")).digest, "details_json": "{}"}
    evaluation = {"arm_id": 1, "suite": "nano", "suite_sha256": suite.sha256, "n": 200}
    report = {"created_ms": 0, "report_json": '{"passed": 120, "n": 200}'}
    with store.write() as connection:
        connection.execute(insert(table(Arm)).values(arm))
        connection.execute(insert(table(Evaluation)).values(**evaluation, **report))
    store.close()


def test_preflight_of_a_sound_dataset_ends_with_0(sample: Run, tmp_path: Path) -> None:
    if not (MODEL / "model.safetensors").is_file():
        pytest.skip("the embedded base is not built yet")
    sample("build", "tools", "--where", CALLS, "--budget", 60, "--avoid", "nano")
    evaluated_before(tmp_path / "studio.db")
    ran = sample("preflight", "tools")
    assert ran.code == 0, [c for c in ran.json["checks"] if c["status"] == "block"]
    assert ran.json["ok"] is True
    found = {check["id"]: check for check in ran.json["checks"]}
    assert "suite nano" in found["leakage"]["detail"]
    assert "120 of 200 items" in found["base_score"]["detail"]
    assert found["hashes"]["status"] == "pass"
    assert found["dry_run"]["detail"].startswith("not run: no recipe")


def test_export_writes_files_and_names_them_by_their_bytes(tools: Run, tmp_path: Path) -> None:
    value = tools("export", "tools", "--format", "openai", "--out", tmp_path / "out").json
    assert value["files"]
    for file in value["files"]:
        body = Path(file["path"]).read_bytes()
        assert hashlib.sha256(body).hexdigest() == file["sha256"]
        if file["path"].endswith(".jsonl"):
            assert body.count(b"\n") == file["rows"]
    rows = [
        json.loads(line)
        for file in value["files"]
        if file["path"].endswith(".jsonl")
        for line in Path(file["path"]).read_text().splitlines()
    ]
    assert len(rows) == 40
    assert all(row["messages"] for row in rows)


def test_a_secret_blocks_the_export_with_exit_1_and_writes_nothing(
    run: Run, tmp_path: Path, base: Path
) -> None:
    key = "sk-" + "proj-" + "Qz7Lr2Vt9Xc4Bn6Mh1Ka8Wd3Pf5Gs0Yu" + "T3BlbkFJ" + "Qz7Lr2Vt9Xc4Bn6Mh1Ka"
    rows = [talk(f"{n}", f"Explain part {n}", f"It is part {n}.") for n in range(12)]
    rows.append(talk("s", "Where is the key?", f"OPENAI_API_KEY={key}"))
    run("import", write_rows(tmp_path / "log.jsonl", *rows))
    run("build", "all", "--base", base)
    ran = run("export", "all", "--format", "trl", "--out", tmp_path / "out")
    assert ran.code == 1
    assert len(ran.err.strip().splitlines()) == 1
    assert "--allow-secrets" in ran.err
    assert key not in ran.err + ran.out
    assert not (tmp_path / "out").exists()
    forced = run("export", "all", "--format", "trl", "--out", tmp_path / "out", "--allow-secrets")
    assert forced.code == 0


def test_parse_answers_every_row_with_the_keys_of_the_contract(run: Run, tmp_path: Path) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    texts: list[dict[str, Any]] = [
        {"id": 1, "text": render_call("f", {"x": 1}), "tools": tools},
        {"id": "two", "text": render_legacy_call("f", {"x": 1})},
        {"id": 3, "text": "No call at all."},
        {"id": 4, "text": render_call("g", {}), "tools": tools},
    ]
    out = tmp_path / "out.jsonl"
    ran = run("parse", "--file", write_rows(tmp_path / "in.jsonl", *texts), "--out", out)
    assert ran.code == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["id"] for row in rows] == [1, "two", 3, 4]
    for row in rows:
        assert {"id", "calls", "format", "strict", "problems", "legacy"} <= set(row)
        assert row["format"] in (*FORMATS, None)
        assert set(row["problems"]) <= set(PROBLEMS)
    call = {"name": "f", "arguments": {"x": 1}}
    assert (rows[0]["calls"], rows[0]["format"], rows[0]["strict"]) == ([call], "tags", True)
    assert (rows[1]["calls"], rows[1]["legacy"], rows[1]["problems"]) == (
        [],
        [call],
        ["wrong_keys"],
    )
    assert (rows[2]["calls"], rows[2]["format"], rows[2]["strict"]) == ([], None, False)
    assert (rows[3]["calls"], rows[3]["problems"]) == ([], ["unknown_tool"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["build", "two words"], "letters, digits"),
        (["build", "x", "--split", "1/2"], "three shares that sum to 100"),
        (["build", "x", "--budget", "0"], "--budget are numbers from 1"),
        (["build", "x", "--avoid", "nothing.jsonl"], "nothing.jsonl: the suite cannot be read"),
        (["build", "x", "--base", "nobody"], "no base 'nobody'"),
        (["build", "x", "--where", "colour:blue"], "colour"),
        (["build", "x", "--where", "agent:reviewer"], "nothing to train on"),
        (["build", "x", "--strategy", "wide"], "'wide' is not one of"),
        (["render", "none"], "no dataset 'none'"),
        (["render", "none@one"], "name@version"),
        (["preflight", "none"], "no dataset 'none'"),
        (["preflight", "none", "--recipe", "nothing"], "no recipe 'nothing'"),
        (["export", "none", "--format", "trl", "--out", "out"], "no dataset 'none'"),
        (["export", "none", "--format", "csv", "--out", "out"], "'csv' is not one of"),
        (["parse", "--file", "none.jsonl", "--out", "out.jsonl"], "none.jsonl: cannot be read"),
        (["parse", "--file", "log.jsonl", "--out", "out.jsonl"], "log.jsonl:1: a row needs"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_2(
    filled: Run, base: Path, arguments: list[str], says: str
) -> None:
    if arguments[0] == "build" and "--base" not in arguments:
        arguments = [*arguments, "--base", str(base)]
    ran = filled(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert len(ran.err.strip().splitlines()) == 1
    assert ran.err.startswith("studio: ")
    assert says in ran.err
    assert "bug in studio" not in ran.err


@pytest.mark.usefixtures("tools")
def test_the_json_stands_alone_on_stdout_of_the_real_command(base: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "studio", "preflight", "tools", "--base", str(base), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1  # a base without weights cannot be trained
    assert json.loads(done.stdout)["dataset"] == "tools@1"
    assert "Traceback" not in done.stderr
