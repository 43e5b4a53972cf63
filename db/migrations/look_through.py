"""Find the secrets of what was imported before the kinds that are known now."""

from __future__ import annotations

import sqlalchemy as sa

BATCH = 500
_ROWS = sa.text(
    "SELECT b.id, b.task, b.messages, b.tools, b.raw, i.error FROM interaction_body b "
    "JOIN interaction i ON i.id = b.id WHERE b.id > :after ORDER BY b.id LIMIT :batch"
)
_TELL = sa.text(
    "UPDATE interaction SET secrets = :secrets, secret_kinds = :secret_kinds, title = :title "
    "WHERE id = :id"
)


def look_through(connection: sa.Connection) -> None:
    """Count the secrets of every interaction; only rows that hold some are written."""
    from db.interactions import secrets_of

    after = 0
    while batch := connection.execute(_ROWS, {"after": after, "batch": BATCH}).mappings().all():
        after = batch[-1]["id"]
        for row in batch:
            found = secrets_of(dict(row), row["error"])
            if found["secrets"]:
                connection.execute(_TELL, {"id": row["id"], **found})
