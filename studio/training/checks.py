"""What a preflight check is given, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from db.errors import BadInput
from exports.frozen import Frozen, StoredExample
from exports.rendering import Rendered, Template
from exports.suites import Suite
from studio.training.bases import Base, weights_digest
from studio.training.dry_run import Report, dry_run
from studio.training.recipe import Recipe

Status = Literal["pass", "warn", "block"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check's answer: what was seen, on which example, and what to do about it."""

    id: str
    status: Status
    detail: str
    example: dict[str, Any] | None = None
    remedy: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The JSON form of the command contract."""
        return {
            "id": self.id,
            "status": self.status,
            "detail": self.detail,
            "example": self.example,
            "remedy": self.remedy,
        }


@dataclass
class Flight:
    """Everything that is checked before a run: the examples, the base, the recipe, the suites.

    `folder` is where the store keeps its runs, `evaluated` the newest evaluation of the base
    (passed, n, suite), `blocked_by` the first check that has blocked so far.
    """

    location: str
    folder: Path
    dataset: Frozen
    examples: list[StoredExample]
    base: Base
    template: Template
    recipe: Recipe | None
    suites: list[Suite]
    evaluated: tuple[int, int, str] | None = None
    blocked_by: str | None = None
    unrenderable: list[tuple[StoredExample, str]] = field(default_factory=list)

    @cached_property
    def rendered(self) -> list[tuple[StoredExample, Rendered]]:
        """Every example that renders; the others, with the reason, in `unrenderable`."""
        done: list[tuple[StoredExample, Rendered]] = []
        for example in self.examples:
            try:
                done.append((example, self.template.render(example.messages, example.tools)))
            except BadInput as error:
                self.unrenderable.append((example, str(error)))
            except Exception as error:  # noqa: BLE001  a template may raise anything
                self.unrenderable.append((example, f"{type(error).__name__}: {error}"))
        return done

    @cached_property
    def no_weights(self) -> str | None:
        """Why the base's weights cannot be used; None when they are there."""
        try:
            weights_digest(self.base.folder)
        except BadInput as error:
            return str(error)
        return None

    @cached_property
    def dry_run(self) -> Report:
        """What two steps of the real trainer gave; skipped where there is no use or no base."""
        if self.no_weights:
            return Report(skipped=self.no_weights)
        if self.blocked_by:
            return Report(skipped=f"{self.blocked_by} blocks already")
        return dry_run(self)

    @property
    def max_length(self) -> int:
        """The length in tokens at which the recipe cuts."""
        return self.recipe.max_length if self.recipe else Recipe(learning_rate=1e-4).max_length


def where(example: StoredExample, **more: Any) -> dict[str, Any]:
    """An example as evidence: where it lies, and what was seen."""
    return {
        "example": example.id,
        "split": example.split,
        "interaction": example.interaction_id,
        **more,
    }


def verdict(
    identity: str,
    found: list[tuple[StoredExample, str]],
    total: int,
    *,
    good: str,
    bad: str,
    remedy: str,
    status: Status = "block",
) -> Check:
    """A check over examples: passes when nothing was found, else shows the first of them."""
    if not found:
        return Check(identity, "pass", good)
    example, seen = found[0]
    detail = f"{len(found)} of {total} examples: {bad}; first: {seen}"
    return Check(identity, status, detail, where(example, seen=seen), remedy)


def turns(example: StoredExample, rendered: Rendered) -> Iterator[tuple[int, str]]:
    """(message number, text that was rendered for it) for every assistant turn."""
    numbers = [n for n, m in enumerate(example.messages) if m["role"] == "assistant"]
    for number, (start, end) in zip(numbers, rendered.spans, strict=False):
        yield number, rendered.text[start:end]
