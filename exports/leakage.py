"""The leakage wall: what the training side shares with a suite or with another split.

A training text leaks when one of its requests is a request of the other side (equal once folded,
or near-identical with the same literals), or when a run of `WORDS` words of the other side's text
stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import xxhash

from exports.requests import same_requests
from exports.suites import Suite, last_request

WORDS = 25
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Overlap:
    """Training text `index` shares something with text `other` of the other side."""

    index: int
    other: int
    kind: str  # "request" or "text"


def overlaps(training: Sequence[Sequence[str]], others: Sequence[Sequence[str]]) -> list[Overlap]:
    """The first overlap of each training text. A text is its requests (each user message)."""
    requests = [r for text in (*training, *others) for r in text]
    owners = [i for i, text in enumerate((*training, *others)) for _ in text]
    heads = same_requests(requests)
    asked: dict[int, int] = {}
    for position, head in enumerate(heads):
        if owners[position] >= len(training):
            asked.setdefault(head, owners[position] - len(training))
    found: dict[int, Overlap] = {}
    for position, head in enumerate(heads):
        owner = owners[position]
        if owner < len(training) and head in asked and requests[position].strip():
            found.setdefault(owner, Overlap(owner, asked[head], "request"))
    runs: dict[int, int] = {}
    for index, text in enumerate(others):
        for run in _runs(text):
            runs.setdefault(run, index)
    for index, text in enumerate(training):
        if index not in found:
            other = next((runs[run] for run in _runs(text) if run in runs), None)
            if other is not None:
                found[index] = Overlap(index, other, "text")
    return [found[index] for index in sorted(found)]


def requests_of(messages: Sequence[dict[str, Any]]) -> list[str]:
    """What was asked in a conversation: its user messages."""
    return [str(m["content"] or "") for m in messages if m["role"] == "user"]


def suite_requests(suite: Suite) -> list[list[str]]:
    """What each item of a suite asks."""
    return [[last_request(item.messages)] for item in suite.items]


def _runs(texts: Sequence[str]) -> list[int]:
    """Hashes of every run of `WORDS` words."""
    hashes: list[int] = []
    for text in texts:
        words = [word.lower() for word in _WORD.findall(text)]
        hashes += [
            xxhash.xxh3_64_intdigest(" ".join(words[at : at + WORDS]).encode())
            for at in range(len(words) - WORDS + 1)
        ]
    return hashes
