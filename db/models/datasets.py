"""Frozen datasets and their examples."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from db.models.base import Row


class Dataset(Row, table=True):
    """A frozen, hashed snapshot of training conversations; `recipe_json` says how it was built."""

    __tablename__ = "dataset"
    __table_args__ = (UniqueConstraint("name", "version"),)
    id: int | None = Field(default=None, primary_key=True)
    name: str
    version: int
    created_ms: int
    recipe_json: str
    report_json: str
    sha256: str


class Example(Row, table=True):
    """One training conversation in one split. `interaction_id` is NULL for a replay example."""

    __tablename__ = "example"
    __table_args__ = (UniqueConstraint("dataset_id", "split", "position"),)
    id: int | None = Field(default=None, primary_key=True)
    dataset_id: int = Field(foreign_key="dataset.id", index=True)
    split: str
    position: int
    interaction_id: int | None = Field(default=None, foreign_key="interaction.id")
    origin: str
    agent: str | None = None
    problem: int | None = None
    messages: str
    tools: str | None = None
    tokens: int | None = None
