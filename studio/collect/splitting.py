"""Cut a stream of UTF-8 bytes into lines, or into JSON values, holding one of them at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from studio.collect.decoding import Damaged, decode

PIECE_LIMIT = 64 << 20  # bytes; a longer line or value is passed over, never held
TOO_LONG = f"longer than {PIECE_LIMIT >> 20} MiB"


class Piece(NamedTuple):
    """Bytes that should be one JSON value, with the line they begin in (from 1).

    `problem` says why they are not: too long (then there are none), or cut off.
    """

    line: int
    data: bytes
    problem: str | None = None


def lines(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """The lines that hold anything, without their ends."""
    number, held, size = 1, list[bytes](), 0
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            yield from _line(number, held, part, size + len(part))
            number, size = number + 1, 0
            held.clear()
        size += len(rest)
        if size > PIECE_LIMIT:
            held.clear()
        elif rest:
            held.append(rest)
    yield from _line(number, held, b"", size)


def _line(number: int, held: list[bytes], last: bytes, size: int) -> Iterator[Piece]:
    if size > PIECE_LIMIT:
        yield Piece(number, b"", TOO_LONG)
        return
    data = (b"".join([*held, last]) if held else last).strip()
    if data:
        yield Piece(number, data)


# An object without another in it is one token; that leaves few tokens for Python to look at.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+'
_TOKEN = re.compile(
    rb'(?P<flat>\{(?:[^{}\[\]"]++|' + _STRING + rb'")*+\})|(?P<open>[\[{])|(?P<close>[\]}])|'
    rb"(?P<comma>,)|(?P<string>" + _STRING + rb'")|(?P<cut>")',
    re.DOTALL,
)
_STRING_REST = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+(")?', re.DOTALL)


def values(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """Top-level JSON values one after the other; of an array, its elements.

    Only brackets, commas and strings are looked at, so a damaged element does not stop the next.
    A file that ends inside an array or object ends with a Piece that says so.
    """
    splitter = _Splitter()
    for chunk in chunks:
        yield from splitter.feed(chunk)
    yield from splitter.finish()


class _Splitter:
    def __init__(self) -> None:
        self.buffer = bytearray()
        self.at = 0  # scanned up to here
        self.start = 0  # the value at hand begins here, in line `line`
        self.line = 1
        self.depth = 0
        self.in_array = False  # the outermost bracket is an array's
        self.in_string = False
        self.too_long = False
        self.long_line = 0  # where the value that is too long begins
        self.count = 0

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        """The values that end in this chunk; what is unfinished is kept for the next."""
        del self.buffer[: self.start]
        self.buffer += chunk
        self.at -= self.start
        self.start = 0
        if self.in_string and not self._leave_string():
            return
        for match in _TOKEN.finditer(self.buffer, self.at):
            self.at = match.end()
            kind = match.lastgroup
            if kind == "cut":
                self.in_string = True
                self._leave_string()
                break
            if kind != "string":
                yield from self._structure(kind, match.start(), match.end())
        else:
            self.at = len(self.buffer)
        self._limit()

    def finish(self) -> Iterator[Piece]:
        """What is left when the file ends: a last value, or a Piece that says it was cut off."""
        rest = bytes(self.buffer[self.start :].strip())
        begun = self.line + self._leading_newlines()
        ended = self.line + self.buffer[self.start :].rstrip().count(b"\n")
        if self.depth == 0:
            if rest:
                yield Piece(begun, rest)
            return
        if self.in_array and self.depth == 1 and rest and not self.too_long:
            try:
                decode(rest)
            except Damaged:
                pass  # told below, as what was cut
            else:
                yield Piece(begun, rest)
                rest = b""
        begun = self.long_line if self.too_long else begun
        what = f"the value that begins in line {begun}" if rest or self.too_long else "the array"
        after = f" after {self.count} complete values" if self.in_array else ""
        yield Piece(ended, rest, f"cut off: the file ends inside {what}{after}")

    def _structure(self, kind: str | None, start: int, end: int) -> Iterator[Piece]:
        """What a bracket, a comma or a whole flat object means here."""
        if kind == "flat" and self.depth == 0:
            yield from self._take(start, start)
            yield from self._take(end, end)
        elif kind == "open":
            if self.depth == 0:
                self.in_array = self.buffer[start] == ord("[")
                yield from self._take(start, end if self.in_array else start)
            self.depth += 1
        elif kind == "close":
            self.depth = max(0, self.depth - 1)
            if self.depth == 0:
                yield from self._take(start if self.in_array else end, end)
                self.in_array = False
        elif kind == "comma" and (self.depth == 0 or (self.depth == 1 and self.in_array)):
            yield from self._take(start, end)

    def _take(self, end: int, resume: int) -> Iterator[Piece]:
        """The value that ends here, if there is any; the next one begins at `resume`."""
        data = bytes(self.buffer[self.start : end].strip())
        line = self.line + self._leading_newlines()
        self.line += self.buffer.count(b"\n", self.start, resume)
        self.start = resume
        if self.too_long:
            self.too_long = False
            yield Piece(self.long_line, b"", TOO_LONG)
        elif data:
            self.count += 1
            yield Piece(line, data)

    def _leave_string(self) -> bool:
        match = _STRING_REST.match(self.buffer, self.at)
        assert match is not None  # it matches the empty string
        self.at = match.end()
        self.in_string = match.group(1) is None
        self._limit()
        return not self.in_string

    def _limit(self) -> None:
        """Forget the beginning of a value that is over the limit; its end is still looked for."""
        if self.too_long or self.at - self.start > PIECE_LIMIT:
            if not self.too_long:
                self.too_long = True
                self.long_line = self.line + self._leading_newlines()
            self.line += self.buffer.count(b"\n", self.start, self.at)
            self.start = self.at

    def _leading_newlines(self) -> int:
        head = self.buffer[self.start : self.start + 65536]
        return head[: len(head) - len(head.lstrip())].count(b"\n")
