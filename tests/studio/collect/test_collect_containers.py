"""Formats that are no lines of JSON: zips, cassettes in YAML, databases; and hostile ones."""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from db.interactions import Record
from db.store import Store
from studio.collect import splitting
from studio.collect.formats import recognised
from studio.collect.importing import import_paths
from studio.collect.log import Log, Rejected
from tests.studio.collect import golden_files


def read(path: Path) -> tuple[str | None, list[Record], list[str]]:
    """The format of a file, its interactions, and the reasons why others are none."""
    log = Log(path, path.stat().st_size)
    known = recognised(log.head)
    found = list(known.read(log)) if known else []
    reasons = [one.reason for one in found if isinstance(one, Rejected)]
    return known.NAME if known else None, [r for r in found if isinstance(r, Record)], reasons


def evaluation(path: Path, samples: list[Any], **more: bytes) -> Path:
    """A zip as Inspect writes it."""
    log = json.loads((golden_files.FOLDER / "inspect.json").read_text())[0]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_journal/start.json", json.dumps({"eval": log["eval"]}))
        for number, sample in enumerate(samples):
            archive.writestr(f"samples/{number}_epoch_1.json", json.dumps(sample))
        for name, data in more.items():
            archive.writestr(f"samples/{name}.json", data)
    return path


def golden_samples() -> list[Any]:
    return list(json.loads((golden_files.FOLDER / "inspect.json").read_text())[0]["samples"])


def test_an_evaluation_in_a_zip_is_the_same(tmp_path: Path) -> None:
    kind, found, reasons = read(evaluation(tmp_path / "run", golden_samples()))
    _, expected, _ = read(golden_files.FOLDER / "inspect.json")
    assert kind == "inspect"
    assert [(r.external_id, r.messages, r.success, r.raw) for r in found] == [
        (r.external_id, r.messages, r.success, r.raw) for r in expected
    ]
    assert reasons == ["samples/3_epoch_1.json: no messages"]


def test_a_zip_that_is_cut_or_swollen(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.collect.formats.inspect.PIECE_LIMIT", 100_000)
    whole = evaluation(tmp_path / "a", golden_samples()[:1], z=b"0" * 5_000_000, y=b"{")
    (tmp_path / "b").write_bytes(whole.read_bytes()[:-40])
    summary = import_paths(store, [tmp_path])
    assert summary.imported == 1
    told = {(Path(one.path).name, one.line): one.reason for one in summary.rejected}
    assert told["a", 3] == f"samples/z.json: longer than {splitting.PIECE_LIMIT >> 20} MiB"
    assert told["a", 2].startswith("samples/y.json: not JSON: ")
    assert told["b", 0] == "not a whole zip: File is not a zip file"


def test_other_zips_are_unknown(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("notes.txt", "hello")
    assert read(tmp_path / "a.zip") == (None, [], [])


@pytest.mark.parametrize("packed", [False, True])
def test_a_cassette_in_json(tmp_path: Path, packed: bool) -> None:
    answer = {"id": "c1", "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    data = json.dumps(answer).encode()
    body = base64.b64encode(gzip.compress(data) if packed else data).decode()
    request = {"content": {"messages": [{"role": "user", "content": "Hello"}]}, "method": "POST"}
    request["url"] = "https://api.openai.com/v1/chat/completions"
    response = {"content": {"data": body, "encoding": "base64", "size": 9}, "status_code": 200}
    one = {"request": request, "response": response}
    (tmp_path / "a").write_text(json.dumps({"interactions": [one]}, indent=2))
    kind, (record,), reasons = read(tmp_path / "a")
    assert (kind, record.provider, record.success, reasons) == ("vcr", "openai", True, [])
    assert [message["content"] for message in record.messages] == ["Hello", "Hi"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("- request: " + "[" * 100_000, "nested deeper than 200 levels", id="deep"),
        ("- request: &a {}\n  response: *a", "not plain YAML: it has aliases"),
        ("- request: {}\n  response: {}", "no request to a model among its 1 request"),
        ("- request: {\n", "not YAML: did not find expected"),
        ("- request: \x07", "not YAML: "),
        ("- request: !!binary x", "not YAML: Invalid base64"),
        ("request: 1", "no interactions of a cassette"),
    ],
)
def test_hostile_cassettes_are_told(store: Store, tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "a").write_text(f"interactions:\n{text}")
    summary = import_paths(store, [tmp_path / "a"])
    assert summary.by_format == {"vcr": 0}
    (rejected,) = summary.rejected
    assert rejected.reason.startswith(reason)


def database(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def test_other_databases_are_unknown(store: Store, tmp_path: Path) -> None:
    assert store.path is not None
    assert read(store.path)[0] is None
    view = "CREATE TABLE conversations (id); CREATE VIEW responses AS SELECT 1"
    assert read(database(tmp_path / "view", view))[0] is None


def test_a_database_that_is_damaged_or_lacks_columns(store: Store, tmp_path: Path) -> None:
    script = (golden_files.FOLDER / "llm_logs.sql").read_text()
    data = database(tmp_path / "whole", script).read_bytes()
    (tmp_path / "cut").write_bytes(data[: len(data) // 2])
    database(tmp_path / "bare", "CREATE TABLE conversations (id); CREATE TABLE responses (x)")
    for name in ("cut", "bare"):
        before = (tmp_path / name).read_bytes()
        summary = import_paths(store, [tmp_path / name])
        assert summary.imported == 0
        assert summary.unknown or summary.rejected[0].reason.startswith("not a whole SQLite")
        assert (tmp_path / name).read_bytes() == before


def test_turns_that_are_still_in_the_journal(tmp_path: Path) -> None:
    """`llm` may be running: what it wrote last lies beside the database."""
    script = (golden_files.FOLDER / "llm_logs.sql").read_text()
    path = database(tmp_path / "logs.db", f"PRAGMA journal_mode = WAL; {script}")
    with closing(sqlite3.connect(path)) as writer:
        keys = "id, prompt, response, conversation_id, datetime_utc"
        writer.execute(f"INSERT INTO responses ({keys}) VALUES ('r9', 'Q', 'A', 'c9', '2026')")
        writer.commit()
        found = read(path)[1]
    assert "llm_logs:c9" in {record.external_id for record in found}


def test_a_loop_of_messages_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.collect.formats.llm_logs._CHAIN_LIMIT", 10)
    script = (golden_files.FOLDER / "llm_logs.sql").read_text()
    loop = "UPDATE messages SET parent_hash = 'm5' WHERE hash = 'm1'"
    _, found, reasons = read(database(tmp_path / "a", f"{script}; {loop}"))
    assert {record.external_id for record in found} == {"llm_logs:c1", "llm_logs:r4"}
    assert len(reasons) == 4
    assert all("is missing or in a loop" in reason for reason in reasons)


def test_traces_of_other_programs_are_told_once(tmp_path: Path) -> None:
    def export(number: int, key: str) -> dict[str, Any]:
        value = {"key": key, "value": {"stringValue": "chat"}}
        asked = {"key": "gen_ai.prompt", "value": {"stringValue": "Hello"}}
        span = {"traceId": f"t{number}", "spanId": "s", "attributes": [value, asked]}
        return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}

    lines = [export(number, "http.method") for number in range(3)]
    (tmp_path / "a").write_text("\n".join(map(json.dumps, lines)))
    assert read(tmp_path / "a") == ("otlp_genai", [], ["no request to a model in its 3 traces"])
    lines.append(export(3, "gen_ai.operation.name"))
    (tmp_path / "b").write_text("\n".join(map(json.dumps, lines)))
    _, (record,), reasons = read(tmp_path / "b")
    assert (record.messages, reasons) == ([{"role": "user", "content": "Hello"}], [])


def test_old_codex_rollouts_without_wrappers(tmp_path: Path) -> None:
    rows = [
        {"id": "old1", "timestamp": "2026-01-02T03:04:05Z", "instructions": None},
        {"record_type": "state"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Yo"}],
        },
    ]
    (tmp_path / "a").write_text("\n".join(map(json.dumps, rows)))
    kind, (record,), reasons = read(tmp_path / "a")
    assert (kind, record.external_id, reasons) == ("codex", "codex:old1", [])
    assert [message["content"] for message in record.messages] == ["Hi", "Yo"]
