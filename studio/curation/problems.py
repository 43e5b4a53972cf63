"""Interactions that answer the same request, grouped into a problem."""

from __future__ import annotations

from sqlalchemy import text

from db.store import Store
from exports.requests import same_requests


def assign_problems(store: Store) -> int:
    """Give every interaction that has none its problem; returns how many problems there are."""
    with store.read() as connection:
        waiting = connection.execute(
            text("SELECT count(*) FROM interaction WHERE problem IS NULL")
        ).scalar_one()
        if not waiting:
            return int(connection.execute(text("SELECT count(*) FROM problem")).scalar_one())
        rows = connection.execute(
            text(
                "SELECT i.task_hash, min(i.problem) AS problem, b.task FROM interaction i "
                "JOIN interaction_body b ON b.id = i.id GROUP BY i.task_hash ORDER BY min(i.id)"
            )
        ).all()
    heads = same_requests([row.task for row in rows])
    with store.write() as connection:
        of_head: dict[int, int] = {}
        for index, row in enumerate(rows):
            head = heads[index]
            known = row.problem if row.problem is not None else of_head.get(head)
            if known is None:
                known = connection.execute(
                    text(
                        "INSERT INTO problem (task, task_hash) VALUES (:task, :hash) "
                        "ON CONFLICT (task_hash) DO UPDATE SET task = task RETURNING id"
                    ),
                    {"task": row.task, "hash": row.task_hash},
                ).scalar_one()
            of_head.setdefault(head, known)
            connection.execute(
                text(
                    "UPDATE interaction SET problem = :problem "
                    "WHERE task_hash = :hash AND problem IS NULL"
                ),
                {"problem": known, "hash": row.task_hash},
            )
        return int(connection.execute(text("SELECT count(*) FROM problem")).scalar_one())
