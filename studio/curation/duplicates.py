"""Near-duplicate interactions: found, clustered, one proposed to stand for the rest, with why."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from db import acts
from db.acts import Done
from db.interactions import dumps
from db.store import Store
from exports.near_duplicates import RATIO, find_clusters, form, similarity
from studio.curation.clusters import cluster_kind
from studio.curation.distinct import declared_distinct, kept_apart, solution_of
from studio.curation.duplicate_search import read_texts, search
from studio.curation.duplicate_state import Found, Ids, Rows, Settings, remember

PASSED = "its answer passed the tests"


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
            return PASSED
        if self.status == "accepted":
            return "a person accepted it"
        return "the newest that succeeded" if self.success else "the newest"


def dedupe(
    store: Store,
    *,
    threshold: float = 90.0,
    on: str = "both",
    measure: str = RATIO,
    across_agents: bool = False,
    actor: str = "studio dedupe",
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, Any]:
    """Cluster the interactions that nobody dropped, as one act that can be undone.

    Within each agent unless `across_agents`; what a person called distinct stays apart. Carries on
    where the last search with the same settings ended. Counts documents, exact and near duplicates
    (beyond the one that is kept of each cluster), clusters, and the seconds that it took. Finding
    the same clusters again changes nothing. `progress(stage, share)` is called from this thread.
    """
    started = time.monotonic()
    settings = Settings(threshold, on, measure, across_agents)
    change, affected = search(store, settings, progress or (lambda _stage, _share: None))
    groups = _part(store, change.found, affected, settings)
    value = {"on": on, "threshold": threshold, "across_agents": across_agents, "measure": measure}
    done = _write(store, groups, affected, settings, actor, value)
    known = change.found.stamp.act
    with store.write() as connection:
        own = done.acts[0] if done.acts else 0
        remember(
            connection, settings, change.before, change.found, own if own == known + 1 else known
        )
    return {
        **_counts(change.found.rows),
        "seconds": round(time.monotonic() - started, 3),
        "act": done.acts[0] if done.acts else None,
        "changed": done.changed,
    }


def _part(store: Store, found: Found, affected: Ids, settings: Settings) -> list[list[int]]:
    """The members of each affected cluster, divided where some are to stay apart; by first one."""
    rows = found.rows
    rows["part"][affected] = affected
    near = _clusters(rows["root"], affected[rows["agent"][affected] >= 0])
    with store.read() as connection:
        declared = declared_distinct(connection)
        if declared or rows["passed"].any():
            near = [part for g in near for part in _parts(connection, g, declared, rows, settings)]
    for group in near:
        rows["part"][group] = group[0]
    return sorted(near)


def _clusters(roots: NDArray[np.int32], ids: Ids) -> list[list[int]]:
    """Those of some ids that share a root, where they are several."""
    ids = ids[np.argsort(roots[ids], kind="stable")]
    starts = np.flatnonzero(np.diff(roots[ids], prepend=-1))
    ends = np.append(starts[1:], len(ids))
    several = ends - starts > 1
    bounds = zip(starts[several].tolist(), ends[several].tolist(), strict=True)
    return [ids[start:end].tolist() for start, end in bounds]


def _counts(rows: Rows) -> dict[str, int]:
    """How many documents, exact and near duplicates and clusters there are."""
    live = rows["agent"] >= 0
    parts, firsts = rows["part"][live], rows["first"][live]
    sizes = np.bincount(parts)
    several = sizes[parts] > 1
    texts = parts[several].astype(np.int64) << 32 | firsts[several]
    texts.sort()
    distinct = int(np.count_nonzero(np.diff(texts, prepend=-1)))
    clusters = int(np.count_nonzero(sizes > 1))
    return {
        "documents": len(parts),
        "exact_duplicates": len(texts) - distinct,
        "near_duplicates": distinct - clusters,
        "clusters": clusters,
    }


def _parts(
    connection: Connection,
    group: list[int],
    declared: Mapping[int, set[int]],
    rows: Rows,
    settings: Settings,
) -> list[list[int]]:
    """A cluster, or what is left of it when no two may stay together that are declared distinct,
    or are different answers that passed their tests."""
    said = [declared.get(identity, set()) for identity in group]
    both = [identity for identity in group if rows[identity]["passed"]]
    shapes = solution_of(connection, both) if len(both) > 1 else {}
    counted = Counter(act for acts_of in said for act in acts_of)
    if max(counted.values(), default=0) < 2 and len(set(shapes.values())) < 2:
        return [group]
    texts = [form(each, settings.measure) for each in read_texts(settings.on)(connection, group)]
    solutions = [shapes.get(identity) for identity in group]
    parts = kept_apart(texts, said, settings.threshold, solutions)
    return [[group[index] for index in part] for part in parts]


def _documents(connection: Connection, ids: Sequence[int]) -> dict[int, Document]:
    rows = connection.execute(
        text(
            "SELECT id, agent, verified, status, success, started_ms FROM interaction "
            "WHERE id IN (SELECT value FROM json_each(:ids))"
        ),
        {"ids": dumps(ids)},
    )
    return {
        row.id: Document(
            row.id, row.agent, row.verified, row.status,
            None if row.success is None else bool(row.success), row.started_ms,
        )
        for row in rows
    }  # fmt: skip


def _write(
    store: Store,
    wanted: Sequence[Sequence[int]],
    affected: Ids,
    settings: Settings,
    actor: str,
    value: dict[str, object],
) -> Done:
    """Number the wanted clusters and put their members in, and of `affected` no others.

    Clusters of old stay for undo to go back to.
    """
    kind = cluster_kind(settings.on, settings.measure)
    cluster_of: dict[int, int | None] = dict.fromkeys(affected.tolist())
    with store.write() as connection:
        documents = _documents(connection, [identity for group in wanted for identity in group])
        known = _known(connection, affected)
        for group in wanted:
            best = max((documents[identity] for identity in group), key=Document.rank)
            cluster = known.get((frozenset(group), best.id, best.reason(), kind))
            if cluster is None:
                cluster = connection.execute(
                    text(
                        "INSERT INTO cluster (representative, size, kind, reason) "
                        "VALUES (:id, :size, :kind, :reason) RETURNING id"
                    ),
                    {"id": best.id, "size": len(group), "kind": kind, "reason": best.reason()},
                ).scalar_one()
            cluster_of.update(dict.fromkeys(group, cluster))
    rows = [(identity, {"cluster": cluster}) for identity, cluster in cluster_of.items()]
    return acts.set_rows(store, rows, actor=actor, kind="dedupe", value=value)


def _known(connection: Connection, ids: Ids) -> dict[tuple[frozenset[int], int, str, str], int]:
    """The clusters that some interactions are in, by members, representative, reason and kind."""
    rows = connection.execute(
        text(
            "SELECT c.id, c.representative, c.reason, c.kind, i.id AS member FROM cluster c "
            "JOIN interaction i ON i.cluster = c.id WHERE c.id IN (SELECT cluster FROM interaction "
            "WHERE id IN (SELECT value FROM json_each(:ids))) ORDER BY c.id"
        ),
        {"ids": dumps(ids.tolist())},
    ).all()
    members: dict[tuple[int, int, str, str], set[int]] = {}
    for cluster, representative, reason, kind, member in rows:
        members.setdefault((cluster, representative, reason, kind), set()).add(member)
    return {
        (frozenset(ids), representative, reason, kind): cluster
        for (cluster, representative, reason, kind), ids in members.items()
    }


def dedupe_rows(
    rows: Sequence[tuple[str, str]], *, threshold: float, measure: str = RATIO
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """`(id, text)` rows with cluster, representative and the likeness to it, null when alone; and
    the counts of all of them."""
    texts = [body for _, body in rows]
    clusters = find_clusters(texts, threshold=threshold, measure=measure)
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
                "similarity": similarity(texts[head], body, measure),
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
