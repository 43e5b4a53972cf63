"""how many secrets an interaction holds, and of which kinds; titles show none

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from db.migrations.look_through import look_through

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "interaction", sa.Column("secrets", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("interaction", sa.Column("secret_kinds", sa.String(), nullable=True))
    look_through(op.get_bind())
