"""Files that grow, are imported in any order and more than once, leave one and the same store."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.store import Store, open_store
from studio.collect.importing import import_paths
from tests.studio.collect.golden_files import SOURCES, content

Contents = Callable[[Store], dict[str, Any]]
GOLDEN = {path.stem: content(path) for path in SOURCES}
# Written whole and without an identity of its own: half of such a document is another one. Half of
# a database is none.
WRITTEN_WHOLE = {"mini_swe_agent", "vcr", "llm_logs"}
GROWING = sorted(GOLDEN.keys() - WRITTEN_WHOLE)
# One row is one interaction, wherever it stands. (Elsewhere a conversation spans rows; those of
# `alpaca` may be copies of one another, which count where they share a file.)
ROWS = (
    "claude_code_export",
    "gemini_cli",
    "inspect",
    "langfuse",
    "openhands",
    "sharegpt",
    "studio",
)
SETTINGS = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
StoreOf = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def store_of(tmp_path_factory: pytest.TempPathFactory) -> StoreOf:
    """What a new store holds after these pieces were imported, each from a file of its own."""
    from tests.studio.collect.conftest import _contents

    empty = tmp_path_factory.mktemp("empty") / "studio.db"
    open_store(str(empty), create=True).close()

    def imported(pieces: Sequence[bytes], *, format: str | None = None) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            store = open_store(str(shutil.copy(empty, Path(folder) / "studio.db")))
            for number, piece in enumerate(pieces):
                path = Path(folder) / f"log {number}"
                path.write_bytes(piece)
                import_paths(store, [path], format=format)
            found = _contents(store)
            store.close()
        return found

    return imported


@pytest.fixture(scope="module")
def whole(store_of: StoreOf) -> dict[str, dict[str, Any]]:
    """What each golden file becomes when it is imported once."""
    return {name: store_of([data]) for name, data in GOLDEN.items()}


@pytest.mark.parametrize("name", GROWING)
@settings(SETTINGS, max_examples=6)
@given(data=st.data())
def test_a_log_that_grew_between_imports(
    name: str, data: st.DataObject, store_of: StoreOf, whole: dict[str, dict[str, Any]]
) -> None:
    """Cut off anywhere, also in the middle of a line, and imported before, after and again."""
    log = GOLDEN[name]
    cuts = data.draw(st.lists(st.integers(1, len(log) - 1), min_size=1, max_size=3))
    pieces = data.draw(st.permutations([log, *(log[:cut] for cut in cuts)]))
    assert store_of([*pieces, pieces[0]]) == whole[name]


@settings(SETTINGS, max_examples=12)
@given(
    names=st.lists(st.sampled_from(sorted(GOLDEN)), min_size=2, max_size=6, unique=True),
    seed=st.integers(0, 10**6),
)
def test_formats_in_any_order_and_twice(
    names: list[str], seed: int, store_of: StoreOf, whole: dict[str, dict[str, Any]]
) -> None:
    order = [*names, *names]
    random.Random(seed).shuffle(order)
    expected = {identity: row for name in names for identity, row in whole[name].items()}
    assert store_of([GOLDEN[name] for name in order]) == expected


@pytest.mark.parametrize("name", ROWS)
@settings(SETTINGS, max_examples=4)
@given(data=st.data())
def test_rows_in_files_of_their_own(name: str, data: st.DataObject, store_of: StoreOf) -> None:
    text = GOLDEN[name].decode()
    try:
        value = json.loads(text)
        rows = value if isinstance(value, list) else [value]
    except ValueError:
        rows = [json.loads(line) for line in text.splitlines()]
    lines = [json.dumps(row).encode() for row in rows]
    together = store_of([b"\n".join(lines)], format=name)
    parts: dict[int, list[bytes]] = {}
    for line in lines:
        parts.setdefault(data.draw(st.integers(0, 2)), []).append(line)
    apart = data.draw(st.permutations([b"\n".join(part) for part in parts.values()]))
    assert store_of(apart, format=name) == together
