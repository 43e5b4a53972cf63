"""what searches for duplicates found in segments that a day adds to; what imports changed

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "imported_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("interaction_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["interaction_id"],
            ["interaction.id"],
            name="fk_imported_change_interaction_id_interaction",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_imported_change"),
    )
    op.add_column(
        "signature_block",
        sa.Column("imported_id", sa.Integer(), server_default="0", nullable=False),
    )
    op.drop_table("duplicate_search")  # the next search finds all anew, by the stored signatures
    op.create_table(
        "duplicate_segment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("act_id", sa.Integer(), nullable=False),
        sa.Column("imported_id", sa.Integer(), nullable=False),
        sa.Column("agents_json", sa.String(), nullable=False),
        sa.Column("rows", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_duplicate_segment"),
    )
    op.create_index("ix_duplicate_segment_key", "duplicate_segment", ["key"])
