"""the names of sessions that a longer one repeats from their beginning; passwords are secrets

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BATCH = 500
_ROWS = sa.text(
    "SELECT b.id, b.task, b.messages, b.tools, b.raw, i.error FROM interaction_body b "
    "JOIN interaction i ON i.id = b.id WHERE b.id > :after ORDER BY b.id LIMIT :batch"
)
_TELL = sa.text(
    "UPDATE interaction SET secrets = :secrets, secret_kinds = :secret_kinds, title = :title "
    "WHERE id = :id"
)


def upgrade() -> None:
    op.create_table(
        "repeated_session",
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("interaction_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["interaction_id"],
            ["interaction.id"],
            name="fk_repeated_session_interaction_id_interaction",
        ),
        sa.PrimaryKeyConstraint("external_id", name="pk_repeated_session"),
    )
    _look_through(op.get_bind())


def _look_through(connection: sa.Connection) -> None:
    """Count the secrets of every interaction; only rows that hold some are written."""
    from db.interactions import secrets_of

    after = 0
    while batch := connection.execute(_ROWS, {"after": after, "batch": BATCH}).mappings().all():
        after = batch[-1]["id"]
        for row in batch:
            found = secrets_of(dict(row), row["error"])
            if found["secrets"]:
                connection.execute(_TELL, {"id": row["id"], **found})
