"""What goes out beside an export's rows: the manifest and the card, with sources and licences."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import func, select

from db.counted import counted
from db.models.base import table
from db.models.datasets import Example
from db.models.interactions import INTERACTIONS, Source
from db.store import Store
from exports.frozen import Frozen

_SPLIT_NAMES = {"valid": "validation"}  # what the Hub calls it


def sources_of(
    store: Store, dataset: Frozen, licences: Mapping[str, str], *, published: bool
) -> list[dict[str, Any]]:
    """Each file that examples come from: `{path, format, sha256, examples, licence}`.

    `licences` maps a pattern of paths to an SPDX id; the first that fits counts, and a file that
    none fits has the licence None. What is published names files without their folders.
    """
    examples, source = table(Example), table(Source)
    statement = (
        select(source.c.path, source.c.format, source.c.sha256, func.count().label("examples"))
        .join_from(examples, INTERACTIONS, examples.c.interaction_id == INTERACTIONS.c.id)
        .join(source, INTERACTIONS.c.source_id == source.c.id)
        .where(examples.c.dataset_id == dataset.id)
        .group_by(source.c.id)
        .order_by(source.c.path, source.c.id)
    )
    with store.read() as connection:
        rows = [dict(row._mapping) for row in connection.execute(statement)]
    if dataset.report["replay"]:
        rows.append(_replay_source(dataset))
    for row in rows:
        fits = (licence for pattern, licence in licences.items() if fnmatch(row["path"], pattern))
        row["licence"] = next(fits, None)
        if published:
            row["path"] = Path(row["path"]).name
    return rows


def _replay_source(dataset: Frozen) -> dict[str, Any]:
    """The file of general examples as it is now; its hash is None where it is gone."""
    path = Path(dataset.recipe["replay_from"])
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    return {
        "path": str(path),
        "format": "replay",
        "sha256": digest,
        "examples": dataset.report["replay"],
    }


def manifest(
    dataset: Frozen,
    files: Sequence[Mapping[str, Any]],
    sources: Sequence[Mapping[str, Any]],
    *,
    published: bool,
    **more: Any,
) -> dict[str, Any]:
    """What the export is, as JSON: recipe, hashes, counts, sources. `more` stands beside them."""
    recipe, report = dict(dataset.recipe), dataset.report
    if published:
        recipe, report = _without_folders(recipe), _without_folders(report)
    return {
        "dataset": dataset.label,
        "sha256": dataset.sha256,
        **more,
        "recipe": recipe,
        "report": report,
        "files": list(files),
        "sources": list(sources),
    }


_PATHS = frozenset({"replay_from", "base", "tools", "avoid", "suite", "name"})


def _without_folders(value: Any, key: str = "") -> Any:
    """The same with the folders of this machine taken off the files that it names."""
    if isinstance(value, dict):
        return {name: _without_folders(inner, name) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_folders(inner, key) for inner in value]
    is_file = key in _PATHS and isinstance(value, str) and Path(value).is_absolute()
    return Path(value).name if is_file else value


def card(
    dataset: Frozen,
    description: str,
    files: Sequence[Mapping[str, Any]],
    sources: Sequence[Mapping[str, Any]],
    left_out: Mapping[str, int],
) -> str:
    """README.md as the Hub shows it: its metadata, then what the dataset is and comes from."""
    report, recipe = dataset.report, dataset.recipe
    agents = ", ".join(f"{name} {n:,}" for name, n in report["by_agent"].items())
    dropped = ", ".join(f"{name} {n:,}" for name, n in report["dropped"].items())
    rows = ", ".join(f"{file['rows']:,} {Path(file['path']).stem}" for file in files)
    missing = ", ".join(f"{name} {n:,}" for name, n in left_out.items())
    licences = Counter[str]()
    for source in sources:
        licences[source["licence"] or "not stated"] += source["examples"]
    licensed = ", ".join(f"{name} ({counted(n, 'example')})" for name, n in licences.most_common())
    general = counted(report["replay"], "general example")
    return f"""{_metadata(files, licences)}
# {dataset.label}

{description}.

- rows: {rows}{f"; left out: {missing}" if missing else ""}
- of {counted(report["problems"], "problem")}, with {general} beside them
- by agent: {agents or "none"}
- not taken from the collection: {dropped or "nothing"}
{_walls(report)}- built with strategy `{recipe["strategy"]}`, seed {recipe["seed"]}, template \
`{recipe["template"]}`
- from {counted(len(sources), "file")}; licences: {licensed}
- sha256 of the examples: `{dataset.sha256}`

`manifest.json` holds the whole recipe, what was dropped and why, and the sources with their hashes.
"""


def _walls(report: Mapping[str, Any]) -> str:
    """A line for each suite that it is kept apart from, or whose items it shares."""
    wall = report.get("overlap") or {"suites": []}
    lines = []
    for suite in wall["suites"]:
        name, shared = Path(suite["suite"]).name, sum(suite["examples"].values())
        if suite["struck"]:
            lines.append(
                f"- shares {len(suite['struck']):,} of {suite['items']:,} items with the suite "
                f"`{name}`, which are struck from verdicts on it (ids in the manifest)"
            )
        else:
            lines.append(f"- nothing shared with the suite `{name}` ({shared:,} examples left out)")
    return "".join(f"{line}\n" for line in lines)


def _metadata(files: Sequence[Mapping[str, Any]], licences: Mapping[str, int]) -> str:
    """The card's YAML head. Says a licence only where every source has one."""
    head: dict[str, Any] = {}
    if licences and "not stated" not in licences:
        head["license"] = next(iter(licences)).lower() if len(licences) == 1 else "other"
    splits = [(Path(file["path"]).stem, Path(file["path"]).name) for file in files]
    head["configs"] = [
        {
            "config_name": "default",
            "data_files": [
                {"split": _SPLIT_NAMES.get(split, split), "path": name} for split, name in splits
            ],
        }
    ]
    return f"---\n{yaml.safe_dump(head, sort_keys=False)}---"
