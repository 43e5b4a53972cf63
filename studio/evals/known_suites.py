"""Suites by name: the embedded one, or any JSONL by its path."""

from __future__ import annotations

from pathlib import Path

from exports.suites import Suite, read_suite
from studio.nano import SUITE


def find_suite(name: str) -> Suite:
    """The suite of that name (`nano`) or path. Raises BadInput when it cannot be read."""
    if name == "nano":
        return read_suite(SUITE, "nano")
    path = Path(name)
    return read_suite(path.resolve() if path.exists() else path)
