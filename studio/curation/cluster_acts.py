"""The decisions on a cluster of near-duplicates: each is one act, with one undo."""

from __future__ import annotations

from sqlalchemy import Select, select, text

from db import acts
from db.acts import Done
from db.errors import NotFound, Refused
from db.models.interactions import INTERACTIONS
from db.store import Store
from studio.curation.named_acts import actor


def accept(store: Store, number: int) -> Done:
    """Let the proposed representative stay and drop the other members, as one act.

    Raises Refused when the representative itself was dropped.
    """
    with store.read() as connection:
        row = connection.execute(
            text(
                "SELECT c.representative, i.status FROM cluster c "
                "JOIN interaction i ON i.id = c.representative WHERE c.id = :number"
            ),
            {"number": number},
        ).one_or_none()
    if row is None:
        raise NotFound(f"no cluster {number} in this store")
    if row.status == "dropped":
        raise Refused(
            f"{row.representative}, which cluster {number} proposes, was dropped; "
            "keep another member"
        )
    return keep(store, number, row.representative)


_STATUSES = text("SELECT id, status FROM interaction WHERE cluster = :number")


def keep(store: Store, number: int, kept: int) -> Done:
    """Let one member stay and drop the others, as one act; a dropped one comes back for it.

    Raises NotFound when it is no member.
    """
    with store.read() as connection:
        statuses = {row.id: row.status for row in connection.execute(_STATUSES, {"number": number})}
    if not statuses:
        raise Refused(f"cluster {number} has no members: they are distinct, or clustered anew")
    if kept not in statuses:
        raise NotFound(f"interaction {kept} is not in cluster {number}; R reads the clusters again")
    rows = [
        (identity, {"status": "dropped"})
        for identity, status in statuses.items()
        if identity != kept and status != "dropped"
    ]
    if statuses[kept] == "dropped":
        rows.append((kept, {"status": "new"}))
    value = {"cluster": number, "kept": kept}
    return acts.set_rows(store, rows, actor=actor(), kind="keep", value=value)


def keep_distinct(store: Store, number: int) -> Done:
    """Dissolve a cluster: its members are distinct, also for a later dedupe, as one act."""
    value = {"cluster": number}
    return acts.set_columns(
        store, _in(number), actor=actor(), kind="distinct", value=value, values={"cluster": None}
    )


def drop_all(store: Store, number: int) -> Done:
    """Drop every member, as one act."""
    value = {"cluster": number}
    return acts.set_columns(
        store, _in(number), actor=actor(), kind="drop", value=value, values={"status": "dropped"}
    )


def _in(number: int) -> Select[int]:
    return select(INTERACTIONS.c.id).where(INTERACTIONS.c.cluster == number)
