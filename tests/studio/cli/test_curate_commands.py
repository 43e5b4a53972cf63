"""label, accept, drop, …, undo, classify, dedupe and the --file forms keep the contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.studio.cli.conftest import Run, talk, write_rows


def test_an_act_on_ids_ranges_and_filters(filled: Run) -> None:
    assert filled("accept", "1-2").json == {"act": 1, "changed": 2}
    assert filled("drop", "--where", "status:accepted").json == {"act": 2, "changed": 2}
    assert filled("reset", "1").json == {"act": 3, "changed": 1}
    assert filled("label", "reviewer", "3").json == {"act": 4, "changed": 1}
    assert filled("tag", "hard", "1").json["changed"] == 1
    assert filled("note", "look again", "1").json["changed"] == 1
    row = filled("list", "--where", "tag:hard").json["rows"][0]
    assert (row["status"], row["note"], row["tags"]) == ("new", "look again", ["hard"])
    assert filled("list", "--where", "agent:reviewer method:human").json["total"] == 1


def test_undo_and_redo_say_what_they_did_and_when_there_is_nothing(filled: Run) -> None:
    filled("accept", "1")
    filled("drop", "2", "3")
    assert filled("undo", "2").json == {"acts": [2, 1], "changed": 3}
    assert filled("undo").code == 1
    assert filled("redo").json == {"acts": [1], "changed": 1}
    kinds = [(act["kind"], act["undone_by"]) for act in filled("history").json["acts"]]
    assert kinds == [("redo", None), ("undo", None), ("undo", None), ("drop", 3), ("accept", None)]


def test_history_says_what_was_done_in_words(filled: Run) -> None:
    filled("label", "reviewer", "1")
    filled("merge", "1", "2")
    filled("undo")
    said = filled("history", as_json=False).out.splitlines()[2:]
    assert [line.split("  ")[-1] for line in said] == [
        "1 row as before act 2", "1 row merged into one problem", "1 row → reviewer",
    ]  # fmt: skip
    assert filled("history").json["acts"][1]["value"] == {"from": [2], "to": 1}


def test_edit_takes_the_answer_from_a_file(filled: Run, tmp_path: Path) -> None:
    (tmp_path / "better.txt").write_text("a better answer")
    assert filled("edit", "1", "--answer", tmp_path / "better.txt").json["changed"] == 1
    assert filled("show", "1").json["messages"][-1]["content"] == "a better answer"
    filled("undo")
    assert filled("show", "1").json["messages"][-1]["content"] == "fixed"
    assert filled("edit", "1", "--answer", tmp_path / "none.txt").code == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["accept"], "give ids"),
        (["accept", "1", "--where", "agent:coder"], "one of the two"),
        (["accept", "one"], "no id"),
        (["accept", "77"], "no interaction 77"),
        (["label", "painter", "1"], "no agent 'painter'"),
        (["tag", "two words", "1"], "one word"),
    ],
)
def test_what_cannot_be_done_changes_nothing(filled: Run, arguments: list[str], says: str) -> None:
    ran = filled(*arguments)
    assert ran.code == 2
    assert says in ran.err
    assert filled("history").json["acts"] == []


def test_classify_keeps_what_is_declared_and_labelled_and_gives_reasons(filled: Run) -> None:
    filled("label", "researcher", "1")
    answer = filled("classify").json
    assert answer["classified"] == 3
    assert answer["by_method"] == {"declared": 1, "human": 1, "model": 0, "rule": 1}
    rows = {row["id"]: row for row in filled("list").json["rows"]}
    assert (rows[1]["agent"], rows[1]["agent_method"]) == ("researcher", "human")
    assert (rows[2]["agent"], rows[2]["agent_method"]) == ("tester", "declared")
    assert (rows[3]["agent"], rows[3]["agent_method"]) == ("researcher", "rule")
    assert "compare" in rows[3]["agent_reason"]
    filled("undo")
    assert filled("show", "3").json["agent"] is None


def test_classify_file_answers_every_row(run: Run, tmp_path: Path) -> None:
    tasks = {1: "Review the pull request", 2: "Write unit tests for the lexer", 3: "zzz"}
    path = write_rows(tmp_path / "in.jsonl", *({"id": i, "text": t} for i, t in tasks.items()))
    answer = run("classify", "--file", path, "--out", tmp_path / "out.jsonl").json
    assert answer["classified"] == answer["by_method"]["rule"] == sum(answer["by_agent"].values())
    assert answer["low_confidence"] == 1
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [1, 2, 3]
    assert [row["agent"] for row in rows[:2]] == ["reviewer", "tester"]
    assert all(0 <= row["confidence"] <= 1 and row["reason"] for row in rows)
    assert rows[2]["confidence"] < rows[0]["confidence"]


def test_rules_reach_what_they_reach_on_labelled_tasks(
    run: Run, tmp_path: Path, data: Path
) -> None:
    labelled = [json.loads(line) for line in (data / "agent_tasks_dev.jsonl").open()]
    clear = [row for row in labelled if not row["ambiguous"]]
    path = write_rows(tmp_path / "in.jsonl", *({"id": r["id"], "text": r["text"]} for r in clear))
    run("classify", "--file", path, "--out", tmp_path / "out.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    right = sum(a["agent"] == b["agent"] for a, b in zip(rows, clear, strict=True))
    assert right / len(clear) >= 0.85


def test_dedupe_counts_and_clusters(run: Run, tmp_path: Path) -> None:
    long = "The parser reads the tokens one by one and keeps the place where each begins. " * 3
    rows = [
        talk("a", "Explain the parser", long, agent="coder"),
        talk("b", "Explain the parser", long, started_at="2025-10-02T00:00:00Z"),
        talk("c", "Explain the parser", long.replace("keeps", "notes")),
        talk("d", "Explain the parser", long, agent="tester"),
        talk("e", "Something else", "entirely different words stand here"),
    ]
    run("import", write_rows(tmp_path / "log.jsonl", *rows))
    answer = run("dedupe").json
    assert (answer["documents"], answer["clusters"]) == (5, 1)
    assert (answer["exact_duplicates"], answer["near_duplicates"]) == (1, 1)
    clusters = [row["cluster"] for row in run("list").json["rows"]]
    assert clusters == [1, 1, 1, None, None]
    assert run("dedupe", "--across-agents").json["exact_duplicates"] == 2


def test_dedupe_file_names_cluster_representative_and_similarity(run: Run, tmp_path: Path) -> None:
    texts = {"x": "one two three four five six", "y": "one two three four five sixx", "z": "other"}
    path = write_rows(tmp_path / "in.jsonl", *({"id": i, "text": t} for i, t in texts.items()))
    answer = run("dedupe", "--file", path, "--out", tmp_path / "out.jsonl").json
    assert (answer["documents"], answer["clusters"]) == (3, 1)
    assert (answer["exact_duplicates"], answer["near_duplicates"]) == (0, 1)
    assert answer["seconds"] >= 0
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["cluster"] is None for row in rows] == [False, False, True]
    assert rows[0]["cluster"] == rows[1]["cluster"]
    assert rows[1]["representative"] == "x"
    assert 95 < rows[1]["similarity"] < 100
    assert (rows[2]["representative"], rows[2]["similarity"]) == (None, None)


def test_bad_rows_of_file_forms_name_the_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    for text, says in (("{", ":1: not JSON"), ('{"id": 1}', ":1: the key 'text'"), ("[]", ":1:")):
        path.write_text(text)
        ran = run("classify", "--file", path, "--out", tmp_path / "out.jsonl")
        assert ran.code == 2
        assert says in ran.err
        assert not (tmp_path / "out.jsonl").exists()
