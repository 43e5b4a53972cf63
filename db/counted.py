"""A number with its noun, in the number that belongs to it."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """`1 row`, `1,412 rows`; `many` where it is not `one` with an s: `2 items detect`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
