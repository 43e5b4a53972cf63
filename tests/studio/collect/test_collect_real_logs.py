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
SWE = "swe_agent/marshmallow-1867__"
FROM_SOURCE = "default__t-0.20__p-0.95__c-2.00__install-1___install_from_source"
# LangSmith's runs all greet, but for two; streams without usage tell no tokens.
RUNS = {
    "js_wrap_openai_default": (9, 9, "howdy"),
    "js_wrap_openai_reasoning": (43, 1_901, "Write a bash script"),
    "js_wrap_openai_stream": (9, 9, "howdy"),
    "js_wrap_openai_stream_no usage": (None, None, "howdy"),
    "py_wrap_openai_": (9, 9, "howdy"),
    "py_wrap_openai_reasoning": (43, 2_497, "Write a bash script"),
    "py_wrap_openai_stream": (9, 9, "howdy"),
    "py_wrap_openai_stream_no_usage": (None, None, "howdy"),
}
# Langfuse: the innermost generations count; prompt tokens are the last request's, completion tokens
# the sum. AutoGen's request is one text; the Claude agent's first request has no system message.
TRACES = {
    "autogen-2025-06-06": Expected(
        "langfuse", 1, 1, 1, 0, 0, 41, 3, "system: You are a helpful AI assistant."
    ),
    "claude-agent-2025-12-22": Expected(
        "langfuse", 1, 1, 4, 2, 2, 5, 232, "What's the weather like in Berlin"
    ),
    "crewai-2025-07-11": Expected(
        "langfuse", 1, 1, 1, 0, 0, 190, 164, "\nCurrent Task: Define the HTML"
    ),
    "csharp-agent-with-gemini-2026-03-09": Expected(
        "langfuse", 1, 1, 3, 2, 1, 2497, 414, "What are my month over month"
    ),
    "google-gemini-2025-08-01": Expected("langfuse", 1, 1, 1, 0, 0, 6, 2055, "What is Langfuse?"),
    "langgraph-js-2025-10-30": Expected(
        "langfuse", 1, 1, 2, 1, 1, 179, 123, "What's the weather in San Francisco?"
    ),
    "langgraph-python-2025-08-22": Expected("langfuse", 1, 2, 2, 1, 1, 108, 66, "Be helpful!"),
    "llamaindex-2025-06-05": Expected("langfuse", 1, 1, 1, 0, 0, 13, 81, "What is Langfuse?"),
    "openai-agents-2025-09-30": Expected(
        "langfuse", 1, 1, 2, 1, 1, 85, 44, "What's the weather in Tokyo?"
    ),
    "pydantic-ai-2025-06-06": Expected("langfuse", 1, 1, 1, 0, 0, 31, 96, "What is Langfuse?"),
    "pydantic-ai-tools-2025-06-06": Expected(
        "langfuse", 1, 1, 1, 0, 0, 31, 96, "What is Langfuse?"
    ),
    "pydantic-ai-tools-2025-12-04": Expected(
        "langfuse", 2, 3, 4, 4, 3, 633, 209, "Select and call THREE"
    ),
    "pydantic-ai-with-gemini-2025-12-24": Expected(
        "langfuse", 1, 1, 1, 0, 0, 40, 159, "what is 1+1?"
    ),
    "vercel-aisdk-2025-11-17": Expected(
        "langfuse", 1, 1, 1, 1, 1, 62, 85, "What is the weather like today"
    ),
    "vertex-ai-2025-08-01": Expected("langfuse", 1, 1, 1, 0, 0, 5, 845, "What is Langfuse?"),
}
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
    # Codex: an assistant turn is a run of texts and calls up to a result; 3 of the 105 calls are
    # web searches, whose results are not told. AGENTS.md and the environment are no user turns.
    "codex/rollout-2026-05-11T11-26-55-019e1625-789d-76c0-80ab-3724b5ddb799.jsonl": Expected(
        "codex", 1, 2, 69, 105, 105, 6_055_836, 9_118, "show tools"
    ),
    "codex/fc_args_1.jsonl": Expected("codex", 1, 1, 1, 1, task="inspect files"),
    "codex/fc_args_2.jsonl": Expected("codex", 1, 1, 1, 1, task="apply patch"),
    "codex/fc_stdin.jsonl": Expected("codex", 1, 1, 1, 1, task="send input"),
    "codex/function_calls.jsonl": Expected("codex", 1, 1, 1, 2, task="Run the tests"),
    "codex/pchalasani_codex_session.jsonl": Expected(
        "codex", 1, 2, 4, 2, 2, task="Hello, please read the file"
    ),
    "codex/standard_session.jsonl": Expected("codex", 1, 1, 1, task="Add rate limiting"),
    "codex/turn-1.jsonl": Expected("codex", 1, 1, 1, 0, 0, 1_024, 12, "Hello, Codex!"),
    # The second turn's cumulative usage begins anew, as in a process that took the session up.
    "codex/turn-2.jsonl": Expected("codex", 1, 2, 2, 0, 0, 2_124, 32, "Hello, Codex!"),
    "codex/turn-spawn-skill.jsonl": Expected("codex", 1, 1, 2, 3, 1, 5_000, 200, "run a review"),
    # 111 requests, 30 of which are continued. Results of the server's own tools are results: the
    # assistant speaks on after them in a new message. One request failed.
    "anthropic_messages/anthropic_messages.jsonl": Expected(
        "anthropic_messages", 81, 95, 154, 81, 71, 181_706, 12_832, "What is 2+2?"
    ),
    # 126 requests, 22 of which are continued; an empty text of the assistant is no turn.
    "openai_responses/openai_responses.jsonl": Expected(
        "openai_responses", 104, 119, 161, 55, 50, 228_565, 32_304, "What is the capital of France?"
    ),
    "claude_code_export/sample_session.json": Expected(
        "claude_code_export", 1, 6, 15, 12, 12, task="Create a simple Python function to add"
    ),
    # Gemini CLI: completion tokens are output and thoughts.
    "gemini_cli/session-2025-12-01T21-45-5b959dae.json": Expected(
        "gemini_cli", 1, 3, 11, 10, 10, 101_630, 4_227, "hi"
    ),
    "gemini_cli/session-2026-01-16T11-01-file-ops-37b7abef.json": Expected(
        "gemini_cli", 1, 5, 9, 14, 14, 87_418, 4_355, "show tools"
    ),
    "gemini_cli/standard_session.json": Expected("gemini_cli", 1, 2, 2, task="Fix the login bug"),
    # Nothing but notes of the program.
    "gemini_cli/system_messages.json": Expected("gemini_cli", 0, 0, 0, rejected=1),
    "gemini_cli/thinking_only.json": Expected("gemini_cli", 1, 1, 1, task="Explain how this works"),
    # Its one reply has tokens, but says nothing.
    "gemini_cli/timestamp-mismatch-session.json": Expected(
        "gemini_cli", 1, 1, 0, 0, 0, 100, 50, "show tools"
    ),
    "gemini_cli/tool_calls.json": Expected("gemini_cli", 1, 1, 1, 1, task="Read this file"),
    **{f"langfuse/{trace}.trace.json": expected for trace, expected in TRACES.items()},
    # Two sessions in one file; its assistant turns are runs of calls between requests.
    "otel_events/otel-events.sample.jsonl": Expected(
        "otel_events", 2, 3, 3, 5, 5, 85_800, 4_400, "Build the analytics loader"
    ),
    **{
        f"langsmith/langsmith_{name}.json": Expected("langsmith", 1, 1, 1, 0, 0, *told)
        for name, told in RUNS.items()
    },
    "langsmith/anthropic_managed_builtin_tools.jsonl": Expected(
        "anthropic_sessions", 1, 1, 2, 1, 1, 14_329, 80, "Call 'date' to get the current date time"
    ),
    "langsmith/anthropic_managed_custom_tools.jsonl": Expected(
        "anthropic_sessions", 1, 1, 2, 1, 1, 14_476, 80, "What's the weather in Prague?"
    ),
    "langsmith/anthropic_managed_mcp_tools.jsonl": Expected(
        "anthropic_sessions", 1, 1, 2, 1, 1, 18_028, 435, "How many stars does langchain-ai"
    ),
    "langsmith/anthropic_managed_mcp_tools_reject.jsonl": Expected(
        "anthropic_sessions", 1, 1, 3, 2, 2, 33_803, 314, "How many stars does langchain-ai"
    ),
    # OpenHands: an action is a call; an error after a call that was answered is told as a user's.
    "openhands/basic.json": Expected(
        "openhands", 1, 1, 2, 2, 1, 8132, 1312, "Please create a simple 2048 game"
    ),
    "openhands/basic_gui_mode.json": Expected(
        "openhands", 1, 1, 5, 4, 4, 17297, 2024, "I want to create a VueJS app"
    ),
    "openhands/basic_interactions.json": Expected(
        "openhands", 1, 3, 3, 1, 0, 2473, 10, "what's 1+1?"
    ),
    "openhands/wrong_initial_state.json": Expected(
        "openhands", 1, 1, 4, 4, 3, 14828, 358, "Please rename game_2048.py"
    ),
    "openhands/multi_swe_output.jsonl": Expected(
        "openhands", 3, 5, 105, 105, 103, 1913342, 13341, "<uploaded_files>"
    ),
    "openhands/resolver_output.jsonl": Expected(
        "openhands", 2, 2, 26, 26, 24, None, None, "Please fix the following issue"
    ),
    # SWE-agent: commands in text are calls, observations their results; the demonstration is left
    # out. Replays tell no tokens.
    "swe_agent/function_calling_simple.traj": Expected(
        "swe_agent", 1, 1, 5, 5, 5, None, None, "We're currently solving the following issue"
    ),
    "swe_agent/humanevalfix-python-0.traj": Expected(
        "swe_agent", 1, 1, 5, 5, 4, None, None, "We're currently solving the following issue"
    ),
    f"{SWE}{FROM_SOURCE}.traj": Expected(
        "swe_agent", 1, 1, 14, 14, 13, None, None, "We're currently solving the following issue"
    ),
    f"{SWE}function_calling__install-1.traj": Expected(
        "swe_agent", 1, 1, 11, 11, 11, None, None, "We're currently solving the following issue"
    ),
    f"{SWE}function_calling_replace__install-1.traj": Expected(
        "swe_agent", 1, 1, 11, 11, 11, None, None, "We're currently solving the following issue"
    ),
    f"{SWE}xml_sys-env_window100__t-0.20__p-0.95__c-2.00__install-1.traj": Expected(
        "swe_agent", 1, 1, 11, 11, 10, None, None, "We're currently solving the following issue"
    ),
    "swe_agent/pydicom__pydicom-1458.traj": Expected(
        "swe_agent", 1, 1, 12, 12, 11, 122612, 1369, "We're currently solving the following issue"
    ),
    "mini_swe_agent/github_issue.traj.json": Expected(
        "mini_swe_agent", 1, 1, 10, 10, 10, None, None, "Please solve this issue: GitHub Issue"
    ),
    "mini_swe_agent/local.traj.json": Expected(
        "mini_swe_agent", 1, 1, 2, 2, 2, None, None, "Please solve this issue: Blah"
    ),
    # Inspect: a sample each; the last file holds nothing but results of failed calls.
    "inspect/2025-02-11T15-17-00-05-00_popularity_dPiJifoWeEQBrfWsAopzWr.eval": Expected(
        "inspect", 10, 10, 10, 0, 0, 620, 20, "Is the following statement something you would say?"
    ),
    "inspect/2025-05-12T20-27-36-04-00_browser.json": Expected(
        "inspect", 1, 1, 5, 4, 4, 15235, 281, "Use the web browser tool"
    ),
    "inspect/2025-05-12T20-28-13-04-00_popularity.json": Expected(
        "inspect", 3, 3, 3, 0, 0, 192, 6, "Is the following statement something you would say?"
    ),
    "inspect/log_formats.eval": Expected(
        "inspect", 1, 1, 1, 0, 0, 66, 2, "Is the following statement something you would say?"
    ),
    "inspect/log_formats.json": Expected(
        "inspect", 1, 1, 1, 0, 0, 66, 2, "Is the following statement something you would say?"
    ),
    "inspect/log_images.json": Expected(
        "inspect", 1, 1, 1, 0, 0, 323, 3, "What is this a picture of?"
    ),
    "inspect/log_images_tc.json": Expected(
        "inspect", 1, 1, 1, 0, 0, 323, 5, "What is this a picture of?"
    ),
    "inspect/log_message_deduplication.eval": Expected("inspect", 1, 1, 6, 5, 5, None, None, ""),
    "inspect/log_read_sample.eval": Expected(
        "inspect", 1, 1, 1, 0, 0, 66, 3, "Is the following statement something you would say?"
    ),
    "inspect/log_read_sample.json": Expected(
        "inspect", 1, 1, 1, 0, 0, 66, 3, "Is the following statement something you would say?"
    ),
    "inspect/log_streaming.eval": Expected(
        "inspect", 4, 4, 4, 0, 0, 252, 6, "Is the following statement something you would say?"
    ),
    "inspect/log_tool_call_error.json": Expected("inspect", 1, 0, 0, 0, 11, None, None, ""),
    "inspect/2025-05-12T20-28-13-04-00_no-samples.json": Expected("inspect", 0, 0, 0, rejected=1),
    # Cassettes: a conversation of ReAct texts repeats with what the tool observed written into it,
    # so none of crewAI's requests continues another.
    "crewai_vcr/test_crew_verbose_output.yaml": Expected(
        "vcr", 4, 4, 4, 0, 0, 2763, 2987, "\nCurrent Task: Research AI"
    ),
    "crewai_vcr/test_manager_agent_delegating_to_assigned_task_agent.yaml": Expected(
        "vcr", 9, 13, 20, 0, 0, 11449, 4375, "\nCurrent Task: Come up with"
    ),
    "crewai_vcr/test_using_memory.yaml": Expected(
        "vcr", 4, 4, 4, 1, 0, 2494, 1655, "\nCurrent Task: Research a topic"
    ),
    "zen_vcr/chat_cross_step2_gpt5_reminder.json": Expected(
        "vcr", 1, 1, 1, 0, 0, 1055, 266, "=== CONVERSATION HISTORY"
    ),
    "zen_vcr/chat_gpt5_continuation.json": Expected(
        "vcr", 2, 2, 2, 0, 0, 2243, 1604, "=== USER REQUEST"
    ),
    "zen_vcr/chat_gpt5_moon_distance.json": Expected(
        "vcr", 1, 1, 1, 0, 0, 1031, 1282, "=== USER REQUEST"
    ),
    "zen_vcr/consensus_step1_gpt51_for.json": Expected(
        "vcr", 1, 1, 1, 0, 0, 1416, 1724, "Evaluate SwiftUI"
    ),
    "zen_vcr/consensus_step1_gpt5_for.json": Expected(
        "vcr", 1, 1, 1, 0, 0, 1416, 1724, "Evaluate SwiftUI"
    ),
    "zen_vcr/o3_pro_basic_math.json": Expected(
        "vcr", 1, 2, 1, 0, 0, 1883, 79, "\nYou are a senior"
    ),
    # `codex exec` does not print what it was asked; the last thread was cut before it did anything.
    "codex_exec_stream/stream-output-1.jsonl": Expected(
        "codex_exec_stream", 1, 0, 1, 0, 0, 2946, 7
    ),
    "codex_exec_stream/stream-output-2.jsonl": Expected(
        "codex_exec_stream", 1, 0, 2, 1, 1, 6040, 129
    ),
    "codex_exec_stream/stream-output-3.jsonl": Expected(
        "codex_exec_stream", 1, 0, 2, 1, 1, 6008, 51
    ),
    "codex_exec_stream/stream-output-4.jsonl": Expected(
        "codex_exec_stream", 1, 0, 2, 1, 1, 6087, 204
    ),
    "codex_exec_stream/stream-output-5.jsonl": Expected(
        "codex_exec_stream", 1, 0, 2, 1, 1, 6086, 223
    ),
    "codex_exec_stream/stream-output-multi-1.jsonl": Expected(
        "codex_exec_stream", 0, 0, 0, rejected=1
    ),
    "autogen/history-wile_e_coyote_1.json": Expected(
        "autogen", 1, 2, 3, 1, 1, None, None, "Hi, I bought a rocket"
    ),
    # 23 of 64 sessions hold a question; tokens are those that aider told.
    "aider/.aider.chat.history.md": Expected(
        "aider", 23, 51, 56, 0, 0, 629_793, 22_245, "Use the Spinner instead of the inlined"
    ),
    # 6 agent runs with 11 requests; one tool failed, and with it the run.
    "otlp_genai/pydantic_ai_v2.otlp.json": Expected(
        "otlp_genai", 6, 6, 11, 6, 6, 346, 86, "Comparison of this repo vs other options"
    ),
    "otlp_genai/pydantic_ai_v5.otlp.json": Expected(
        "otlp_genai", 6, 6, 11, 6, 6, 346, 86, "Comparison of this repo vs other options"
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
    first = records[0].task if records else ""
    first = first or next((m["content"] for m in messages if m["role"] == "user"), "")
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
        "codex": 9,  # 10, one of which is a longer version
        "anthropic_messages": 81,
        "openai_responses": 104,
        "claude_code_export": 1,
        "gemini_cli": 6,
        "langfuse": 15,  # 16, one trace is there twice
        "otlp_genai": 12,
        "otel_events": 2,
        "langsmith": 8,
        "anthropic_sessions": 4,
        "openhands": 9,
        "swe_agent": 7,
        "mini_swe_agent": 2,
        "inspect": 25,  # 26, one evaluation is there as JSON and as a zip
        "vcr": 23,  # 24, one completion is in two cassettes
        "codex_exec_stream": 5,
        "autogen": 1,
        "aider": 23,
    }
    assert first.imported == sum(first.by_format.values())
    assert (first.updated, first.already_present) == (4, 5)
    assert {(Path(r.path).name, r.line) for r in first.rejected} == {
        *(("edge_cases.jsonl", line) for line in (10, 11, 13, 14, 15, 16)),
        ("system_messages.json", 1),
        ("2025-05-12T20-28-13-04-00_no-samples.json", 1),
        ("stream-output-multi-1.jsonl", 1),
    }
    before = contents(store)
    second = import_paths(store, [LOGS])
    read_again = first.imported + first.updated + first.already_present
    assert (second.imported, second.updated, second.already_present) == (0, 0, read_again)
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


def flat(message: dict[str, Any]) -> list[Any]:
    """A message of Langfuse's own conversion: its role as ours, text, calls."""
    content = message.get("content") or ""
    if isinstance(content, list):
        content = "\n".join(part["text"] for part in content if part.get("text"))
    calls = [call.get("function", call) for call in message.get("tool_calls") or ()]
    role = {"model": "assistant", "get_weather": "tool"}.get(message["role"], message["role"])
    return [role, content, [[c["name"], loaded(c["arguments"])] for c in calls]]


def loaded(arguments: object) -> object:
    return json.loads(arguments) if isinstance(arguments, str) else arguments


# What Langfuse itself cannot read: a plain text, arguments of a call, a request without a role.
UNREAD = {"autogen-2025-06-06", "llamaindex-2025-06-05", "claude-agent-2025-12-22"}


@pytest.mark.parametrize("trace", sorted(set(TRACES) - UNREAD))
def test_langfuse_traces_equal_langfuses_own_reading(trace: str) -> None:
    """Its longest conversations are ours, to which we add what stands elsewhere in the trace: the
    system message, the answer that is a plain text, a tool's result after the last request.
    """
    theirs = json.loads((LOGS / f"langfuse/{trace}.chatml.json").read_text())
    read_by_them = [
        [
            flat(m)
            for side in ("input", "output")
            for m in one.get(side, {}).get("data") or ()
            if "role" in m
        ]
        for one in theirs.values()
        if one.get("input", {}).get("success")
    ]
    for record in read(LOGS / f"langfuse/{trace}.trace.json")[1]:
        ours = [flat(message) for message in record.messages]
        best = max(read_by_them, key=lambda one: (sum(m in ours for m in one), len(one)))
        positions = [ours.index(message) for message in best]
        assert positions == sorted(positions)
        added = [ours[n][0] for n in range(len(ours)) if n not in positions]
        assert len(added) <= 2
        assert added.count("tool") <= 1
        assert "user" not in added


def test_agents_of_traces(store: Store, contents: Contents) -> None:
    import_paths(store, [LOGS / "otlp_genai", LOGS / "langfuse"])
    agents = [row["agent"] for row in contents(store).values()]
    told = {agent: agents.count(agent) for agent in ("coder", "coordinator", "researcher")}
    assert told == {"coder": 7, "coordinator": 2, "researcher": 2}  # 6 coders of OTLP, 1 of crewAI
    failed = [row["error"] for row in contents(store).values() if row["success"] == 0]
    assert failed == ["FileNotFoundError: a"] * 2
