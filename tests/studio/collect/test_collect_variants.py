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


def answered(message: dict[str, Any]) -> dict[str, Any]:
    response = {"choices": [{"message": message, "finish_reason": "stop"}]}
    return {"request": {"messages": [user("a")]}, "response": response}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"content": "", "refusal": "I cannot."}, {"content": "I cannot."}),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, "so"]},
            {"content": "so", "reasoning_content": "hm"},
        ),
        (
            {"content": "so", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
            {"content": "so", "reasoning_content": "hm"},
        ),
    ],
)
def test_answers_of_several_providers(
    tmp_path: Path, message: dict[str, Any], expected: dict[str, Any]
) -> None:
    (record,) = records(log_of(tmp_path, answered(message)))
    assert record.messages[-1] == {"role": "assistant", **expected}


def test_a_custom_tool_is_given_text(tmp_path: Path) -> None:
    call = {"id": "c", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}
    (record,) = records(log_of(tmp_path, answered({"content": None, "tool_calls": [call]})))
    (made,) = record.messages[-1]["tool_calls"]
    assert made["function"] == {"name": "sql", "arguments": {"input": "select 1"}}


def test_a_gemini_session_that_is_written_a_line_at_a_time(tmp_path: Path) -> None:
    """A message is told again when it grew; what was gone back from stays, as Claude Code's."""
    reply = {"id": "2", "type": "gemini", "content": "", "tokens": {"input": 3, "output": 1}}
    result = [{"functionResponse": {"response": {"output": "x"}}}]
    call = {"id": "c", "name": "ls", "args": {}, "result": result}
    picture = {"inlineData": {"mimeType": "image/png", "data": "AA"}}
    rows = [
        {"sessionId": "g", "projectHash": "h", "startTime": "2026-01-02T03:04:05Z"},
        {"id": "1", "type": "user", "content": [{"text": "List"}, picture]},
        reply,
        {"$set": {"lastUpdated": "2026-01-02T03:04:06Z", "summary": "listing"}},
        {**reply, "toolCalls": [call]},
        {"$rewindTo": "2"},
        {"id": "3", "type": "user", "content": "Again"},
    ]
    (record,) = records(log_of(tmp_path, *rows))
    assert record.external_id == "gemini_cli:g"
    assert [m["role"] for m in record.messages] == ["user", "assistant", "tool", "user"]
    assert record.messages[0]["content"] == "List\n[image]"
    assert (record.prompt_tokens, record.completion_tokens) == (3, 1)
    assert (record.raw["summary"], record.raw["rewinds"]) == ("listing", 1)


def test_a_mini_swe_agent_run_that_notes_how_it_ended(tmp_path: Path) -> None:
    answer = {"usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    said = [
        user("task"),
        {**assistant("```bash\nls\n```"), "extra": {"response": answer, "timestamp": 1767323045.5}},
        {**user("<returncode>1</returncode>"), "extra": {"timestamp": 1767323047.0}},
        {"role": "exit", "content": "", "extra": {"exit_status": "Submitted"}},
    ]
    row = {"trajectory_format": "mini-swe-agent-1.1", "info": {"exit_status": "Submitted"}}
    (record,) = records(log_of(tmp_path, row | {"messages": said}))
    assert [m["role"] for m in record.messages] == ["user", "assistant", "tool"]
    assert (record.prompt_tokens, record.completion_tokens, record.duration_ms) == (3, 2, 1500)


def test_a_swe_agent_run_names_its_model_and_thoughts(tmp_path: Path) -> None:
    config = json.dumps({"agent": {"model": {"name": "gpt-4o"}}})
    call = {"id": "c", "function": {"name": "bash", "arguments": "{}"}}
    thought = {"thinking_blocks": [{"type": "thinking", "thinking": "hm"}], "tool_calls": [call]}
    history = [{**user("task"), "agent": "main"}, {**assistant("so"), "agent": "main", **thought}]
    (record,) = records(log_of(tmp_path, {"history": history, "replay_config": config}))
    assert record.model == "gpt-4o"
    assert record.messages[-1]["reasoning_content"] == "hm"


def test_tools_that_the_api_ran_in_a_session_are_calls_with_results(tmp_path: Path) -> None:
    blocks = [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {"type": "text", "text": "Found."},
    ]
    about = {"uuid": "u", "sessionId": "s"}
    row = {"type": "assistant", **about, "message": {"id": "m", "content": blocks}}
    (record,) = records(log_of(tmp_path, row))
    assert [m["role"] for m in record.messages] == ["assistant", "tool"]
    assert record.messages[0]["tool_calls"][0]["function"]["name"] == "web_search"


@pytest.mark.parametrize(
    "outputs", [{"output": "R"}, {"output": {"lc": 1, "kwargs": {"content": "R"}}}]
)
def test_what_a_tool_of_langchain_answered(tmp_path: Path, outputs: Any) -> None:
    call = {"name": "look", "args": {}, "id": "c"}
    answer = {"role": "assistant", "content": "", "tool_calls": [call]}
    asked = {"messages": [user("q")]}
    about = {"trace_id": "t", "start_time": 1767323045000, "end_time": 1767323046000}
    rows = [
        {"id": "l", "run_type": "llm", "inputs": asked, "outputs": answer, **about},
        {"id": "t", "run_type": "tool", "name": "look", "inputs": {}, "outputs": outputs, **about},
    ]
    (record,) = records(log_of(tmp_path, *rows))
    assert record.messages[-1] == {"role": "tool", "content": "R", "tool_call_id": "c"}


def test_why_an_openhands_run_ended(tmp_path: Path) -> None:
    ended = {"agent_state": "error", "reason": "APIError: quota"}
    history = [
        {"id": 1, "source": "user", "action": "message", "args": {"content": "fix"}},
        {"id": 2, "observation": "agent_state_changed", "content": "", "extras": ended},
    ]
    (record,) = records(log_of(tmp_path, {"history": history}))
    assert (record.success, record.error) == (False, "APIError: quota")


@pytest.mark.parametrize("called", ["Researcher Agent", "researcher_agent", "researcher"])
def test_an_agent_that_calls_itself_one(tmp_path: Path, called: str) -> None:
    about = {"traceId": "t", "startTime": "2026-01-02T03:04:05Z"}
    talk = {"input": "q", "output": "a", "parentObservationId": "a"}
    observations = [
        {"id": "a", "type": "AGENT", "name": called, **about},
        {"id": "g", "type": "GENERATION", **talk, **about},
    ]
    (record,) = records(log_of(tmp_path, {"trace": {"id": "t"}, "observations": observations}))
    assert record.agent == "researcher"
