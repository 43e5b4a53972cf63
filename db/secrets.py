"""Keys and tokens in text: found by their documented shapes, masked in place.

Where a shape is no proof (`api_key=…`, a password in a URL), the value must look drawn by chance
and be no placeholder. A key stands in a long run of letters and digits, and such runs are found in
passing (about 100 MB/s on agents' logs); only what they hold is looked at closely. Every
repetition is bounded, so any text is read in linear time.
"""

from __future__ import annotations

import math
import re
import string
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from db.secret_passwords import is_password, is_password_name, may_hold_password, passwords
from db.secret_shapes import has_cue, shaped

_PRIVATE_KEY = (
    r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
    r"(?=[^-]{0,40}(?:[A-Za-z-]{1,20}: [^\n:]{1,80}(?:\s|\\[nr])+){0,4}"
    r"[^-]{0,40}?[A-Za-z0-9+/]{24})"
    r"(?:(?:(?!-----)[\s\S]){20,20000}-----END[A-Z0-9 ]{0,60}-----|(?:(?!-----)[\s\S]){20,20000})"
)
_NAME = (
    r"(?:api|access|auth|secret|private|account|encryption|signing|session|bot)[_-]?"
    r"(?:access[_-]?)?(?:key|token)|client[_-]?secret|app[_-]?secret|secret|passw(?:or)?d|bearer"
    r"|authorization[\"']?:\s?[\"']?token|[?&]sig"
)
_RUN_CHARS = string.ascii_letters + string.digits + "_+/.~-"
_LEAST = 16  # characters of the shortest key
_RUNS = bytes(ord("x") if chr(code) in _RUN_CHARS else ord(" ") for code in range(256))
_LEAST_RUN = b"x" * _LEAST
_PLAIN = string.ascii_lowercase.encode() + b"_+/.~-"  # what words and paths are mostly made of
_REACH = 60  # characters, at most, from the name to the value
_NEAR = 45  # characters, at most, from the start of the last word of a name to the value
_LONGEST = 2000  # characters of a value; a session token of AWS may have as many
_LEAST_WORD = 12  # characters of a secret that is no word of a language
_RANDOM_BITS = 3.0  # a character, at least, in a value that was drawn by chance
_RANDOM_TURNS = 0.45  # from one kind of character to another, at least, a character


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret in a text: what kind, where, and as much of it as may be shown."""

    kind: str
    start: int
    end: int
    masked: str


def find_secrets(text: str) -> Iterator[Secret]:
    """Every secret in the text, in order; none overlaps another."""
    found = [*_private_keys(text), *_passwords_in_urls(text)]
    data = text.encode("ascii", "replace")  # every place is the same as in the text
    found += [(*span, _PASSWORD) for span in passwords(text, data.lower(), _placeholder().search)]
    for start, end in _suspects(data):
        if has_cue(text, start, end):
            found += shaped(text, start, end)
        if _is_named(data, start):
            found += _assigned(text, start, end)
    done = 0
    for start, end, kind in sorted(found, key=lambda one: (one[0], -one[1])):
        if start >= done:
            yield Secret(kind, start, end, _masked(text[start:end]))
            done = end


def secrets_in(value: Any) -> Iterator[Secret]:
    """Every secret in the strings of a JSON value; places are those in its string.

    A value under a telling key (`{"api_key": "…"}`) counts like an assignment.
    """
    return (secret for _, secret in _found_in(value))


def kinds_in(*stored: str | None) -> Counter[str]:
    """How many different secrets of each kind are in JSON texts as the store keeps them."""
    from msgspec.json import decode

    different = {
        (secret.kind, text[secret.start : secret.end])
        for written in stored
        if written and _may_hold(written)
        for text, secret in _found_in(decode(written))
    }
    return Counter(kind for kind, _ in different)


def masked(value: Any) -> Any:
    """A JSON value, or a text, in which each secret is replaced by its kind: what may be shown.

    What was told to be a secret in one place is masked wherever else it stands in the value.
    """
    known = {text[secret.start : secret.end]: secret.kind for text, secret in _found_in(value)}
    return _without(value, known) if known else value


def mask_secrets(text: str) -> str:
    """The text as it may be shown."""
    return str(masked(text))


_ASSIGNED = "key in an assignment"
_PASSWORD = "password"


def _found_in(value: Any) -> Iterator[tuple[str, Secret]]:
    """Each secret with the string that holds it."""
    if isinstance(value, str):
        for secret in find_secrets(value):
            yield value, secret
    elif isinstance(value, list):
        for item in value:
            yield from _found_in(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if (kind := _told_by_key(key, item)) is not None:
                yield item, Secret(kind, 0, len(item), _masked(item))
            else:
                yield from _found_in(item)


def _without(value: Any, known: dict[str, str]) -> Any:
    """The value without the known secrets; short ones (a word may be one) where they are told."""
    if isinstance(value, dict):
        return {
            key: f"[{known[item]}]"
            if isinstance(item, str) and item in known
            else _without(item, known)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_without(item, known) for item in value]
    if not isinstance(value, str):
        return value
    parts, done = [], 0
    for secret in find_secrets(value):
        parts += [value[done : secret.start], f"[{secret.kind}]"]
        done = secret.end
    text = "".join([*parts, value[done:]])
    for each in sorted(known, key=len, reverse=True):
        if len(each) >= _LEAST_WORD:
            text = text.replace(each, f"[{known[each]}]")
    return text


def _told_by_key(key: object, value: Any) -> str | None:
    """The kind of a value that looks like a secret, under a key that says what it is."""
    if not isinstance(value, str) or not value:
        return None
    kind = None
    if len(value) >= _LEAST and _whole_name().fullmatch(str(key)) and _looks_drawn(value):
        kind = _ASSIGNED
    elif is_password_name(str(key)) and is_password(value, _placeholder().search):
        kind = _PASSWORD
    return kind if kind and next(find_secrets(value), None) is None else None


def _may_hold(written: str) -> bool:
    """Whether a JSON text is worth a closer look: true for any that holds a secret."""
    if next(_private_keys(written), None) or next(_passwords_in_urls(written), None):
        return True
    data = written.encode("ascii", "replace")
    if may_hold_password(data.lower()):
        return True
    return any(
        has_cue(written, start, end) or _is_named(data, start) for start, end in _suspects(data)
    )


def _is_named(data: bytes, start: int) -> bool:
    """Whether the end of a telling name stands right before a place."""
    return _near().search(data[max(0, start - _NEAR) : start].lower()) is not None


def _suspects(data: bytes) -> Iterator[tuple[int, int]]:
    """Long runs of key characters that are not all lower-case letters and punctuation."""
    runs = data.translate(_RUNS)
    start = runs.find(_LEAST_RUN)
    while start >= 0:
        end = runs.find(b" ", start + _LEAST)
        end = len(data) if end < 0 else end
        if len(data[start:end].translate(None, _PLAIN)) > 1:
            yield start, end
        start = runs.find(_LEAST_RUN, end)


def _private_keys(text: str) -> Iterator[tuple[int, int, str]]:
    if "PRIVATE KEY" in text:
        for match in _private_key().finditer(text):
            yield *match.span(), "private key"


def _passwords_in_urls(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _url().finditer(text):
        if _is_no_placeholder(match["value"]):
            yield *match.span("value"), "password in a URL"


def _assigned(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """A run that looks drawn by chance, right behind a name such as `api_key=`."""
    end += len(text[end : end + 2]) - len(text[end : end + 2].lstrip("="))  # of base64
    if end - start > _LONGEST or text[end : end + 1] in ("(", "[", "{"):
        return
    before = text[max(0, start - _REACH) : start]
    if _before().search(before) and _looks_drawn(text[start:end]):
        yield start, end, _ASSIGNED
    elif _basic().search(before) and _holds_password(text[start:end]):
        yield start, end, "basic credentials"


def _holds_password(value: str) -> bool:
    """Whether it is `user:password` in base64, and the password no placeholder."""
    try:
        told = b64decode(value, validate=True).decode("ascii")
    except ValueError:
        return False
    user, colon, password = told.partition(":")
    return (
        bool(colon and user.isprintable()) and len(password) >= 6 and _is_no_placeholder(password)
    )


def _masked(secret: str) -> str:
    """The first characters, which tell the kind and give nothing away, and the length."""
    return f"{secret[:4]}… ({len(secret)} characters)"


def _is_no_placeholder(value: str) -> bool:
    return not _placeholder().search(value) and len(set(value)) > 2


def _looks_drawn(value: str) -> bool:
    """Letters and digits in a mixture that no word or path has (Shannon entropy a character)."""
    if not _is_no_placeholder(value) or re.search(r"\s", value):
        return False
    if not re.search(r"[A-Za-z]", value):
        return False
    if len(re.findall(r"\d", value)) < 2 and _turns(value) < _RANDOM_TURNS * len(value):
        return False
    counts = Counter(value).values()
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts)
    return bits >= _RANDOM_BITS


def _turns(value: str) -> int:
    """How often a small letter, a capital or another character follows one of another kind."""
    kinds = [(char.islower(), char.isupper()) for char in value]
    return sum(one != other for one, other in pairwise(kinds))


# Patterns are compiled when they are first needed: the first frame waits for none of them.


@cache
def _private_key() -> re.Pattern[str]:
    return re.compile(_PRIVATE_KEY)


@cache
def _url() -> re.Pattern[str]:
    return re.compile(r"://[^\s:/@\"'<>]{0,80}:(?P<value>[^\s:/@\"'<>]{3,80})@[\w.-]{1,200}")


@cache
def _near() -> re.Pattern[bytes]:
    """The end of a telling name, in lower case, and what may stand between it and the value."""
    return re.compile(
        rb"(?:key|token|secret|passw(?:or)?d|bearer|sig|basic|auth)[\"'\\\s:=>nrt]{0,36}\Z"
    )


@cache
def _before() -> re.Pattern[str]:
    """What stands before the value of an assignment."""
    return re.compile(
        rf"(?:(?i:{_NAME})|[A-Z0-9]_TOKEN)[\"'\\]{{0,4}}\s{{0,4}}(?:[:=]|=>|:=)?\s{{0,4}}[\"'\\]{{0,4}}\Z"
    )


@cache
def _basic() -> re.Pattern[str]:
    """What stands before `user:password` in base64: in a header, in Docker's configuration."""
    return re.compile(r"(?i:\bbasic\s{1,4}|\bauth[\"'\\]{1,4}\s{0,4}:\s{0,4}[\"'\\]{1,4})\Z")


@cache
def _whole_name() -> re.Pattern[str]:
    return re.compile(rf"(?i)(?:.{{0,40}}[_-])?(?:{_NAME})")


@cache
def _placeholder() -> re.Pattern[str]:
    return re.compile(
        r"(?i)example|your|placeholder|changeme|redacted|dummy|fake|sample|foobar|xxx|\*\*"
        r"|\.\.\.|12345678|abcdefgh|test|mock|todo|secret|passw|pass$|user|admin|root|postgres"
        r"|guest|key|token|\$|\{|%(?![0-9a-f]{2})"
    )
