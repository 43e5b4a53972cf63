"""Clusters of near-duplicates to review: the list of them, and two members to compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, text

from db.interactions import Message, answer_of, loads, output_of
from db.secrets import masked
from db.store import Store
from studio.curation.distinct import DECLARED

OPEN, KEPT, DISTINCT, DROPPED = "open", "one kept", "distinct", "dropped"
MEASURED_CHARS = 20_000  # of a text; comparing two holds the interpreter for 10 ms, by the square
MEASURED_MEMBERS = 20  # that are compared with their representative for the list


class Cluster(NamedTuple):
    """A cluster as the list shows it. `state` is open, one kept, distinct or dropped.

    `kept` is the one that stays where the others were dropped.
    """

    number: int
    representative: int
    size: int
    live: int
    agent: str | None  # None where nobody said, `several` where its members differ
    kind: str  # see `cluster_kind`
    reason: str
    state: str
    kept: int | None

    @property
    def on(self) -> str:
        """What of the members was compared: task, answer or both."""
        return self.kind.partition(" ")[0]

    @property
    def measure(self) -> str:
        """How: by ratio or as sets."""
        return self.kind.partition(" ")[2] or "ratio"


@dataclass(frozen=True, slots=True)
class Member:
    """One member with what is compared and what speaks for it."""

    id: int
    agent: str | None
    model: str | None
    started_ms: int | None
    duration_ms: int | None
    success: bool | None
    verified: str | None
    status: str
    task: str
    output: str


@dataclass(frozen=True, slots=True)
class Pair:
    """The representative and one other member: the `position`th of `others`, from 0."""

    left: Member
    right: Member | None
    position: int
    others: int
    similarity: float | None
    """0 to 100 over what dedupe compared; None for texts too long to be measured in a moment."""


_LIVE = "sum(i.status != 'dropped')"
_COLUMNS = (  # in the order of Cluster's; the state follows
    f"c.id AS number, c.representative, count(*), {_LIVE}, "
    "CASE WHEN min(coalesce(i.agent, '')) = max(coalesce(i.agent, '')) THEN max(i.agent) "
    "ELSE 'several' END, c.kind, c.reason"
)
_LISTED = text(
    f"SELECT {_COLUMNS}, CASE {_LIVE} WHEN 0 THEN '{DROPPED}' WHEN 1 THEN '{KEPT}' "
    f"ELSE '{OPEN}' END, CASE {_LIVE} WHEN 1 THEN max(iif(i.status != 'dropped', i.id, 0)) END "
    "FROM interaction i JOIN cluster c ON c.id = i.cluster GROUP BY i.cluster "
    f"UNION ALL SELECT {_COLUMNS}, '{DISTINCT}', NULL FROM ({DECLARED}) d "
    "JOIN interaction i ON i.id = d.interaction JOIN cluster c ON c.id = d.cluster GROUP BY d.act "
    "ORDER BY number"
)
_MEMBERS = text("SELECT id, status FROM interaction WHERE cluster = :number")
_MEMBERS_DISTINCT = text(
    f"SELECT i.id, i.status FROM ({DECLARED}) d JOIN interaction i ON i.id = d.interaction "
    "WHERE d.cluster = :number"
)


def clusters(store: Store) -> list[Cluster]:
    """Every cluster that has members, and those whose members were called distinct, by number."""
    with store.read() as connection:
        return [Cluster(*row) for row in connection.execute(_LISTED)]


def was_searched(store: Store) -> bool:
    """Whether duplicates were ever looked for, and that was not taken back."""
    statement = text(
        "SELECT EXISTS (SELECT 1 FROM act a JOIN act_state s ON s.act_id = a.id "
        "WHERE a.kind = 'dedupe' AND s.applied = 1)"
    )
    with store.read() as connection:
        return bool(connection.execute(statement).scalar_one())


def cluster_of(store: Store, identity: int) -> int | None:
    """The cluster that an interaction is in."""
    statement = text("SELECT cluster FROM interaction WHERE id = :id")
    with store.read() as connection:
        found = connection.execute(statement, {"id": identity}).scalar()
    return None if found is None else int(found)


def pair(store: Store, cluster: Cluster, position: int) -> Pair | None:
    """The representative and the other member at a position, those not dropped first, by id.

    A position beyond the last one is the last one. None when the cluster is gone.
    """
    with store.read() as connection:
        statuses = _members(connection, cluster.number)
        if cluster.representative not in statuses:
            return None
        others = sorted(
            (identity for identity in statuses if identity != cluster.representative),
            key=lambda identity: (statuses[identity] == "dropped", identity),
        )
        position = max(0, min(position, len(others) - 1))
        left, spoken = _member(connection, cluster.representative, cluster.on)
        if not others:
            return Pair(left, None, 0, 0, None)
        right, other = _member(connection, others[position], cluster.on)
    return Pair(left, right, position, len(others), similarity(spoken, other, cluster.measure))


def lowest_similarity(store: Store, cluster: Cluster) -> float | None:
    """How near the members are to their representative, at least; of the first members only.

    None where a text is too long to be measured in a moment.
    """
    with store.read() as connection:
        others = [i for i in _members(connection, cluster.number) if i != cluster.representative]
        wanted = [cluster.representative, *sorted(others)[:MEASURED_MEMBERS]]
        rows = connection.execute(
            text(
                "SELECT max(task_chars + output_chars) FROM interaction "
                "WHERE id IN (SELECT value FROM json_each(:ids))"
            ),
            {"ids": f"[{','.join(map(str, wanted))}]"},
        )
        if len(wanted) < 2 or (rows.scalar() or 0) > MEASURED_CHARS:
            return None
        texts = [_member(connection, identity, cluster.on)[1] for identity in wanted]
    found = [similarity(texts[0], other, cluster.measure) for other in texts[1:]]
    return min((value for value in found if value is not None), default=None)


def similarity(one: str, other: str, measure: str = "ratio") -> float | None:
    """How near two texts are, 0 to 100; None for texts too long to be measured in a moment."""
    from exports import near_duplicates

    if one == other:
        return 100.0
    if max(len(one), len(other)) > MEASURED_CHARS:
        return None
    return near_duplicates.similarity(one, other, measure)


def cluster_kind(on: str, measure: str) -> str:
    """What a cluster remembers of its search: `task`, `answer` or `both`, and a set measure."""
    return on if measure == "ratio" else f"{on} {measure}"


def _members(connection: Connection, number: int) -> dict[int, str]:
    """The status of each member, also where they were called distinct."""
    for statement in (_MEMBERS, _MEMBERS_DISTINCT):
        rows = connection.execute(statement, {"number": number}).all()
        if rows:
            return {row.id: row.status for row in rows}
    return {}


_MEMBER = text(
    "SELECT i.id, i.agent, i.model, i.started_ms, i.duration_ms, i.success, i.verified, i.status, "
    "i.secrets, b.task, b.messages FROM interaction i JOIN interaction_body b ON b.id = i.id "
    "WHERE i.id = :id"
)


def _member(connection: Connection, identity: int, on: str) -> tuple[Member, str]:
    """A member, its secrets masked, and the text of it that dedupe compared."""
    row = connection.execute(_MEMBER, {"id": identity}).one()
    messages = loads(row.messages)
    success = None if row.success is None else bool(row.success)
    shown = [row.task, output_of(messages)]
    member = Member(
        row.id, row.agent, row.model, row.started_ms, row.duration_ms, success, row.verified,
        row.status, *(masked(shown) if row.secrets else shown),
    )  # fmt: skip
    return member, compared_text(on, row.task, messages)


def compared_text(on: str, task: str, messages: Sequence[Message]) -> str:
    """What is compared of an interaction: its task, its answer, or both."""
    if on == "task":
        return task
    answer = answer_of(messages)
    return answer if on == "answer" else f"{task}\n\n{answer}"
