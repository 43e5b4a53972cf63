"""A trace's spans as interactions, whichever tool recorded the trace.

Each span of a model is a request and its answer. Requests that repeat and continue an earlier one
of the trace are one interaction, the longest. A span of a model inside another records the same
request at two layers: the inner one counts. Results that no later request repeats come from the
spans of the tools. An agent that another one called has that one's interaction as its parent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from db.interactions import Record, dumps
from studio.collect.any_messages import AnyMessages, decoded
from studio.collect.chains import prefix_hashes
from studio.collect.exchange import told_role
from studio.collect.messages import openai_tools
from studio.collect.outcome import ended_well
from studio.settings import agent_named

Kind = Literal["model", "tool", "agent", "other"]


@dataclass(slots=True, eq=False)
class Span:
    """One span. `asked` and `answered` are what went in and out, `agent` the role it tells."""

    id: str
    parent: str | None
    kind: Kind
    name: str
    started_ms: int | None = None
    ended_ms: int | None = None
    asked: Any = None
    answered: Any = None
    system: Any = None
    tools: Any = None
    agent: str | None = None
    provider: str | None = None
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    stop_reason: str | None = None
    error: str | None = None
    call_id: str | None = None


@dataclass(slots=True, eq=False)
class _Talk:
    """A conversation: its requests so far, the last of which tells all of it."""

    said: AnyMessages
    spans: list[Span] = field(default_factory=list)
    tools: list[dict[str, Any]] | None = None

    @property
    def last(self) -> Span:
        """The newest request, which repeats all before it."""
        return self.spans[-1]


def interactions(
    format_name: str, trace: str, spans: Sequence[Span], line: int, raw: dict[str, Any]
) -> list[Record]:
    """The interactions of one trace, in the order in which they began.

    None for a trace without requests. Raises Unusable when a message of one cannot be kept.
    """
    tree = _Tree(spans)
    talks = _talks(tree)
    records = []
    for talk in talks:
        _add_results(tree, talk)
        identity = f"{format_name}:{trace}/{talk.spans[0].id}"
        record = _record(tree, talk, identity, line)
        parent = tree.caller(talk, talks)
        if parent is not None:
            record.parent = f"{format_name}:{trace}/{parent.spans[0].id}"
        record.raw = raw | record.raw
        records.append(record)
    return records


class _Tree:
    def __init__(self, spans: Sequence[Span]) -> None:
        self.spans = sorted(spans, key=lambda span: span.started_ms or 0)
        self.by_id = {span.id: span for span in self.spans}
        outer = {above.id for span in spans if span.kind == "model" for above in self.above(span)}
        self.requests = [s for s in self.spans if s.kind == "model" and s.id not in outer]
        self.used: set[str] = set()  # spans of tools whose results were taken

    def above(self, span: Span) -> list[Span]:
        """The spans that this one lies in, the innermost first; a loop of parents is cut."""
        found: list[Span] = []
        here = self.by_id.get(span.parent or "")
        while here is not None and here is not span and here not in found:
            found.append(here)
            here = self.by_id.get(here.parent or "")
        return found

    def agent(self, span: Span) -> Span | None:
        """The innermost agent that this span is work of."""
        return next((one for one in self.above(span) if one.kind == "agent"), None)

    def role(self, span: Span) -> str | None:
        """The role that the span tells, or the innermost span around it that tells one."""
        return next((one.agent for one in [span, *self.above(span)] if one.agent), None)

    def caller(self, talk: _Talk, talks: list[_Talk]) -> _Talk | None:
        """The conversation of the agent around this one's agent."""
        mine = self.agent(talk.spans[0])
        if mine is None:
            return None
        for around in self.above(mine):
            for other in talks:
                if around.kind == "agent" and self.agent(other.spans[0]) is around:
                    return other
        return None


def _talks(tree: _Tree) -> list[_Talk]:
    talks: list[_Talk] = []
    ends: dict[bytes, _Talk] = {}  # how each conversation ends so far
    siblings: dict[str | None, _Talk] = {}
    for span in tree.requests:
        said = AnyMessages()
        system = span.system or _instructions(span.answered)
        if system:
            said.request({"system": decoded(system)})
        said.request(span.asked)
        asked = len(said.conversation.messages)
        asks = any(m["role"] != "system" for m in said.conversation.messages)
        before = siblings.get(span.parent)
        if not asks and before is not None:  # it was recorded without what was asked
            talk = before
            _add_results(tree, talk)
            ends.pop(prefix_hashes(talk.said.conversation.messages)[-1], None)
            talk.said.response(span.answered)
        else:
            said.response(span.answered)
            hashes = prefix_hashes(said.conversation.messages)
            earlier = (ends.pop(h) for h in reversed(hashes[:asked]) if h in ends)
            talk = next(earlier, None) or _Talk(said)
            talk.said = said
        if not talk.said.conversation.messages:
            continue
        talk.spans.append(span)
        talk.tools = openai_tools(decoded(span.tools)) or talk.said.tools or talk.tools
        siblings[span.parent] = talk
        if span.answered:
            ends[prefix_hashes(talk.said.conversation.messages)[-1]] = talk
        if talk not in talks:
            talks.append(talk)
    return talks


def _instructions(answered: object) -> object:
    """A response of OpenAI's repeats the instructions, which its request may not record."""
    answered = decoded(answered)
    return answered.get("instructions") if isinstance(answered, dict) else None


def _add_results(tree: _Tree, talk: _Talk) -> None:
    """What the tools answered to calls that are still open, from the tools' own spans."""
    began = talk.spans[0].started_ms or 0
    for call_id, called in talk.said.conversation.open_calls().items():
        names = (called, f"running tool: {called}", f"execute_tool {called}")
        for span in tree.spans:
            if span.kind == "model" or span.id in tree.used or (span.started_ms or 0) < began:
                continue
            if (span.call_id or call_id) != call_id or span.name not in names:
                continue
            if decoded(span.answered) is None and not span.error:
                continue
            tree.used.add(span.id)
            told = span.error or decoded(span.answered)
            told = _told(told)
            told = told if isinstance(told, str | list) else dumps(told)
            talk.said.conversation.answer(told, call_id, is_error=bool(span.error))
            break


def _told(result: object) -> object:
    """What a tool answered, out of `{"content": …}` and LangChain's `{"output": …}`."""
    if isinstance(result, dict) and "content" in result:
        return result["content"]
    if isinstance(result, dict) and result.keys() == {"output"}:
        inner = result["output"]
        message = inner.get("kwargs", inner) if isinstance(inner, dict) else inner
        return _told(message) if isinstance(message, dict) else message
    return result


def _record(tree: _Tree, talk: _Talk, identity: str, line: int) -> Record:
    first, last = talk.spans[0], talk.last
    conversation = talk.said.conversation
    raw = told_role(conversation) | conversation.raw()
    role = tree.role(last)
    raw |= {"role": role} if role else {}
    raw |= {"requests": len(talk.spans)} if len(talk.spans) > 1 else {}
    agent = tree.agent(last)
    error = last.error or (agent.error if agent else None)
    known = first.started_ms is not None and last.ended_ms is not None
    tokens = [one.completion_tokens for one in talk.spans if one.completion_tokens is not None]
    ending = conversation.messages[-1]
    answered = ending["role"] in ("assistant", "tool") and "is_error" not in ending
    stop_reason = last.stop_reason or talk.said.stop_reason
    return Record(
        external_id=identity,
        line=line,
        messages=conversation.messages,
        tools=talk.tools,
        agent=agent_named(raw.get("role")),
        provider=next((one.provider for one in reversed(talk.spans) if one.provider), None),
        model=next((one.model for one in reversed(talk.spans) if one.model), None),
        success=ended_well(error, answered, stop_reason),
        error=error,
        started_ms=first.started_ms,
        duration_ms=max(0, (last.ended_ms or 0) - (first.started_ms or 0)) if known else None,
        prompt_tokens=last.prompt_tokens,
        completion_tokens=sum(tokens) if tokens else None,
        stop_reason=stop_reason,
        raw=raw,
    )
