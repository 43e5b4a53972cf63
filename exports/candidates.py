"""Which interactions can be trained on, and why the others cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from db import filters
from db.interactions import loads, output_of
from db.models import BODIES, INTERACTIONS, Cluster, table
from db.store import Store
from exports.conversation import Conversation, calls_of, offered_names, training_conversation
from exports.solutions import Answer, shape


@dataclass(frozen=True, slots=True)
class Candidate:
    """An interaction that can be trained on. `rank`: 0 verified, 1 accepted, 2 successful, 3."""

    id: int
    agent: str | None
    problem: int | None
    cluster: int | None
    conversation: Conversation
    output: str
    rank: int

    def answer(self) -> Answer:
        """Its answer, as one of the solutions to its problem."""
        return Answer(self.id, self.output, self.rank)


@dataclass(slots=True)
class Candidates:
    """The candidates in the order of their ids, and how many were left out for which reason."""

    kept: list[Candidate] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


def find_candidates(store: Store, where: str) -> Candidates:
    """Everything that a filter holds for, judged. Reasons are counted once an interaction."""
    found = Candidates()
    columns = INTERACTIONS.c
    clusters = table(Cluster)
    statement = (
        select(
            columns.id, columns.agent, columns.problem, columns.cluster, columns.status,
            columns.success, columns.verified, columns.content_hash, BODIES.c.messages,
            BODIES.c.tools, clusters.c.representative,
        )
        .join_from(INTERACTIONS, BODIES, columns.id == BODIES.c.id)
        .join(clusters, columns.cluster == clusters.c.id, isouter=True)
        .where(filters.where(where))
        .order_by(columns.id)
    )  # fmt: skip
    seen: set[str] = set()
    followers: list[tuple[Candidate, int]] = []
    with store.read() as connection:
        for row in connection.execute(statement):
            reason = _status_reason(row.status, row.success, row.verified)
            if reason is None and row.content_hash in seen:
                reason = "exact_duplicate"
            messages = loads(row.messages)
            tools = loads(row.tools) if row.tools else []
            conversation = None if reason else training_conversation(messages, tools)
            reason = reason or _content_reason(conversation)
            if reason or conversation is None:
                found.dropped[reason or "no_answer"] += 1
                continue
            seen.add(row.content_hash)
            candidate = Candidate(
                row.id, row.agent, row.problem, row.cluster, conversation,
                output_of(conversation.messages), _rank(row.verified, row.status, row.success),
            )  # fmt: skip
            found.kept.append(candidate)
            if row.representative not in (None, row.id):
                followers.append((candidate, row.representative))
    _drop_followers(found, followers)
    return found


def _status_reason(status: str, success: bool | None, verified: str | None) -> str | None:
    if status == "dropped":
        return "dropped"
    if success is False:
        return "failed"
    if verified is not None and verified != "passed":
        return "failed_tests"
    return None


def _content_reason(conversation: Conversation | None) -> str | None:
    if conversation is None:
        return "no_answer"
    offered = offered_names(conversation.tools)
    for message in conversation.messages:
        if any(call.name not in offered for call in calls_of(message)):
            return "tool_not_offered"
    return None


def _rank(verified: str | None, status: str, success: bool | None) -> int:
    if verified == "passed":
        return 0
    if status == "accepted":
        return 1
    return 2 if success else 3


def _drop_followers(found: Candidates, followers: Sequence[tuple[Candidate, int]]) -> None:
    """A near-duplicate of its representative goes, unless its code does something else."""
    by_id = {candidate.id: candidate for candidate in found.kept}
    gone: set[int] = set()
    for candidate, representative in followers:
        head = by_id.get(representative)
        if head is None:
            continue
        own, other = shape(candidate.output), shape(head.output)
        if own.startswith("Module(") and other.startswith("Module(") and own != other:
            continue
        gone.add(candidate.id)
    found.kept = [candidate for candidate in found.kept if candidate.id not in gone]
    if gone:
        found.dropped["near_duplicate"] += len(gone)
