"""Write a frozen dataset for another program: files, a manifest and a card, all or nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import select

from db.errors import BadInput, Refused
from db.models import INTERACTIONS, Example, Source, table
from db.store import Store
from exports.formats import FORMATS
from exports.frozen import Frozen, StoredExample, examples_of
from exports.secrets import find_secrets
from exports.splits import SPLITS


def export(
    store: Store, dataset: Frozen, format_name: str, out: Path, *, allow_secrets: bool = False
) -> list[dict[str, Any]]:
    """Write `train.jsonl`, `valid.jsonl`, `test.jsonl`, a manifest and a card into `out`.

    Returns `{path, rows, sha256}` a file. Raises Refused when an example holds a secret, BadInput
    when `out` cannot be written; then `out` is as it was.
    """
    target = FORMATS[format_name]
    examples = examples_of(store, dataset.id)
    if not allow_secrets:
        _refuse_secrets(dataset, examples)
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        files = []
        for split in SPLITS:
            rows = [target.row(example) for example in examples if example.split == split]
            if rows:
                files.append(_write(part / f"{split}.jsonl", rows))
        _write_manifest(part / "manifest.json", store, dataset, format_name, files)
        (part / "README.md").write_text(_card(dataset, target.DESCRIPTION), encoding="utf-8")
        _move(part, out)
    except OSError as error:
        raise BadInput(f"{out}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return [{**file, "path": str(out / file["path"])} for file in files]


def _refuse_secrets(dataset: Frozen, examples: list[StoredExample]) -> None:
    found = []
    for example in examples:
        text = json.dumps([example.messages, example.tools], ensure_ascii=False)
        found += [(example, secret) for secret in find_secrets(text)]
    if found:
        example, secret = found[0]
        raise Refused(
            f"{dataset.label} holds {len(found)} secrets (first: {secret.kind} in interaction "
            f"{example.interaction_id}); drop or edit those interactions and build again, or "
            "export with --allow-secrets"
        )


def _write(path: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    body = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(body)
    return {
        "path": path.name,
        "rows": len(rows),
        "sha256": hashlib.sha256(body).hexdigest(),
    }


def _write_manifest(
    path: Path, store: Store, dataset: Frozen, format_name: str, files: list[dict[str, Any]]
) -> None:
    examples, source = table(Example), table(Source)
    with store.read() as connection:
        sources = connection.execute(
            select(source.c.path, source.c.format, source.c.sha256)
            .join_from(examples, INTERACTIONS, examples.c.interaction_id == INTERACTIONS.c.id)
            .join(source, INTERACTIONS.c.source_id == source.c.id)
            .where(examples.c.dataset_id == dataset.id)
            .distinct()
            .order_by(source.c.path)
        ).all()
    manifest = {
        "dataset": dataset.label,
        "sha256": dataset.sha256,
        "format": format_name,
        "recipe": dataset.recipe,
        "report": dataset.report,
        "files": files,
        "sources": [dict(row._mapping) for row in sources],
    }
    path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _card(dataset: Frozen, description: str) -> str:
    report = dataset.report
    counts = ", ".join(f"{n:,} {name}" for name, n in report["examples"].items())
    agents = ", ".join(f"{name} {n:,}" for name, n in report["by_agent"].items())
    return f"""# {dataset.label}

{description}.

- examples: {counts}
- of {report["problems"]:,} problems, with {report["replay"]:,} general examples beside them
- by agent: {agents}
- built with strategy `{dataset.recipe["strategy"]}`, seed {dataset.recipe["seed"]}, template \
`{dataset.recipe["template"]}`
- sha256 of the examples: `{dataset.sha256}`

`manifest.json` holds the whole recipe, what was dropped and why, and the sources.
"""


def _move(part: Path, out: Path) -> None:
    """Put the written folder in place: at once where there is none, else file by file."""
    if not out.exists():
        part.replace(out)
        return
    names = sorted(path.name for path in part.iterdir())
    names.sort(key=lambda name: name == "manifest.json")  # last: it vouches for the others
    for name in names:
        (part / name).replace(out / name)
    for split in SPLITS:  # a split that this dataset does not have
        if f"{split}.jsonl" not in names:
            (out / f"{split}.jsonl").unlink(missing_ok=True)
