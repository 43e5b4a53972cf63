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
    Found,
    Ids,
    Settings,
    change_since,
    nothing,
    remembered,
    without,
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


def search(store: Store, settings: Settings, tell: Progress) -> tuple[Found, Ids]:
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
        before = nothing() if stored is None else remembered(connection, settings)
        change = change_since(connection, before, settings)
        if (len(change.fresh) + len(change.broken)) * ANEW > len(before.ids):
            change = change_since(connection, nothing(), settings)
        if stored is not None and change.last_id > stored.last_id:
            stored = None  # another program imported meanwhile: this time without
            change = change_since(connection, nothing(), settings)
        found = _compare(connection, change, settings, stored, texts_of, tell)
        return found, _affected(connection, change, found)


def _compare(
    connection: Connection,
    change: Change,
    settings: Settings,
    stored: Signed | None,
    texts_of: Texts,
    tell: Progress,
) -> Found:
    """What is found when all that changed is compared."""
    found = without(change)
    again = np.union1d(change.before.ids[change.broken], change.fresh)
    at = np.searchsorted(found.ids, again)
    texts = texts_of(connection, again.tolist())
    near = find_clusters(
        texts,
        threshold=settings.threshold,
        measure=settings.measure,
        groups=None if settings.across_agents else found.agent_of[at].tolist(),
        stored=None if stored is None else stored.of(again),
        progress=tell,
    )
    members = np.flatnonzero(near.labels >= 0)
    heads = members[np.unique(near.labels[members], return_index=True)[1]]
    found.roots[at[members]] = at[heads[near.labels[members]]]
    found.firsts[at] = at[near.exact]
    if stored is not None and len(change.settled) and len(change.fresh):
        asked = [texts[place] for place in np.searchsorted(again, change.fresh).tolist()]
        _join(connection, change, settings, stored, found, asked)
    return found


def _join(
    connection: Connection,
    change: Change,
    settings: Settings,
    stored: Signed,
    found: Found,
    asked: Sequence[str],
) -> None:
    """Compare the fresh ones, whose texts are `asked`, with what is settled."""
    known = stored.until(change.before.last_id)
    at = np.searchsorted(found.ids, change.fresh)
    old = change.before.ids[np.concatenate((change.settled, change.broken))]
    place = np.full(len(asked) + len(known.ids), -1, np.int64)  # in `found`; -1 is not there
    place[: len(asked)] = at
    place[len(asked) + known.places(old)] = np.searchsorted(found.ids, old)
    there = np.flatnonzero(place >= 0)
    number = np.empty(len(found.ids), np.int64)  # the other way round
    number[place[there]] = there
    roots, groups = np.arange(len(place), dtype=np.int32), np.full(len(place), -1, np.int32)
    roots[there] = number[found.roots[place[there]]]
    groups[there] = 0 if settings.across_agents else found.agent_of[place[there]]
    broken = known.places(change.before.ids[change.broken])
    groups[len(asked) + broken] = -1  # these were compared with the fresh ones already
    read = read_texts(settings.on)

    def texts_of(numbers: list[int]) -> list[str]:
        return read(connection, known.ids[numbers].tolist())

    joined = join_clusters(
        asked, stored.of(change.fresh), known.rows, texts_of, roots, groups,
        threshold=settings.threshold, measure=settings.measure,
    )  # fmt: skip
    found.roots[place[there]] = place[joined[there]]
    _join_equal(found, at, asked, place[len(asked) :], stored.of(change.fresh), known, texts_of)


def _join_equal(
    found: Found,
    at: Ids,
    asked: Sequence[str],
    place: Ids,
    rows: NDArray[np.uint32],
    known: Signed,
    texts_of: Callable[[list[int]], list[str]],
) -> None:
    """Say of the fresh ones which settled text they equal; equal texts have equal signatures."""
    reached = np.zeros(len(found.ids), np.bool_)
    reached[found.roots[at]] = True
    heads = (place >= 0) & reached[found.roots[place]] & (found.firsts[place] == place)
    of_root: dict[int, list[int]] = {}
    for number in np.flatnonzero(heads).tolist():
        of_root.setdefault(int(found.roots[place[number]]), []).append(number)
    first = np.arange(len(found.ids))
    for i in np.flatnonzero(found.firsts[at] == at).tolist():
        for number in of_root.get(int(found.roots[at[i]]), ()):
            if np.array_equal(known.rows[number], rows[i]) and texts_of([number]) == [asked[i]]:
                first[at[i]] = place[number]
                break
    found.firsts[:] = first[found.firsts]


def _affected(connection: Connection, change: Change, found: Found) -> Ids:
    """All members of clusters that hold, or held, something that changed; and that itself."""
    changed = np.concatenate((change.before.ids[change.broken], change.fresh, change.touched))
    reached = np.zeros(len(found.ids), np.bool_)
    reached[found.roots[np.isin(found.ids, changed)]] = True
    affected = np.union1d(found.ids[reached[found.roots]], change.touched)
    if len(change.before.ids):
        return affected
    clustered = connection.execute(_CLUSTERED).scalars()  # by another search, or dropped since
    return np.union1d(affected, np.fromiter(clustered, np.int64))


_CLUSTERED = text("SELECT id FROM interaction WHERE cluster IS NOT NULL")
