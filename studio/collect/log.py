"""A log file being read: its head, by which its format is recognised, and its rows."""

from __future__ import annotations

import codecs
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import msgspec
import xxhash

from db.interactions import Record
from studio.collect import splitting
from studio.collect.decoding import Damaged, decode, mended
from studio.collect.splitting import PIECE_LIMIT, Piece
from studio.collect.unpacking import MAGIC, unpacked

CHUNK = 1 << 20
HEAD_ROWS = 50
HEAD_BYTES = 1 << 20
START_BYTES = 4096
Layout = Literal["lines", "document", "other"]


class Unusable(Exception):
    """A row that is no interaction of the format; the message says why."""


class Item(NamedTuple):
    """A decoded row, the line it begins in (from 1), and its length in bytes."""

    line: int
    value: Any
    size: int = 0


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that could not be imported, with the reason. Line 0 means the whole file."""

    path: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file: its first bytes, and its first rows when it holds JSON.

    `path` is for formats that only their own reader can open.
    """

    start: bytes
    rows: list[Any]
    path: Path | None = None


class Format(Protocol):
    """What a module of `studio.collect.formats` provides."""

    @property
    def NAME(self) -> str:
        """What --format calls it, and what its interactions' external ids begin with."""

    def sniff(self, head: Head, /) -> bool:
        """Whether a file that begins so is of this format."""

    def read(self, log: Log, /) -> Iterator[Record | Rejected]:
        """Its interactions, and the lines that are none."""


class Log:
    """One file. `size` is how much of it there was when the import began: a log may be growing.
    What a gzipped file holds is read in its place.

    `on_read` hears, while rows are read, which share of the work is done; a format that reads the
    rows more than once says so in `readings`.
    """

    def __init__(
        self, path: Path, size: int, on_read: Callable[[float], None] | None = None
    ) -> None:
        self.path = path
        self.size = size
        self.name = printable(path)
        self._on_read = on_read or (lambda _: None)
        self.readings = 1
        self._reading = 0
        self._position = 0
        self.is_packed = False  # told once its first bytes were read
        self._seen: set[int] = set()  # 64 bits of each row's identity: 70 MB for a million rows
        self._copies: Counter[str] = Counter()

    @cached_property
    def head(self) -> Head:
        """The first bytes as they are, and up to 50 rows, mostly from the first MiB."""
        start = next(self._bytes(), b"")[:START_BYTES]
        rows: list[Any] = []
        seen, begins_well = 0, False
        for piece in self._pieces() if self._layout != "other" else ():
            seen += 1
            with suppress(Damaged):
                rows.append(decode(piece.data) if piece.problem is None else mended(piece.data))
                begins_well = begins_well or (seen == 1 and isinstance(rows[0], dict))
            if seen == HEAD_ROWS or (rows and self._position >= HEAD_BYTES):
                break
        if self._layout == "document" and not begins_well and 2 * len(rows) < seen:
            rows = []  # prose that begins with a bracket
        return Head(start, rows, self.path)

    def items(self) -> Iterator[Item | Rejected]:
        """Every row of the file; what is no JSON is rejected with its line and the reason."""
        self._reading += 1
        for line, data, problem in self._pieces():
            if problem is not None:
                yield self.rejected(line, problem)
                continue
            try:
                value = decode(data)
            except Damaged as error:
                yield self.rejected(line, str(error))
            else:
                yield Item(line, value, len(data))

    def text_lines(self) -> Iterator[tuple[int, str, bool]]:
        """Every line of a file that is no JSON: its number, itself, and whether it has an end.

        What no database can hold becomes U+FFFD; a line over the limit is cut in pieces.
        """
        self._reading += 1
        number, rest = 1, b""
        for chunk in self._chunks():
            *ended, rest = (rest + chunk).split(b"\n")
            for line in ended:
                yield number, _text(line), True
                number += 1
            if len(rest) > PIECE_LIMIT:
                yield number, _text(rest), False
                rest = b""
        if rest:
            yield number, _text(rest), False

    def records(
        self, convert: Callable[[dict[str, Any], int], Record]
    ) -> Iterator[Record | Rejected]:
        """One record for each row that is an object; `convert(row, line)` may raise Unusable."""
        return self.each(lambda row, line: (convert(row, line),))

    def each(
        self, read: Callable[[dict[str, Any], int], Iterable[Record | Rejected]]
    ) -> Iterator[Record | Rejected]:
        """What `read(row, line)` makes of each row that is an object; it may raise Unusable."""
        for item in self.items():
            if isinstance(item, Rejected):
                yield item
                continue
            try:
                yield from read(as_object(item.value), item.line)
            except Unusable as error:
                yield self.rejected(item.line, str(error))

    def rejected(self, line: int, reason: str) -> Rejected:
        """This file's line, with the reason why it was not imported."""
        return Rejected(self.name, line, reason)

    def content_id(self, prefix: str, value: object) -> str:
        """An identity for a row that has none of its own: its content, and which copy of it."""
        identity = f"{prefix}:{digest(value)}"
        if hash(identity) not in self._seen:
            self._seen.add(hash(identity))
            return identity
        self._copies[identity] += 1
        return f"{identity}+{self._copies[identity]}"

    @cached_property
    def _layout(self) -> Layout:
        """One JSON object a line, or one document (whose own lines mostly end in commas)?"""
        start = next(self._chunks(), b"")[:HEAD_BYTES]
        first = start.lstrip()[:1]
        *lines, cut = start.split(b"\n")
        if len(start) < HEAD_BYTES:
            lines.append(cut)
        lines = [line for line in lines if line.strip()][:HEAD_ROWS]
        if not lines:  # the first line is longer than the head
            return "document" if first == b"[" else "lines"
        objects = [_is_object(line.strip()) for line in lines]
        if objects[0] or (any(objects) and 2 * sum(objects) >= len(objects)):
            return "lines"
        return "document" if first in (b"{", b"[") else "other"

    def _pieces(self) -> Iterator[Piece]:
        cut = splitting.values if self._layout == "document" else splitting.lines
        return cut(self._chunks())

    def _chunks(self) -> Iterator[bytes]:
        """The content as UTF-8, a MiB at a time, whatever its byte order mark says it is."""
        chunks = self._bytes()
        first = next(chunks, b"")
        encoding = _encoding(first)
        if encoding == "utf-8-sig":
            first = first.removeprefix(codecs.BOM_UTF8)
        recode = None
        if not encoding.startswith("utf-8"):
            recode = codecs.getincrementaldecoder(encoding)("replace")
        for chunk in chain([first] if first else [], chunks):
            yield recode.decode(chunk).encode(errors="replace") if recode else chunk

    def _bytes(self) -> Iterator[bytes]:
        """The content as it is; what a gzipped file holds."""
        chunks = self._stored()
        first = next(chunks, b"")
        self.is_packed = first.startswith(MAGIC)
        everything = chain([first] if first else [], chunks)
        return unpacked(everything, CHUNK) if self.is_packed else everything

    def _stored(self) -> Iterator[bytes]:
        left = self.size
        with self.path.open("rb") as file:
            while left > 0 and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                self._position = self.size - left
                if self._reading:
                    done = self._reading - 1 + self._position / self.size
                    self._on_read(min(1.0, done / self.readings))
                yield chunk


def as_object(value: object) -> dict[str, Any]:
    """The row, when it is a JSON object. Raises Unusable."""
    if not isinstance(value, dict):
        kind = {list: "an array", str: "a string", type(None): "null"}.get(type(value), "a number")
        raise Unusable(f"not an object but {kind}")
    return value


def digest(value: object) -> str:
    """128 bits over a JSON value; the order of keys and white space do not count."""
    return xxhash.xxh3_128_hexdigest(msgspec.json.encode(value, order="deterministic"))


def printable(path: Path) -> str:
    """A path that any terminal and database can hold: bytes that are no UTF-8 become U+FFFD."""
    return os.fsencode(path).decode(errors="replace")


def _text(line: bytes) -> str:
    return line.decode(errors="replace").removesuffix("\r").replace("\0", "\ufffd")


def _is_object(line: bytes) -> bool:
    if not line.startswith(b"{"):
        return False
    try:
        return bool(decode(line))
    except Damaged:
        return False


def _encoding(start: bytes) -> str:
    """By the byte order mark, or by the NULs around an opening bracket."""
    marks = (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    )
    for mark, encoding in marks:
        if start.startswith(mark):
            return encoding
    if start[:1] in (b"{", b"[") and start[1:2] == b"\0":
        return "utf-16-le" if start[2:4] != b"\0\0" else "utf-32-le"
    if start[:1] == b"\0" and start[1:2] in (b"{", b"["):
        return "utf-16-be"
    return "utf-8"
