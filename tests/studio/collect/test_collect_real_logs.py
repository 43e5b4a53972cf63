"""The real logs, when they are there: what each file holds, counted here in plain JSON as well."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from db.interactions import Record
from db.store import Store
from studio.collect.formats import recognised
from studio.collect.importing import import_paths
from studio.collect.log import Log, Rejected

Contents = Callable[[Store], dict[str, Any]]
LOGS = Path(__file__).resolve().parents[4] / "shared" / "data" / "logs"
pytestmark = pytest.mark.skipif(not LOGS.is_dir(), reason=f"the real logs are not at {LOGS}")


@dataclass(frozen=True)
class Expected:
    """Numbers over all interactions of a file."""

    format: str
    interactions: int
    user: int
    assistant: int
    calls: int = 0
    results: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    task: str = ""
    rejected: int = 0


SUBAGENT = Expected(
    "claude_code", 1, 1, 6, 20, 20, 212_744, 1_845, "Analyze the existing CLI command structure"
)
# Claude Code: an assistant turn is a distinct message id; prompt tokens are input, cache reads and
# cache writes, of the last line of each id.
TABLE = {
    "alpaca/code_alpaca_2k.json": Expected(
        "alpaca", 2017, 2017, 2017, task="What are the distinct values from the given list?\n\ndata"
    ),
    "alpaca/gpteacher_codegen_400.json": Expected(
        "alpaca", 400, 400, 400, task="Write a C++ program that calculates the area of a rectangle"
    ),
    "sharegpt/fastchat_dummy_conversation_200.json": Expected(
        "sharegpt", 200, 399, 399, task="Who are you?"
    ),
    # 318 gpt and 92 function_call turns; 8 of the 120 rows are exact copies of others.
    "sharegpt/glaive_toolcall_en_120.json": Expected(
        "sharegpt", 120, 318, 410, 92, 92, task="Hi, I have some ingredients"
    ),
    # 309 requests, 52 of which are continued by a later one; rows 217 and 239 are one completion.
    "openai_chat/openai_chat.jsonl": Expected(
        "openai_chat", 257, 303, 422, 90, 61, 102_836, 43_405, "Hello"
    ),
    "claude_code/-tmp-private/4c2ddfdc-b619-4525-8d03-1950fb1b0257.jsonl": Expected(
        "claude_code", 1, 3, 7, 6, 6, 251_832, 806, "create hello.py, md and js"
    ),
    "claude_code/-tmp-private/agent-36541525.jsonl": Expected(
        "claude_code", 1, 1, 1, 0, 0, 16_979, 3, "Warmup"
    ),
    "claude_code/-tmp-private/agent-50243ee8.jsonl": Expected(
        "claude_code", 1, 1, 1, 0, 0, 16_878, 237, "Warmup"
    ),
    # Line 17 is of another session. Rejected: a message without content, one that is a text, and
    # four lines that are no event. A caveat, a command and its output are no turns.
    "claude_code/edge_cases.jsonl": Expected(
        "claude_code", 2, 4, 4, 3, 1, 488, 435, "Here's a message with some **markdown**", 6
    ),
    "claude_code/incremental-simple/turn-1.jsonl": Expected(
        "claude_code", 1, 1, 1, 0, 0, 30_393, 574, "show tools"
    ),
    "claude_code/incremental-simple/turn-2.jsonl": Expected(
        "claude_code", 1, 4, 6, 2, 2, 205_212, 8_058, "show tools"
    ),
    "claude_code/incremental-subagents/turn-1.jsonl": Expected(
        "claude_code", 1, 1, 7, 7, 6, 215_783, 1_244, '@"solution-architect (agent)" analyze'
    ),
    "claude_code/incremental-subagents/turn-2.jsonl": Expected(
        "claude_code", 1, 1, 11, 14, 14, 381_842, 10_099, '@"solution-architect (agent)" analyze'
    ),
    # The copy of turn 2 has one line more, of progress, which is no turn.
    "claude_code/incremental-subagents/turn-1/subagents/agent-a485154.jsonl": SUBAGENT,
    "claude_code/incremental-subagents/turn-2/subagents/agent-a485154.jsonl": SUBAGENT,
    "claude_code/representative_messages.jsonl": Expected(
        "claude_code", 1, 4, 5, 2, 2, 218, 445, "Hello Claude! Can you help me understand"
    ),
    # "[Request interrupted by user for tool use]" is no turn.
    "claude_code/session-9eda1058.jsonl": Expected(
        "claude_code", 1, 3, 5, 3, 3, 170_226, 4_509, "show tools and store response in file"
    ),
    "claude_code/session_b.jsonl": Expected(
        "claude_code", 1, 2, 1, 0, 0, 20, 35, "This is from a different session file"
    ),
    # Lines without message ids and without usage.
    "claude_code/simonw_sample_session.jsonl": Expected(
        "claude_code", 1, 2, 3, 2, 2, None, None, "Create a hello world function"
    ),
    "claude_code/todowrite_examples.jsonl": Expected(
        "claude_code", 1, 2, 6, 3, 3, 883, 328, "Can you help me implement a new feature"
    ),
}


def read(path: Path) -> tuple[str | None, list[Record], list[Rejected]]:
    log = Log(path, path.stat().st_size)
    known = recognised(log.head)
    found = list(known.read(log)) if known else []
    records = [one for one in found if isinstance(one, Record)]
    return known.NAME if known else None, records, [r for r in found if isinstance(r, Rejected)]


def total(values: list[int | None]) -> int | None:
    told = [value for value in values if value is not None]
    return sum(told) if told else None


@pytest.mark.parametrize("name", TABLE)
def test_each_file_holds_what_was_counted_by_hand(name: str) -> None:
    expected = TABLE[name]
    format_name, records, rejected = read(LOGS / name)
    messages = [message for record in records for message in record.messages]
    roles = [message["role"] for message in messages]
    first = records[0].task or next(m["content"] for m in messages if m["role"] == "user")
    assert first.startswith(expected.task)
    assert expected == Expected(
        format_name or "",
        len(records),
        roles.count("user"),
        roles.count("assistant"),
        sum(len(message.get("tool_calls", ())) for message in messages),
        roles.count("tool"),
        total([record.prompt_tokens for record in records]),
        total([record.completion_tokens for record in records]),
        expected.task,
        len(rejected),
    )


@pytest.mark.parametrize("name", TABLE)
def test_every_file_has_canonical_messages(name: str) -> None:
    for record in read(LOGS / name)[1]:
        open_calls: set[str] = set()
        for message in record.messages:
            assert message["role"] in ("system", "user", "assistant", "tool")
            assert isinstance(message["content"], str)
            for call in message.get("tool_calls", ()):
                assert isinstance(call["function"]["arguments"], dict)
                open_calls.add(call["id"])
            if message["role"] == "tool" and "problems" not in record.raw:
                assert message["tool_call_id"] in open_calls


@pytest.mark.parametrize("name", [name for name in TABLE if "claude_code/" in name])
def test_claude_sessions_recounted_line_by_line(name: str) -> None:
    expected = TABLE[name]
    ids, calls, results = set(), set(), set()
    usage: dict[str, dict[str, int]] = {}
    for line in (LOGS / name).read_text().splitlines():
        row = json.loads(line)
        if not isinstance(row, dict) or not isinstance(row.get("message"), dict):
            continue
        content = row["message"].get("content")
        blocks = [block for block in content or () if isinstance(block, dict)]
        if row["type"] == "assistant":
            key = row["message"].get("id", row["uuid"])
            ids.add(key)
            if "usage" in row["message"]:
                usage[key] = row["message"]["usage"]
        calls |= {block["id"] for block in blocks if block["type"] == "tool_use"}
        results |= {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
    keys = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    prompt = sum(told.get(key) or 0 for told in usage.values() for key in keys)
    assert (expected.assistant, expected.calls, expected.results) == (
        len(ids),
        len(calls),
        len(results),
    )
    assert (expected.prompt_tokens or 0) == prompt
    assert (expected.completion_tokens or 0) == sum(u["output_tokens"] for u in usage.values())


def test_chat_completions_recounted_without_hashes() -> None:
    """A request is continued when a later answered one begins with it and its answer."""
    rows = [json.loads(line) for line in (LOGS / "openai_chat/openai_chat.jsonl").open()]
    asked = [[said(m) for m in row["request"]["messages"]] for row in rows]
    answers = [answer(row["response"]) for row in rows]
    continued = {
        i
        for i, mine in enumerate(answers)
        if mine
        and any(
            answers[j] and asked[j][: len(asked[i]) + 1] == [*asked[i], mine]
            for j in range(i + 1, len(rows))
        )
    }
    assert len(rows) - len(continued) == TABLE["openai_chat/openai_chat.jsonl"].interactions
    _, records, _ = read(LOGS / "openai_chat/openai_chat.jsonl")
    assert sum(record.success is False for record in records) == 6  # HTTP 400, 401 and 404
    assert sum(record.success is None for record in records) == 1  # 200, but no completion
    assert {r.line for r in records} == {i + 1 for i in range(len(rows))} - {
        i + 1 for i in continued
    }


def said(message: dict[str, Any]) -> object:
    content = message.get("content") or ""
    if isinstance(content, list):
        content = "\n".join(part.get("text", "[image]") for part in content)
    role = "system" if message["role"] == "developer" else message["role"]
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    return [role, content.strip(), [[c["name"], json.loads(c["arguments"] or "{}")] for c in calls]]


def answer(response: Any) -> object:
    if isinstance(response, dict):
        choices = response.get("choices")
        return said({**choices[0]["message"], "role": "assistant"}) if choices else None
    events = [json.loads(line[6:]) for line in response.splitlines() if line.startswith("data: {")]
    deltas = [choice["delta"] for event in events for choice in event["choices"]]
    calls: dict[int, dict[str, str]] = {}
    for part in (call for delta in deltas for call in delta.get("tool_calls") or ()):
        call = calls.setdefault(part["index"], {"name": "", "arguments": ""})
        for key in call:
            call[key] += part["function"].get(key) or ""
    return said(
        {
            "role": "assistant",
            "content": "".join(delta.get("content") or "" for delta in deltas),
            "tool_calls": [{"function": call} for call in calls.values()],
        }
    )


def test_all_the_logs_at_once(store: Store, contents: Contents) -> None:
    """Other formats are unknown, not mistaken; what grew is updated; a second run adds nothing."""
    first = import_paths(store, [LOGS])
    files = {str(path) for path in LOGS.rglob("*") if path.is_file()}
    assert set(first.unknown) == files - {str(LOGS / name) for name in TABLE}
    assert first.by_format == {
        "alpaca": 2417,
        "sharegpt": 320,
        "openai_chat": 256,  # 257, two of which are the same completion
        "claude_code": 12,  # 16, of which 3 are longer versions and one is a copy
    }
    assert (first.imported, first.updated, first.already_present) == (3005, 3, 2)
    assert {(Path(r.path).name, r.line) for r in first.rejected} == {
        ("edge_cases.jsonl", line) for line in (10, 11, 13, 14, 15, 16)
    }
    before = contents(store)
    second = import_paths(store, [LOGS])
    assert (second.imported, second.updated, second.already_present) == (0, 0, 3010)
    assert second.rejected == first.rejected
    assert second.unknown == first.unknown
    assert contents(store) == before


def test_subagents_are_linked_to_their_session(store: Store, contents: Contents) -> None:
    import_paths(store, [LOGS / "claude_code"])
    session = "claude_code:e9fb405b-169f-40eb-9396-7e75076f045d"
    child = contents(store)[f"{session}/a485154"]
    assert child["parent"] == session
    assert json.loads(child["raw"])["subagent_type"] == "solution-architect"
    assert child["agent"] is None  # no agent of ours is called that
