"""A gzipped log, as logs that were rotated are, unpacked a piece at a time."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

MAGIC = b"\x1f\x8b\x08"
_WITH_HEADER = 31  # wbits: a gzip header and trailer around 32 KiB windows


def unpacked(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """The bytes inside, at most `most` at a time, of all members one after the other.

    A file that is cut off ends where its data ends. Raises OSError for damaged data.
    """
    member = zlib.decompressobj(_WITH_HEADER)
    for chunk in chunks:
        left = chunk
        while left:
            if member.eof:
                member = zlib.decompressobj(_WITH_HEADER)
            try:
                data = member.decompress(left, most)
            except zlib.error as error:
                raise OSError(f"its gzip data is damaged ({error})") from error
            if data:
                yield data
            left = member.unused_data if member.eof else member.unconsumed_tail
