"""The full-text index is merged in short steps, so that nobody waits for the write lock.

Every commit that writes texts leaves a segment in FTS5's index, and a search looks into each of
them. By itself FTS5 merges them while it commits, hundreds of pages at a time, and holds the lock
for 0.1 to 0.5 s; migration 0006 tells it not to. Segments of one size lie on one level
(https://www.sqlite.org/fts5.html#fts5_data_structures).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

from db.store import Store

SEGMENTS = 128  # of one level are merged into one; a search looks into as many in 0.5 ms
PAGES = 32  # written in a step, 6 ms; a word that is in more of them is not divided

_STRUCTURE = text("SELECT block FROM interaction_fts_data WHERE id = 10")
_STEP = text("INSERT INTO interaction_fts (interaction_fts, rank) VALUES ('merge', :pages)")
_WITH_ORIGINS = b"\xff\x00\x00\x01"  # the structure has more numbers to each segment


@dataclass(frozen=True, slots=True)
class Level:
    """How many segments a level has, and of how many the merge that is under way goes on."""

    segments: int
    merging: int


def merge_segments(store: Store, between: Callable[[], object] = lambda: None) -> None:
    """Merge the levels that are full, each step in a transaction of its own.

    `between` is called after each step; what it raises ends the merging, which the next call goes
    on with.
    """
    with store.read() as connection:
        full = _is_full(connection)
    while full:
        with store.write() as connection:
            connection.execute(_STEP, {"pages": PAGES})
            full = _is_full(connection)
        between()


def levels(connection: Connection) -> list[Level]:
    """The levels of the index, the one of the newest and smallest segments first."""
    block = bytes(connection.execute(_STRUCTURE).scalar_one())
    extra = 5 if block[4:8] == _WITH_ORIGINS else 0
    numbers = _varints(block[8:] if extra else block[4:])
    count, *_ = (next(numbers) for _ in range(3))  # and of all segments, of pages ever written
    read = []
    for _ in range(count):
        merging, segments = next(numbers), next(numbers)
        for _ in range(segments * (3 + extra)):  # a segment: its number, its first and last page
            next(numbers)
        read.append(Level(segments, merging))
    return read


def _is_full(connection: Connection) -> bool:
    return any(max(level.segments, level.merging) >= SEGMENTS for level in levels(connection))


def _varints(block: bytes) -> Iterator[int]:
    """SQLite's integers: seven bits a byte, the greatest first; of a ninth byte all eight."""
    value = count = 0
    for byte in block:
        count += 1
        value = value << 8 | byte if count == 9 else value << 7 | byte & 127
        if byte < 128 or count == 9:
            yield value
            value = count = 0
