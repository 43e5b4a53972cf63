"""The leakage wall: what the training side shares with a suite or with another split.

A training text leaks when one of its requests is a request of the other side (`exact` once folded,
or `near` with the same literals), or when a run of 25 words of the other side's requests
stands anywhere in it (`contained`). A run that many of the other side's texts have in common is a
preamble and tells nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from db.interactions import normalised
from exports.requests import same_requests
from exports.suites import Suite, last_request
from exports.word_runs import RunIndex

CHOICES = ("drop", "strike")
KINDS = ("exact", "near", "contained")


@dataclass(frozen=True, slots=True)
class Overlap:
    """Training text `index` shares something with text `other` of the other side."""

    index: int
    other: int
    kind: str  # of KINDS


def overlaps(training: Sequence[Sequence[str]], others: Sequence[Sequence[str]]) -> list[Overlap]:
    """The first overlap of each training text that has any. A text is its requests."""
    return shared(training, others)[0]


def shared(
    training: Sequence[Sequence[str]],
    others: Sequence[Sequence[str]],
    whole: Sequence[Sequence[str]] | None = None,
) -> tuple[list[Overlap], set[int]]:
    """The first overlap of each training text that has any, and every other that has any.

    A text is its requests (each user message); `whole` is all that the training texts say, where
    more of them than their requests is searched for runs.
    """
    found, touched = _same(training, others)
    index = RunIndex(others)
    for number, text in enumerate(training if whole is None else whole):
        if owners := index.found_in(text):
            found.setdefault(number, Overlap(number, owners[0], "contained"))
            touched.update(owners)
    return [found[number] for number in sorted(found)], touched


def _same(
    training: Sequence[Sequence[str]], others: Sequence[Sequence[str]]
) -> tuple[dict[int, Overlap], set[int]]:
    """What has a request in common: an exact one before a near one, the first of the others."""
    requests = [request for text in (*training, *others) for request in text]
    owners = [number for number, text in enumerate((*training, *others)) for _ in text]
    heads = same_requests(requests)
    folded = [normalised(request) for request in requests]
    size = len(training)
    near: dict[int, int] = {}
    exact: dict[str, int] = {}
    for head, owner, request in zip(heads, owners, folded, strict=True):
        if owner >= size and request:
            near.setdefault(head, owner - size)
            exact.setdefault(request, owner - size)
    found: dict[int, Overlap] = {}
    asked: set[int] = set()
    for head, owner, request in zip(heads, owners, folded, strict=True):
        if owner < size and request and head in near:
            asked.add(head)
            if request in exact:
                if owner not in found or found[owner].kind == "near":
                    found[owner] = Overlap(owner, exact[request], "exact")
            else:
                found.setdefault(owner, Overlap(owner, near[head], "near"))
    touched = {
        owner - size
        for head, owner in zip(heads, owners, strict=True)
        if owner >= size and head in asked
    }
    return found, touched


def requests_of(messages: Sequence[dict[str, Any]]) -> list[str]:
    """What was asked in a conversation: its user messages."""
    return [str(m["content"] or "") for m in messages if m["role"] == "user"]


def texts_of(messages: Sequence[dict[str, Any]]) -> list[str]:
    """Everything that was said in a conversation, by whomever."""
    return [str(m["content"]) for m in messages if m.get("content")]


def suite_requests(suite: Suite) -> list[list[str]]:
    """What each item of a suite asks."""
    return [[last_request(item.messages)] for item in suite.items]


@dataclass(slots=True)
class Wall:
    """The suites that a dataset is kept apart from, and a person's choice for what overlaps.

    `drop`: it leaves the training side. `strike`: it stays, and the suite's items are struck from
    the verdict on what is trained on it.
    """

    suites: Sequence[Suite]
    choice: str = "drop"
    found: Counter[tuple[str, str]] = field(default_factory=Counter)  # (suite, kind): conversations
    items: dict[str, set[str]] = field(default_factory=dict)  # by suite, those that overlap

    def leaking(self, conversations: Sequence[Sequence[dict[str, Any]]]) -> set[int]:
        """Which conversations share something with a suite; each is counted."""
        leaking: set[int] = set()
        asked = [requests_of(messages) for messages in conversations]
        said = [texts_of(messages) for messages in conversations]
        for suite in self.suites:
            found, touched = shared(asked, suite_requests(suite), said)
            leaking |= {overlap.index for overlap in found}
            self.found.update((suite.name, overlap.kind) for overlap in found)
            items = self.items.setdefault(suite.name, set())
            items |= {suite.items[number].id for number in touched}
        return leaking

    def report(self) -> dict[str, Any]:
        """What was found and what became of it, as a dataset's report keeps it.

        `struck` are the ids of the items that do not count for a model of this dataset.
        """
        return {
            "choice": self.choice,
            "suites": [
                {
                    "suite": suite.name,
                    "sha256": suite.sha256,
                    "items": len(suite.items),
                    "examples": {
                        kind: self.found[suite.name, kind]
                        for kind in KINDS
                        if self.found[suite.name, kind]
                    },
                    "struck": sorted(self.items.get(suite.name, ()))
                    if self.choice == "strike"
                    else [],
                }
                for suite in self.suites
            ],
        }


def struck_items(report: Mapping[str, Any], suite: Suite) -> frozenset[str]:
    """The items of a suite that do not count for a model of the dataset with this report."""
    walls = (report.get("overlap") or {}).get("suites", ())
    same = (wall for wall in walls if suite.sha256 == wall["sha256"] or suite.name == wall["suite"])
    return frozenset(item for wall in same for item in wall["struck"])
