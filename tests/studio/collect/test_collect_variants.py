"""Variants of the formats that are about: other gateways, older versions, packed files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from db.store import Store
from studio.collect.importing import import_paths
from tests.studio.collect.test_collect_formats import assistant, log_of, records, user


def chat(reason: str | None) -> dict[str, Any]:
    choice = {"message": {"content": "the beginning of"}, "finish_reason": reason}
    return {"request": {"messages": [user("a")]}, "response": {"choices": [choice]}}


def message(reason: str) -> dict[str, Any]:
    content = [{"type": "text", "text": "the beginning of"}]
    response = {"type": "message", "content": content, "stop_reason": reason}
    return {"request": {"messages": [user("a")]}, "response": response}


@pytest.mark.parametrize(
    ("row", "success"),
    [
        (chat("stop"), True),
        (chat("length"), None),
        (chat("content_filter"), None),
        (message("end_turn"), True),
        (message("max_tokens"), None),
    ],
)
def test_an_answer_that_was_cut_short_is_no_success(
    tmp_path: Path, row: dict[str, Any], success: bool | None
) -> None:
    (record,) = records(log_of(tmp_path, row))
    assert record.success is success
    assert record.messages[-1] == assistant("the beginning of")


@pytest.mark.parametrize("packed", [False, True])
def test_rows_of_a_gateway_with_a_start_and_an_end(tmp_path: Path, packed: bool) -> None:
    """LiteLLM logs objects to files and JSON in strings to its database."""
    messages = [user("Name a prime")]
    response = {"choices": [{"message": {"content": "7"}, "finish_reason": "stop"}]}
    row = {
        "startTime": 1767323045.25,
        "endTime": 1767323046.75,
        "custom_llm_provider": "anthropic",
        "messages": json.dumps(messages) if packed else messages,
        "response": json.dumps(response) if packed else response,
    }
    failed = {**row, "response": {}, "error_str": "AuthenticationError: no such key"}
    found = records(log_of(tmp_path, row, failed))
    assert [(r.provider, r.duration_ms, r.success, r.error) for r in found] == [
        ("anthropic", 1500, True, None),
        ("anthropic", 1500, False, "AuthenticationError: no such key"),
    ]
    assert found[0].messages == [*messages, assistant("7")]
    assert found[0].started_ms == 1767323045250


def trace(attributes: dict[str, Any], events: dict[str, dict[str, Any]] | None = None) -> Any:
    def listed(values: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]

    span = {
        "traceId": "0" * 32,
        "spanId": "1" * 16,
        "startTimeUnixNano": "1767323045000000000",
        "endTimeUnixNano": "1767323045500000000",
        "attributes": listed(attributes),
        "events": [{"name": name, "attributes": listed(of)} for name, of in (events or {}).items()],
    }
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def numbered(prefix: str, *values: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}.{n}.{key}": v for n, of in enumerate(values) for key, v in of.items()}


CALL = {"name": "look", "arguments": {"at": "sky"}}
OPENLLMETRY = {"llm.request.type": "chat"} | numbered(
    "gen_ai.prompt", {"role": "user", "content": "Up?"}
)
OPENLLMETRY |= numbered(
    "gen_ai.completion",
    {
        "role": "assistant",
        "tool_calls.0.id": "c1",
        "tool_calls.0.name": "look",
        "tool_calls.0.arguments": '{"at": "sky"}',
    },
)
OPENINFERENCE = {"openinference.span.kind": "LLM"} | numbered(
    "llm.input_messages",
    {"message.role": "user", "message.contents.0.message_content.text": "Up?"},
)
OPENINFERENCE |= numbered(
    "llm.output_messages",
    {
        "message.role": "assistant",
        "message.tool_calls.0.tool_call.id": "c1",
        "message.tool_calls.0.tool_call.function.name": "look",
        "message.tool_calls.0.tool_call.function.arguments": '{"at": "sky"}',
    },
)
VERCEL = {
    "gen_ai.request.model": "m",
    "ai.prompt.messages": json.dumps(
        [{"role": "user", "content": [{"type": "text", "text": "Up?"}]}]
    ),
    "ai.response.toolCalls": json.dumps(
        [{"type": "tool-call", "toolCallId": "c1", "toolName": "look", "input": {"at": "sky"}}]
    ),
}
SAID = json.dumps({"role": "assistant", "tool_calls": [{"id": "c1", "function": CALL}]})
EVENTS = {
    "gen_ai.user.message": {"content": "Up?"},
    "gen_ai.choice": {"finish_reason": "tool_calls", "message": SAID},
}


@pytest.mark.parametrize(
    ("attributes", "events"),
    [
        pytest.param(OPENLLMETRY, {}, id="openllmetry"),
        pytest.param(OPENINFERENCE, {}, id="openinference"),
        pytest.param(VERCEL, {}, id="vercel"),
        pytest.param({"gen_ai.operation.name": "chat"}, EVENTS, id="span events"),
    ],
)
def test_conventions_of_instrumentations(
    tmp_path: Path, attributes: dict[str, Any], events: dict[str, Any]
) -> None:
    (record,) = records(log_of(tmp_path, trace(attributes, events)))
    call = {"id": "c1", "type": "function", "function": CALL}
    assert record.messages == [user("Up?"), {**assistant(""), "tool_calls": [call]}]
    assert (record.duration_ms, record.success) == (500, True)


def test_numbered_keys_that_contradict_each_other_end_in_rows(tmp_path: Path) -> None:
    prompt = {
        "role": "user",
        "content": "Up?",
        "content.0.text": "x",
        ".": "y",
        "a" + ".b" * 99: "",
    }
    (record,) = records(
        log_of(tmp_path, trace({"llm.request.type": "chat"} | numbered("gen_ai.prompt", prompt)))
    )
    assert record.messages == [user("Up?")]


def test_a_bare_trace_with_its_older_usage(tmp_path: Path) -> None:
    observation = {
        "id": "o",
        "traceId": "t",
        "type": "GENERATION",
        "startTime": "2026-01-02T03:04:05Z",
        "input": [user("a")],
        "output": "A",
        "usage": {"input": 3, "output": 2, "total": 5, "unit": "TOKENS"},
    }
    row = {"id": "t", "sessionId": "s", "observations": [observation]}
    (record,) = records(log_of(tmp_path, row))
    assert (record.prompt_tokens, record.completion_tokens) == (3, 2)
    assert record.raw["sessionId"] == "s"


def line(kind: str, **payload: Any) -> dict[str, Any]:
    return {"timestamp": "2026-01-02T03:04:05Z", "type": kind, "payload": payload}


def said(role: str, *content: dict[str, Any]) -> dict[str, Any]:
    return line("response_item", type="message", role=role, content=list(content))


def test_a_picture_beside_a_text_is_one_turn(tmp_path: Path) -> None:
    picture = {"type": "input_image", "image_url": "data:x"}
    wrapped = [{"type": "input_text", "text": "<image name=[1]>"}, picture]
    text = {"type": "input_text", "text": "what is this"}
    rows = [
        said("user", *wrapped, {"type": "input_text", "text": "</image>"}, text),
        line("event_msg", type="user_message", message="what is this", images=[]),
        said("assistant", {"type": "output_text", "text": "a cat"}),
        line("event_msg", type="user_message", message="sure?"),
        said("user", {"type": "input_text", "text": "sure?"}, picture),
    ]
    (record,) = records(log_of(tmp_path, *rows))
    assert [m["role"] for m in record.messages] == ["user", "assistant", "user"]
    assert "[image]" in record.messages[0]["content"]


@pytest.mark.parametrize("over", [True, False])
def test_an_error_that_codex_got_over_is_no_failure(tmp_path: Path, over: bool) -> None:
    reply = said("assistant", {"type": "output_text", "text": "done"})
    rows = [
        said("user", {"type": "input_text", "text": "go"}),
        line("event_msg", type="stream_error", message="reconnecting"),
    ]
    (record,) = records(log_of(tmp_path, *rows, *[reply] * over))
    assert (record.success, record.error) == ((None, None) if over else (False, "reconnecting"))


def test_the_oldest_rollouts_are_one_document(tmp_path: Path) -> None:
    items = [said("user", {"type": "input_text", "text": "go"})["payload"]]
    items += [{"type": "function_call", "name": "shell", "arguments": "{}", "call_id": "c"}]
    session = {"id": "s", "timestamp": "2026-01-02T03:04:05Z"}
    (record,) = records(log_of(tmp_path, {"session": session, "items": items}))
    assert record.external_id == "codex:s"
    assert [m["role"] for m in record.messages] == ["user", "assistant"]
    assert record.started_ms == 1767323045000


def test_a_packed_log_is_read_like_the_log(tmp_path: Path, store: Store) -> None:
    rows = [{"id": n, "messages": [user(f"é {n}")], "success": True} for n in range(99)]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    half = text.index(b"\n", len(text) // 2) - 5
    (tmp_path / "log.jsonl.1.gz").write_bytes(
        gzip.compress(text[:half]) + gzip.compress(text[half:])
    )
    (tmp_path / "bom.gz").write_bytes(gzip.compress(text.decode().encode("utf-16")))
    summary = import_paths(store, [tmp_path / "log.jsonl.1.gz", tmp_path / "bom.gz"])
    assert (summary.imported, summary.already_present, summary.rejected) == (99, 99, [])


def test_packed_logs_that_are_cut_off_or_damaged_are_told(tmp_path: Path, store: Store) -> None:
    row = json.dumps({"id": 1, "messages": [user("a")], "success": True})
    packed = gzip.compress(f"{row}\n".encode() * 2 + bytes(range(256)) * 9)
    (tmp_path / "cut.gz").write_bytes(packed[:-30])
    (tmp_path / "damaged.gz").write_bytes(packed[:40] + b"\0" * 40 + packed[80:])
    (tmp_path / "header.gz").write_bytes(packed[:5])
    summary = import_paths(store, [tmp_path])
    told = {Path(one.path).name for one in summary.rejected} | {
        Path(one).name for one in summary.unknown
    }
    assert told == {"cut.gz", "damaged.gz", "header.gz"}
    assert summary.imported == 1
