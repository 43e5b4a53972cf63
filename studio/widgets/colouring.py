"""The colours of the code in a conversation, read by a thread: a page of code takes it 20 ms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from studio.widgets.blocks import Block
from studio.widgets.code_styles import Span, spans_of
from studio.widgets.line_layout import Code, Layout

AT_ONCE = 8_000  # characters of a piece of code that the first page waits for

Place = tuple[int, Code]  # the number of its block, and where it is there
Spans = dict[Place, tuple[Span, ...]]


def code_on_page(blocks: Sequence[Block], width: int, height: int) -> set[Place]:
    """The code on the first page, but for long pieces, which are coloured when they are seen."""
    page = Layout(blocks, width)
    page.up_to(height)
    places = ((line.block, line.code) for line in page.lines if line.code is not None)
    return {(block, code) for block, code in places if code.end - code.start <= AT_ONCE}


def spans_in(blocks: Sequence[Block], places: Iterable[Place]) -> Spans:
    """The words that have a style of their own, by piece of code."""
    return {
        (number, code): spans_of(blocks[number].text[code.start : code.end], code.language)
        for number, code in places
    }
