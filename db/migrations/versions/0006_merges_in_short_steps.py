"""the full-text index is merged in short steps (db/search_index.py), not while FTS5 commits

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# what FTS5 falls back on where nobody merges: at 2,000 segments it could write no more
SETTINGS = {"automerge": 0, "crisismerge": 1000}


def upgrade() -> None:
    for name, value in SETTINGS.items():
        op.execute(
            f"INSERT INTO interaction_fts (interaction_fts, rank) VALUES ('{name}', {value})"
        )
