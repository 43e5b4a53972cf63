"""Near-duplicate interactions: found, clustered, one proposed to stand for the rest, with why."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from db import acts
from db.acts import Done
from db.interactions import loads
from db.store import Store
from exports.near_duplicates import find_clusters
from studio.curation.clusters import compared_text
from studio.curation.distinct import declared_distinct, kept_apart

BASES = ("task", "answer", "both")


@dataclass(frozen=True, slots=True)
class Document:
    """What speaks for an interaction as its cluster's representative."""

    id: int
    agent: str | None
    verified: str | None
    status: str
    success: bool | None
    started_ms: int | None

    def rank(self) -> tuple[bool, bool, bool, int, int]:
        """Best last: verified, accepted, successful, newest."""
        return (
            self.verified == "passed",
            self.status == "accepted",
            self.success is True,
            self.started_ms or 0,
            self.id,
        )

    def reason(self) -> str:
        """Why it is proposed, in the words of the rank."""
        if self.verified == "passed":
            return "its answer passed the tests"
        if self.status == "accepted":
            return "a person accepted it"
        return "the newest that succeeded" if self.success else "the newest"


def dedupe(
    store: Store,
    *,
    threshold: float = 90.0,
    on: str = "both",
    across_agents: bool = False,
    actor: str = "studio dedupe",
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, Any]:
    """Cluster the interactions that nobody dropped, as one act that can be undone.

    Within each agent unless `across_agents`; what a person called distinct stays apart. Counts
    documents, exact and near duplicates (beyond the one that is kept of each cluster), clusters,
    and the seconds that it took. Finding the same clusters again changes nothing.
    `progress(stage, share)` is called from this thread.
    """
    started = time.monotonic()
    documents, texts = _documents(store, on)
    agents = {agent: number for number, agent in enumerate({d.agent for d in documents})}
    groups = None if across_agents else [agents[d.agent] for d in documents]
    found = find_clusters(texts, threshold=threshold, groups=groups, progress=progress)
    members: dict[int, list[int]] = {}
    for position, number in enumerate(found.labels.tolist()):
        if number >= 0:
            members.setdefault(number, []).append(position)
    near = _apart(store, list(members.values()), documents, texts, threshold)
    value = {"on": on, "threshold": threshold, "across_agents": across_agents}
    done = _write(store, [[documents[p] for p in group] for group in near], on, actor, value)
    distinct = sum(len({int(found.exact[position]) for position in group}) for group in near)
    return {
        "documents": len(texts),
        "exact_duplicates": sum(map(len, near)) - distinct,
        "near_duplicates": distinct - len(near),
        "clusters": len(near),
        "seconds": round(time.monotonic() - started, 3),
        "act": done.acts[0] if done.acts else None,
        "changed": done.changed,
    }


def _documents(store: Store, on: str) -> tuple[list[Document], list[str]]:
    documents: list[Document] = []
    texts: list[str] = []
    with store.read() as connection:
        rows = connection.execute(
            text(
                "SELECT i.id, i.agent, i.verified, i.status, i.success, i.started_ms, b.task, "
                "b.messages FROM interaction i JOIN interaction_body b ON b.id = i.id "
                "WHERE i.status != 'dropped' ORDER BY i.id"
            )
        )
        for row in rows:
            success = None if row.success is None else bool(row.success)
            documents.append(
                Document(row.id, row.agent, row.verified, row.status, success, row.started_ms)
            )
            messages = [] if on == "task" else loads(row.messages)
            texts.append(compared_text(on, row.task, messages))
    return documents, texts


def _apart(
    store: Store,
    groups: Sequence[list[int]],
    documents: Sequence[Document],
    texts: Sequence[str],
    threshold: float,
) -> list[list[int]]:
    """The groups (of positions), divided where they hold what a person called distinct."""
    with store.read() as connection:
        declared = declared_distinct(connection)
    near: list[list[int]] = []
    for group in groups:
        said = [declared.get(documents[position].id, set()) for position in group]
        if max(Counter(act for acts_of in said for act in acts_of).values(), default=0) < 2:
            near.append(group)
            continue
        parts = kept_apart([texts[position] for position in group], said, threshold)
        near += [[group[index] for index in part] for part in parts]
    return near


def _write(
    store: Store,
    groups: Sequence[Sequence[Document]],
    on: str,
    actor: str,
    value: dict[str, object],
) -> Done:
    """Number the groups and put their members in; clusters of old stay for undo to go back to."""
    cluster_of: dict[int, int | None] = {}
    with store.write() as connection:
        known = _known(connection)
        for identity in connection.execute(_CLUSTERED).scalars():
            cluster_of[identity] = None
        for group in groups:
            best = max(group, key=Document.rank)
            ids = frozenset(document.id for document in group)
            cluster = known.get((ids, best.id, best.reason(), on))
            if cluster is None:
                cluster = connection.execute(
                    text(
                        "INSERT INTO cluster (representative, size, kind, reason) "
                        "VALUES (:id, :size, :kind, :reason) RETURNING id"
                    ),
                    {"id": best.id, "size": len(group), "kind": on, "reason": best.reason()},
                ).scalar_one()
            cluster_of.update(dict.fromkeys(ids, cluster))
    rows = [(identity, {"cluster": cluster}) for identity, cluster in cluster_of.items()]
    return acts.set_rows(store, rows, actor=actor, kind="dedupe", value=value)


_CLUSTERED = text("SELECT id FROM interaction WHERE cluster IS NOT NULL")


def _known(connection: Connection) -> dict[tuple[frozenset[int], int, str, str], int]:
    """The present clusters by their members, representative, reason and kind."""
    rows = connection.execute(
        text(
            "SELECT c.id, c.representative, c.reason, c.kind, i.id AS member FROM cluster c "
            "JOIN interaction i ON i.cluster = c.id ORDER BY c.id"
        )
    ).all()
    members: dict[int, set[int]] = {}
    for row in rows:
        members.setdefault(row.id, set()).add(row.member)
    return {
        (frozenset(members[row.id]), row.representative, row.reason, row.kind): row.id
        for row in rows
    }


def dedupe_rows(
    rows: Sequence[tuple[str, str]], *, threshold: float
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """`(id, text)` rows with cluster, representative and the ratio to it, null when alone; and
    the counts of all of them."""
    from exports.near_duplicates import similarity

    texts = [body for _, body in rows]
    clusters = find_clusters(texts, threshold=threshold)
    labels = clusters.labels
    first: dict[int, int] = {}
    answers: list[dict[str, Any]] = []
    for index, (identity, body) in enumerate(rows):
        number = int(labels[index])
        if number < 0:
            answers.append(
                {"id": identity, "cluster": None, "representative": None, "similarity": None}
            )
            continue
        head = first.setdefault(number, index)
        answers.append(
            {
                "id": identity,
                "cluster": number,
                "representative": rows[head][0],
                "similarity": similarity(texts[head], body),
            }
        )
    counts = {
        "documents": len(rows),
        "exact_duplicates": clusters.exact_duplicates,
        "near_duplicates": clusters.near_duplicates,
        "clusters": clusters.clusters,
        "seconds": round(clusters.seconds, 3),
    }
    return answers, counts
