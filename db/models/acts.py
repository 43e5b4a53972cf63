"""What was decided, act by act."""

from __future__ import annotations

from sqlmodel import Field

from db.models.base import Row


class Act(Row, table=True):
    """One curation decision. Append-only, held by triggers; undo and redo are acts too."""

    __tablename__ = "act"
    id: int | None = Field(default=None, primary_key=True)
    at_ms: int
    actor: str
    kind: str
    value_json: str
    ids_count: int
    before_json: str
    after_json: str
    undoes_id: int | None = Field(default=None, foreign_key="act.id", unique=True)


class ActItem(Row, table=True):
    """What one act changed on one interaction: the fields before and after. Append-only."""

    __tablename__ = "act_item"
    act_id: int = Field(foreign_key="act.id", primary_key=True)
    interaction_id: int = Field(foreign_key="interaction.id", primary_key=True, index=True)
    before_json: str
    after_json: str


class ActState(Row, table=True):
    """Where each act stands for undo and redo. Rebuildable from `act`."""

    __tablename__ = "act_state"
    act_id: int = Field(foreign_key="act.id", primary_key=True)
    head_id: int = Field(foreign_key="act.id")
    applied: bool = Field(default=True, index=True)
    redoable: bool = Field(default=False, index=True)
