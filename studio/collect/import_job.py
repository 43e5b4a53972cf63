"""An import in a child process: it goes on when the app is closed, and is followed when it opens.

What was started is written beside the store (`studio.imports/job.json`), with what it says
(`log.txt`) and its answer (`answer.json`). One import of a store runs at a time; the last is kept.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from db.errors import BadInput, Refused
from studio import jobs
from studio.collect.walking import imports_folder

SAID = 4096  # bytes at the end of the log in which the last line lies
EVERY = "0.3"  # seconds between two lines of progress


@dataclass(frozen=True, slots=True)
class ImportJob:
    """An import that was started: of what, and its process.

    `stopped`: the user asked it to end; `told`: its end was shown.
    """

    paths: tuple[str, ...]
    started_ms: int
    pid: int
    pid_started: float
    stopped: bool = False
    told: bool = False

    @property
    def running(self) -> bool:
        """Whether its process is still there."""
        return jobs.alive(self.pid, self.pid_started)


def start_import(store: Path, paths: Sequence[Path]) -> ImportJob:
    """Start `studio import PATHS` into the store file.

    Raises BadInput for a path that does not exist, Refused while an import still runs.
    """
    if missing := [path for path in paths if not path.exists()]:
        raise BadInput(f"{missing[0]} does not exist; nothing was imported")
    before = import_job(store)
    if before is not None and before.running:
        raise Refused("an import is still running; S stops it")
    folder = imports_folder(store)
    try:
        folder.mkdir(exist_ok=True)
        (folder / "log.txt").write_bytes(b"")
        given = tuple(map(str, paths))
        child = jobs.spawn(
            "studio",
            ["import", "--json", "--store", str(store), "--", *given],
            folder / "log.txt",
            jobs.environment(None) | {"STUDIO_PROGRESS_SECONDS": EVERY},
            answer=folder / "answer.json",
        )
        job = ImportJob(given, round(child.started * 1000), child.pid, child.started)
        _write(store, job)
    except OSError as error:
        raise BadInput(f"{folder} cannot be written: {error.strerror}") from error
    return job


def import_job(store: Path) -> ImportJob | None:
    """The import into a store that the app started last, if there was one."""
    try:
        found = json.loads((imports_folder(store) / "job.json").read_text("utf-8"))
        return ImportJob(**{**found, "paths": tuple(found["paths"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def stop_import(store: Path, job: ImportJob) -> bool:
    """Ask the import to end after what it has in hand; False when it was over already."""
    if not job.running:
        return False
    _write(store, replace(job, stopped=True))
    return jobs.ask_to_stop(job.pid, job.pid_started, signal.SIGINT)


def mark_told(store: Path, job: ImportJob) -> None:
    """Remember that the user has seen how it ended."""
    _write(store, replace(job, told=True))


def progress_of(store: Path) -> str:
    """What the import that runs has said last: its share, files and rows; empty at first."""
    return _last_line(store).removeprefix("importing: ")


def answer_of(store: Path, job: ImportJob) -> dict[str, Any]:
    """What `studio import` answered.

    Where it gave no answer: Refused if the user stopped it before it began, else BadInput with
    its own last line.
    """
    try:
        found = json.loads((imports_folder(store) / "answer.json").read_text("utf-8"))
        return dict(found)
    except (OSError, ValueError, TypeError):
        said = _last_line(store)
    if job.stopped:
        raise Refused("nothing was read")
    if said.startswith("studio: "):
        raise BadInput(said.removeprefix("studio: "))
    more = f" after {said.removeprefix('importing: ')}" if said else ""
    raise BadInput(
        f"the import was killed{more}; what it brought is here, importing again completes it"
    )


def _last_line(store: Path) -> str:
    lines = jobs.last_text(imports_folder(store) / "log.txt", SAID).splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _write(store: Path, job: ImportJob) -> None:
    path = imports_folder(store) / "job.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(job)), encoding="utf-8")
    part.replace(path)
