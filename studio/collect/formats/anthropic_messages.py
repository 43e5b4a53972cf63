"""Anthropic's messages: recorded requests with their responses, as gateways and cassettes write.

Rows as `studio.collect.exchange` tells. Prompt tokens are input, cache reads and cache writes
together. Requests that repeat and continue a conversation are one interaction
(`studio.collect.chains`).
"""

from __future__ import annotations

from collections.abc import Iterator

from db.interactions import Record
from studio.collect.anthropic_api import exchange_of, looks_like_exchange
from studio.collect.chains import conversations
from studio.collect.log import Head, Log, Rejected

NAME = "anthropic_messages"


def sniff(head: Head) -> bool:
    """Some row is a recorded request to Anthropic's messages."""
    return any(isinstance(row, dict) and looks_like_exchange(row) for row in head.rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a conversation."""
    return conversations(log, NAME, exchange_of)
