"""The `--file IN.jsonl --out OUT.jsonl` forms: rows in, rows out, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from db.errors import BadInput
from exports.atomic import atomic

F = TypeVar("F", bound=Callable[..., Any])


def file_options(command: F) -> F:
    """Add `--file` and `--out` to a command, which gets both paths as `files`, or None."""

    @wraps(command)
    def with_files(*, path_in: Path | None, path_out: Path | None, **rest: Any) -> object:
        if path_in is not None and path_out is not None:
            return command(files=(path_in, path_out), **rest)
        if path_in is not None or path_out is not None:
            raise BadInput("--file and --out go together")
        return command(files=None, **rest)

    path = click.Path(path_type=Path)
    with_out = click.option("--out", "path_out", type=path, help="Where answers go.")(with_files)
    return cast(F, click.option("--file", "path_in", type=path, help="{id, text} rows.")(with_out))


def json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, object) for every line that is not blank.

    Raises BadInput with file, line and cause.
    """
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                if raw.strip():
                    yield number, _object(raw, path, number)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error


def _object(raw: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        row = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}:{number}: not UTF-8: {error.reason}") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}:{number}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise BadInput(f"{path}:{number}: an object is wanted, not {type(row).__name__}")
    return row


def read_jsonl(path: Path, keys: tuple[str, str]) -> Iterator[tuple[Any, str]]:
    """The values of two keys of every row; the second must be text."""
    for number, row in json_rows(path):
        missing = [key for key in keys if key not in row]
        if missing:
            raise BadInput(f"{path}:{number}: the key {missing[0]!r} is missing")
        if not isinstance(row[keys[1]], str):
            raise BadInput(f"{path}:{number}: {keys[1]!r} must be text")
        yield row[keys[0]], row[keys[1]]


def write_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Write rows, atomically; returns how many. Raises BadInput where it cannot be written."""
    count = 0
    with atomic(path) as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")
            count += 1
    return count
