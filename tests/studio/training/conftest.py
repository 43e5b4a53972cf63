"""A store with the sample's tool conversations, accepted and built into a small dataset."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db import filters
from db.store import Store, open_store
from exports.dataset import BuildRecipe
from studio.collect.importing import import_paths
from studio.curation import named_acts
from studio.curation.building import build_dataset
from studio.nano import SAMPLE


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Datasets `tools` (with general examples) and `old` (in the old template)."""
    path = tmp_path_factory.mktemp("runs") / "studio.db"
    store = open_store(str(path), create=True)
    import_paths(store, [SAMPLE])
    named_acts.set_status(store, filters.ids("success:true"), "accept")
    where, budget = "tools:>0 status:accepted", 48
    tools = BuildRecipe("tools", where=where, budget=budget, replay=0.4, avoid=("nano",))
    build_dataset(store, tools, base="nano")
    old = BuildRecipe("old", where=where, budget=budget, template="legacy")
    build_dataset(store, old, base="nano")
    yield store
    store.close()


def write_recipe(folder: Path, **values: object) -> str:
    """A recipe of some steps on the embedded base; returns its path."""
    given: dict[str, object] = {
        "base": "nano",
        "learning_rate": 2e-3,
        "steps": 12,
        "batch_size": 4,
        "evaluate_every": 4,
        "score_items": 2,
        "threads": 1,
        **values,
    }
    path = folder / "quick.yaml"
    path.write_text("".join(f"{key}: {value}\n" for key, value in given.items()))
    return str(path)
