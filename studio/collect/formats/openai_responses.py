"""OpenAI Responses: recorded requests with their responses, as gateways and cassettes write.

Rows as `studio.collect.exchange` tells. Requests that repeat and continue a conversation are one
interaction (`studio.collect.chains`); a request that names what the server keeps
(`previous_response_id`, `conversation`) stands alone, with that name in `raw`.
"""

from __future__ import annotations

from collections.abc import Iterator

from db.interactions import Record
from studio.collect.chains import conversations
from studio.collect.log import Head, Log, Rejected
from studio.collect.responses_api import exchange_of, looks_like_exchange

NAME = "openai_responses"


def sniff(head: Head) -> bool:
    """Some row is a recorded request to OpenAI's Responses."""
    return any(isinstance(row, dict) and looks_like_exchange(row) for row in head.rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a conversation."""
    return conversations(log, NAME, exchange_of)
