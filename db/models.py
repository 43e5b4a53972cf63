"""The tables. An interaction is a narrow row; its text lies in `interaction_body`.

Times are integer milliseconds since 1970 UTC, durations integer milliseconds. Text columns whose
name says `_json` (and `messages`, `tools`, `tags`, `raw`) hold JSON. A count that the source
did not tell is NULL, never 0.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, Table, UniqueConstraint, text
from sqlmodel import Field, SQLModel

STATUSES = ("new", "accepted", "dropped")

METADATA: MetaData = SQLModel.metadata
METADATA.naming_convention = {  # Alembic needs names to change constraints in batch mode
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Source(SQLModel, table=True):
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


class Rejection(SQLModel, table=True):
    """A line of a source that could not be read, with the reason. Line 0 means the whole file."""

    __tablename__ = "rejection"
    __table_args__ = (UniqueConstraint("source_id", "line"),)
    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id", index=True)
    line: int
    reason: str


class Interaction(SQLModel, table=True):
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


class InteractionBody(SQLModel, table=True):
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


class Cluster(SQLModel, table=True):
    """Near-duplicate interactions. `basis` says on what, `reason` why the representative."""

    __tablename__ = "cluster"
    id: int | None = Field(default=None, primary_key=True)
    representative: int = Field(foreign_key="interaction.id")
    size: int
    kind: str
    reason: str


class SignatureBlock(SQLModel, table=True):
    """Signatures of many texts, in the order of `ids` (8 bytes each, little-endian).

    `kind` says what of an interaction was signed, `version` how. `act_id` was the newest act then:
    what an act edited since is signed anew. Derived: without them they are made again.
    """

    __tablename__ = "signature_block"
    __table_args__ = (Index("ix_signature_block_kind_version", "kind", "version"),)
    id: int | None = Field(default=None, primary_key=True)
    kind: str
    version: str
    act_id: int
    ids: bytes
    rows: bytes


class DuplicateSearch(SQLModel, table=True):
    """What the last search for duplicates with the settings in `key` compared and found.

    It knew the interactions up to `last_id` and the acts up to `act_id`. Derived, as above.
    """

    __tablename__ = "duplicate_search"
    key: str = Field(primary_key=True)
    act_id: int
    last_id: int
    agents_json: str
    arrays: bytes


class Problem(SQLModel, table=True):
    """The task that several interactions answer."""

    __tablename__ = "problem"
    id: int | None = Field(default=None, primary_key=True)
    task: str
    task_hash: str = Field(unique=True)


class Act(SQLModel, table=True):
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


class ActItem(SQLModel, table=True):
    """What one act changed on one interaction: the fields before and after. Append-only."""

    __tablename__ = "act_item"
    act_id: int = Field(foreign_key="act.id", primary_key=True)
    interaction_id: int = Field(foreign_key="interaction.id", primary_key=True, index=True)
    before_json: str
    after_json: str


class ActState(SQLModel, table=True):
    """Where each act stands for undo and redo. Rebuildable from `act`."""

    __tablename__ = "act_state"
    act_id: int = Field(foreign_key="act.id", primary_key=True)
    head_id: int = Field(foreign_key="act.id")
    applied: bool = Field(default=True, index=True)
    redoable: bool = Field(default=False, index=True)


class Dataset(SQLModel, table=True):
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


class Example(SQLModel, table=True):
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


class Run(SQLModel, table=True):
    """One training of one dataset with one recipe on one base.

    `pid_started` is the process's start time (seconds since 1970), so that a reused pid is not
    mistaken for it. `state` is what was last written; a running one whose process is gone is dead.
    """

    __tablename__ = "run"
    id: int | None = Field(default=None, primary_key=True)
    dataset_id: int = Field(foreign_key="dataset.id", index=True)
    recipe: str
    recipe_json: str
    base: str
    base_digest: str | None = None
    folder: str
    state: str
    forced: bool = False
    created_ms: int
    started_ms: int | None = None
    ended_ms: int | None = None
    pid: int | None = None
    pid_started: float | None = None
    heartbeat_ms: int | None = None
    step: int = 0
    total_steps: int | None = None
    step_seconds: float | None = None
    loss: float | None = None
    eval_loss: float | None = None
    tokens_per_second: float | None = None
    selected_step: int | None = None
    error: str | None = None


class Metric(SQLModel, table=True):
    """One number that a run reported at a step: loss, eval_loss, learning_rate, score, …"""

    __tablename__ = "metric"
    run_id: int = Field(foreign_key="run.id", primary_key=True)
    step: int = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: float


class Checkpoint(SQLModel, table=True):
    """An adapter saved at a step. `score` is the executed score on the validation split."""

    __tablename__ = "checkpoint"
    run_id: int = Field(foreign_key="run.id", primary_key=True)
    step: int = Field(primary_key=True)
    path: str
    digest: str
    score: float | None = None
    score_n: int | None = None


class Arm(SQLModel, table=True):
    """What is evaluated: weights, prompt condition and decoding, by their digest."""

    __tablename__ = "arm"
    id: int | None = Field(default=None, primary_key=True)
    spec: str
    digest: str = Field(unique=True)
    details_json: str


class Evaluation(SQLModel, table=True):
    """One arm on one suite (or its first `n` items), with what it cost."""

    __tablename__ = "evaluation"
    id: int | None = Field(default=None, primary_key=True)
    arm_id: int = Field(foreign_key="arm.id", index=True)
    suite: str
    suite_sha256: str = Field(index=True)
    n: int
    created_ms: int
    report_json: str


class Generation(SQLModel, table=True):
    """The cache of answers. The key digests weights, tokenizer, prompt ids, decoding and engine."""

    __tablename__ = "generation"
    key: str = Field(primary_key=True)
    text: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str
    seconds: float


class Outcome(SQLModel, table=True):
    """The verdict of one item in one evaluation."""

    __tablename__ = "outcome"
    evaluation_id: int = Field(foreign_key="evaluation.id", primary_key=True)
    item: str = Field(primary_key=True)
    category: str
    agent: str | None = None
    verdict: str
    strict: bool | None = None
    detail: str
    generation_key: str | None = Field(default=None, foreign_key="generation.key")


class Decision(SQLModel, table=True):
    """A verdict of the rules, kept with its evidence and its routes."""

    __tablename__ = "decision"
    id: int | None = Field(default=None, primary_key=True)
    created_ms: int
    verdict: str
    scenario: str
    report_json: str


def table(model: type[SQLModel]) -> Table:
    """The table behind a model, for statements over columns."""
    return cast(Table, model.__table__)  # type: ignore[attr-defined]


INTERACTIONS = table(Interaction)
BODIES = table(InteractionBody)
