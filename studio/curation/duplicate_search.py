"""The search for duplicates, carried on where the last one with the same settings ended.

What is new or was changed by an act is compared with each other and, by stored signatures, with all
the rest. The members of a cluster that lost one are compared anew: it may have held them together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from db.interactions import dumps, loads
from db.store import Store
from exports.near_duplicates import find_clusters, join_clusters
from exports.near_duplicates.layout import LOWEST_SKETCHED
from exports.stored_signatures import Signed, signed
from studio.curation.clusters import compared_text
from studio.curation.duplicate_state import (
    Change,
    Ids,
    Settings,
    change_since,
    nothing,
    remembered,
)

Progress = Callable[[str, float], None]
Texts = Callable[[Connection, Sequence[int]], list[str]]
ANEW = 4
"""When more than one in so many has changed, all are compared anew."""


def read_texts(on: str) -> Texts:
    """A reader of what is compared: a text for each of some ids, which ascend."""
    columns = "b.task, NULL" if on == "task" else "b.task, b.messages"
    statement = text(
        f"SELECT {columns} FROM interaction_body b "
        "WHERE b.id IN (SELECT value FROM json_each(:ids)) ORDER BY b.id"
    )

    def texts(connection: Connection, ids: Sequence[int]) -> list[str]:
        rows = connection.execute(statement, {"ids": dumps(list(ids))})
        return [compared_text(on, task, loads(said) if said else []) for task, said in rows]

    return texts


def search(store: Store, settings: Settings, tell: Progress) -> tuple[Change, Ids]:
    """What is near what now, and the interactions whose cluster may be another than before.

    `tell(stage, share)` is called from this thread. Raises ValueError as `find_clusters` does.
    """
    texts_of, stored = read_texts(settings.on), None
    if LOWEST_SKETCHED <= settings.threshold < 100:
        stored = signed(
            store,
            settings.on,
            texts_of,
            threshold=settings.threshold,
            measure=settings.measure,
            tell=lambda share: tell("reading", share),
        )
    with store.read() as connection:
        before = remembered(connection, settings)
        change = change_since(connection, before, settings)
        if stored is not None and len(change.found.rows) - 1 > stored.last_id:
            stored = None  # another program imported meanwhile: this time without
        again = len(change.fresh) + len(change.broken)
        if stored is None or again * ANEW > len(before.ids):
            change = change_since(connection, nothing(before.segment), settings)
        _compare(connection, change, settings, stored, texts_of, tell)
        return change, _affected(connection, change)


def _compare(
    connection: Connection,
    change: Change,
    settings: Settings,
    stored: Signed | None,
    texts_of: Texts,
    tell: Progress,
) -> None:
    """Write into what is found what comparing all that changed finds."""
    rows, again = change.found.rows, np.union1d(change.broken, change.fresh)
    texts = texts_of(connection, again.tolist())
    near = find_clusters(
        texts,
        threshold=settings.threshold,
        measure=settings.measure,
        groups=None if settings.across_agents else rows["agent"][again].tolist(),
        stored=None if stored is None else stored.of(again),
        progress=tell,
    )
    members = np.flatnonzero(near.labels >= 0)
    heads = members[np.unique(near.labels[members], return_index=True)[1]]
    rows["root"][again[members]] = again[heads[near.labels[members]]]
    rows["first"][again] = again[near.exact]
    if stored is not None and len(change.fresh) and change.settled.any():
        asked = [texts[place] for place in np.searchsorted(again, change.fresh).tolist()]
        _join(connection, change, settings, stored, asked)


def _join(
    connection: Connection,
    change: Change,
    settings: Settings,
    stored: Signed,
    asked: Sequence[str],
) -> None:
    """Compare the fresh ones, whose texts are `asked`, with what is settled."""
    rows, settled, fresh = change.found.rows, change.settled, stored.of(change.fresh)
    known = stored.until(len(change.before.rows) - 1)
    ids = np.concatenate((change.fresh, known.ids))
    groups = np.zeros(len(ids), np.int16) if settings.across_agents else rows["agent"][ids]
    groups[len(asked) :][~settled[known.ids]] = -1
    read = read_texts(settings.on)

    def texts_of(places: list[int]) -> list[str]:
        return read(connection, known.ids[places].tolist())

    was, one_with = join_clusters(
        asked, fresh, known.rows, texts_of, rows["root"][ids], groups,
        threshold=settings.threshold, measure=settings.measure,
    )  # fmt: skip
    root = np.arange(len(rows), dtype=np.int32)
    root[was] = one_with
    rows["root"] = root[rows["root"]]
    _join_equal(change, asked, fresh, known, texts_of)


def _join_equal(
    change: Change,
    asked: Sequence[str],
    fresh: NDArray[np.uint32],
    known: Signed,
    texts_of: Callable[[list[int]], list[str]],
) -> None:
    """Say of the fresh ones which settled text they equal; equal texts have equal signatures."""
    rows = change.found.rows
    roots, firsts = np.ascontiguousarray(rows["root"]), np.ascontiguousarray(rows["first"])
    heads = np.flatnonzero(_sharing(roots, change.fresh) & (firsts == rows["id"]) & change.settled)
    of_root: dict[int, list[int]] = {}
    for head in heads.tolist():
        of_root.setdefault(int(roots[head]), []).append(head)
    first = np.arange(len(rows), dtype=np.int32)
    for i, identity in enumerate(change.fresh.tolist()):
        if firsts[identity] != identity:
            continue
        for head in of_root.get(int(roots[identity]), ()):
            place = int(np.searchsorted(known.ids, head))
            if np.array_equal(known.rows[place], fresh[i]) and texts_of([place]) == [asked[i]]:
                first[identity] = head
                break
    rows["first"] = first[firsts]


def _sharing(roots: NDArray[np.int32], ids: Ids) -> NDArray[np.bool_]:
    """By id, whether it is in a cluster with one of some."""
    reached = np.zeros(len(roots), np.bool_)
    reached[roots[ids]] = True
    return reached[roots]


def _affected(connection: Connection, change: Change) -> Ids:
    """All members of clusters that hold, or held, something that changed; and that itself."""
    changed = np.concatenate((change.broken, change.fresh, change.touched))
    sharing = _sharing(np.ascontiguousarray(change.found.rows["root"]), changed)
    affected = np.union1d(np.flatnonzero(sharing), change.touched)
    if len(change.before.ids):
        return affected
    clustered = connection.execute(_CLUSTERED).scalars()  # by another search, or dropped since
    return np.union1d(affected, np.fromiter(clustered, np.int64))


_CLUSTERED = text("SELECT id FROM interaction WHERE cluster IS NOT NULL")
