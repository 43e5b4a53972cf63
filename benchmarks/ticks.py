"""How long our event loop lets a clock of 10 ms wait while jobs run, beside a bare one."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.big_store import WORDS
from benchmarks.pty_terminal import Terminal
from benchmarks.terminal_apps import BARE_TICKING, TICKING, studio_program
from db.interactions import Record, insert_records
from db.store import open_store

MEGABYTES = 11  # of each of the two answers


def waits_while(store: Path, folder: Path, act: Callable[[Terminal], object]) -> dict[str, float]:
    """The longest waits (ms) of our clock and of a bare one while keys are pressed."""
    ours, bare = folder / "ours.json", folder / "bare.json"
    command = (sys.executable, "-c", TICKING, str(store), str(ours))
    control = subprocess.Popen([sys.executable, "-c", BARE_TICKING, str(bare)])
    try:
        with Terminal(*command, config=str(folder)) as app:
            app.until(" of ")
            app.quiet(1.0)
            began = time.monotonic()
            act(app)
            ended = time.monotonic()
            app.quit()
    finally:
        control.terminate()
        control.wait()

    def most(path: Path, place: int) -> float:
        strikes = json.loads(path.read_text())
        meant = [one for one in strikes if began < one[0] and one[0] + one[1] < ended]
        return 1000.0 * max(float(strike[place]) for strike in meant)

    return {"ours": most(ours, 1), "of it our own CPU": most(ours, 2), "a bare loop": most(bare, 1)}


def browsing(app: Terminal) -> None:
    """Move, page, search and filter for some seconds."""
    for _ in range(3):
        for keys in ("j" * 5, "\x04" * 5, "G", "g", "t", "u", "/queue", "\x1b"):
            app.press(keys)
            app.quiet(0.2)
            time.sleep(0.5 if keys == "\x1b" else 0)  # else the next key makes an Alt of it


def comparing(app: Terminal) -> None:
    """Open Duplicates on two long answers, and go through their differences."""
    app.press("2")
    app.until("≠")
    for keys in ("\t", "n", "n", "\x04", "N", "\t", "r", "=", "u"):
        app.press(keys)
        app.quiet(0.5)


def long_pair(path: Path) -> None:
    """A store with one cluster: one task, two answers of 11 MB that differ in places."""
    draw = random.Random(1)
    lines = [" ".join(draw.choices(WORDS, k=12)) for _ in range(MEGABYTES * 13_000)]
    store = open_store(str(path), create=True)
    try:
        with store.write() as connection:
            source = connection.exec_driver_sql(
                "INSERT INTO source (path, format, sha256, bytes, state, imported, rejected, "
                "imported_ms) VALUES ('long.jsonl', 'studio', 'x', 0, 'complete', 2, 0, 0) "
                "RETURNING id"
            ).scalar_one()
            answers = ["\n".join(lines), "\n".join(_changed(lines, draw))]
            insert_records(connection, [_record(n, text) for n, text in enumerate(answers)], source)
    finally:
        store.close()
    command = [*studio_program(), "dedupe", "--on", "task", "--store", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _changed(lines: list[str], draw: random.Random) -> list[str]:
    return [f"{line} changed" if draw.random() < 0.02 else line for line in lines]


def _record(number: int, answer: str) -> Record:
    return Record(
        external_id=f"long:{number}",
        line=number + 1,
        messages=[
            {"role": "user", "content": "Write all of it down"},
            {"role": "assistant", "content": answer},
        ],
        agent="coder",
    )
