"""`studio sandbox run --file IN.jsonl --out OUT.jsonl`, without the command line."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .errors import BadInput
from .policy import POLICY_VERSION, Case, Result, Task
from .run import run_tasks

Progress = Callable[[int, int], None]


def run_file(
    path_in: Path,
    path_out: Path,
    *,
    workers: int = 2,
    unsandboxed: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run every task of a JSONL file and write one verdict a line, in the order of the input.

    Args:
        path_in: lines `{id, code, entry_point, tests}` or `{id, code, cases: [{stdin, stdout}]}`,
            each with an optional `timeout` in seconds. All are read before any is run.
        path_out: lines `{id, verdict, cases_passed, cases, detail, seconds, tier}`. It appears
            when everything is done, or not at all.
        workers: how many items run side by side.
        unsandboxed: run without walls; every line says so.
        progress: called after each item with how many are done, and of how many.

    Returns:
        `items`, `passed`, `rate` (null without items), `by_verdict`, `tier` (null without items),
        `seconds`, `policy`.

    Raises:
        BadInput: a line is not a task, or a file cannot be read or written; names file and line.
        SandboxUnavailable: hostile code cannot be held here.
    """
    start = time.monotonic()
    if not path_out.parent.is_dir():
        raise BadInput(f"{path_out}: cannot be written: there is no folder {path_out.parent}")
    names, tasks = [], []
    for name, task in read_tasks(path_in):
        names.append(name)
        tasks.append(task)
    results: dict[int, Result] = {}
    for result in run_tasks(tasks, workers=workers, unsandboxed=unsandboxed):
        results[int(result.id)] = result
        if progress is not None:
            progress(len(results), len(tasks))
    ordered = [results[number] for number in range(len(tasks))]
    _write(path_out, [_row(name, result) for name, result in zip(names, ordered, strict=True)])
    verdicts = Counter(result.verdict for result in ordered)
    return {
        "items": len(ordered),
        "passed": verdicts["passed"],
        "rate": verdicts["passed"] / len(ordered) if ordered else None,
        "by_verdict": dict(sorted(verdicts.items())),
        "tier": ordered[0].tier if ordered else None,
        "seconds": round(time.monotonic() - start, 3),
        "policy": POLICY_VERSION,
    }


def read_tasks(path: Path) -> Iterator[tuple[Any, Task]]:
    """Each line's own `id` with its task, whose id is the number of the task from 0.

    Raises BadInput. Empty lines are skipped.
    """
    count = 0
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8: {error.reason}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield _name(row), _task(str(count), row)
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{path}:{number}: {error}") from None
        count += 1


def _name(row: Any) -> Any:
    if not isinstance(row, dict):
        raise ValueError("a task is an object, such as {id, code, entry_point, tests}")
    if not isinstance(row.get("id"), (str, int)):
        raise ValueError("`id` must be a text or a number")
    return row["id"]


def _task(number: str, row: dict[str, Any]) -> Task:
    cases = row.get("cases")
    timeout = row.get("timeout")
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float, type(None))):
        raise ValueError("`timeout` must be a number of seconds")
    if "code" not in row:
        raise ValueError("`code` is missing")
    try:
        return Task(
            id=number,
            code=_text(row, "code") or "",  # null: a model that answered without code
            entry_point=_text(row, "entry_point"),
            tests=_text(row, "tests"),
            cases=None if cases is None else tuple(map(_case, _list(cases))),
            timeout=Task.timeout if timeout is None else float(timeout),
        )
    except ValueError as error:
        raise ValueError(str(error).removeprefix(f"task {number}: ")) from None


def _text(row: dict[str, Any], key: str) -> str | None:
    value = row.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"`{key}` must be a text")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("`cases` must be a list of {stdin, stdout}")
    return value


def _case(value: Any) -> Case:
    if not isinstance(value, dict):
        raise ValueError("`cases` must be a list of {stdin, stdout}")
    stdin, stdout = _text(value, "stdin"), _text(value, "stdout")
    if stdout is None:
        raise ValueError("a case needs `stdout`, what must be printed")
    return Case(stdin or "", stdout)


def _row(name: Any, result: Result) -> dict[str, Any]:
    return {
        "id": name,
        "verdict": result.verdict,
        "cases_passed": result.cases_passed,
        "cases": result.cases,
        "detail": result.detail,
        "seconds": result.seconds,
        "tier": result.tier,
    }


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Through a temporary file beside it, so that a reader never sees half of it."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
