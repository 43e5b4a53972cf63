"""The dry run of preflight: two steps of the real trainer, in a child process, before a run.

The child scores the base on a few items, builds the trainer that the run would have, takes two
steps, saves the adapter and reads it back. Its report is kept beside the store's runs under the
hash of everything that it depends on, so that the preflight of `train` does not repeat that of
`preflight`.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db.store import Store
from exports.atomic import atomic
from studio import jobs
from studio.training.bases import base_digest

if TYPE_CHECKING:
    from studio.training.checks import Flight

SECONDS_MAX = 1800.0
_ENGINE = ("torch", "transformers", "trl", "peft")


@dataclass(slots=True)
class Report:
    """What the child saw; what it did not come to is None.

    `passed` of `scored` items were answered as wanted by the base. `options` are those that the
    trainer received. `logit_change` is the greatest change of a logit by the trained adapter,
    `reload_error` how far the saved adapter's logits lie from it. Memory is in bytes: what was free
    before, and what the process (on a GPU: torch) took at most. `skipped` says why it did not
    begin or was given up, `problem` what went wrong: the run would have met it too.
    """

    device: str = ""
    memory_free: int | None = None
    memory_peak: int | None = None
    passed: int | None = None
    scored: int = 0
    options: dict[str, Any] | None = None
    losses: list[float] = field(default_factory=list)
    gradients: list[float] = field(default_factory=list)
    step_seconds: float | None = None
    logit_change: float | None = None
    reload_error: float | None = None
    skipped: str | None = None
    problem: str | None = None

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        with atomic(path) as file:
            file.write(json.dumps(asdict(self)))


def runs_folder(store: Store) -> Path:
    """Where the runs of a store keep their files."""
    assert store.path is not None
    return store.path.resolve().with_suffix(".runs")


def dry_run(flight: Flight) -> Report:
    """The report for this base, dataset, recipe and suites: the one kept, else a new one."""
    folder = flight.folder / "dry-runs" / _key(flight)[:16]
    path = folder / "report.json"
    if path.is_file():
        return _read(path)
    folder.mkdir(parents=True, exist_ok=True)
    request = {
        "store": flight.location,
        "dataset": flight.dataset.id,
        "base": flight.base.name,
        "recipe": flight.recipe.model_dump() if flight.recipe else None,
        "suites": [suite.name for suite in flight.suites],
        "score": flight.evaluated is None,
    }
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    report = _run_child(folder, path, flight.recipe.threads if flight.recipe else None)
    if report.skipped or report.problem:  # what may be this hour's trouble is tried again
        path.unlink(missing_ok=True)
    return report


def _run_child(folder: Path, path: Path, threads: int | None) -> Report:
    """Run the child to its end, or kill it; its report with what became of it."""
    with (folder / "log.txt").open("wb") as output:
        try:
            code = subprocess.run(
                [sys.executable, "-m", "studio.training.dry_run_worker", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **jobs.environment(threads)},
                timeout=SECONDS_MAX,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code = None
    report = _read(path) if path.is_file() else Report()
    if code is None:
        report.skipped = f"given up after {SECONDS_MAX / 60:.0f} minutes"
    elif code != 0:
        last = next((line for line in reversed(jobs.tail(folder / "log.txt")) if line.strip()), "")
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        report.problem = f"its process {how} {last}".strip()
    return report


def _key(flight: Flight) -> str:
    parts = {
        "base": base_digest(flight.base.folder),
        "dataset": flight.dataset.sha256,
        "recipe": flight.recipe.model_dump() if flight.recipe else None,
        "suites": [suite.sha256 for suite in flight.suites],
        "score": flight.evaluated is None,
        "report": [part.name for part in fields(Report)],
        "engine": [importlib.metadata.version(name) for name in _ENGINE],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> Report:
    return Report(**json.loads(path.read_text(encoding="utf-8")))
