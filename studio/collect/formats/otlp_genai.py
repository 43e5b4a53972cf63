"""OpenTelemetry traces of agents in OTLP/JSON: `{"resourceSpans": [{"scopeSpans": [{"spans"}]}]}`.

One interaction a conversation of a trace (`studio.collect.spans`), the agent from
`gen_ai.agent.name`. A file may hold a trace in pieces, one export a line: all of it is read before
the first interaction. Times are nanoseconds in strings; so are whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
        yield log.rejected(0, f"no request to a model in its {len(traces)} traces")


def _spans(item: Item) -> Iterator[dict[str, Any]]:
    row = as_object(item.value)
    if not isinstance(row.get("resourceSpans"), list):
        raise Unusable("no resourceSpans")
    for resource in _objects(row["resourceSpans"]):
        for scope in _objects(resource.get("scopeSpans")):
            yield from _objects(scope.get("spans"))


def _span(span: dict[str, Any]) -> Span:
    attributes = {
        one["key"]: _value(one.get("value"))
        for one in _objects(span.get("attributes"))
        if isinstance(one.get("key"), str)
    }
    kind = kind_of(attributes)
    called = name(attributes.get("gen_ai.tool.name")) if kind == "tool" else None
    return Span(
        id=name(span.get("spanId")) or "",
        parent=name(span.get("parentSpanId")),
        kind=kind,
        name=called or name(span.get("name")) or "",
        started_ms=_when(span.get("startTimeUnixNano")),
        ended_ms=_when(span.get("endTimeUnixNano")),
        error=_error(span),
        **facts_of(attributes, kind),
    )


def _when(value: object) -> int | None:
    """Milliseconds of nanoseconds, a number or its digits."""
    digits = isinstance(value, str) and value.isdecimal() and len(value) < 20
    return moment(int(value) if isinstance(value, str) and digits else value)


def _error(span: dict[str, Any]) -> str | None:
    """The exception that ended the span, or what its status says."""
    status = span.get("status")
    if not isinstance(status, dict) or status.get("code") not in (2, "2", "STATUS_CODE_ERROR"):
        return None
    for event in _objects(span.get("events")):
        facts = {
            one.get("key"): _value(one.get("value")) for one in _objects(event.get("attributes"))
        }
        kind, message = facts.get("exception.type"), facts.get("exception.message")
        if event.get("name") == "exception" and (kind or message):
            return f"{kind}: {message}"
    return name(status.get("message")) or "error"


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
