"""Every error that a caller may want to catch, in one tree.

StudioError                something went wrong that the user can be told in one line
├── BadInput               what was asked or given cannot be used: usage, files, names, filters
│   └── WordError          a word of a line is wrong; knows where it stands
│       └── FilterError    a word of a filter
├── NotFound               no interaction, dataset, run, … of that name
├── StoreError             the store cannot be opened, upgraded or written
└── Refused                the answer is no: preflight blocked, secrets found, sandbox not safe

Each message says what is wrong and how to mend it.
"""

from __future__ import annotations


class StudioError(Exception):
    """Something went wrong that the user can be told in one line."""


class BadInput(StudioError):
    """What was asked or given cannot be used."""


class WordError(BadInput):
    """A word of what was typed is wrong.

    `start` and `end` are character offsets of the word in the line.
    """

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start = start
        self.end = end


class FilterError(WordError):
    """A word of a filter is wrong."""


class NotFound(StudioError):
    """Nothing of that name or number exists in the store."""


class StoreError(StudioError):
    """The store cannot be opened, upgraded or written."""


class Refused(StudioError):
    """Everything was understood and the answer is no."""
