"""the names of sessions that a longer one repeats from their beginning; passwords are secrets

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from db.migrations.look_through import look_through

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


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
    look_through(op.get_bind())
