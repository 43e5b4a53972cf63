"""Write a frozen dataset for another program: files, a manifest and a card, all or nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.errors import BadInput, Refused
from db.secrets import secrets_in
from db.store import Store
from exports.card import card, manifest, sources_of
from exports.formats import FORMATS, WriteRow, row_writer
from exports.formats.exchanges import Untold
from exports.frozen import Frozen, StoredExample, examples_of
from exports.rendering import Template
from exports.splits import SPLITS

_DATASET_INFO = "dataset_info.json"  # where LLaMA-Factory looks


@dataclass(frozen=True, slots=True)
class Exported:
    """The files of rows as `{path, rows, sha256}`, and how many examples the format left out.

    `names` are all files that were written into the folder.
    """

    files: list[dict[str, Any]]
    left_out: dict[str, int]
    names: list[str]


def export(
    store: Store,
    dataset: Frozen,
    format_name: str,
    out: Path,
    *,
    template: Template | None = None,
    licences: Mapping[str, str] | None = None,
    allow_secrets: bool = False,
    published: bool = False,
) -> Exported:
    """Write `train.jsonl`, `valid.jsonl`, `test.jsonl`, a manifest and a card into `out`.

    `template` is for the format text; `licences` and `published` as for `sources_of`. Raises
    Refused when an example holds a secret, BadInput when the format can say none of the examples
    or `out` cannot be written; then `out` is as it was.
    """
    write = row_writer(format_name, template)
    examples = examples_of(store, dataset.id)
    if not allow_secrets:
        _refuse_secrets(dataset, examples)
    rows, left_out = _rows(examples, write)
    if not any(rows.values()):
        said = ", ".join(f"{name} {n}" for name, n in left_out.items())
        raise BadInput(f"{dataset.label}: nothing in it can be said in {format_name} ({said})")
    sources = sources_of(store, dataset, licences or {}, published=published)
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        files = [_write(part / f"{split}.jsonl", rows[split]) for split in SPLITS if rows[split]]
        described = manifest(
            dataset, files, sources, published=published, format=format_name, left_out=left_out,
            base=_base(template),
        )  # fmt: skip
        _write_json(part / "manifest.json", described)
        target = FORMATS[format_name]
        if hasattr(target, "DATASET_INFO"):
            _write_json(part / _DATASET_INFO, _dataset_info(dataset, target.DATASET_INFO, files))
        text = card(dataset, target.DESCRIPTION, files, sources, left_out)
        (part / "README.md").write_text(text, encoding="utf-8")
        names = _move(part, out)
    except OSError as error:
        raise BadInput(f"{out}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    placed = [{**file, "path": str(out / file["path"])} for file in files]
    return Exported(placed, left_out, names)


def _refuse_secrets(dataset: Frozen, examples: list[StoredExample]) -> None:
    found = [
        (example, secret)
        for example in examples
        for secret in secrets_in([example.messages, example.tools])
    ]
    if found:
        first = "; ".join(
            f"{secret.kind} in {_where(example)}: {secret.masked}" for example, secret in found[:3]
        )
        more = f"; and {len(found) - 3:,} more" if len(found) > 3 else ""
        raise Refused(
            f"{dataset.label} holds secrets ({first}{more}); drop or edit those interactions and "
            "build again, or export with --allow-secrets"
        )


def _where(example: StoredExample) -> str:
    if example.interaction_id is None:
        return "a general example"
    return f"interaction {example.interaction_id}"


def _rows(
    examples: list[StoredExample], write: WriteRow
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, int]]:
    """The rows of each split, and the examples that the format cannot say by their reason."""
    rows: dict[str, list[dict[str, Any]]] = {split: [] for split in SPLITS}
    left_out: Counter[str] = Counter()
    for example in examples:
        try:
            rows[example.split].append(write(example))
        except Untold as reason:
            left_out[str(reason)] += 1
    return rows, dict(left_out.most_common())


def _write(path: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    body = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(body)
    return {
        "path": path.name,
        "rows": len(rows),
        "sha256": hashlib.sha256(body).hexdigest(),
    }


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _base(template: Template | None) -> dict[str, str] | None:
    """Which base wrote the text, by its digests."""
    if template is None:
        return None
    return {"tokenizer": template.tokenizer_digest, "template": template.template_digest}


def _dataset_info(
    dataset: Frozen, info: Mapping[str, Any], files: list[dict[str, Any]]
) -> dict[str, Any]:
    """LLaMA-Factory's description: one dataset a split, such as `tools_train`."""
    name = dataset.label.partition("@")[0]
    return {
        f"{name}_{Path(file['path']).stem}": {"file_name": file["path"], **info} for file in files
    }


def _move(part: Path, out: Path) -> list[str]:
    """Put the written folder in place: at once where there is none, else file by file."""
    names = sorted(path.name for path in part.iterdir())
    if not out.exists():
        part.replace(out)
        return names
    names.sort(key=lambda name: name == "manifest.json")  # last: it vouches for the others
    for name in names:
        (part / name).replace(out / name)
    for name in [*(f"{split}.jsonl" for split in SPLITS), _DATASET_INFO]:
        if name not in names:  # a split or a description that this export does not have
            (out / name).unlink(missing_ok=True)
    return names
