"""The golden files: a small input of our own for each format, with what it becomes beside it.

A database is kept as the SQL that makes it.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"
SOURCES = sorted(path for path in FOLDER.iterdir() if ".expected." not in path.name)


def source(name: str, folder: Path) -> Path:
    """The input of a format; what has to be made is made in `folder`."""
    (path,) = (path for path in SOURCES if path.stem == name)
    if path.suffix != ".sql":
        return path
    made = folder / f"{name}.db"
    made.write_bytes(content(path))
    return made


def content(path: Path) -> bytes:
    """The bytes that an importer reads."""
    if path.suffix != ".sql":
        return path.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.db"
        with closing(sqlite3.connect(made)) as database:
            database.executescript(path.read_text())
        return made.read_bytes()
