"""Langfuse traces: `{"trace", "observations": [{"type", "parentObservationId", …}]}`.

One interaction a conversation of a trace (`studio.collect.spans`). Inputs, outputs and metadata
are JSON in strings in some exports and values in others; where a generation has none, its
OpenTelemetry attributes tell. Observations are in no order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from db.interactions import Record
from studio.collect.any_messages import decoded
from studio.collect.genai import facts_of
from studio.collect.log import Head, Log, Rejected, Unusable
from studio.collect.spans import Kind, Span, interactions
from studio.collect.values import count, moment, name

NAME = "langfuse"
_KINDS: dict[str, Kind] = {"GENERATION": "model", "TOOL": "tool", "AGENT": "agent"}
_ABOUT = ("name", "userId", "sessionId", "environment", "release", "version", "tags")


def sniff(head: Head) -> bool:
    """Some row is a trace with its observations."""
    return any(isinstance(row, dict) and _observations(row) for row in head.rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """The conversations of every trace."""
    return log.each(_trace)


def _trace(row: dict[str, Any], line: int) -> list[Record]:
    observations = _observations(row)
    if not observations:
        raise Unusable("no trace with observations")
    trace = row.get("trace")
    trace = trace if isinstance(trace, dict) else row  # the API answers with the bare trace
    own = name(trace.get("id")) or name(observations[0].get("traceId"))
    if own is None:
        raise Unusable("the trace has no id")
    spans = [_span(one) for one in observations]
    raw = {key: trace[key] for key in _ABOUT if trace.get(key)} | {"trace": own}
    records = interactions(NAME, own, spans, line, raw)
    if not records:
        raise Unusable("a trace without any request to a model")
    return records


def _span(one: dict[str, Any]) -> Span:
    own = name(one.get("id"))
    if own is None:
        raise Unusable("an observation has no id")
    kind = _KINDS.get(str(one.get("type")), "other")
    metadata = decoded(one.get("metadata"))
    metadata = metadata if isinstance(metadata, dict) else {}
    attributes = metadata.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    fields = facts_of(attributes, kind)
    asked, answered = one.get("input"), one.get("output")
    fields["asked"] = asked if asked not in (None, "") else fields["asked"]
    fields["answered"] = answered if answered not in (None, "") else fields["answered"]
    fields["model"] = name(one.get("model")) or fields["model"]
    fields["provider"] = fields["provider"] or name(metadata.get("ls_provider"))
    called = name(one.get("name")) or ""
    if kind == "agent":
        fields["agent"] = fields["agent"] or called
    for key, side in (("prompt_tokens", "input"), ("completion_tokens", "output")):
        tokens = _tokens(one.get("usageDetails") or one.get("usage"), side)
        fields[key] = fields[key] if tokens is None else tokens
    failed = one.get("level") == "ERROR"
    return Span(
        id=own,
        parent=name(one.get("parentObservationId")),
        kind=kind,
        name=called,
        started_ms=moment(one.get("startTime")),
        ended_ms=moment(one.get("endTime")),
        error=(name(one.get("statusMessage")) or "error") if failed else None,
        **fields,
    )


def _tokens(usage: object, side: str) -> int | None:
    """Tokens of a side and of its parts (`input_cache_read`), which are not counted in it."""
    usage = usage if isinstance(usage, dict) else {}
    keys = [key for key in usage if key == side or str(key).startswith(f"{side}_")]
    numbers = [number for key in keys if (number := count(usage[key])) is not None]
    return sum(numbers) if numbers else None


def _observations(row: dict[str, Any]) -> list[dict[str, Any]]:
    listed = row.get("observations")
    if not isinstance(listed, list):
        return []
    known = ("type", "startTime", "traceId")
    return [one for one in listed if isinstance(one, dict) and all(key in one for key in known)]
