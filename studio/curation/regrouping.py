"""What a person decides about problems: split one, merge several. Acts, undone like any other.

What has no problem yet gets one by `assign_problems` first.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Select, insert, select, text

from db import acts
from db.acts import Done
from db.bulk_change import Selection
from db.errors import BadInput, NotFound
from db.models.base import table
from db.models.curation import Problem
from db.models.interactions import BODIES, INTERACTIONS
from db.store import Store
from studio.curation.named_acts import actor


def split(store: Store, selection: Selection) -> Done:
    """Make a problem of its own of some of a problem's interactions; a person knows better.

    Raises BadInput when they are of several problems, or all of one, NotFound for an unknown id.
    """
    with store.write() as connection:
        ids = _ids(connection, selection)
        if not ids:
            return Done([], 0)
        old = _only_problem(connection, ids)
        # its own hash: the old wording's hash stays with the old problem
        new = connection.execute(
            insert(table(Problem))
            .values(
                task=select(BODIES.c.task).where(BODIES.c.id == ids[0]).scalar_subquery(),
                task_hash=text("'split:' || (SELECT max(id) + 1 FROM problem)"),
            )
            .returning(table(Problem).c.id)
        ).scalar_one()
    return acts.set_columns(
        store,
        ids,
        actor=actor(),
        kind="split",
        value={"from": old, "to": new},
        values={"problem": new},
    )


def merge(store: Store, problems: Sequence[int]) -> Done:
    """Make one problem of several: the first takes the interactions of all.

    Raises NotFound for a problem that has no interactions.
    """
    first, *others = dict.fromkeys(problems)
    if not others:
        raise BadInput("give two problems or more; the first takes the others' interactions")
    column = INTERACTIONS.c.problem
    with store.read() as connection:
        there = set(
            connection.execute(select(column).where(column.in_([first, *others])).distinct())
            .scalars()
            .all()
        )
    for problem in (first, *others):
        if problem not in there:
            raise NotFound(f"no interaction belongs to a problem {problem}; see studio problems")
    return acts.set_columns(
        store,
        select(INTERACTIONS.c.id).where(column.in_(others)),
        actor=actor(),
        kind="merge",
        value={"from": others, "to": first},
        values={"problem": first},
    )


def _ids(connection: Connection, selection: Selection) -> list[int]:
    if isinstance(selection, Select):
        return sorted(connection.execute(selection).scalars())
    return sorted(set(selection))


def _only_problem(connection: Connection, ids: Sequence[int]) -> int:
    """The one problem that these interactions are a part of."""
    found: dict[int, int | None] = {}
    for start in range(0, len(ids), 500):
        rows = connection.execute(
            select(INTERACTIONS.c.id, INTERACTIONS.c.problem).where(
                INTERACTIONS.c.id.in_(ids[start : start + 500])
            )
        )
        found.update({row.id: row.problem for row in rows})
    for identity in ids:
        if identity not in found:
            raise NotFound(f"no interaction {identity} in this store")
    problems = sorted(set(found.values()), key=lambda problem: problem or 0)
    if len(problems) != 1 or problems[0] is None:
        listed = ", ".join(map(str, problems[:5]))
        raise BadInput(f"these are of several problems ({listed}); split one at a time")
    whole = connection.execute(
        text("SELECT count(*) FROM interaction WHERE problem = :problem"), {"problem": problems[0]}
    ).scalar_one()
    if whole == len(ids):
        raise BadInput(f"these are all of problem {problems[0]}; name a part of them")
    return problems[0]
