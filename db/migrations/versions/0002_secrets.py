"""how many secrets an interaction holds, and of which kinds; titles show none

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BATCH = 500


def upgrade() -> None:
    op.add_column(
        "interaction", sa.Column("secrets", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("interaction", sa.Column("secret_kinds", sa.String(), nullable=True))
    _look_through(op.get_bind())


def _look_through(connection: sa.Connection) -> None:
    """Find the secrets of what was imported before; only rows that hold some are written."""
    from db.interactions import secrets_of

    rows = sa.text(
        "SELECT b.id, b.task, b.messages, b.tools, b.raw, i.error FROM interaction_body b "
        "JOIN interaction i ON i.id = b.id WHERE b.id > :after ORDER BY b.id LIMIT :batch"
    )
    tell = sa.text(
        "UPDATE interaction SET secrets = :secrets, secret_kinds = :secret_kinds, title = :title "
        "WHERE id = :id"
    )
    after = 0
    while batch := connection.execute(rows, {"after": after, "batch": BATCH}).mappings().all():
        after = batch[-1]["id"]
        for row in batch:
            found = secrets_of(dict(row), row["error"])
            if found["secrets"]:
                connection.execute(tell, {"id": row["id"], **found})
