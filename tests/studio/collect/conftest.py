"""A new store for each test, and what is in a store, told so that two stores can be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from db.store import Store, open_store

Contents = Callable[[Store], dict[str, Any]]


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(str(tmp_path_factory.mktemp("store") / "studio.db"), create=True)
    yield opened
    opened.close()


@pytest.fixture
def contents() -> Contents:
    """Everything about each interaction by its external id, without ids and where it came from."""
    return _contents


def _contents(store: Store) -> dict[str, Any]:
    with store.read() as connection:
        rows = connection.execute(
            text(
                "SELECT i.*, b.task, b.messages, b.tools, b.raw, p.external_id AS parent "
                "FROM interaction i JOIN interaction_body b ON b.id = i.id "
                "LEFT JOIN interaction p ON p.id = i.parent_id"
            )
        ).mappings()
        found = {row["external_id"]: dict(row) for row in rows}
        words = connection.execute(text("SELECT count(*) FROM interaction_fts")).scalar_one()
        assert words == len(found), "the search index has one row for each interaction"
    for row in found.values():
        for key in ("id", "source_id", "line", "parent_id"):
            del row[key]
    return found
