"""The places of a search in the blocks of a conversation. What is about it is not searched."""

from __future__ import annotations

import re
from collections.abc import Sequence

from studio.widgets.blocks import Block


def hit_after(
    blocks: Sequence[Block], hits: re.Pattern[str], block: int, offset: int
) -> tuple[int, int] | None:
    """The first hit from this place of this block on: its block and offset."""
    for number in range(block, len(blocks)):
        found = hits.search(blocks[number].text, offset if number == block else 0)
        if found is not None and blocks[number].kind != "about":
            return number, found.start()
    return None


def hit_before(
    blocks: Sequence[Block], hits: re.Pattern[str], block: int, offset: int
) -> tuple[int, int] | None:
    """The last hit before this place of this block: its block and offset."""
    for number in range(block, -1, -1):
        text = blocks[number].text
        end = min(offset, len(text)) if number == block else len(text)
        starts = [found.start() for found in hits.finditer(text, 0, end)]
        if starts and blocks[number].kind != "about":
            return number, starts[-1]
    return None
