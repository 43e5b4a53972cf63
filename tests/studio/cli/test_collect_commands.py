"""import, list, show and stats keep the command contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.studio.cli.conftest import Run, talk, write_rows


def test_import_tells_what_it_did_and_does_it_once(run: Run, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "log.jsonl", talk("a", "x", "y"), talk("b", "z", "w"))
    with path.open("a") as file:
        file.write('{"cut": \n')
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00")
    first = run("import", tmp_path)
    assert first.code == 0
    answer = first.json
    assert (answer["imported"], answer["already_present"]) == (2, 0)
    assert answer["by_format"] == {"studio": 2}
    assert [(r["line"], Path(r["path"]).name) for r in answer["rejected"]] == [(3, "log.jsonl")]
    assert [Path(path).name for path in answer["unknown"]] == ["picture.png"]
    second = run("import", tmp_path)
    assert (second.code, second.json["imported"], second.json["already_present"]) == (0, 0, 2)


def test_nothing_imported_is_an_answer_and_a_missing_path_an_error(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("just notes")
    assert run("import", tmp_path / "notes.txt").code == 1
    ran = run("import", tmp_path / "none.jsonl")
    assert (ran.code, ran.out) == (2, "")
    assert "does not exist" in ran.err
    assert ran.err.count("\n") == 1


def test_list_gives_the_rows_of_the_contract(filled: Run) -> None:
    answer = filled("list", "--where", "agent:coder").json
    assert answer["total"] == 1
    row = answer["rows"][0]
    assert {
        key: row[key]
        for key in (
            "id", "agent", "provider", "model", "task", "success", "status", "duration_ms",
            "started_at", "cluster", "problem",
        )
    } == {
        "id": 1, "agent": "coder", "provider": "replicate", "model": "llama",
        "task": "Fix the tokenizer", "success": True, "status": "new", "duration_ms": 500,
        "started_at": "2025-10-01T08:00:00.000Z", "cluster": None, "problem": None,
    }  # fmt: skip


def test_a_wrong_filter_is_one_line_and_exit_2(filled: Run) -> None:
    ran = filled("list", "--where", "agnt:coder")
    assert ran.code == 2
    assert "unknown filter key" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_show_gives_messages_source_and_acts(filled: Run, tmp_path: Path) -> None:
    filled("accept", "1")
    shown = filled("show", "1").json
    assert [m["role"] for m in shown["messages"]] == ["user", "assistant"]
    assert shown["source"]["path"] == str(tmp_path / "log.jsonl")
    assert (shown["source"]["line"], shown["source"]["format"]) == (1, "studio")
    assert [act["kind"] for act in shown["acts"]] == ["accept"]
    assert filled("show", "99").code == 2


def test_stats_and_the_baseline_file_agree(filled: Run, tmp_path: Path) -> None:
    answer = filled("stats", "--baseline", tmp_path / "baseline.json").json
    assert (answer["total_interactions"], answer["successful"], answer["failed"]) == (3, 2, 1)
    assert answer["success_rate"] == 0.667
    low, high = answer["success_ci95"]
    assert low < 2 / 3 < high
    assert answer["duration_stats"] == {
        "avg_ms": 833, "median_ms": 1000, "min_ms": 500, "max_ms": 1000,
    }  # fmt: skip
    assert answer["agent_distribution"] == {"coder": 1, "tester": 1, "unknown": 1}
    assert answer["planned_distribution"]["coder"] == 0.35
    written = json.loads((tmp_path / "baseline.json").read_text())
    assert list(written) == [
        "total_interactions", "successful", "failed", "success_rate", "duration_stats",
        "agent_distribution", "provider_distribution",
    ]  # fmt: skip
    assert all(answer[key] == value for key, value in written.items())


def test_stats_holds_a_benchmark_against_the_collection(filled: Run, tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text('{"agent": "coder", "task": "x"}\n{"task": "Plan the sprint"}\n')
    found = filled("stats", "--benchmark", path).json
    assert found["benchmark"]["distribution"] == {"coder": 1, "coordinator": 1}
    assert "50.0%" in filled("stats", "--benchmark", path, as_json=False).out
    assert filled("stats").json["benchmark"] is None


def test_an_empty_store_and_no_store_say_what_to_do(run: Run) -> None:
    ran = run("list")
    assert ran.code == 2
    assert "studio import" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [["list", "--nonsense"], ["show"], ["show", "x"], ["nonsense"], ["import"], ["label"]],
)
def test_bad_usage_is_one_line_and_exit_2(run: Run, arguments: list[str]) -> None:
    ran = run(*arguments, as_json=False)
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 1
    assert ran.err.startswith("studio: ")


def test_hostile_text_is_drawn_harmlessly(run: Run, tmp_path: Path) -> None:
    evil = "\x1b[31mred\x1b]0;title\x07 \u202edesrever"
    run("import", write_rows(tmp_path / "log.jsonl", talk("a", evil, evil)))
    for command in (["list"], ["show", "1"]):
        ran = run(*command, as_json=False)
        assert "\x1b" not in ran.out
        assert "\u202e" not in ran.out
        assert "␛[31mred" in ran.out


def test_help_lists_the_commands_when_there_is_no_terminal_for_the_app(run: Run) -> None:
    ran = run(as_json=False)
    assert ran.code == 2
    for name in ("import", "preflight", "compare", "demo"):
        assert name in ran.out


def test_a_readable_answer_ends_with_the_next_step(run: Run, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "log.jsonl", talk("a", "x", "y"))
    assert run("import", path, as_json=False).out.endswith("Next: studio · studio stats\n")
