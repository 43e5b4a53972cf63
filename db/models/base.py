"""What all tables share: how their constraints are named."""

from __future__ import annotations

from typing import ClassVar, cast

from sqlalchemy import MetaData, Table
from sqlmodel import SQLModel

METADATA = MetaData(
    naming_convention={  # Alembic needs names to change constraints in batch mode
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Row(SQLModel):
    """The base of all tables."""

    metadata: ClassVar[MetaData] = METADATA


def table(model: type[SQLModel]) -> Table:
    """The table behind a model, for statements over columns."""
    return cast(Table, model.__table__)  # type: ignore[attr-defined]
