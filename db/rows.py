"""Interactions as other programs see them: pages of rows, one in full, counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from db import filters
from db.errors import NotFound
from db.history import acts_on
from db.interactions import loads
from db.models.base import table
from db.models.interactions import BODIES, INTERACTIONS, Source
from db.secrets import masked
from db.store import Store

_ROW = (
    INTERACTIONS.c.id,
    INTERACTIONS.c.agent,
    INTERACTIONS.c.agent_method,
    INTERACTIONS.c.agent_confidence,
    INTERACTIONS.c.agent_reason,
    INTERACTIONS.c.provider,
    INTERACTIONS.c.model,
    BODIES.c.task,
    INTERACTIONS.c.success,
    INTERACTIONS.c.error,
    INTERACTIONS.c.status,
    INTERACTIONS.c.tags,
    INTERACTIONS.c.note,
    INTERACTIONS.c.duration_ms,
    INTERACTIONS.c.started_ms,
    INTERACTIONS.c.prompt_tokens,
    INTERACTIONS.c.completion_tokens,
    INTERACTIONS.c.stop_reason,
    INTERACTIONS.c.turns,
    INTERACTIONS.c.tool_calls,
    INTERACTIONS.c.cluster,
    INTERACTIONS.c.problem,
    INTERACTIONS.c.verified,
    INTERACTIONS.c.parent_id,
    INTERACTIONS.c.secrets,
    INTERACTIONS.c.secret_kinds,
)
_TEXTS = ("task", "error", "note")


def iso(milliseconds: int | None) -> str | None:
    """Milliseconds since 1970 as ISO 8601 in UTC, `2025-10-01T08:12:03.512Z`."""
    if milliseconds is None:
        return None
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"


def count(connection: Connection, filter_text: str = "") -> int:
    """How many interactions a filter holds for."""
    statement = select(func.count()).select_from(INTERACTIONS).where(filters.where(filter_text))
    return int(connection.execute(statement).scalar_one())


def page(
    store: Store, filter_text: str = "", *, sort: str = "id", limit: int | None = None
) -> tuple[list[dict[str, Any]], int]:
    """The first `limit` rows that a filter holds for, and how many there are in all."""
    with store.read() as connection:
        ids = connection.execute(
            filters.ordered(filters.ids(filter_text), sort).limit(limit)
        ).scalars()
        return by_id(connection, list(ids)), count(connection, filter_text)


def by_id(
    connection: Connection, ids: Sequence[int], *, reveal: bool = False
) -> list[dict[str, Any]]:
    """Rows in the order of their ids, secrets masked; ids that are not there are left out."""
    found: dict[int, dict[str, Any]] = {}
    statement = select(*_ROW).join_from(INTERACTIONS, BODIES, INTERACTIONS.c.id == BODIES.c.id)
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        for row in connection.execute(statement.where(INTERACTIONS.c.id.in_(part))).mappings():
            values = dict(row)
            values["started_at"] = iso(values.pop("started_ms"))
            values["tags"] = loads(values["tags"])
            if values["secrets"] and not reveal:
                values |= masked({name: values[name] for name in _TEXTS})
            found[values["id"]] = values
    return [found[identity] for identity in ids if identity in found]


def show(store: Store, identity: int, *, reveal: bool = False) -> dict[str, Any]:
    """One interaction in full: its row, messages, tools, where it came from, and its acts.

    Secrets are masked, also those that an act has removed, unless they are to be revealed.
    """
    source = table(Source)
    with store.read() as connection:
        rows = by_id(connection, [identity], reveal=True)
        if not rows:
            raise NotFound(f"no interaction {identity} in {store.location}")
        body = connection.execute(
            select(BODIES.c.messages, BODIES.c.tools, BODIES.c.raw).where(BODIES.c.id == identity)
        ).one()
        origin = connection.execute(
            select(source.c.path, INTERACTIONS.c.line, source.c.format, INTERACTIONS.c.external_id)
            .join_from(INTERACTIONS, source, INTERACTIONS.c.source_id == source.c.id)
            .where(INTERACTIONS.c.id == identity)
        ).one()
        found = {
            **rows[0],
            "messages": loads(body.messages),
            "tools": loads(body.tools) if body.tools else [],
            "raw": loads(body.raw) if body.raw else {},
            "source": dict(origin._mapping),
            "acts": [dated(act) for act in acts_on(connection, identity)],
        }
    shown: dict[str, Any] = found if reveal else masked(found)
    return shown


def dated(act: dict[str, Any]) -> dict[str, Any]:
    """An act of `db.acts` as the commands show it: `at` in ISO 8601 instead of `at_ms`."""
    return {"at": iso(act["at_ms"]), **{key: act[key] for key in act if key != "at_ms"}}
