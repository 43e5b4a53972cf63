"""Interactions that answer the same request, grouped into a problem."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

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
    known: dict[int, int] = {}
    for head, row in zip(heads, rows, strict=True):
        if row.problem is not None:
            known.setdefault(head, row.problem)
    new = [row for index, row in enumerate(rows) if heads[index] == index and index not in known]
    with store.write() as connection:
        if new:
            connection.execute(
                text(
                    "INSERT INTO problem (task, task_hash) VALUES (:task, :hash) "
                    "ON CONFLICT (task_hash) DO NOTHING"
                ),
                [{"task": row.task, "hash": row.task_hash} for row in new],
            )
        made = {
            row.task_hash: row.id
            for row in connection.execute(text("SELECT task_hash, id FROM problem"))
        }
        problem_of = [
            {
                "hash": row.task_hash,
                "problem": row.problem or known.get(head) or made[rows[head].task_hash],
            }
            for head, row in zip(heads, rows, strict=True)
        ]
        _assign(connection, problem_of)
        return int(connection.execute(text("SELECT count(*) FROM problem")).scalar_one())


def _assign(connection: Connection, problem_of: list[dict[str, Any]]) -> None:
    """Write them in one statement: `interaction` has no index by the task's hash."""
    connection.execute(text("CREATE TEMP TABLE problem_of (hash TEXT PRIMARY KEY, problem INT)"))
    connection.execute(text("INSERT INTO problem_of VALUES (:hash, :problem)"), problem_of)
    connection.execute(
        text(
            "UPDATE interaction SET problem = "
            "(SELECT p.problem FROM problem_of p WHERE p.hash = task_hash) WHERE problem IS NULL"
        )
    )
    connection.execute(text("DROP TABLE problem_of"))
