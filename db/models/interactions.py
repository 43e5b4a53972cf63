"""What was collected. An interaction is a narrow row; its text lies in `interaction_body`."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlmodel import Field

from db.models.base import Row, table

STATUSES = ("new", "accepted", "dropped")


class Source(Row, table=True):
    """A file that was imported. `state` is `importing` until its last batch is committed."""

    __tablename__ = "source"
    __table_args__ = (UniqueConstraint("sha256", "format"),)
    id: int | None = Field(default=None, primary_key=True)
    path: str
    format: str
    sha256: str
    bytes: int
    state: str
    imported: int = 0
    rejected: int = 0
    imported_ms: int


class Rejection(Row, table=True):
    """A line of a source that could not be read, with the reason. Line 0 means the whole file."""

    __tablename__ = "rejection"
    __table_args__ = (UniqueConstraint("source_id", "line"),)
    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id", index=True)
    line: int
    reason: str


class Interaction(Row, table=True):
    """One collected exchange of an agent with a model, without its text.

    `external_id` is the source's own identity, prefixed by the format, or the content's hash.
    `agent_method` says who decided the agent: declared, human, model or rule. A subagent's
    interaction names its parent's `external_id`, which may be imported later than itself.
    `secrets` counts the different keys and tokens in its text; the title has none.
    """

    __tablename__ = "interaction"
    __table_args__ = (
        Index("ix_interaction_agent_status", "agent", "status"),
        Index("ix_interaction_started_ms", "started_ms"),
        Index(
            "ix_interaction_parent_external",
            "parent_external",
            sqlite_where=text("parent_external IS NOT NULL"),
        ),
        Index("ix_interaction_verified", "verified", sqlite_where=text("verified IS NOT NULL")),
    )
    id: int | None = Field(default=None, primary_key=True)
    external_id: str = Field(unique=True)
    source_id: int = Field(foreign_key="source.id", index=True)
    line: int
    parent_external: str | None = None
    parent_id: int | None = Field(default=None, foreign_key="interaction.id")
    agent: str | None = None
    agent_method: str | None = None
    agent_confidence: float | None = None
    agent_reason: str | None = None
    declared_agent: str | None = None
    provider: str | None = None
    model: str | None = None
    title: str = ""
    success: bool | None = None
    error: str | None = None
    started_ms: int | None = None
    duration_ms: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    stop_reason: str | None = None
    status: str = Field(default="new", index=True)
    tags: str = "[]"
    note: str | None = None
    cluster: int | None = Field(default=None, index=True)
    problem: int | None = Field(default=None, index=True)
    verified: str | None = None
    turns: int = 0
    tool_calls: int = 0
    task_chars: int = 0
    output_chars: int = 0
    secrets: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    secret_kinds: str | None = None
    task_hash: str
    content_hash: str = Field(index=True)


class InteractionBody(Row, table=True):
    """The text of an interaction: what was asked, said and called, and what else the log told."""

    __tablename__ = "interaction_body"
    id: int = Field(
        sa_column=Column(
            Integer, ForeignKey("interaction.id"), primary_key=True, autoincrement=False
        )
    )
    task: str
    messages: str
    tools: str | None = None
    raw: str | None = None


class ImportedChange(Row, table=True):
    """An interaction that was there, and that an import gave a longer version or its agent."""

    __tablename__ = "imported_change"
    id: int | None = Field(default=None, primary_key=True)
    interaction_id: int = Field(foreign_key="interaction.id")


class RepeatedSession(Row, table=True):
    """A session that has no row of its own: the interaction repeats all of it, and goes on.

    Resuming a session begins a new log with a copy of the old one's lines.
    """

    __tablename__ = "repeated_session"
    external_id: str = Field(primary_key=True)
    interaction_id: int = Field(foreign_key="interaction.id")


INTERACTIONS = table(Interaction)
BODIES = table(InteractionBody)
