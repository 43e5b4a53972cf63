"""Which interactions can be trained on, and why the others cannot.

Two steps: what the narrow rows tell of all of them, then what the text of some of them tells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, case, func, select

from db import filters
from db.interactions import loads, output_of
from db.models.base import table
from db.models.curation import Cluster
from db.models.interactions import BODIES, INTERACTIONS, Source
from db.store import Store
from exports.conversation import (
    Conversation,
    Message,
    Tool,
    calls_of,
    offered_names,
    training_conversation,
)
from exports.quality import Answered, first_reason
from exports.solutions import Answer, shape

_AT_ONCE = 500  # bodies a query


@dataclass(frozen=True, slots=True)
class Prospect:
    """An interaction that nothing in its row speaks against.

    `problem` is a number of its own below 0 where it has none. `head` is the representative of
    its cluster where that is another. `rank`: 0 verified, 1 accepted, 2 successful, 3 the rest.
    """

    id: int
    agent: str | None
    problem: int
    cluster: int | None
    head: int | None
    stop_reason: str | None
    rank: int
    format: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An interaction that can be trained on."""

    prospect: Prospect
    conversation: Conversation
    output: str

    @property
    def id(self) -> int:
        """The interaction's id."""
        return self.prospect.id

    def answer(self) -> Answer:
        """Its answer, as one of the solutions to its problem."""
        return Answer(self.id, self.output, self.prospect.rank)


def find_prospects(store: Store, where: str) -> tuple[list[Prospect], Counter[str]]:
    """By id, everything that a filter holds for; how many were left out for which reason."""
    columns, clusters, sources = INTERACTIONS.c, table(Cluster), table(Source)
    statement: Select[Any] = (
        select(
            columns.id, columns.agent, columns.problem, columns.cluster, columns.status,
            columns.success, columns.verified, columns.content_hash, columns.stop_reason,
            clusters.c.representative, sources.c.format,
        )
        .join(sources, columns.source_id == sources.c.id)
        .join(clusters, columns.cluster == clusters.c.id, isouter=True)
        .where(filters.where(where))
        .order_by(columns.id)
    )  # fmt: skip
    found: list[Prospect] = []
    dropped: Counter[str] = Counter()
    seen: set[str] = set()
    with store.read() as connection:
        for row in connection.execute(statement):
            reason = _status_reason(row.status, row.success, row.verified)
            if reason is None and row.content_hash in seen:
                reason = "exact_duplicate"
            if reason is not None:
                dropped[reason] += 1
                continue
            seen.add(row.content_hash)
            found.append(_prospect(row))
    return found, dropped


def count_rows(store: Store, where: str) -> tuple[int, Counter[str]]:
    """How many interactions a filter holds for, and what their rows tell against some of them.

    The counts of `find_prospects`, by the database alone: the texts are not looked at.
    """
    columns = INTERACTIONS.c
    reason = case(
        (columns.status == "dropped", "dropped"),
        (columns.success.is_(False), "failed"),
        (columns.verified.is_not(None) & (columns.verified != "passed"), "failed_tests"),
        else_=None,
    ).label("reason")
    counts = (func.count(), func.count(columns.content_hash.distinct()))
    statement = select(reason, *counts).where(filters.where(where)).group_by(reason)
    dropped: Counter[str] = Counter()
    total = 0
    with store.read() as connection:
        for why, rows, texts in connection.execute(statement):
            total += rows
            dropped[why or "exact_duplicate"] += rows - (0 if why else texts)
    return total, +dropped


def judged(
    store: Store,
    prospects: Sequence[Prospect],
    quality: Sequence[str],
    tools: Mapping[str, list[Tool]],
) -> tuple[list[Candidate], Counter[str]]:
    """Those that can be trained on, and why the others cannot.

    `quality` names filters of `exports.quality`, `tools` what was offered in the conversations of
    a format whose log does not say (`exports.tool_definitions`). The prospects of one cluster come
    together: a near-duplicate is compared with its representative.
    """
    kept: list[Candidate] = []
    dropped: Counter[str] = Counter()
    for prospect, row in _bodies(store, prospects):
        offered = loads(row.tools) if row.tools else tools.get(prospect.format, [])
        candidate = _candidate(prospect, loads(row.messages), offered, quality)
        if isinstance(candidate, str):
            dropped[candidate] += 1
        else:
            kept.append(candidate)
    return _without_followers(kept, dropped), dropped


def _bodies(store: Store, prospects: Sequence[Prospect]) -> Iterator[tuple[Prospect, Row[Any]]]:
    for start in range(0, len(prospects), _AT_ONCE):
        chunk = {prospect.id: prospect for prospect in prospects[start : start + _AT_ONCE]}
        columns = BODIES.c
        statement: Select[Any] = select(columns.id, columns.messages, columns.tools)
        with store.read() as connection:
            rows = {
                row.id: row for row in connection.execute(statement.where(columns.id.in_(chunk)))
            }
        for identity, prospect in chunk.items():
            if identity in rows:
                yield prospect, rows[identity]


def _prospect(row: Row[Any]) -> Prospect:
    return Prospect(
        row.id,
        row.agent,
        row.problem if row.problem is not None else -row.id,
        row.cluster,
        row.representative if row.representative != row.id else None,
        row.stop_reason,
        _rank(row.verified, row.status, row.success),
        row.format,
    )


def _status_reason(status: str, success: bool | None, verified: str | None) -> str | None:
    if status == "dropped":
        return "dropped"
    if success is False:
        return "failed"
    if verified is not None and verified != "passed":
        return "failed_tests"
    return None


def _rank(verified: str | None, status: str, success: bool | None) -> int:
    if verified == "passed":
        return 0
    if status == "accepted":
        return 1
    return 2 if success else 3


def _candidate(
    prospect: Prospect,
    messages: Sequence[Message],
    tools: Sequence[Tool],
    quality: Sequence[str],
) -> Candidate | str:
    """The candidate, or the first reason against it."""
    conversation = training_conversation(messages, tools)
    if conversation is None:
        return "no_answer"
    offered = offered_names(conversation.tools)
    for message in conversation.messages:
        if any(call.name not in offered for call in calls_of(message)):
            return "tool_not_offered"
    output = output_of(conversation.messages)
    reason = first_reason(Answered(conversation, output, prospect.stop_reason), quality)
    return reason or Candidate(prospect, conversation, output)


def _without_followers(kept: list[Candidate], dropped: Counter[str]) -> list[Candidate]:
    """A near-duplicate of its representative goes, unless its code does something else."""
    by_id = {candidate.id: candidate for candidate in kept}
    gone: set[int] = set()
    for candidate in kept:
        head = by_id.get(candidate.prospect.head or 0)
        if head is None:
            continue
        own, other = shape(candidate.output), shape(head.output)
        if own.startswith("Module(") and other.startswith("Module(") and own != other:
            continue
        gone.add(candidate.id)
    if gone:
        dropped["near_duplicate"] += len(gone)
    return [candidate for candidate in kept if candidate.id not in gone]
