"""OpenTelemetry traces of agents in OTLP/JSON: `{"resourceSpans": [{"scopeSpans": [{"spans"}]}]}`.

One interaction a conversation of a trace (`studio.collect.spans`), the agent from
`gen_ai.agent.name`. A file may hold a trace in pieces, one export a line: all of it is read before
the first interaction. Times are nanoseconds in strings; so are whole numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from db.counted import counted
from db.interactions import Record
from studio.collect.genai import facts_of, kind_of
from studio.collect.log import Head, Item, Log, Rejected, Unusable, as_object
from studio.collect.spans import Span, interactions
from studio.collect.values import count, moment, name

NAME = "otlp_genai"


def sniff(head: Head) -> bool:
    """Some row has spans by resource."""
    rows = [row for row in head.rows if isinstance(row, dict)]
    return any(isinstance(row.get("resourceSpans"), list) for row in rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """The conversations of every trace, after the last line; damaged spans at once.

    Traces of other programs are passed over; a file of nothing else is told.
    """
    traces: dict[str, list[Span]] = {}
    lines: dict[str, int] = {}
    for item in log.items():
        if isinstance(item, Rejected):
            yield item
            continue
        try:
            for one in _spans(item):
                trace, span = name(one.get("traceId")), _span(one)
                if trace is None or not span.id:
                    yield log.rejected(item.line, "a span has no traceId and spanId")
                    continue
                traces.setdefault(trace, []).append(span)
                lines.setdefault(trace, item.line)
        except Unusable as error:
            yield log.rejected(item.line, str(error))
    told = False
    for trace, spans in traces.items():
        try:
            for record in interactions(NAME, trace, spans, lines[trace], {"trace": trace}):
                told = True
                yield record
        except Unusable as error:
            told = True
            yield log.rejected(lines[trace], f"trace {trace}: {error}")
    if traces and not told:
        yield log.rejected(0, f"no request to a model in its {counted(len(traces), 'trace')}")


def _spans(item: Item) -> Iterator[dict[str, Any]]:
    row = as_object(item.value)
    if not isinstance(row.get("resourceSpans"), list):
        raise Unusable("no resourceSpans")
    for resource in _objects(row["resourceSpans"]):
        for scope in _objects(resource.get("scopeSpans")):
            yield from _objects(scope.get("spans"))


def _span(span: dict[str, Any]) -> Span:
    attributes = _attributes(span)
    attributes |= _told_by_events(span)
    kind = kind_of(attributes)
    called = name(attributes.get("gen_ai.tool.name")) if kind == "tool" else None
    return Span(
        id=name(span.get("spanId")) or "",
        parent=name(span.get("parentSpanId")),
        kind=kind,
        name=called or name(span.get("name")) or "",
        started_ms=moment(span.get("startTimeUnixNano")),
        ended_ms=moment(span.get("endTimeUnixNano")),
        error=_error(span),
        **facts_of(attributes, kind),
    )


def _told_by_events(span: dict[str, Any]) -> dict[str, Any]:
    """What older conventions told in events of the span: attributes, or one message an event."""
    told: dict[str, Any] = {}
    messages = []
    for event in _objects(span.get("events")):
        called = name(event.get("name")) or ""
        facts = _attributes(event)
        if called == "gen_ai.choice" or re.fullmatch(r"gen_ai\.\w+\.message", called):
            role = called.split(".")[1]
            facts = facts if role == "choice" else {"role": role} | facts
            messages.append({**facts, "event.name": called})
        elif called.startswith("gen_ai."):
            told |= facts
    return told | ({"events": messages} if messages else {})


def _error(span: dict[str, Any]) -> str | None:
    """The exception that ended the span, or what its status says."""
    status = span.get("status")
    if not isinstance(status, dict) or status.get("code") not in (2, "2", "STATUS_CODE_ERROR"):
        return None
    for event in _objects(span.get("events")):
        facts = _attributes(event)
        kind, message = facts.get("exception.type"), facts.get("exception.message")
        if event.get("name") == "exception" and (kind or message):
            return f"{kind}: {message}"
    return name(status.get("message")) or "error"


def _attributes(owner: dict[str, Any]) -> dict[str, Any]:
    return {
        one["key"]: _value(one.get("value"))
        for one in _objects(owner.get("attributes"))
        if isinstance(one.get("key"), str)
    }


def _value(value: object) -> Any:
    """The value of an attribute: `{"stringValue": …}`, `{"intValue": "12"}`, lists and objects."""
    if not isinstance(value, dict):
        return None
    for kind, inner in value.items():
        if kind == "intValue":
            return count(inner)
        if kind == "arrayValue" and isinstance(inner, dict):
            return [_value(one) for one in _objects(inner.get("values"))]
        if kind == "kvlistValue" and isinstance(inner, dict):
            pairs = _objects(inner.get("values"))
            return {str(one.get("key")): _value(one.get("value")) for one in pairs}
        return inner
    return None


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
