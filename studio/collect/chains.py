"""Requests that continue one another, as one conversation.

Each later request of a conversation repeats the earlier turns. Requests whose messages begin with
an earlier request and its response are one interaction, the longest: durations and completion
tokens are summed over its requests, prompt tokens are the last one's. A request that failed is an
interaction of its own, without an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import xxhash

from db.interactions import Message, Record
from studio.collect.exchange import Exchange
from studio.collect.log import Item, Log, Rejected, Unusable, as_object

ExchangeOf = Callable[[Mapping[str, Any]], Exchange | None]
Other = Callable[[dict[str, Any], int], Record]


def conversations(
    log: Log,
    format_name: str,
    exchange_of: ExchangeOf,
    other: Other | None = None,
    rows: Sequence[Item | Rejected] | None = None,
) -> Iterator[Record | Rejected]:
    """One interaction a conversation. The file is read twice, so that none is held in memory.

    `other(row, line)` makes a record of a row that is no exchange; both may raise Unusable.
    `rows` are the file's, where it is not JSON and had to be held.
    """
    chains = Chains(format_name)
    log.readings = 2
    for item in log.items() if rows is None else rows:
        if isinstance(item, Item):
            exchange = _exchange(item.value, exchange_of)
            if exchange and exchange.answered:
                chains.add(exchange)
    for item in log.items() if rows is None else rows:
        if isinstance(item, Rejected):
            yield item
            continue
        try:
            row = as_object(item.value)
            exchange = exchange_of(row)
            if exchange is not None:
                record = _record(log, item, exchange, chains)
            else:
                record = other(row, item.line) if other else None
        except Unusable as error:
            yield log.rejected(item.line, str(error))
        else:
            if record is not None:
                yield record


@dataclass(slots=True)
class Chain:
    """Requests that continue one another, in file order."""

    identity: str
    started_ms: int | None
    requests: int = 0
    last: int = 0
    duration_ms: int | None = None
    tokens: int | None = None
    tools: list[dict[str, Any]] | None = None  # the last that were offered


class Chains:
    """Which answered request continues which; 16 bytes of hash stand for a conversation so far."""

    def __init__(self, format_name: str) -> None:
        self.format_name = format_name
        self.of_request: list[Chain] = []
        self._ends: dict[bytes, list[Chain]] = {}
        self._next = 0

    def add(self, exchange: Exchange) -> Chain:
        """The next answered request of the file, and what it is part of."""
        hashes = prefix_hashes(exchange.conversation.messages)
        chain = self._continued(hashes[: exchange.asked])
        if chain is None:
            own = exchange.completion_id or "none"
            chain = Chain(f"{self.format_name}:{own}:{hashes[-1].hex()}", exchange.started_ms)
        self._ends.setdefault(hashes[-1], []).append(chain)
        chain.requests += 1
        chain.last = len(self.of_request)
        chain.duration_ms = _sum(chain.duration_ms, exchange.duration_ms)
        chain.tokens = _sum(chain.tokens, exchange.completion_tokens)
        self.of_request.append(chain)
        return chain

    def _continued(self, asked: list[bytes]) -> Chain | None:
        """The longest conversation that this request begins with; one request continues it."""
        for end in reversed(asked):
            open_chains = self._ends.get(end)
            if open_chains:
                return open_chains.pop(0)
        return None

    def finished(self, exchange: Exchange) -> Chain | None:
        """In a second reading: the chain of the next answered request, when this is its last."""
        number = self._next
        self._next += 1
        if number == len(self.of_request):
            raise Unusable("the file was changed while it was being read")
        chain = self.of_request[number]
        chain.tools = exchange.tools or chain.tools
        return chain if chain.last == number else None


def _record(log: Log, item: Item, exchange: Exchange, chains: Chains) -> Record | None:
    """The conversation that this exchange is the last of; None for an earlier one."""
    if not exchange.answered:
        return exchange.record(log.content_id(chains.format_name, item.value), item.line)
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


def _exchange(value: object, exchange_of: ExchangeOf) -> Exchange | None:
    """The recorded request and response; None for another row and for a damaged one."""
    if not isinstance(value, dict):
        return None
    try:
        return exchange_of(value)
    except Unusable:
        return None


def _sum(total: int | None, more: int | None) -> int | None:
    """What was told, added up; None when nothing was."""
    return total if more is None else (total or 0) + more


def prefix_hashes(messages: list[Message]) -> list[bytes]:
    """The hash of the first message, of the first two, …; ids and white space aside."""
    state = xxhash.xxh3_128()
    hashes = []
    for message in messages:
        calls = [call["function"] for call in message.get("tool_calls") or ()]
        said = [message["role"], "".join(message["content"].split()), calls]
        state.update(msgspec.json.encode(said, order="deterministic"))
        hashes.append(state.digest())
    return hashes
