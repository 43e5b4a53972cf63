"""Which files lie under the paths that were named, in an order that is always the same."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from db.errors import BadInput
from studio.collect.log import Rejected, printable

SKIPPED_FOLDERS = frozenset({".git"})


def imports_folder(store: Path) -> Path:
    """Where an import that the app started keeps what it says."""
    return store.resolve().with_suffix(".imports")


def walk(paths: Sequence[Path], store: Path | None) -> Iterator[tuple[Path, int] | Rejected]:
    """Every regular file with its size in bytes, and what cannot be entered, with the reason.

    A folder is walked once, however many links lead to it. Links to files are followed; pipes,
    sockets and devices are never opened; `.git` and the store's own files are left out.
    Raises BadInput, before anything is read, when a path does not exist.
    """
    for path in paths:
        _must_exist(path)
    walked: dict[tuple[int, int], Path] = {}
    waiting = list(reversed(paths))
    while waiting:
        path = waiting.pop()
        try:
            status = path.stat()
            if stat.S_ISREG(status.st_mode):
                if not _is_store(path, store):
                    yield path, status.st_size
            elif not stat.S_ISDIR(status.st_mode):
                yield Rejected(printable(path), 0, "not a file (a pipe, socket or device)")
            elif store is not None and path.resolve() == imports_folder(store):
                continue
            elif (first := walked.get((status.st_dev, status.st_ino))) is not None:
                reason = f"this folder was already read as {printable(first)}"
                yield Rejected(printable(path), 0, reason)
            else:
                walked[status.st_dev, status.st_ino] = path
                inside = sorted(path.iterdir(), reverse=True)
                waiting.extend(child for child in inside if child.name not in SKIPPED_FOLDERS)
        except OSError as error:
            yield Rejected(printable(path), 0, why(error))


def why(error: OSError) -> str:
    """Why the system refused, without the path, which is told beside it."""
    return f"cannot be read: {error.strerror or error}"


def _must_exist(path: Path) -> None:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise BadInput(f"{printable(path)} does not exist") from error
    except OSError:
        return  # it is there; the walk tells why it cannot be read


def _is_store(path: Path, store: Path | None) -> bool:
    """The store, the files that SQLite keeps beside it, and backups of it."""
    if store is None or not path.name.startswith(store.name):
        return False
    rest = path.name.removeprefix(store.name)
    if rest not in ("", "-wal", "-shm", "-journal") and not rest.startswith(".backup-"):
        return False
    return path.parent.resolve() == store.parent.resolve()
