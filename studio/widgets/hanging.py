"""Text in several lines: beside a label, under its first line; and in so many lines at most."""

from __future__ import annotations

from textual.content import Content

LEAST = 20  # cells that the text keeps in a narrow terminal


def hanging(label: Content, text: Content, width: int, indent: int | None = None) -> Content:
    """`label` and `text` in lines of at most `width` cells.

    The text begins at `indent`, else after the label; a longer label has lines of its own.
    """
    at = label.cell_length if indent is None else indent
    wrapped = text.wrap(max(LEAST, width - at)) or [Content("")]
    own = label.wrap(max(LEAST, width)) if label.cell_length > at else []
    blank = Content(" " * at)
    beside = blank if own else label + " " * (at - label.cell_length)
    lines = [*own, beside + wrapped[0], *(blank + other for other in wrapped[1:])]
    return Content("\n").join(line.rstrip() for line in lines)


def lines_at_most(text: Content, width: int, most: int) -> list[Content]:
    """`text` in at most so many lines of `width` cells; the last shows where it is cut."""
    lines = text.wrap(max(LEAST, width))
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1].truncate(max(LEAST, width) - 1) + "…"]
    return lines
