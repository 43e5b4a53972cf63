"""What curation found: duplicates and problems."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field

from db.models.base import Row


class Cluster(Row, table=True):
    """Near-duplicate interactions. `kind` says in what, `reason` why the representative."""

    __tablename__ = "cluster"
    id: int | None = Field(default=None, primary_key=True)
    representative: int = Field(foreign_key="interaction.id")
    size: int
    kind: str
    reason: str


class SignatureBlock(Row, table=True):
    """Signatures of many texts, in the order of `ids` (8 bytes each, little-endian).

    `kind` says what of an interaction was signed, `version` how. The stamps of the newest
    block tell how far all are current: what acts after `act_id` or imports after `imported_id`
    rewrote is signed anew. Derived: without them they are made again.
    """

    __tablename__ = "signature_block"
    __table_args__ = (Index("ix_signature_block_kind_version", "kind", "version"),)
    id: int | None = Field(default=None, primary_key=True)
    kind: str
    version: str
    act_id: int
    imported_id: int = Field(sa_column_kwargs={"server_default": "0"})
    ids: bytes
    rows: bytes


class DuplicateSegment(Row, table=True):
    """What searches for duplicates with the settings in `key` found: a row for each interaction.

    What a later segment says of an interaction replaces what earlier ones said. The newest knew the
    acts and changes by imports up to `act_id` and `imported_id`. Derived, as above.
    """

    __tablename__ = "duplicate_segment"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(index=True)
    act_id: int
    imported_id: int
    agents_json: str
    rows: bytes


class Problem(Row, table=True):
    """The task that several interactions answer."""

    __tablename__ = "problem"
    id: int | None = Field(default=None, primary_key=True)
    task: str
    task_hash: str = Field(unique=True)
