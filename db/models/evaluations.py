"""What was evaluated, answered, judged and decided."""

from __future__ import annotations

from sqlmodel import Field

from db.models.base import Row


class Arm(Row, table=True):
    """What is evaluated: weights, prompt condition and decoding, by their digest."""

    __tablename__ = "arm"
    id: int | None = Field(default=None, primary_key=True)
    spec: str
    digest: str = Field(unique=True)
    details_json: str


class Evaluation(Row, table=True):
    """One arm on one suite (or its first `n` items), with what it cost."""

    __tablename__ = "evaluation"
    id: int | None = Field(default=None, primary_key=True)
    arm_id: int = Field(foreign_key="arm.id", index=True)
    suite: str
    suite_sha256: str = Field(index=True)
    n: int
    created_ms: int
    report_json: str


class Generation(Row, table=True):
    """The cache of answers. The key digests weights, tokenizer, prompt ids, decoding and engine."""

    __tablename__ = "generation"
    key: str = Field(primary_key=True)
    text: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str
    seconds: float


class Outcome(Row, table=True):
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


class Decision(Row, table=True):
    """A verdict of the rules, kept with its evidence and its routes."""

    __tablename__ = "decision"
    id: int | None = Field(default=None, primary_key=True)
    created_ms: int
    verdict: str
    scenario: str
    report_json: str
