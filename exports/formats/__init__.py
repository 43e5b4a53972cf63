"""Datasets in the forms that other programs read: one small module a target.

Each has `row(example) -> dict` and a `DESCRIPTION` for the card; `text` also wants the base's
template. Those that LLaMA-Factory reads have the `DATASET_INFO` that describes them to it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from db.errors import BadInput
from exports.formats import alpaca, mlx, openai, sharegpt, text, trl
from exports.frozen import StoredExample
from exports.rendering import Template

FORMATS = {
    "trl": trl, "openai": openai, "sharegpt": sharegpt, "alpaca": alpaca, "mlx": mlx, "text": text,
}  # fmt: skip

WriteRow = Callable[[StoredExample], dict[str, Any]]


def row_writer(name: str, template: Template | None) -> WriteRow:
    """What writes one line of that format. Raises BadInput where it wants a template."""
    if name != "text":
        write: WriteRow = FORMATS[name].row
        return write
    if template is None:
        raise BadInput("the format text is what a base's chat template writes: give --base")
    return partial(text.row, template=template)
