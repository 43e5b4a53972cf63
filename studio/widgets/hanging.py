"""A label and what is said of it, whose further lines begin under its first."""

from __future__ import annotations

from textual.content import Content

LEAST = 20  # cells that the text keeps in a narrow terminal


def hanging(label: Content, text: Content, width: int) -> Content:
    """`label` and `text` in lines of at most `width` cells."""
    indent = label.cell_length
    first, *others = text.wrap(max(LEAST, width - indent)) or [Content("")]
    lines = [label + first, *(Content(" " * indent) + other for other in others)]
    return Content("\n").join(line.rstrip() for line in lines)
