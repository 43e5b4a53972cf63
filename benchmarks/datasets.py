"""Build a dataset out of a large store: time, memory, and the same bytes for the same recipe.

The store is made by `big_store` (or given); its problems are assigned before the clock starts, as
dedupe and problems leave a store, and the time of that is shown apart.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks import big_store
from db.store import open_store
from studio.cli.frame import say, table
from studio.cli.progress import bar

SECONDS, GIGABYTES = 120.0, 2.0  # what 100,000 examples out of 1,000,000 may take


@dataclass(frozen=True, slots=True)
class Cost:
    """What a child process took. `memory` is its largest resident set in bytes."""

    wall: float
    processor: float
    memory: int


def measured(arguments: Sequence[str]) -> tuple[str, Cost]:
    """Run a command to its end; its stdout and its cost. Raises SystemExit where it fails."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen([sys.executable, *arguments], stdout=out)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(process.returncode)
        out.seek(0)
        text = out.read().decode()
    wall = time.perf_counter() - begin
    return text, Cost(wall, used.ru_utime + used.ru_stime, _bytes(used))


def _bytes(used: resource.struct_rusage) -> int:
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _assign(store: Path) -> str:
    return (
        "from db.store import open_store; from studio.curation.problems import assign_problems; "
        f"print(assign_problems(open_store({str(store)!r})))"
    )


@click.command()
@click.option("--rows", default=1_000_000, show_default=True, help="Interactions to make.")
@click.option("--budget", default=100_000, show_default=True, help="Examples to build.")
@click.option("--store", type=click.Path(path_type=Path), help="A store that is there already.")
@click.option("--seed", default=1, show_default=True)
def main(rows: int, budget: int, store: Path | None, seed: int) -> None:
    """Measure what a build takes."""
    with tempfile.TemporaryDirectory() as folder, bar("measuring") as show:
        if store is None:
            store = Path(folder) / "big.db"
            show(0, 0, "writing the store")
            big_store.write(store, rows, seed)
        open_store(str(store)).close()
        show(0, 0, "grouping by problem")
        problems, grouping = measured(["-c", _assign(store)])
        found = [("problems assigned", f"{int(problems):,}", grouping)]
        hashes = set()
        for strategy in ("deep", "diverse", "diverse"):
            show(0, 0, f"building {strategy}")
            text, cost = measured(
                ["-m", "studio", "build", f"bench-{strategy}", "--store", str(store),
                 "--strategy", strategy, "--budget", str(budget), "--json"]
            )  # fmt: skip
            built = json.loads(text)
            hashes.add((strategy, built["sha256"]))
            found.append((f"build {strategy}", f"{sum(built['examples'].values()):,}", cost))
    _print(found, same=len(hashes) == 2)


def _print(found: Sequence[tuple[str, str, Cost]], *, same: bool) -> None:
    table(
        ("", "n", "wall s", "cpu s", "GB"),
        [
            (name, n, f"{c.wall:.1f}", f"{c.processor:.1f}", f"{c.memory / 1e9:.2f}")
            for name, n, c in found
        ],
        right="n s GB",
    )
    builds = [cost for name, _, cost in found if name.startswith("build")]
    slowest, largest = max(c.wall for c in builds), max(c.memory for c in builds) / 1e9
    say(f"\nthe same recipe again: {'the same bytes' if same else 'OTHER BYTES'}")
    say(
        f"slowest {slowest:.0f} s of {SECONDS:.0f}, largest {largest:.2f} GB of {GIGABYTES:.0f}: "
        + ("within" if slowest <= SECONDS and largest <= GIGABYTES else "NOT within")
    )


if __name__ == "__main__":
    main()
