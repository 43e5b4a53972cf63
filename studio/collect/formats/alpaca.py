"""Alpaca: `{"instruction", "input"?, "output" | "response"}`, as a JSON array or one a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from db.interactions import Record
from studio.collect.log import Head, Log, Rejected, Unusable
from studio.collect.messages import Conversation

NAME = "alpaca"
_ANSWERS = ("output", "response")
_KEYS = {"instruction", "input", "system", "history", *_ANSWERS}


def sniff(head: Head) -> bool:
    """Some row has an instruction and an answer, both texts."""
    return any(isinstance(row, dict) and _is_alpaca(row) for row in head.rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a row; `system` and `history` (pairs of earlier turns) are kept as turns."""

    def convert(row: dict[str, Any], line: int) -> Record:
        conversation = _conversation(row)
        raw = {k: v for k, v in row.items() if k not in _KEYS} | conversation.raw()
        return Record(log.content_id(NAME, row), line, conversation.messages, raw=raw)

    return log.records(convert)


def _is_alpaca(row: dict[str, Any]) -> bool:
    if not isinstance(row.get("instruction"), str) or "conversations" in row:
        return False
    return any(isinstance(row.get(key), str) for key in _ANSWERS)


def _conversation(row: dict[str, Any]) -> Conversation:
    if not _is_alpaca(row):
        raise Unusable("no instruction and output (or response) as texts")
    conversation = Conversation()
    if row.get("system"):
        conversation.say("system", row["system"])
    history = row.get("history")
    for pair in history if isinstance(history, list) else []:
        if isinstance(pair, list) and len(pair) == 2:
            conversation.say("user", pair[0])
            conversation.say("assistant", pair[1])
    question = row["instruction"]
    if row.get("input"):
        question += "\n\n" + conversation.text(row["input"])
    conversation.say("user", question)
    conversation.say("assistant", next(row[k] for k in _ANSWERS if isinstance(row.get(k), str)))
    return conversation
