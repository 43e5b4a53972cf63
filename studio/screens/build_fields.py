"""The fields of the build form, and the command that they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.errors import BadInput

if TYPE_CHECKING:
    from exports.dataset import BuildRecipe


@dataclass(frozen=True, slots=True)
class BuildField:
    """One field. `words` are what can stand in it, where that is a choice."""

    name: str
    label: str
    first: str
    hint: str
    words: tuple[str, ...] = ()


FIELDS = (
    BuildField("name", "name", "", "letters, digits, - _ and . · the version is counted"),
    BuildField("where", "filter", "status:accepted", "agent:coder tools:>0 status:accepted"),
    BuildField("strategy", "strategy", "all", "deep: one solution a problem · diverse: some that "
               "differ", ("all", "deep", "diverse")),
    BuildField("solutions", "solutions", "5", "of a problem at most, with the strategy diverse"),
    BuildField("budget", "budget", "", "so many examples of interactions at most; empty: all"),
    BuildField("split", "split", "80/10/10", "train/valid/test, together 100"),
    BuildField("replay", "replay", "0", "share of general examples against forgetting, 0 to 1"),
    BuildField("mix", "mix", "as_is", "agents as they come, as agents.yaml plans, or as many of "
               "each", ("as_is", "planned", "balanced")),
    BuildField("avoid", "avoid", "", "suites that nothing may be shared with: nano or a file",
               ("nano",)),
    BuildField("overlap", "overlap", "drop", "what they share: drop it here, or strike it from "
               "their verdict", ("drop", "strike")),
    BuildField("quality", "quality", "usual", "filters with commas between, usual, all or none",
               ("usual", "all", "none", "truncated", "unreadable_call", "refusal", "short_answer",
                "broken_code", "repetitive")),
    BuildField("base", "base", "nano", "whose tokens are counted, and whose general examples"),
)  # fmt: skip


def arguments_of(values: Mapping[str, str], *, draft: bool = False) -> list[str]:
    """The arguments of `studio build`; a draft needs no name."""
    said = {name: value.strip() for name, value in values.items()}
    name = said["name"] or ("draft" if draft else "")
    arguments = ["build", name, *(["--draft"] if draft else [])]
    for key in ("strategy", "solutions", "budget", "where", "split", "replay", "mix", "quality",
                "base"):  # fmt: skip
        if said[key]:
            arguments.append(f"--{key}={said[key]}")
    if said["overlap"] not in ("", "drop"):
        arguments.append(f"--overlap={said['overlap']}")
    return [*arguments, *(f"--avoid={suite}" for suite in said["avoid"].split())]


def check(values: Mapping[str, str]) -> BuildRecipe:
    """The recipe that the fields stand for.

    Raises BadInput or FilterError for a field that cannot be used. Imports numpy: for a thread.
    """
    from db import filters
    from exports.dataset import BuildRecipe
    from exports.quality import parse_filters
    from exports.splits import parse_shares
    from studio.evals.known_suites import find_suite

    said = {name: value.strip() for name, value in values.items()}
    recipe = BuildRecipe(
        name=said["name"] or "draft",
        strategy=said["strategy"] or "all",
        solutions=_number("solutions", said["solutions"] or "5"),
        budget=_number("budget", said["budget"]) if said["budget"] else None,
        where=said["where"],
        split=said["split"] or "80/10/10",
        mix=said["mix"] or "as_is",
        avoid=tuple(said["avoid"].split()),
        overlap=said["overlap"] or "drop",
        quality=parse_filters(said["quality"] or "usual"),
    )
    recipe.check()
    filters.where(recipe.where)
    parse_shares(recipe.split)
    _share(said["replay"] or "0")
    for suite in recipe.avoid:
        find_suite(suite)
    return recipe


def _number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise BadInput(f"{name}: a whole number is wanted, not {text!r}")
    return int(text)


def _share(text: str) -> None:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise BadInput(f"replay: a share from 0 to under 1 is wanted, not {text!r}")
