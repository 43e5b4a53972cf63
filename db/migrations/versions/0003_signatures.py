"""signatures of texts and what the last search for duplicates found, so that none is done again

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signature_block",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("act_id", sa.Integer(), nullable=False),
        sa.Column("ids", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signature_block"),
    )
    op.create_index("ix_signature_block_kind_version", "signature_block", ["kind", "version"])
    op.create_table(
        "duplicate_search",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("act_id", sa.Integer(), nullable=False),
        sa.Column("last_id", sa.Integer(), nullable=False),
        sa.Column("agents_json", sa.String(), nullable=False),
        sa.Column("arrays", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_duplicate_search"),
    )
    op.create_index(
        "ix_interaction_verified",
        "interaction",
        ["verified"],
        sqlite_where=sa.text("verified IS NOT NULL"),
    )
