"""What Browse looks like in each state, at both sizes. `--snapshot-update` takes new pictures."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from db import acts
from db.store import Store
from studio import jobs
from studio.app import AdapterStudio
from studio.collect.import_job import ImportJob
from studio.collect.walking import imports_folder
from tests.conftest import exchange
from tests.studio.screens.conftest import SIZES, SMALL, Add, Compare, Driven
from tests.studio.screens.hostile import HOSTILE


def after(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Press keys when all is read, and wait until all is read again."""

    async def run(pilot: Pilot[Any]) -> None:
        app = Driven(pilot)
        await app.settled()
        for key in keys:
            await app.press(key)
        for line in app.browse.query(Input):
            line.cursor_blink = False
        await app.settled()

    return run


@SIZES
def test_normal(filled: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    acts.set_columns(filled, [2, 3], actor="me", kind="accept", value=None,
                     values={"status": "accepted"})  # fmt: skip
    app = AdapterStudio(filled.location)
    assert snap_compare(app, terminal_size=size, run_before=after("space", "j", "j", "G"))


@SIZES
def test_empty(
    store: Store, monkeypatch: pytest.MonkeyPatch, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert store.path is not None
    monkeypatch.chdir(store.path.parent)  # else the picture shows the folder of the test
    assert snap_compare(AdapterStudio("studio.db"), terminal_size=size, run_before=after())


@SIZES
def test_error(filled: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    keys = ("f", *"agent", "colon", *"coder", "space", *"sucess", "colon", *"false")
    app = AdapterStudio(filled.location)
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


@SIZES
def test_hostile(store: Store, add: Add, snap_compare: Compare, size: tuple[int, int]) -> None:
    for text in HOSTILE:
        add(exchange(text[:5_000], text[:5_000], agent=text[:20], model=text[:50]))
    assert snap_compare(
        AdapterStudio(store.location), terminal_size=size, run_before=after("j", "j", "j", "j")
    )


@SIZES
def test_full_view(filled: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    app = AdapterStudio(filled.location)
    assert snap_compare(app, terminal_size=size, run_before=after("j", "j", "enter", "z"))


@SIZES
def test_import_of_a_wrong_path(
    filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snap_compare: Compare,
    size: tuple[int, int],
) -> None:  # fmt: skip
    monkeypatch.setenv("HOME", str(tmp_path))  # without logs that would be offered
    app = AdapterStudio(filled.location)
    keys = ("i", *"nowhere else", "enter")
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))


@SIZES
def test_import_that_runs(filled: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert filled.path is not None
    folder = imports_folder(filled.path)
    folder.mkdir()
    us = os.getpid()
    job = ImportJob(("logs",), 0, us, jobs.started_at(us))
    (folder / "job.json").write_text(json.dumps(asdict(job)))
    (folder / "log.txt").write_text("importing: 34% 12 of 40 files, 1,234 rows\n")
    app = AdapterStudio(filled.location)
    assert snap_compare(app, terminal_size=size, run_before=after("j"))


def test_help(filled: Store, snap_compare: Compare) -> None:
    app = AdapterStudio(filled.location)
    assert snap_compare(app, terminal_size=SMALL, run_before=after("question_mark"))
