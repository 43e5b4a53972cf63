"""What the tests share: a store in a temporary folder, interactions, and the real data."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import insert

from db.interactions import Record, insert_records
from db.models.base import table
from db.models.interactions import Source
from db.store import Store, open_store

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"

# no test fails by the clock: a busy machine may take its time over an example;
# a check that judges a submission draws the same examples each time, a developer's draws others
settings.register_profile(
    "studio",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("studio")


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> Iterator[None]:
    """Ctrl+C ends what the tests start; a background job of a script would have it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store in a file of its own."""
    opened = open_store(str(tmp_path / "studio.db"), create=True)
    yield opened
    opened.close()


@pytest.fixture
def data() -> Path:
    """The folder of real logs and evaluation sets; skips where it is missing."""
    if not DATA.is_dir():
        pytest.skip(f"the real data is not at {DATA}")
    return DATA


def exchange(task: str, answer: str, **more: Any) -> dict[str, Any]:
    """The fields of a record that asks `task` and is answered `answer`."""
    messages = [{"role": "user", "content": task}, {"role": "assistant", "content": answer}]
    return {"messages": messages, **more}


@pytest.fixture
def add(store: Store) -> Callable[..., list[int]]:
    """Put interactions into the store: `add(exchange(...), ...)` returns their ids."""
    count = 0

    def put(*rows: dict[str, Any]) -> list[int]:
        nonlocal count
        records = []
        for row in rows:
            count += 1
            records.append(Record(external_id=f"test:{count}", line=count, **row))
        with store.write() as connection:
            source = connection.execute(
                insert(table(Source))
                .values(
                    path=f"/logs/{count}.jsonl",
                    format="studio",
                    sha256=f"{count:064x}",
                    bytes=1,
                    state="complete",
                    imported=len(records),
                    rejected=0,
                    imported_ms=0,
                )
                .returning(table(Source).c.id)
            ).scalar_one()
            return insert_records(connection, records, source)

    return put
