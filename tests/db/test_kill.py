"""`kill -9` at any moment loses no act that was told as done, and leaves no half of one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from db import acts, rows
from db.history import history
from db.store import Store, open_store
from tests.conftest import exchange

# Accepts and drops all rows by turns, takes some of it back, and tells each act once it is done.
ACTING = """
import sys
from db import acts
from db.store import open_store
store = open_store(sys.argv[1])
while True:
    for status in ("accepted", "dropped", "new"):
        done = acts.set_columns(
            store, range(1, 201), actor="me", kind="status", value=None, values={"status": status}
        )
        print("act", done.acts[0], status, flush=True)
    print("undo", acts.undo(store, 1, actor="me").acts[0], "dropped", flush=True)
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_kill_9_loses_no_act(add: Callable[..., list[int]], store: Store, seed: int) -> None:
    add(*(exchange(f"task {n}", "answer") for n in range(200)))
    location = store.location
    store.close()
    child = subprocess.Popen(
        [sys.executable, "-c", ACTING, location], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    told = [child.stdout.readline().split()]
    time.sleep(random.Random(seed).uniform(0.05, 0.4))
    os.kill(child.pid, signal.SIGKILL)
    told += [line.split() for line in child.stdout.read().splitlines() if line.count(" ") == 2]
    child.wait()

    store = open_store(location)
    with store.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    kept = {act["id"]: act for act in history(store, limit=100_000)}
    assert {int(act) for kind, act, _ in told if kind == "act"} <= kept.keys()
    assert all(act["ids_count"] == 200 for act in kept.values() if act["kind"] == "status")
    shown = {row["status"] for row in rows.page(store, "", limit=200)[0]}
    assert len(shown) == 1  # all rows of the last act, or none of them
    if len(kept) == len(told):  # nothing was committed after the last line that was told
        assert shown == {told[-1][2]}
    while acts.undo(store, 1, actor="me").acts:
        pass
    assert {row["status"] for row in rows.page(store, "", limit=200)[0]} == {"new"}
    store.close()
