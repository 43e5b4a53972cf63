"""A dataset once it is made: frozen under a name, a version and a hash, and read back.

Freezing the same examples of the same recipe again gives back the version that is there.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, insert, select

from db.errors import BadInput, NotFound
from db.interactions import dumps, loads
from db.models.base import table
from db.models.datasets import Dataset, Example
from db.store import Store, now_ms
from exports.conversation import Message, Tool

DATASETS, EXAMPLES = table(Dataset), table(Example)


@dataclass(slots=True)
class ExampleRow:
    """One training conversation before it is frozen."""

    split: str
    origin: str
    messages: list[Message]
    tools: list[Tool]
    interaction_id: int | None = None
    agent: str | None = None
    problem: int | None = None
    tokens: int | None = None

    def line(self) -> str:
        """The bytes that count for the dataset's hash."""
        row = [self.split, self.origin, self.interaction_id, self.messages, self.tools]
        return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Frozen:
    """A dataset as it is stored."""

    id: int
    label: str
    sha256: str
    recipe: dict[str, Any]
    report: dict[str, Any]

    @property
    def base(self) -> str | None:
        """The base that it was built for, where that is known."""
        return (self.report.get("base") or {}).get("name")


def find_dataset(store: Store, name: str) -> Frozen:
    """The dataset `name@version`, or the newest version of `name`. Raises NotFound."""
    title, _, version = name.partition("@")
    statement = select(DATASETS).where(DATASETS.c.name == title)
    if version:
        if not version.isdecimal():
            raise BadInput(f"{name!r}: a dataset is name or name@version, such as tools@2")
        statement = statement.where(DATASETS.c.version == int(version))
    with store.read() as connection:
        row = connection.execute(statement.order_by(DATASETS.c.version.desc())).first()
        if row is None:
            known = connection.execute(
                select(DATASETS.c.name, DATASETS.c.version).order_by(DATASETS.c.id.desc()).limit(5)
            ).all()
            listed = ", ".join(f"{r.name}@{r.version}" for r in known)
            raise NotFound(
                f"no dataset {name!r} in {store.location}; "
                + (f"there are {listed}" if listed else "studio build NAME makes one")
            )
    return _frozen(row)


def _frozen(row: Row[Any]) -> Frozen:
    return Frozen(
        row.id, f"{row.name}@{row.version}", row.sha256, loads(row.recipe_json),
        loads(row.report_json),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredExample:
    """One example of a frozen dataset."""

    id: int
    split: str
    origin: str
    interaction_id: int | None
    agent: str | None
    problem: int | None
    messages: list[Message]
    tools: list[Tool]


def examples_of(
    store: Store,
    dataset: int,
    *,
    split: str | None = None,
    only: Sequence[int] = (),
    limit: int | None = None,
) -> list[StoredExample]:
    """The examples of a dataset in their order; `only` are the ids of some, all where empty."""
    statement = select(EXAMPLES).where(EXAMPLES.c.dataset_id == dataset)
    if split is not None:
        statement = statement.where(EXAMPLES.c.split == split)
    if only:
        statement = statement.where(EXAMPLES.c.id.in_(only))
    with store.read() as connection:
        rows = connection.execute(statement.order_by(EXAMPLES.c.id).limit(limit)).all()
    return [
        StoredExample(
            row.id, row.split, row.origin, row.interaction_id, row.agent, row.problem,
            loads(row.messages), loads(row.tools) if row.tools else [],
        )
        for row in rows
    ]  # fmt: skip


def freeze(
    store: Store,
    name: str,
    recipe: dict[str, Any],
    rows: Sequence[ExampleRow],
    report: dict[str, Any],
) -> dict[str, Any]:
    """Keep the examples as the next version of `name`; returns the report with name and hash."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(row.line().encode() + b"\n")
    sha256 = digest.hexdigest()
    with store.write(durable=True) as connection:
        same = (DATASETS.c.name == name, DATASETS.c.sha256 == sha256)
        found = connection.execute(
            select(DATASETS.c.report_json).where(*same, DATASETS.c.recipe_json == dumps(recipe))
        ).scalar()
        if found is not None:
            return dict(loads(found))
        version = _next_version(connection, name)
        report = {"dataset": f"{name}@{version}", **report, "sha256": sha256}
        identity = connection.execute(
            insert(DATASETS)
            .values(
                name=name,
                version=version,
                created_ms=now_ms(),
                recipe_json=dumps(recipe),
                report_json=dumps(report),
                sha256=sha256,
            )
            .returning(DATASETS.c.id)
        ).scalar_one()
        connection.execute(insert(EXAMPLES), _example_rows(identity, rows))
    return report


def _next_version(connection: Connection, name: str) -> int:
    newest = select(func.max(DATASETS.c.version)).where(DATASETS.c.name == name)
    return int(connection.execute(newest).scalar() or 0) + 1


def _example_rows(dataset: int, rows: Sequence[ExampleRow]) -> list[dict[str, Any]]:
    position = Counter[str]()
    written = []
    for row in rows:
        written.append(
            {
                "dataset_id": dataset,
                "split": row.split,
                "position": position[row.split],
                "interaction_id": row.interaction_id,
                "origin": row.origin,
                "agent": row.agent,
                "problem": row.problem,
                "messages": dumps(row.messages),
                "tools": dumps(row.tools) if row.tools else None,
                "tokens": row.tokens,
            }
        )
        position[row.split] += 1
    return written


@dataclass(frozen=True, slots=True)
class Listed:
    """A dataset in a list."""

    frozen: Frozen
    created_ms: int


def list_datasets(store: Store) -> list[Listed]:
    """All datasets, the newest first."""
    with store.read() as connection:
        rows = connection.execute(select(DATASETS).order_by(DATASETS.c.id.desc())).all()
    return [Listed(_frozen(row), row.created_ms) for row in rows]


class ExampleLine(NamedTuple):
    """An example in a list. `chars` is the length of its messages as they are stored."""

    id: int
    split: str
    origin: str
    interaction_id: int | None
    agent: str | None
    tokens: int | None
    chars: int


def example_lines(store: Store, dataset: int) -> list[ExampleLine]:
    """Every example of a dataset in their order, without its messages."""
    columns = EXAMPLES.c
    statement = (
        select(
            columns.id, columns.split, columns.origin, columns.interaction_id, columns.agent,
            columns.tokens, func.length(columns.messages),
        )
        .where(columns.dataset_id == dataset)
        .order_by(columns.id)
    )  # fmt: skip
    with store.read() as connection:
        return [ExampleLine(*row) for row in connection.execute(statement)]
