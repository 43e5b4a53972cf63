"""What a search for duplicates found, kept beside the interactions; and what changed since."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from db.changes import newest_act, touched_since
from db.interactions import dumps, loads
from exports.near_duplicates import RATIO, SIGNATURE_VERSION

Ids = NDArray[np.int64]
Places = NDArray[np.int64]
PASSED = "its answer passed the tests"


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
    """The interactions that nobody dropped, by id, and what is near. Others go by their place."""

    act: int
    """The newest act that it knows of."""
    last_id: int
    """The newest interaction that it knows of, dropped ones included."""
    ids: Ids
    agents: list[str | None]
    agent_of: Places
    """Which of `agents`."""
    roots: Places
    """One member of the cluster, the same for all of them; its own place for a lone one."""
    firsts: Places
    """One of the exactly equal ones, the same for all of them."""


@dataclass(frozen=True)
class Change:
    """What happened since a search."""

    before: Found
    settled: Places
    """Those that stay in the cluster they are in."""
    broken: Places
    """Those whose cluster lost a member, which may have held it together."""
    fresh: Ids
    """New, or changed in what is compared; `fresh_agents` are theirs."""
    fresh_agents: list[str | None]
    touched: Ids
    """Whatever an act changed, or a verdict; dropped ones included."""
    act: int
    last_id: int


def nothing() -> Found:
    """What is known before the first search."""
    none = np.empty(0, np.int64)
    return Found(0, 0, none, [], none, none, none)


def change_since(connection: Connection, before: Found, settings: Settings) -> Change:
    """What is new since a search, and what acts changed of it."""
    last_id = connection.execute(text("SELECT coalesce(max(id), 0) FROM interaction")).scalar_one()
    act = newest_act(connection)
    touched = touched_since(connection, before.act) if len(before.ids) else []
    edited = set(touched_since(connection, before.act, "edit") if len(before.ids) else [])
    news = connection.execute(_NEWS, {"last": before.last_id, "ids": dumps(touched)})
    live = {identity: agent for identity, agent, status in news if status != "dropped"}
    gone = np.zeros(len(before.ids), np.bool_)
    for place in np.flatnonzero(np.isin(before.ids, touched)).tolist():
        identity, agent = int(before.ids[place]), before.agents[before.agent_of[place]]
        moved = live.get(identity) != agent and not settings.across_agents
        gone[place] = identity not in live or moved or identity in edited
        if not gone[place]:
            del live[identity]
    lost = np.zeros(len(before.ids), np.bool_)
    lost[before.roots[gone]] = True
    broken = lost[before.roots] & ~gone
    fresh = sorted(live)
    verdicts = connection.execute(_VERDICTS, {"passed": PASSED}).scalars()
    return Change(
        before,
        np.flatnonzero(~gone & ~broken),
        np.flatnonzero(broken),
        np.array(fresh, np.int64),
        [live[identity] for identity in fresh],
        np.array(touched + list(verdicts), np.int64),
        act,
        int(last_id),
    )


_NEWS = text(
    "SELECT id, agent, status FROM interaction WHERE id > :last UNION "
    "SELECT id, agent, status FROM interaction WHERE id IN (SELECT value FROM json_each(:ids))"
)
_VERDICTS = text(  # of members that should now stand for their cluster, or should no longer
    "SELECT i.id FROM interaction i JOIN cluster c ON c.id = i.cluster "
    "WHERE i.verified IS NOT NULL AND CASE WHEN i.verified = 'passed' THEN c.reason != :passed "
    "ELSE c.reason = :passed AND c.representative = i.id END"
)


def without(change: Change) -> Found:
    """Room for what is found now, filled with what is settled; the rest stands alone."""
    before, settled = change.before, change.settled
    ids = np.concatenate((before.ids[settled], before.ids[change.broken], change.fresh))
    ids.sort(kind="stable")  # fast, since it is three parts in order
    agents = list(before.agents)
    number = {agent: place for place, agent in enumerate(agents)}
    for agent in change.fresh_agents:
        if number.setdefault(agent, len(agents)) == len(agents):
            agents.append(agent)
    agent_of, roots, firsts = np.empty(len(ids), np.int64), *(np.arange(len(ids)) for _ in "ab")
    kept = np.concatenate((settled, change.broken))
    agent_of[np.searchsorted(ids, before.ids[kept])] = before.agent_of[kept]
    agent_of[np.searchsorted(ids, change.fresh)] = [number[a] for a in change.fresh_agents]
    now = np.searchsorted(ids, before.ids[settled])
    place_now = np.zeros(len(before.ids), np.int64)
    place_now[settled] = now
    roots[now] = place_now[before.roots[settled]]
    firsts[now] = place_now[before.firsts[settled]]
    return Found(change.act, change.last_id, ids, agents, agent_of, roots, firsts)


def remembered(connection: Connection, settings: Settings) -> Found:
    """What the last search with these settings found; nothing when there was none."""
    row = connection.execute(
        text("SELECT * FROM duplicate_search WHERE key = :key"), {"key": settings.key}
    ).one_or_none()
    if row is None:
        return nothing()
    arrays = np.frombuffer(row.arrays, np.int64).reshape(4, -1)
    return Found(
        row.act_id, row.last_id, arrays[0], loads(row.agents_json), arrays[1], arrays[2], arrays[3]
    )


def remember(connection: Connection, settings: Settings, found: Found, act: int) -> None:
    """Keep what a search found; it is known to hold after `act`."""
    arrays = np.stack((found.ids, found.agent_of, found.roots, found.firsts))
    connection.execute(
        text(
            "INSERT INTO duplicate_search (key, act_id, last_id, agents_json, arrays) "
            "VALUES (:key, :act, :last, :agents, :arrays) ON CONFLICT (key) DO UPDATE SET "
            "act_id = excluded.act_id, last_id = excluded.last_id, "
            "agents_json = excluded.agents_json, arrays = excluded.arrays"
        ),
        {
            "key": settings.key,
            "act": act,
            "last": found.last_id,
            "agents": dumps(found.agents),
            "arrays": arrays.tobytes(),
        },
    )
