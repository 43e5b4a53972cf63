"""LangSmith runs: `{"id", "run_type", "inputs", "outputs", …}`, or bodies of `post` and `patch`.

A run's `patch` tells how it ended; one without an id belongs to the body's only run. One
interaction a conversation of a trace (`studio.collect.spans`). Times are ISO 8601 from Python and
milliseconds from JavaScript.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from db.interactions import Record
from studio.collect.anthropic_api import usage_sum
from studio.collect.log import Head, Log, Rejected, Unusable, as_object
from studio.collect.outcome import ERROR_CHARS
from studio.collect.spans import Kind, Span, interactions
from studio.collect.values import moment, name

NAME = "langsmith"
_KINDS: dict[str, Kind] = {"llm": "model", "tool": "tool", "agent": "agent"}
_INPUT = ("input_tokens", "prompt_tokens")
_OUTPUT = ("output_tokens", "completion_tokens")


def sniff(head: Head) -> bool:
    """Some row is a run, or a body that posts runs."""
    return any(isinstance(row, dict) and bool(_runs(row)) for row in head.rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """The conversations of every trace, after the last line; rows that are no runs at once."""
    runs: dict[str, dict[str, Any]] = {}
    lines: dict[str, int] = {}
    for item in log.items():
        if isinstance(item, Rejected):
            yield item
            continue
        try:
            found = _runs(as_object(item.value))
            if not found:
                raise Unusable("no run of a trace")
        except Unusable as error:
            yield log.rejected(item.line, str(error))
            continue
        for run in found:
            own = str(run["id"])
            told = {key: value for key, value in run.items() if value not in (None, {}, [])}
            runs.setdefault(own, {}).update(told)
            lines.setdefault(own, item.line)
    traces: dict[str, list[str]] = {}
    for own, run in runs.items():
        traces.setdefault(name(run.get("trace_id")) or own, []).append(own)
    for trace, members in traces.items():
        line = min(lines[own] for own in members)
        try:
            spans = [_span(runs[own]) for own in members]
            found_records = interactions(NAME, trace, spans, line, {"trace": trace})
            if not found_records:
                raise Unusable("a trace without any request to a model")
            yield from found_records
        except Unusable as error:
            yield log.rejected(line, str(error))


def _span(run: dict[str, Any]) -> Span:
    metadata = _object(_object(run.get("extra")).get("metadata"))
    inputs, outputs = run.get("inputs"), run.get("outputs")
    usage = _usage(_object(outputs)) or metadata.get("usage_metadata")
    error = run.get("error")
    kind = _KINDS.get(str(run.get("run_type")), "other")
    role = name(metadata.get("lc_agent_name")) or name(metadata.get("agent_name"))
    model = name(_object(outputs).get("model")) or name(metadata.get("ls_model_name"))
    asked = _object(inputs)
    if "messages" in asked and isinstance(asked["messages"], list):
        asked = asked | {"messages": _flat(asked["messages"])}
    return Span(
        id=str(run["id"]),
        parent=name(run.get("parent_run_id")),
        kind=kind,
        name=name(run.get("name")) or "",
        started_ms=moment(run.get("start_time")),
        ended_ms=moment(run.get("end_time")),
        asked=asked or inputs,
        answered=outputs,
        agent=role,
        provider=name(metadata.get("ls_provider")),
        model=model,
        prompt_tokens=usage_sum(usage, _INPUT),
        completion_tokens=usage_sum(usage, _OUTPUT),
        error=error[:ERROR_CHARS] if isinstance(error, str) and error else None,
    )


def _flat(messages: list[Any]) -> list[Any]:
    """LangChain records a batch of conversations, of one."""
    return messages[0] if messages and isinstance(messages[0], list) else messages


def _usage(outputs: dict[str, Any]) -> object:
    told = _object(outputs.get("llm_output")).get("token_usage")
    return outputs.get("usage_metadata") or outputs.get("usage") or told


def _runs(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs of a row, each with its id; a patch without one is of the only run posted."""
    posted, patched = row.get("post"), row.get("patch")
    if not isinstance(posted, list):
        return [row] if _is_run(row) else []
    runs = [run for run in posted if isinstance(run, dict) and _is_run(run)]
    for patch in patched if isinstance(patched, list) else []:
        if isinstance(patch, dict):
            own = name(patch.get("id")) or (str(runs[0]["id"]) if len(runs) == 1 else None)
            runs += [{**patch, "id": own}] if own else []
    return runs


def _is_run(row: dict[str, Any]) -> bool:
    return bool(name(row.get("id"))) and isinstance(row.get("run_type"), str) and "inputs" in row


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
