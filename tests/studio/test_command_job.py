"""Commands as child processes: their answer, what they say meanwhile, and their end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from db.errors import BadInput, Refused
from db.store import Store
from exports.dataset import BuildRecipe, build
from studio.command_job import CommandJob
from tests.conftest import exchange

Add = Callable[..., list[int]]


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def test_the_answer_is_the_document_of_the_command(store: Store, add: Add) -> None:
    add(exchange("Sort a list", "sorted(it)"))
    answer = CommandJob(["list"], store.location).run()
    assert [row["task"] for row in answer["rows"]] == ["Sort a list"]


def test_an_error_is_the_line_that_the_command_says(store: Store) -> None:
    with pytest.raises(BadInput, match=r"^no dataset 'nothing'"):
        CommandJob(["render", "nothing"], store.location).run()


def test_a_refusal_is_told_from_an_error(store: Store, add: Add) -> None:
    add(exchange("Log in", "key = 'sk-proj-" + "a1B2c3D4e5" * 5 + "'"))
    build(store, BuildRecipe("leaky", split="100/0/0"))
    assert store.path is not None
    out = str(store.path.parent / "out")
    with pytest.raises(Refused, match="holds secrets"):
        CommandJob(["export", "leaky", "--format", "trl", "--out", out], store.location).run()


def test_a_cancelled_command_ends_and_leaves_no_process(store: Store, tmp_path: Path) -> None:
    pipe = tmp_path / "endless.jsonl"
    os.mkfifo(pipe)  # nobody ever writes into it
    arguments = ["classify", "--file", str(pipe), "--out", str(tmp_path / "out.jsonl")]
    job = CommandJob(arguments, store.location)
    answers: list[object] = []
    before = set(children())  # other tests may have left helpers of theirs
    thread = threading.Thread(target=lambda: answers.append(job.run()))
    thread.start()
    while not set(children()) - before:
        time.sleep(0.01)
    job.cancel()
    thread.join(timeout=120)
    assert answers == [None]
    assert set(children()) <= before


def test_what_is_cancelled_before_its_start_is_not_started(store: Store) -> None:
    job = CommandJob(["list"], store.location)
    job.cancel()
    assert job.run() is None
