"""Answers of a teacher in the store: interactions of the format `sample`, each committed at once.

Which answers there are to an order (an endpoint, a model and parameters, put to a problem) is told
by their `external_id`: what is there is never asked again, whatever ended the program before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import xxhash
from sqlalchemy import Connection, bindparam, insert, select, text, update

from db.interactions import Record, insert_records
from db.models.base import table
from db.models.interactions import INTERACTIONS, Source
from db.search_index import merge_segments
from db.store import Store, now_ms
from exports.quality import CUT_OFF
from studio.chat import Reply
from studio.collect.log import Unusable
from studio.collect.messages import add_openai, openai_conversation
from studio.curation.questions import Question

FORMAT = "sample"


@dataclass(frozen=True, slots=True)
class Order:
    """Whom to ask and how: `parameters` stand in every request beside the question."""

    endpoint: str
    url: str
    model: str
    parameters: Mapping[str, Any]
    n: int

    def key(self, problem: int) -> str:
        """What the external ids of this order's answers to a problem begin with."""
        return f"{FORMAT}:{_digest([self.endpoint, self.model, self.parameters, problem])}:"


def stored_answers(store: Store, order: Order, problems: Sequence[int]) -> dict[int, list[int]]:
    """The ids of the answers that are there, by problem; those that were moved keep their place."""
    found: dict[int, list[int]] = {}
    with store.read() as connection:
        for problem in problems:
            found[problem] = list(connection.execute(_ANSWERS, _span(order, problem)).scalars())
    return found


# external_id has an index: a range of it is one look-up
_ANSWERS = text(
    "SELECT id FROM interaction WHERE external_id >= :first AND external_id < :after ORDER BY id"
)
_NUMBERS = text(
    "SELECT external_id FROM interaction WHERE external_id >= :first AND external_id < :after"
)


def _span(order: Order, problem: int) -> dict[str, str]:
    key = order.key(problem)
    return {"first": key, "after": key[:-1] + ";"}  # ; follows : in every encoding


def keep(store: Store, order: Order, question: Question, reply: Reply) -> list[int]:
    """Commit what came, attached to its problem; returns the new interactions' ids."""
    with store.write(durable=True) as connection:
        known = connection.execute(_NUMBERS, _span(order, question.problem)).scalars()
        taken = {int(identity.rpartition(":")[2]) for identity in known}
        free = (number for number in range(len(taken) + len(reply.choices)) if number not in taken)
        records = [
            _record(order, question, reply, choice, number)
            for choice, number in zip(reply.choices, free, strict=False)
        ]
        ids = insert_records(connection, records, _source(connection, order, len(records)))
        connection.execute(
            update(INTERACTIONS)
            .where(INTERACTIONS.c.id.in_(bindparam("ids", expanding=True)))
            .values(problem=question.problem, **question.agent),
            {"ids": ids},
        )
    merge_segments(store)
    return ids


def _record(
    order: Order, question: Question, reply: Reply, choice: Mapping[str, Any], number: int
) -> Record:
    conversation = openai_conversation(question.messages)
    asked = len(conversation.messages)
    problem = None
    try:
        add_openai(conversation, {**choice["message"], "role": "assistant"})
    except Unusable as reason:
        conversation.say("assistant", choice["message"].get("content"))
        problem = str(reason)
    answer = conversation.messages[asked]
    ended = choice.get("finish_reason")
    stop_reason = ended if isinstance(ended, str) else None
    empty = not answer["content"] and not answer.get("tool_calls")
    alone = len(reply.choices) == 1
    return Record(
        external_id=f"{order.key(question.problem)}{number}",
        line=number + 1,
        messages=conversation.messages,
        tools=question.tools or None,
        provider=order.endpoint,
        model=reply.model or order.model,
        success=_success(stop_reason, failed=empty or problem is not None),
        error=problem or ("the answer is empty" if empty else None),
        started_ms=reply.started_ms,
        duration_ms=reply.duration_ms,
        prompt_tokens=reply.prompt_tokens if alone else None,  # told for all choices together
        completion_tokens=reply.completion_tokens if alone else None,
        stop_reason=stop_reason,
        raw={
            "sample": {
                "problem": question.problem,
                "asked_as": question.interaction,
                "endpoint": order.endpoint,
                "url": order.url,
                "model": order.model,
                "parameters": dict(order.parameters),
                "number": number,
                "request": reply.id,
                "answers_of_request": len(reply.choices),
                "usage_of_request": [reply.prompt_tokens, reply.completion_tokens],
            },
            **conversation.raw(),
        },
    )


def _success(stop_reason: str | None, *, failed: bool) -> bool | None:
    """An answer that was cut off is neither."""
    if failed:
        return False
    return None if (stop_reason or "").casefold() in CUT_OFF else True


def _source(connection: Connection, order: Order, count: int) -> int:
    """The source of everything that was asked of this endpoint so."""
    sources = table(Source)
    sha256 = _digest([order.endpoint, order.url, order.model, order.parameters])
    same = (sources.c.sha256 == sha256) & (sources.c.format == FORMAT)
    identity = connection.execute(select(sources.c.id).where(same)).scalar()
    if identity is None:
        values = {
            "path": f"endpoint:{order.endpoint}/{order.model}",
            "format": FORMAT,
            "sha256": sha256,
            "bytes": 0,
            "state": "complete",
            "imported_ms": now_ms(),
        }
        statement = insert(sources).values(values).returning(sources.c.id)
        identity = connection.execute(statement).scalar_one()
    more = {"imported": sources.c.imported + count, "imported_ms": now_ms()}
    connection.execute(update(sources).where(sources.c.id == identity).values(more))
    return int(identity)


def _digest(value: object) -> str:
    return xxhash.xxh3_128_hexdigest(msgspec.json.encode(value, order="deterministic"))
