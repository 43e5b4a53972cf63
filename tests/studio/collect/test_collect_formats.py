"""What each format's rows become. The golden files are small inputs of our own."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from db.errors import BadInput
from db.interactions import Record
from studio.collect.formats import FORMATS, named, recognised
from studio.collect.log import Format, Log, Rejected
from tests.studio.collect import golden_files


def opened(path: Path) -> Log:
    return Log(path, path.stat().st_size)


def log_of(folder: Path, *rows: object) -> Log:
    path = folder / "rows"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return opened(path)


def records(log: Log) -> list[Record]:
    known = recognised(log.head)
    assert known is not None
    found = list(known.read(log))
    assert not [one for one in found if isinstance(one, Rejected)]
    return [one for one in found if isinstance(one, Record)]


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.NAME)
def test_golden(known: Format, tmp_path: Path) -> None:
    log = opened(golden_files.source(known.NAME, tmp_path))
    assert recognised(log.head) is known
    found = []
    for one in known.read(log):
        told = asdict(one)
        told.pop("path", None)
        told.pop("resumable", None)
        found.append({key: value for key, value in told.items() if value not in (None, {})})
    expected = json.loads((golden_files.FOLDER / f"{known.NAME}.expected.json").read_text())
    assert found == expected
    for told, want in zip(found, expected, strict=True):  # the order of keys is part of the form
        assert json.dumps(told.get("messages")) == json.dumps(want.get("messages"))


def test_an_unknown_name_lists_the_names() -> None:
    names = ", ".join(sorted(known.NAME for known in FORMATS))
    with pytest.raises(BadInput, match=f"unknown format 'jsonl'; known are {names}"):
        named("jsonl")


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(
            [{"request": {"messages": [], "max_tokens": 9}, "response": {"content": []}}],
            id="anthropic",
        ),
        pytest.param([{"sessionId": "x", "type": "user", "message": "y"}], id="typed to gemini"),
        pytest.param([[{"role": "user", "content": "x"}]], id="bare list of messages"),
        pytest.param([{"role": "user", "content": "x"}], id="bare messages"),
        pytest.param([{"trace": {}, "observations": []}], id="an empty trace"),
        pytest.param([{"instruction": "x"}], id="a task without an answer"),
    ],
)
def test_other_formats_are_not_mistaken(tmp_path: Path, rows: list[Any]) -> None:
    assert recognised(log_of(tmp_path, *rows).head) is None


def test_prose_with_json_inside_is_not_mistaken(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    row = '{"messages": [{"role": "user", "content": "x"}]}'
    for start in ("# Title\n", "[link](x) and\n", "[![badge](a)](b)\n"):
        path.write_text(f"{start}Rows look like this:\n\n```json\n{row}\n```\nand so on.\n")
        assert recognised(opened(path).head) is None


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.NAME)
def test_a_format_is_known_by_content_in_any_layout(tmp_path: Path, known: Format) -> None:
    """One a line, an array, indented or not, under any name."""
    source = golden_files.source(known.NAME, tmp_path)
    rows = [item.value for item in opened(source).items() if not isinstance(item, Rejected)]
    if not rows or not all(isinstance(row, dict) for row in rows):
        pytest.skip("its rows are no objects")
    layouts = {
        "a.txt": "\n".join(json.dumps(row) for row in rows),
        "b": json.dumps(rows),
        "c.yaml": json.dumps(rows, indent=2),
        "d.md": "\r\n\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows),
        "e": "\n".join(json.dumps(row, indent=1) for row in rows),
    }
    expected = [one for one in known.read(opened(source)) if isinstance(one, Record)]
    for name, text in layouts.items():
        (tmp_path / name).write_text(text)
        log = opened(tmp_path / name)
        assert recognised(log.head) is known, name
        found = [one for one in known.read(log) if isinstance(one, Record)]
        assert [(r.external_id, r.messages) for r in found] == [
            (r.external_id, r.messages) for r in expected
        ], name


def exchange(messages: list[dict[str, Any]], reply: str, number: int) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"content": reply}}
    usage = {"prompt_tokens": 10 * number, "completion_tokens": number}
    return {
        "request": {"messages": messages},
        "response": {"id": f"c{number}", "choices": [choice], "usage": usage},
        "duration_ms": 100 * number,
    }


def user(content: str) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: str) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def test_requests_that_repeat_a_conversation_are_one(tmp_path: Path) -> None:
    """Two conversations, one request of each in turn, and a branch of the first."""
    a, b = [user("a")], [user("b")]
    a2 = [*a, assistant("A"), user("a2")]
    b2 = [*b, assistant(" B "), user("b2")]  # the echo may differ in white space
    branch = [*a, assistant("A"), user("another way")]
    rows = [
        exchange(a, "A", 1),
        exchange(b, "B", 2),
        exchange(a2, "A2", 3),
        exchange(b2, "B2", 4),
        exchange(branch, "C", 5),
    ]
    found = records(log_of(tmp_path, *rows))
    assert [[m["content"] for m in record.messages] for record in found] == [
        ["a", "A", "a2", "A2"],
        ["b", " B ", "b2", "B2"],
        ["a", "A", "another way", "C"],
    ]
    assert [(r.line, r.duration_ms, r.prompt_tokens, r.completion_tokens) for r in found] == [
        (3, 400, 30, 4),
        (4, 600, 40, 6),
        (5, 500, 50, 5),
    ]
    assert found[0].external_id.startswith("openai_chat:c1:")


def test_the_same_conversation_twice_side_by_side(tmp_path: Path) -> None:
    ask = [user("a")]
    again = [*ask, assistant("A"), user("more")]
    rows = [exchange(m, r, n) for n, (m, r) in enumerate([(ask, "A")] * 2 + [(again, "B")] * 2)]
    assert [len(record.messages) for record in records(log_of(tmp_path, *rows))] == [4, 4]


def test_a_failed_request_has_no_answer_and_hides_no_retry(tmp_path: Path) -> None:
    failed = exchange([user("a")], "", 1) | {"status": 500, "response": "upstream is down"}
    found = records(log_of(tmp_path, failed, exchange([user("a")], "A", 2)))
    assert [(r.success, r.error, len(r.messages)) for r in found] == [
        (False, "HTTP 500: upstream is down", 1),
        (True, None, 2),
    ]
    assert found[0].prompt_tokens is None
    assert found[0].completion_tokens is None


def test_a_log_of_nothing_but_failures_is_known(tmp_path: Path) -> None:
    error = {"error": {"type": "rate_limit", "message": "slow down"}}
    row = {"request": {"messages": [user("a")]}, "response": error, "status": 429}
    (record,) = records(log_of(tmp_path, row))
    assert (record.success, record.error) == (False, "rate_limit: slow down")


def test_rows_of_another_api_among_chat_completions_are_told(tmp_path: Path) -> None:
    other = {"request": {"messages": [user("a")]}, "response": {"type": "message", "content": []}}
    log = log_of(tmp_path, exchange([user("a")], "A", 1), other)
    assert recognised(log.head) is named("openai_chat")
    _, rejected = named("openai_chat").read(log)
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "a request of another API than chat completions"


def test_an_error_in_the_middle_of_a_stream_keeps_what_was_said(tmp_path: Path) -> None:
    stream = (
        'data: {"choices": [{"index": 0, "delta": {"content": "Hal"}}]}\n\n'
        'data: {"error": {"type": "server_error", "message": "lost"}}\n\n'
    )
    row = exchange([user("a")], "", 1) | {"response": stream, "url": "http://x/chat/completions"}
    (record,) = records(log_of(tmp_path, row))
    assert (record.success, record.error) == (False, "server_error: lost")
    assert record.messages[-1] == assistant("Hal")


def test_a_mock_server_with_one_id_for_all(tmp_path: Path) -> None:
    rows = [exchange([user(f"question {n}")], "yes", n) for n in range(3)]
    for row in rows:
        row["response"]["id"] = "chatcmpl-mock"
    assert len({record.external_id for record in records(log_of(tmp_path, *rows))}) == 3


@pytest.mark.parametrize(
    ("arguments", "expected", "bent"),
    [
        ('{"a": 1}', {"a": 1}, False),
        ({"a": 1}, {"a": 1}, False),
        ("", {}, False),
        (None, {}, False),
        ('{"a": ', {"_raw": '{"a": '}, True),
        ("[1]", {"_raw": "[1]"}, True),
        ([1], {"_raw": [1]}, True),
        (json.dumps('{"a": 1}'), {"_raw": '"{\\"a\\": 1}"'}, True),
    ],
)
def test_arguments_are_always_an_object(
    tmp_path: Path, arguments: object, expected: object, bent: bool
) -> None:
    call = {"id": "c", "function": {"name": "f", "arguments": arguments}}
    rows = {"messages": [user("x"), {"role": "assistant", "content": None, "tool_calls": [call]}]}
    (record,) = records(log_of(tmp_path, rows))
    assert record.messages[1]["tool_calls"][0]["function"]["arguments"] == expected
    assert ("problems" in record.raw) == bent


def test_old_function_calls_find_their_results(tmp_path: Path) -> None:
    row = {
        "messages": [
            user("x"),
            {"role": "assistant", "content": None, "function_call": {"name": "f"}},
            {"role": "function", "name": "f", "content": "1"},
        ]
    }
    (record,) = records(log_of(tmp_path, row))
    (call,) = record.messages[1]["tool_calls"]
    assert record.messages[2]["tool_call_id"] == call["id"] == "call_1"


def line(uuid: str, kind: str, content: object, **more: Any) -> dict[str, Any]:
    message = {"role": kind, "content": content, **more.pop("message", {})}
    return {"type": kind, "uuid": uuid, "sessionId": "s", "message": message, **more}


def test_a_session_that_a_command_began_has_a_user(tmp_path: Path) -> None:
    rows = [
        line("1", "user", "<command-message>review</command-message>"),
        line("2", "user", "Review the last commit.", isMeta=True),
        line("3", "assistant", [{"type": "text", "text": "It is fine."}]),
    ]
    (record,) = records(log_of(tmp_path, *rows))
    assert record.messages == [user("Review the last commit."), assistant("It is fine.")]


def test_parallel_calls_whose_results_come_between_stay_one_message(tmp_path: Path) -> None:
    def use(name: str) -> list[dict[str, Any]]:
        return [{"type": "tool_use", "id": name, "name": name, "input": {}}]

    def result(name: str) -> list[dict[str, Any]]:
        return [{"type": "tool_result", "tool_use_id": name, "content": name}]

    rows = [
        line("1", "user", "go"),
        line("2", "assistant", use("a"), message={"id": "m"}),
        line("3", "user", result("a")),
        line("4", "assistant", use("b"), message={"id": "m"}),
        line("5", "user", result("b")),
    ]
    (record,) = records(log_of(tmp_path, *rows))
    assert [m["role"] for m in record.messages] == ["user", "assistant", "tool", "tool"]
    assert [call["id"] for call in record.messages[1]["tool_calls"]] == ["a", "b"]


def test_subagents_without_names_are_told_apart_by_their_roots(tmp_path: Path) -> None:
    def side(uuid: str, parent: str | None, kind: str, text: str) -> dict[str, Any]:
        return line(uuid, kind, text, isSidechain=True, parentUuid=parent)

    call = {"type": "tool_use", "id": "t", "name": "Task"}
    rows = [
        line("0", "user", "go"),
        line("1", "assistant", [{**call, "input": {"prompt": "p", "subagent_type": "engineer"}}]),
        side("a1", None, "user", "p"),
        side("b1", None, "user", "q"),
        side("a2", "a1", "assistant", "done p"),
        side("b2", "b1", "assistant", "done q"),
    ]
    found = {record.external_id: record for record in records(log_of(tmp_path, *rows))}
    assert [m["content"] for m in found["claude_code:s/a1"].messages] == ["p", "done p"]
    assert [m["content"] for m in found["claude_code:s/b1"].messages] == ["q", "done q"]
    assert found["claude_code:s/a1"].agent == "coder"
    assert found["claude_code:s/b1"].agent is None


def test_an_api_error_that_was_got_over_is_no_failure(tmp_path: Path) -> None:
    error = line("2", "assistant", "API Error: 529", isApiErrorMessage=True)
    rows = [line("1", "user", "go"), error, line("3", "assistant", "Here I am.")]
    (record,) = records(log_of(tmp_path, *rows))
    assert (record.success, record.error) == (None, None)
    (record,) = records(log_of(tmp_path, *rows[:2]))
    assert (record.success, record.error) == (False, "API Error: 529")
    assert [m["role"] for m in record.messages] == ["user"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("2026-01-02T03:04:05.678Z", 1767323045678),
        ("2026-01-02T04:04:05.678912+01:00", 1767323045678),
        ("2026-01-02T03:04:05", 1767323045000),
        ("Fri, 02 Jan 2026 03:04:05 GMT", 1767323045000),
        (1767323045, 1767323045000),
        (1767323045678, 1767323045678),
        (1767323045678912000, 1767323045679),
        ("1767323045", 1767323045000),
        ("1767323045678", 1767323045678),
        ("1767323045.678", 1767323045678),
        ("2026-01-02 03:04:05 UTC", 1767323045000),
        ("20260102", 1767312000000),
        ("yesterday", None),
        (True, None),
        (-5, None),
        (1e300, None),
        ("9999-12-31T23:59:59-14:00", None),
    ],
)
def test_times_in_every_form(tmp_path: Path, told: object, expected: int | None) -> None:
    (record,) = records(log_of(tmp_path, {"messages": [user("x")], "started_at": told}))
    assert record.started_ms == expected
