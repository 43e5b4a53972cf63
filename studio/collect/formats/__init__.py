"""The formats that can be read, one module each; the first that knows a file reads it.

A module has `NAME`, `sniff(head) -> bool` and `read(log) -> Iterator[Record | Rejected]`
(`studio.collect.log.Format`). A new one is listed here and has a golden file in the tests.
"""

from __future__ import annotations

from db.errors import BadInput
from studio.collect.formats import (
    aider,
    alpaca,
    anthropic_messages,
    anthropic_sessions,
    autogen,
    claude_code,
    claude_code_export,
    codex,
    codex_exec_stream,
    gemini_cli,
    inspect,
    langfuse,
    langsmith,
    llm_logs,
    mini_swe_agent,
    openai_chat,
    openai_responses,
    openhands,
    otel_events,
    otlp_genai,
    sharegpt,
    studio,
    swe_agent,
    vcr,
)
from studio.collect.log import Format, Head

FORMATS: tuple[Format, ...] = (
    studio,
    claude_code,
    claude_code_export,
    codex,
    gemini_cli,
    langfuse,
    otlp_genai,
    otel_events,
    langsmith,
    anthropic_sessions,
    openhands,
    swe_agent,
    mini_swe_agent,
    inspect,
    vcr,
    codex_exec_stream,
    autogen,
    aider,
    llm_logs,
    sharegpt,
    alpaca,
    openai_chat,
    anthropic_messages,
    openai_responses,
)


def named(name: str) -> Format:
    """The format of that name. Raises BadInput that lists all names."""
    for known in FORMATS:
        if name == known.NAME:
            return known
    names = ", ".join(sorted(known.NAME for known in FORMATS))
    raise BadInput(f"unknown format {name!r}; known are {names}")


def recognised(head: Head) -> Format | None:
    """The format of a file that begins so; None when no module knows it."""
    return next((known for known in FORMATS if known.sniff(head)), None)
