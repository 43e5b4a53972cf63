"""What searches for duplicates found, kept beside the interactions; and what happened since.

A search keeps what differs from the one before, so that a day's costs what a day changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from db.changes import Stamp, now, rewritten_since, touched_since
from db.interactions import dumps, loads
from exports.near_duplicates import RATIO, SIGNATURE_VERSION
from studio.curation.distinct import solved

Ids = NDArray[np.int64]
Rows = NDArray[np.void]
SEGMENTS = 64
"""With more than these all are written anew, as one."""
ROW = np.dtype(
    [
        ("id", "<i4"),
        ("agent", "<i2"),  # which of `Found.agents`, -1 for one that was dropped
        ("root", "<i4"),  # one member of its cluster, the same for all of them; itself when alone
        ("first", "<i4"),  # one of those that equal it exactly, the same for all of them
        ("part", "<i4"),  # as root, after those that are to stay apart were parted
        ("passed", "?"),  # whether its answer had passed its tests
    ]
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What is compared of interactions, how, and with whose."""

    threshold: float = 90.0
    on: str = "both"
    measure: str = RATIO
    across_agents: bool = False

    @property
    def key(self) -> str:
        """Names what a search with these settings found."""
        across = "across" if self.across_agents else "within"
        return f"{self.on} {self.measure} {self.threshold!r} {across} {SIGNATURE_VERSION}"


@dataclass(frozen=True)
class Found:
    """What a search knows of each interaction."""

    stamp: Stamp
    """The newest act, and the newest change by an import, that it knows of."""
    agents: list[str | None]
    rows: Rows
    """A `ROW` for each id, from 0 to the newest interaction that it knows of."""
    segment: int
    """The newest segment that was stored when it was read, 0 for none."""

    @property
    def ids(self) -> Ids:
        """The interactions that were compared: nobody has dropped them. Ascending."""
        return np.flatnonzero(self.rows["agent"] >= 0)


@dataclass(frozen=True)
class Change:
    """What happened since a search."""

    before: Found
    found: Found
    """What holds still: the rows of all, those that are to be compared standing alone."""
    fresh: Ids
    """New, or changed in what is compared."""
    broken: Ids
    """Those whose cluster lost a member, which may have held it together."""
    touched: Ids
    """Whatever an act, an import or a verdict changed; dropped ones included."""

    @property
    def settled(self) -> NDArray[np.bool_]:
        """By id, those that stay in the cluster they are in."""
        kept = self.found.rows["agent"] >= 0
        kept[self.fresh] = kept[self.broken] = False
        return np.asarray(kept, np.bool_)


def nothing(segment: int = 0) -> Found:
    """What is known before the first search."""
    return Found(Stamp(), [], _alone(0, 1), segment)


def _alone(start: int, stop: int) -> Rows:
    """The rows of the interactions from one id to before another, of which nothing is known."""
    rows = np.zeros(stop - start, ROW)
    for name in ("id", "root", "first", "part"):
        rows[name] = np.arange(start, stop)
    rows["agent"] = -1
    return rows


def change_since(connection: Connection, before: Found, settings: Settings) -> Change:
    """What is new since a search, and what acts, imports and verdicts changed of it."""
    known = len(before.rows)
    touched = touched_since(connection, before.stamp) if known > 1 else []
    rewritten = set(rewritten_since(connection, before.stamp)) if known > 1 else set()
    last = connection.execute(text("SELECT coalesce(max(id), 0) FROM interaction")).scalar_one()
    rows = np.concatenate((before.rows, _alone(known, last + 1)))
    news = connection.execute(_NEWS, {"last": known - 1, "ids": dumps(touched)})
    live = {identity: agent for identity, agent, status in news if status != "dropped"}
    agents = list(before.agents)
    agents += sorted(set(live.values()) - set(agents), key=str)
    number = {agent: place for place, agent in enumerate(agents)}
    gone = np.zeros(last + 1, np.bool_)
    for identity in touched:
        if identity >= known or (was := rows[identity]["agent"]) < 0:
            continue
        moved = not settings.across_agents and live.get(identity) != agents[was]
        gone[identity] = identity not in live or moved or identity in rewritten
        if not gone[identity]:
            rows[identity]["agent"] = number[live.pop(identity)]
    lost = np.zeros(last + 1, np.bool_)
    lost[rows["root"][gone]] = True
    broken = np.flatnonzero(lost[rows["root"]] & ~gone)
    fresh = np.array(sorted(live), np.int64)
    for ids in (np.flatnonzero(gone), broken):
        rows["root"][ids] = rows["first"][ids] = rows["part"][ids] = ids
    rows["agent"][gone] = -1
    rows["agent"][fresh] = [number[live[identity]] for identity in fresh.tolist()]
    passed = np.zeros(last + 1, np.bool_)
    passed[list(solved(connection))] = True
    judged = np.flatnonzero(rows["passed"] != passed)
    rows["passed"] = passed
    return Change(
        before,
        Found(now(connection), agents, rows, before.segment),
        fresh,
        broken,
        np.union1d(np.array(touched, np.int64), judged),
    )


_NEWS = text(
    "SELECT id, agent, status FROM interaction WHERE id > :last UNION "
    "SELECT id, agent, status FROM interaction WHERE id IN (SELECT value FROM json_each(:ids))"
)


def remembered(connection: Connection, settings: Settings) -> Found:
    """What the last search with these settings found; nothing when there was none."""
    segments = connection.execute(_SEGMENTS, {"key": settings.key}).all()
    if not segments:
        return nothing()
    parts = [np.frombuffer(segment.rows, ROW) for segment in segments]
    end = 1 + max(int(part["id"].max(initial=0)) for part in parts)
    rows = np.concatenate((parts[0], _alone(len(parts[0]), end)))  # the first one holds all ids
    for part in parts[1:]:
        rows[part["id"]] = part
    newest = segments[-1]
    stamp = Stamp(newest.act_id, newest.imported_id)
    return Found(stamp, loads(newest.agents_json), rows, newest.id)


_SEGMENTS = text("SELECT * FROM duplicate_segment WHERE key = :key ORDER BY id")


def remember(
    connection: Connection, settings: Settings, before: Found, found: Found, act: int
) -> None:
    """Keep what a search found beyond `before`; it is known to hold after `act`.

    Nothing is kept when another search did so meanwhile: the next one goes on from there.
    """
    named = {"key": settings.key}
    count, newest = connection.execute(_COUNT, named).one()
    if newest != before.segment:
        return
    rows, known = found.rows, len(before.rows)
    if known == 1 or count >= SEGMENTS:
        connection.execute(text("DELETE FROM duplicate_segment WHERE key = :key"), named)
    else:
        differs = np.ones(len(rows), np.bool_)
        differs[:known] = before.rows != rows[:known]
        differs[-1] = True  # so that it tells how far it knew
        rows = rows[differs]
    connection.execute(
        _APPEND,
        {
            **named,
            "act": act,
            "imported": found.stamp.imported,
            "agents": dumps(found.agents),
            "rows": rows.tobytes(),
        },
    )


_COUNT = text("SELECT count(*), coalesce(max(id), 0) FROM duplicate_segment WHERE key = :key")
_APPEND = text(
    "INSERT INTO duplicate_segment (key, act_id, imported_id, agents_json, rows) "
    "VALUES (:key, :act, :imported, :agents, :rows)"
)
