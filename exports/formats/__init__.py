"""Datasets in the forms that other programs read: one small module a target.

Each has `row(example) -> dict` and a `DESCRIPTION` for the card.
"""

from __future__ import annotations

from exports.formats import openai, trl

FORMATS = {"trl": trl, "openai": openai}
