"""Import inside the app: a process of its own, that is asked for, followed, stopped and read."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from textual.drivers.headless_driver import HeadlessDriver

from db import rows
from db.store import Store
from studio import jobs
from studio.collect.import_job import ImportJob, import_job
from tests.studio.screens.conftest import Add, Driven, driven
from tests.studio.screens.patience import PATIENCE


def exchange(n: int) -> dict[str, object]:
    return {
        "messages": [
            {"role": "user", "content": f"Sort the list {n}"},
            {"role": "assistant", "content": f"sorted({n})"},
        ]
    }


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve exchanges, a broken line and a file of no format; the user stands beside them."""
    folder = tmp_path / "my logs"
    folder.mkdir()
    lines = [json.dumps(exchange(n)) for n in range(12)]
    (folder / "chats.jsonl").write_text("\n".join([*lines[:6], '{"messages": [', *lines[6:]]))
    (folder / "notes.txt").write_text("Nothing of an agent.")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return folder


@contextmanager
def held(store: Store) -> Iterator[None]:
    """Another program has the writer's lock: an import waits for it at its first row.

    At the end one that was made to stand still goes on.
    """
    try:
        with store.write():
            yield
    finally:
        job = import_job(Path(store.location))
        if job is not None:
            jobs.ask_to_stop(job.pid, job.pid_started, signal.SIGCONT)


async def follows(app: Driven) -> ImportJob:
    """Wait until the line about the import is there."""
    await app.until(lambda: app.browse.import_line.display)
    assert "importing: " in app.line("#import")
    assert "S stops it" in app.line("#import")
    job = import_job(Path(app.app.location))
    assert job is not None
    return job


async def follows_one_that_stands(app: Driven) -> ImportJob:
    """Follow it, and let it stand still: it would lose patience with the lock some time."""
    job = await follows(app)
    os.kill(job.pid, signal.SIGSTOP)
    return job


@pytest.mark.usefixtures("logs")
async def test_an_empty_store_is_filled_by_keys_alone(store: Store) -> None:
    async with driven(store) as app:
        assert "no interactions yet: i imports logs" in app.line("#empty")
        await app.press("i")
        await app.type("my", "tab")
        assert app.browse.prompt.input.value == "my\\ logs/"
        assert "Tab: chats.jsonl notes.txt" in app.line("#prompt-hint")
        await app.press("enter")
        await app.says("import: 12 imported, 0 were there already, 1 rejected, 1 of")
        assert app.message.endswith("… · L reads it all")
        await app.until(lambda: len(app.shown) == 12)
        await app.settled()
        assert "12 of 12" in app.line("#status")
        assert not app.browse.import_line.display
        await app.press("i")
        await app.type("my", "tab", "enter")
        await app.says("import: 0 imported, 12 were there already")
    job = import_job(Path(store.location))
    assert job is not None
    assert job.told


async def test_the_usual_folders_are_offered_where_they_are(store: Store, logs: Path) -> None:
    (logs.parent / "home" / ".codex" / "sessions").mkdir(parents=True)
    async with driven(store) as app:
        await app.press("i")
        assert app.browse.prompt.input.value == "~/.codex/sessions"
        await app.press("escape", "f")
        assert app.browse.prompt.input.value == ""


@pytest.mark.usefixtures("logs")
async def test_a_wrong_path_is_marked_in_the_prompt_and_nothing_is_started(store: Store) -> None:
    async with driven(store) as app:
        await app.press("i")
        await app.type("nowhere", "enter")
        marks, says = app.line("#prompt-hint").split("\n")
        assert marks == " " * len(" import: ") + "^" * len("nowhere")
        assert "nowhere does not exist" in says
        assert app.browse.prompt.display
        await app.press("ctrl+u", "enter")
        assert "a file or a folder is needed" in app.line("#prompt-hint")
        await app.press("escape", "S")
        await app.says("no import is running")
        await app.press("L")
        await app.says("i imports logs")
    assert import_job(Path(store.location)) is None


async def test_everything_rejected_is_read_in_the_pager(
    store: Store, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "pager.sh"
    script.write_text(f'#!/bin/sh\ncp "$1" {tmp_path}/paged\n')
    script.chmod(0o755)
    monkeypatch.setenv("PAGER", str(script))
    monkeypatch.setattr(HeadlessDriver, "can_suspend", True)
    monkeypatch.setattr(HeadlessDriver, "suspend_application_mode", lambda _: None)
    monkeypatch.setattr(HeadlessDriver, "resume_application_mode", lambda _: None)
    (logs / "bad.jsonl").write_text("{\n" * 40)
    async with driven(store) as app:
        await app.press("i")
        await app.type("my", "tab", "enter")
        await app.says("L reads it all")
        await app.press("L")
    said = (tmp_path / "paged").read_text().splitlines()
    assert said[0] == "studio import my logs"
    assert sum("rejected my logs/" in line for line in said) >= 2
    assert any("chats.jsonl:7: " in line for line in said)
    assert "  of no known format: my logs/notes.txt" in said


@pytest.mark.usefixtures("logs")
async def test_it_goes_on_when_the_app_is_closed_and_is_followed_when_it_opens(
    store: Store,
) -> None:
    with held(store):
        async with driven(store) as app:
            await app.press("i")
            await app.type("my", "tab", "enter")
            job = await follows_one_that_stands(app)
            await app.press("i")
            await app.type("my", "tab", "enter")
            await app.says("error: an import is still running; S stops it")
        assert job.running
        again = driven(store)
        app = await again.__aenter__()
        await follows(app)
    await app.says("import: 12 imported")
    await app.until(lambda: len(app.shown) == 12)
    await again.__aexit__(None, None, None)
    assert rows.page(store)[1] == 12
    async with driven(store) as app:
        assert "import" not in app.message, "it was told once"


@pytest.mark.usefixtures("logs")
async def test_what_ended_meanwhile_is_told_when_the_app_opens(store: Store) -> None:
    with held(store):
        async with driven(store) as app:
            await app.press("i")
            await app.type("my", "tab", "enter")
            job = await follows_one_that_stands(app)
            process = psutil.Process(job.pid)
    psutil.wait_procs([process], timeout=PATIENCE)
    assert not job.running
    async with driven(store) as app:
        await app.says("import: 12 imported")


@pytest.mark.usefixtures("logs")
async def test_a_key_stops_it_and_it_can_be_gone_on_with(store: Store) -> None:
    async with driven(store) as app:
        with held(store):
            await app.press("i")
            await app.type("my", "tab", "enter")
            await follows_one_that_stands(app)
            await app.press("S")
            assert "stopping" in app.line("#import")
        await app.says("import stopped, i goes on with it: ")
        await app.press("i")
        await app.type("my", "tab", "enter")
        await app.says("import: 12 imported")


@pytest.mark.usefixtures("logs")
async def test_one_that_was_killed_says_so(store: Store) -> None:
    async with driven(store) as app:
        with held(store):
            await app.press("i")
            await app.type("my", "tab", "enter")
            job = await follows(app)
            os.kill(job.pid, signal.SIGKILL)
            await app.says("import: the import was killed")
        assert "importing again completes it" in app.message
        assert app.browse.query_one("#message").has_class("-wrong")


@pytest.mark.usefixtures("logs")
async def test_rows_that_arrive_do_not_move_the_cursor(store: Store, add: Add) -> None:
    add(*(exchange(100 + n) for n in range(3)))
    async with driven(store) as app:
        await app.press("j", "space")
        before = (app.browse.rows.current, app.browse.rows.selected_marks())
        await app.press("i")
        await app.type("my", "tab", "enter")
        await app.until(lambda: len(app.shown) == 15)
        assert (app.browse.rows.current, app.browse.rows.selected_marks()) == before
