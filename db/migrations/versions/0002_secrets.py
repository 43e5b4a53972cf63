"""how many secrets an interaction holds, and of which kinds; 0005 looks for them

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "interaction", sa.Column("secrets", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("interaction", sa.Column("secret_kinds", sa.String(), nullable=True))
