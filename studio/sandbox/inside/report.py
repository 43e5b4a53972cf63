"""What the tests' process leaves behind for the sandbox's owner."""

from __future__ import annotations

import json
import os
from typing import Any


class Report:
    """A file of one JSON line for every case and one for the end, written as they happen.

    Its first byte tells whose turn it is: `C` the code's, `T` the tests', `-` the tests' before
    they first called the code.
    """

    def __init__(self, handle: int) -> None:
        self._handle, self._end = handle, 2
        os.pwrite(handle, b"C\n", 0)  # it is being loaded

    def start(self) -> None:
        """The tests begin; what was asked so far was not asked by them."""
        os.pwrite(self._handle, b"-", 0)

    def turn(self, of_code: bool) -> None:
        """Note who runs from now on."""
        os.pwrite(self._handle, b"C" if of_code else b"T", 0)

    def write(self, **facts: Any) -> None:
        """Append one line."""
        line = (json.dumps(facts) + "\n").encode("ascii")
        self._end += os.pwrite(self._handle, line, self._end)
