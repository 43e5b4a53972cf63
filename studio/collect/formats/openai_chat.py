"""OpenAI chat completions: recorded requests with their responses, or training conversations.

A recorded row is `{"request", "response", "status"?, "date"?, "duration_ms"?, "url"?}` as
gateways and cassettes write it (also `request_body`/`response_body`, bodies as JSON strings,
responses as event streams); a training row is `{"messages", "tools"?}`.

Each later request of a conversation repeats the earlier turns. Requests whose messages begin with
an earlier request and its response are one interaction, the longest: durations and completion
tokens are summed over its requests, prompt tokens are the last one's. A request that failed is an
interaction of its own, without an answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import xxhash

from db.interactions import Message, Record
from studio.collect.exchange import Exchange, exchange_of, looks_like_exchange
from studio.collect.log import Head, Item, Log, Rejected, Unusable, as_object
from studio.collect.messages import ROLES, openai_conversation, openai_tools

NAME = "openai_chat"


def sniff(head: Head) -> bool:
    """Some row is a recorded chat completion, or a conversation with OpenAI's roles."""
    rows = [row for row in head.rows if isinstance(row, dict)]
    return any(looks_like_exchange(row) or _is_training(row) for row in rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a conversation. The file is read twice, so that none is held in memory."""
    chains = _Chains()
    log.readings = 2
    for item in log.items():
        if isinstance(item, Item):
            exchange = _exchange(item.value)
            if exchange and exchange.answered:
                chains.add(exchange)
    for item in log.items():
        if isinstance(item, Rejected):
            yield item
            continue
        try:
            record = _record(log, item, chains)
        except Unusable as error:
            yield log.rejected(item.line, str(error))
        else:
            if record is not None:
                yield record


@dataclass(slots=True)
class _Chain:
    """Requests that continue one another, in file order."""

    identity: str
    started_ms: int | None
    requests: int = 0
    last: int = 0
    duration_ms: int | None = None
    tokens: int | None = None
    tools: list[dict[str, Any]] | None = None  # the last that were offered


class _Chains:
    """Which answered request continues which; 16 bytes of hash stand for a conversation so far."""

    def __init__(self) -> None:
        self.of_request: list[_Chain] = []
        self._ends: dict[bytes, list[_Chain]] = {}
        self._next = 0

    def add(self, exchange: Exchange) -> None:
        """The next answered request of the file."""
        hashes = _prefix_hashes(exchange.conversation.messages)
        asked = len(exchange.conversation.messages) - 1
        chain = self._continued(hashes[:asked])
        if chain is None:
            own = exchange.completion_id or "none"
            chain = _Chain(f"{NAME}:{own}:{hashes[-1].hex()}", exchange.started_ms)
        self._ends.setdefault(hashes[-1], []).append(chain)
        chain.requests += 1
        chain.last = len(self.of_request)
        chain.duration_ms = _sum(chain.duration_ms, exchange.duration_ms)
        chain.tokens = _sum(chain.tokens, exchange.completion_tokens)
        self.of_request.append(chain)

    def _continued(self, asked: list[bytes]) -> _Chain | None:
        """The longest conversation that this request begins with; one request continues it."""
        for end in reversed(asked):
            open_chains = self._ends.get(end)
            if open_chains:
                return open_chains.pop(0)
        return None

    def finished(self, exchange: Exchange) -> _Chain | None:
        """In a second reading: the chain of the next answered request, when this is its last."""
        number = self._next
        self._next += 1
        if number == len(self.of_request):
            raise Unusable("the file was changed while it was being read")
        chain = self.of_request[number]
        chain.tools = exchange.tools or chain.tools
        return chain if chain.last == number else None


def _record(log: Log, item: Item, chains: _Chains) -> Record | None:
    row = as_object(item.value)
    exchange = exchange_of(row)
    if exchange is None:
        return _training_record(log, row, item.line)
    if not exchange.answered:
        return exchange.record(log.content_id(NAME, row), item.line)
    chain = chains.finished(exchange)
    if chain is None:
        return None
    record = exchange.record(chain.identity, item.line)
    record.tools, chain.tools = chain.tools, None
    if chain.requests > 1:
        record.started_ms = chain.started_ms
        record.duration_ms = chain.duration_ms
        record.completion_tokens = chain.tokens
        record.raw["requests"] = chain.requests
    return record


def _exchange(value: object) -> Exchange | None:
    """The recorded request and response; None for a training row and for a damaged one."""
    if not isinstance(value, dict):
        return None
    try:
        return exchange_of(value)
    except Unusable:
        return None


def _training_record(log: Log, row: dict[str, Any], line: int) -> Record:
    if not isinstance(row.get("messages"), list):
        raise Unusable("neither a chat completion with its request nor a list of messages")
    conversation = openai_conversation(row["messages"])
    kept = {k: v for k, v in row.items() if k not in ("messages", "tools", "functions")}
    return Record(
        external_id=log.content_id(NAME, row),
        line=line,
        messages=conversation.messages,
        tools=openai_tools(row.get("tools") or row.get("functions")),
        raw=kept | conversation.raw(),
    )


def _is_training(row: dict[str, Any]) -> bool:
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        return False
    return all(
        isinstance(message, dict)
        and message.get("role") in ROLES
        and ("content" in message or "tool_calls" in message)
        for message in messages
    )


def _sum(total: int | None, more: int | None) -> int | None:
    """What was told, added up; None when nothing was."""
    return total if more is None else (total or 0) + more


def _prefix_hashes(messages: list[Message]) -> list[bytes]:
    """The hash of the first message, of the first two, …; ids and outer white space aside."""
    state = xxhash.xxh3_128()
    hashes = []
    for message in messages:
        calls = [call["function"] for call in message.get("tool_calls") or ()]
        said = [message["role"], message["content"].strip(), calls]
        state.update(msgspec.json.encode(said, order="deterministic"))
        hashes.append(state.digest())
    return hashes
