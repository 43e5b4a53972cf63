"""Paths typed on one line as in a shell: blanks between them, quotes and backslashes, `~`, Tab."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from db.errors import BadInput, WordError
from studio.completion import Completion
from studio.screen_text import screen_text

LISTED = 20_000  # names of a folder that are looked through while one types


@dataclass(frozen=True, slots=True)
class Word:
    """One path as it was typed: its offsets in the line, and what it says."""

    start: int
    end: int
    name: int  # offset of what follows its last slash
    text: str
    quote: str  # the quotation mark that is still open at its end, else ""
    at_home: bool  # begins with a ~ that stands for a home folder

    @property
    def path(self) -> Path:
        """The path that it means."""
        return Path(os.path.expanduser(self.text) if self.at_home else self.text)  # noqa: PTH111


def words(line: str) -> list[Word]:
    """The paths of a line; a quotation mark that is open at the end counts as closed."""
    found: list[Word] = []
    said: list[str] | None = None  # of the word that is being read
    start = name = 0
    quote, escaped = "", False
    for at, character in enumerate(f"{line} "):
        over = at == len(line)
        if over or (not quote and not escaped and character.isspace()):
            if said is not None:
                tilde = line[start] == "~"
                found.append(Word(start, at, name, "".join(said), quote, tilde))
                said = None
            continue
        if said is None:
            said, start, name = [], at, at
        if escaped:
            said.append(character)
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif character == quote or (not quote and character in "'\""):
            quote = "" if quote else character
            name = at + 1 if line[name:at] == "" else name
        else:
            said.append(character)
            if character == "/":
                name = at + 1
    return found


def paths_of(line: str) -> list[Path]:
    """The paths of a line. Raises WordError for one that does not exist, BadInput for none."""
    given = words(line)
    if not given:
        raise BadInput("a file or a folder is needed")
    for word in given:
        try:
            there = word.path.exists()
        except (OSError, ValueError) as error:
            raise WordError(f"{word.text} cannot be read: {error}", word.start, word.end) from error
        if not there:
            raise WordError(f"{word.text} does not exist", word.start, word.end)
    return [word.path for word in given]


def complete_path(line: str, cursor: int) -> Completion:
    """What the name before the cursor could become: files and folders, these with a slash."""
    before = words(line[:cursor])
    if not before or before[-1].end < cursor:
        return Completion(cursor, cursor, [])
    word = before[-1]
    if word.at_home and "/" not in word.text:
        return Completion(word.start, cursor, ["~/"] if word.text == "~" else [])
    inside, slash, begun = word.text.rpartition("/")
    folder = replace(word, text=inside + slash).path
    found = [
        typed
        for name in _names(folder, begun)
        if (typed := _typed(name, word.quote, first=word.name == word.start)) is not None
    ]
    return Completion(word.name, cursor, sorted(found))


def typed_path(path: str) -> str:
    """A path so written that `words` reads it back; a leading ~ keeps its meaning."""
    return "".join(f"\\{c}" if c.isspace() or c in "\\'\"" else c for c in path)


def _names(folder: Path, begun: str) -> list[str]:
    """Names in a folder that begin so and can be typed; hidden ones when the dot was typed."""
    try:
        with os.scandir(folder) as entries:
            return [
                entry.name + ("/" if entry.is_dir() else "")
                for entry in islice(entries, LISTED)
                if entry.name.startswith(begun)
                and (begun or not entry.name.startswith("."))
                and screen_text(entry.name) == entry.name
                and entry.name.isprintable()
            ]
    except OSError:
        return []


def _typed(name: str, quote: str, *, first: bool) -> str | None:
    """A name as it would be typed within these quotation marks; None where that is impossible."""
    if quote == "'":
        return None if "'" in name else name
    if quote:
        return "".join(f"\\{c}" if c in '\\"' else c for c in name)
    return ("\\" if first and name.startswith("~") else "") + typed_path(name)
