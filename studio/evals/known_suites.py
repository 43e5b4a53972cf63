"""Suites by name: the embedded one, or any JSONL by its path."""

from __future__ import annotations

from pathlib import Path

from db.errors import BadInput
from exports.suites import Suite, read_suite
from studio.nano import SUITE


def find_suite(name: str) -> Suite:
    """The suite of that name (`nano`) or path. Raises BadInput when it cannot be read."""
    if name == "nano":
        return read_suite(SUITE, "nano")
    check_suite(name)
    return read_suite(Path(name).resolve())


def check_suite(name: str) -> None:
    """Raise BadInput where no suite has that name and no file lies there."""
    if name != "nano" and not Path(name).is_file():
        raise BadInput(f"{name}: the suite cannot be read: no such file; or give nano")
