"""Plain text, one conversation a line, as the base's own chat template writes it."""

from __future__ import annotations

from typing import Any

from exports.frozen import StoredExample
from exports.rendering import Template

DESCRIPTION = (
    "Plain `text`, written by the base's chat template with all its control tokens: tokenize it "
    "without adding special tokens. Everything in it is trained, prompts too"
)


def row(example: StoredExample, template: Template) -> dict[str, Any]:
    """One line of the file."""
    return {"text": template.text_of(example.messages, example.tools)}
