"""Passwords that stand behind a name that tells them: `password = "…"`, `PGPASSWORD=… psql`.

A password may be short and no more random than an identifier, so the writing around it must show
that it is a value: it is quoted, or given to an environment variable or an option, or ends a line
of YAML. It holds letters and digits and is no placeholder. Every repetition is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

_CUES = (b"passw", b"passphrase", b"_pwd")
_LINE = 80  # characters, at most, of a line before the name
_OPTION = re.compile(r"--[\w-]{0,40}\Z")
_KEY = re.compile(r"(?:^|[\n\r]|\\n)[ \t>|+-]{0,40}[\w.-]{0,60}\Z")  # nothing else before the name
_NUMBERED = re.compile(r"[A-Za-z_]+[0-9]")  # a name in code, such as `hash2`


def passwords(
    text: str, lowered: bytes, is_placeholder: Callable[[str], object]
) -> Iterator[tuple[int, int]]:
    """From and to of each password; `lowered` is the text in lower case, a byte a character."""
    for at in _places(lowered):
        match = _quoted().match(text, at) or _bare(text, at)
        if match and _is_password(match["value"]) and not is_placeholder(match["value"]):
            yield match.span("value")


def may_hold_password(lowered: bytes) -> bool:
    """Whether a telling name stands anywhere."""
    return next(_places(lowered), None) is not None


def is_password_name(key: str) -> bool:
    """Whether a key of an object says that its value is a password."""
    return re.search(r"(?i)(?:password|passwd|passphrase|_pwd)\Z", key) is not None


def is_password(value: str, is_placeholder: Callable[[str], object]) -> bool:
    """Whether a value under such a key is one."""
    fits = 6 <= len(value) <= 64 and not re.search(r"\s", value)
    return fits and _is_password(value) and not is_placeholder(value)


def _places(lowered: bytes) -> Iterator[int]:
    for cue in _CUES:
        at = lowered.find(cue)
        while at >= 0:
            yield at
            at = lowered.find(cue, at + len(cue))


def _bare(text: str, at: int) -> re.Match[str] | None:
    """A value without quotes, where what stands around it tells that it is one."""
    before = text[max(0, at - _LINE) : at]
    if _OPTION.search(before):
        return _option().match(text, at)
    if text[at : at + 5] in ("PASSW", "PASSP") or text[at : at + 4] == "_PWD":
        match = _variable().match(text, at)
        if match:
            return match
    match = _yaml().match(text, at) if _KEY.search(before) else None
    return match if match and not _NUMBERED.fullmatch(match["value"]) else None


def _is_password(value: str) -> bool:
    """Letters and digits, and no path, address or name in code."""
    if not re.search(r"[A-Za-z]", value) or not re.search(r"\d", value) or len(set(value)) < 4:
        return False
    return not re.search(r"^[./~^]|://|<|\bself\.|\w\.\w+\.\w|^\w*\d*[x*.#-]{4}", value)


# Patterns are compiled when they are first needed, as in `db.secrets`.

_NAME = r"(?i:password|passwd|passphrase|_pwd)"
_WORD = r"(?P<value>[^\s\"'\\;&|()\[\]<>`,]{6,64})(?=[\s;&|\"'\\`]|\Z)"  # and no call behind it


@cache
def _quoted() -> re.Pattern[str]:
    """In quotes, which may be escaped; a type may stand before the sign."""
    return re.compile(
        _NAME + r"(?:\\{0,3}[\"'])?\]?\s{0,3}(?::\s?[A-Za-z]{1,12}\s?=|:=|=>|[:=])\s{0,3}"
        r"(?P<quote>\\{0,3}[\"'])(?P<value>[^\s\"'\\]{6,64})(?P=quote)"
    )


@cache
def _variable() -> re.Pattern[str]:
    """Of an environment variable: no blanks."""
    return re.compile(_NAME + "=" + _WORD)


@cache
def _option() -> re.Pattern[str]:
    return re.compile(_NAME + "[= ]" + _WORD)


@cache
def _yaml() -> re.Pattern[str]:
    return re.compile(
        _NAME + r":[ \t]{1,3}(?P<value>[^\s\"'\\,;(){}\[\]<>`]{8,64})[ \t]{0,3}(?=[\r\n]|\\[nr]|\Z)"
    )
