"""Children to their parents, whichever was imported first.

A child names its parent's external id, or that of a session that its parent repeats. A parent may
tell in `raw.subagents` (child's external id: type) what kind of agent each child is; the child's
own name is what follows the session's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, text

from db.changes import changed_by_import
from db.interactions import Record, loads
from studio.settings import agent_named

_CHILDREN = text(
    "SELECT i.id, i.external_id, i.parent_id, i.parent_external AS parent, "
    "json_extract(b.raw, '$.subagent_type') AS kind "
    "FROM interaction i JOIN interaction_body b ON b.id = i.id WHERE i.parent_external IN :ids"
).bindparams(bindparam("ids", expanding=True))
_PARENTS = text(
    "SELECT i.id, i.external_id, json_extract(b.raw, '$.subagents') AS subagents "
    "FROM interaction i JOIN interaction_body b ON b.id = i.id WHERE i.external_id IN :ids "
    "UNION ALL SELECT i.id, r.external_id, json_extract(b.raw, '$.subagents') "
    "FROM repeated_session r JOIN interaction i ON i.id = r.interaction_id "
    "JOIN interaction_body b ON b.id = i.id WHERE r.external_id IN :ids"
).bindparams(bindparam("ids", expanding=True))
_LINK = text("UPDATE interaction SET parent_id = :parent WHERE id = :id")
_KIND = text(
    "UPDATE interaction_body SET raw = json_set(coalesce(raw, '{}'), '$.subagent_type', :kind) "
    "WHERE id = :id"
)
_DECLARE = text(
    "UPDATE interaction SET declared_agent = :agent, agent = :agent, agent_method = 'declared', "
    "agent_confidence = 1.0 WHERE id = :id AND agent IS NULL AND agent_method IS NULL"
)


def link(connection: Connection, records: Sequence[Record]) -> None:
    """Link these records to their parents and their children, as far as both are stored."""
    named = {record.parent for record in records if record.parent}
    named |= {record.external_id for record in records}
    children = connection.execute(_CHILDREN, {"ids": list(named)}).mappings().all()
    if not children:
        return
    wanted = {child["parent"] for child in children}
    parents = connection.execute(_PARENTS, {"ids": list(wanted)}).mappings()
    by_name = {parent["external_id"]: parent for parent in parents}
    for child in children:
        parent = by_name.get(child["parent"])
        if parent is not None and parent["id"] != child["id"]:
            _link(connection, child, parent)


def declare(connection: Connection, identity: int, agent: str) -> None:
    """Set the agent that the log declares, where nobody has decided it yet."""
    if connection.execute(_DECLARE, {"id": identity, "agent": agent}).rowcount:
        changed_by_import(connection, identity)


def _link(connection: Connection, child: Any, parent: Any) -> None:
    if child["parent_id"] != parent["id"]:
        connection.execute(_LINK, {"id": child["id"], "parent": parent["id"]})
    if child["kind"] is not None or not parent["subagents"]:
        return
    kinds = {_own_name(told): kind for told, kind in loads(parent["subagents"]).items()}
    kind = kinds.get(_own_name(child["external_id"]))
    if kind is None:
        return
    connection.execute(_KIND, {"id": child["id"], "kind": kind})
    agent = agent_named(kind)
    if agent is not None:
        declare(connection, child["id"], agent)


def _own_name(external_id: str) -> str:
    """A subagent's own name, without that of the session: a copy of the session has another."""
    return external_id.rpartition("/")[2]
