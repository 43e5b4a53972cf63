"""One interaction as blocks to read: what is known of it, each message, each call, each result."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from db.counted import counted
from db.reader import Body, Row

PREVIEW = 160  # characters of a folded block that its header shows


@dataclass
class Block:
    """A header and a text below it. `source` is a string, or a value that is shown as JSON."""

    kind: str  # about, system, user, assistant, call, tool
    title: str
    source: object
    folded: bool = False
    preview: str = field(default="", compare=False)

    @cached_property
    def text(self) -> str:
        """The text below the header; a value becomes JSON only when somebody looks."""
        if isinstance(self.source, str):
            return self.source
        return json.dumps(self.source, ensure_ascii=False, indent=2)


def blocks_of(body: Body) -> list[Block]:
    """The blocks of an interaction; calls and results are folded, everything else is open.

    Secrets are masked: they are seen in the editor, and with `studio show --reveal`.
    """
    import msgspec

    if body.row.secrets:
        body = _masked(body)
    messages = msgspec.json.decode(body.messages)
    blocks = [Block("about", "about", _about(body), folded=True, preview=_in_short(body.row))]
    if body.tools:
        tools = msgspec.json.decode(body.tools)
        blocks.append(Block("tools", f"{counted(len(tools), 'tool')} offered", tools, folded=True))
    for message in messages:
        blocks.extend(_of_message(message))
    return blocks


def _masked(body: Body) -> Body:
    """The interaction as it may be shown. What is a secret in a message is one in the error too."""
    import msgspec

    from db.secrets import masked

    row = body.row
    decoded = (msgspec.json.decode(text or "null") for text in (body.messages, body.tools))
    *texts, error, note = masked([*decoded, row.error, row.note])
    messages, tools = (msgspec.json.encode(text).decode() for text in texts)
    return body._replace(
        row=row._replace(error=error, note=note),
        messages=messages,
        tools=tools if body.tools else None,
    )


def _of_message(message: dict[str, Any]) -> Iterator[Block]:
    role, content = str(message["role"]), message.get("content")
    calls = message.get("tool_calls") or ()
    if role == "tool":
        text = content if isinstance(content, str) else content or ""
        title = f"result {message.get('name') or message.get('tool_call_id') or ''}".rstrip()
        yield Block("tool", title, text, folded=True, preview=_first_words(text))
    elif content or not calls:
        yield Block(role, role, content or "", folded=False)
    for call in calls:
        function = call["function"]
        arguments = function["arguments"]
        yield Block(
            "call", f"call {function['name']}", arguments, folded=True,
            preview=_first_words(arguments),
        )  # fmt: skip


def _first_words(value: object) -> str:
    if isinstance(value, str):
        return value[: 2 * PREVIEW]
    if isinstance(value, dict):  # so much of a large value as fits, not all of it
        parts, length = [], 0
        for name, each in value.items():
            text = each if isinstance(each, str) else str(each)
            parts.append(f"{name}={text[:PREVIEW]}")
            length += len(parts[-1])
            if length > PREVIEW:
                break
        return " ".join(parts)
    return str(value)[: 2 * PREVIEW]


def _in_short(row: Row) -> str:
    sure = "" if row.agent_confidence is None else f" {row.agent_confidence:.2f}"
    reason = f": {row.agent_reason}" if row.agent_reason else ""
    method = f" by {row.agent_method}" if row.agent_method else ""
    parts = [f"{row.agent or 'no agent'}{method}{sure}{reason}", row.status]
    if row.error:
        parts.append(f"error: {row.error}")
    if row.note:
        parts.append(f"note: {row.note}")
    return " · ".join(parts)


def _about(body: Body) -> str:
    row = body.row
    outcome = {1: "succeeded", 0: "failed", None: "unknown"}[row.success]
    took = "unknown" if row.duration_ms is None else f"{row.duration_ms / 1000:.1f} s"
    facts = {
        "agent": _in_short(row._replace(error=None, note=None)),
        "outcome": outcome + (f": {row.error}" if row.error else ""),
        "model": f"{row.model or 'unknown'} of {row.provider or 'unknown'}",
        "started": _moment(row.started_ms),
        "took": took,
        "tokens": f"{_number(row.prompt_tokens)} asked, {_number(row.completion_tokens)} answered"
        + (f", stopped by {row.stop_reason}" if row.stop_reason else ""),
        "tags": row.tags[1:-1].replace('"', "").replace(",", " ") or None,
        "note": row.note,
        "secrets": f"{row.secrets}, masked" if row.secrets else None,
        "cluster": row.cluster,
        "problem": row.problem,
        "verified": row.verified,
        "source": f"{body.path}:{body.line} ({body.format})",
    }
    lines = [f"{name:<9}{value}" for name, value in facts.items() if value is not None]
    for at_ms, actor, kind, value_json in body.acts[-20:]:
        value = "" if value_json == "null" else " " + value_json.strip('"')[:PREVIEW]
        lines.append(f"{kind:<9}{_moment(at_ms)} by {actor}:{value or ' done'}")
    return "\n".join(lines)


def _moment(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "unknown"
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(milliseconds / 1000))


def _number(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"
