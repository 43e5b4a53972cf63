"""Stored evaluations as the terminal reads them: which there are, their outcomes, their answers.

Plain sqlite3 over a connection of `db.reader.read_only`; nothing here loads a model or a suite.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple


class StoredEvaluation(NamedTuple):
    """One arm on one suite. `adapter` is the folder of its weights, None for a base."""

    id: int
    spec: str
    base: str
    adapter: str | None
    suite: str
    suite_sha256: str
    n: int
    created_ms: int
    seconds_per_answer: float | None


class StoredOutcome(NamedTuple):
    """The verdict of one item in one evaluation, and where its answer lies."""

    item: str
    category: str
    agent: str | None
    verdict: str
    strict: int | None
    detail: str
    generation_key: str | None


class StoredAnswer(NamedTuple):
    """What a model wrote, and what it took."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str
    seconds: float


def evaluations(connection: sqlite3.Connection) -> list[StoredEvaluation]:
    """The newest evaluation of every arm on the same items, newest first."""
    rows = connection.execute(
        "SELECT e.id, coalesce(json_extract(e.report_json, '$.arm'), a.spec), "
        "coalesce(json_extract(a.details_json, '$.base'), ''), "
        "json_extract(a.details_json, '$.adapter'), e.suite, e.suite_sha256, e.n, e.created_ms, "
        "json_extract(e.report_json, '$.seconds_per_answer') "
        "FROM evaluation e JOIN arm a ON a.id = e.arm_id WHERE e.id IN "
        "(SELECT max(id) FROM evaluation GROUP BY arm_id, suite_sha256, n) ORDER BY e.id DESC"
    )
    return [StoredEvaluation._make(row) for row in rows]


def outcomes(connection: sqlite3.Connection, evaluation: int) -> list[StoredOutcome]:
    """The outcomes of an evaluation, in the order of its suite."""
    rows = connection.execute(
        "SELECT item, category, agent, verdict, strict, detail, generation_key FROM outcome "
        "WHERE evaluation_id = ? ORDER BY rowid",
        (evaluation,),
    )
    return [StoredOutcome._make(row) for row in rows]


def struck(connection: sqlite3.Connection, evaluation: int) -> set[str]:
    """The items that are struck from the verdict of an evaluation, by what was trained on."""
    rows = connection.execute(
        "SELECT s.value FROM evaluation e, json_each(e.report_json, '$.struck.items') s "
        "WHERE e.id = ?",
        (evaluation,),
    )
    return {str(row[0]) for row in rows}


def outcome(connection: sqlite3.Connection, evaluation: int, item: str) -> StoredOutcome | None:
    """One item's outcome; None when it was not part of the evaluation."""
    row = connection.execute(
        "SELECT item, category, agent, verdict, strict, detail, generation_key FROM outcome "
        "WHERE evaluation_id = ? AND item = ?",
        (evaluation, item),
    ).fetchone()
    return None if row is None else StoredOutcome._make(row)


def answer(connection: sqlite3.Connection, key: str | None) -> StoredAnswer | None:
    """A generation by its key; None when it was not kept."""
    row = connection.execute(
        "SELECT text, prompt_tokens, completion_tokens, finish_reason, seconds FROM generation "
        "WHERE key = ?",
        (key,),
    ).fetchone()
    return None if row is None else StoredAnswer._make(row)


def forced_folders(connection: sqlite3.Connection) -> set[str]:
    """The folders of the runs that were forced through preflight."""
    return {str(row[0]) for row in connection.execute("SELECT folder FROM run WHERE forced")}


def newest_run(connection: sqlite3.Connection) -> int | None:
    """The newest run that finished, to be named where nothing was evaluated yet."""
    row = connection.execute("SELECT max(id) FROM run WHERE state = 'finished'").fetchone()
    return None if row[0] is None else int(row[0])
