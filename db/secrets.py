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
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

_SHAPES: dict[str, tuple[tuple[str, ...], str]] = {  # kind: (what every one holds, its shape)
    "AWS access key": (("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "GitHub token": (("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}"
        r"|github_pat_[A-Za-z0-9_]{60,255})"),
    "GitLab token": (("glpat-", "gldt-", "glrt-", "glptt-", "glcbt-"),
        r"\bgl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_-]{20,64}"),
    "Anthropic key": (("sk-ant-",), r"\bsk-ant-[A-Za-z0-9_-]{24,200}"),
    "OpenRouter key": (("sk-or-",), r"\bsk-or-v1-[0-9a-f]{64}\b"),
    "OpenAI key": (("sk-",), r"\bsk-(?:(?:proj|svcacct|admin)-)?[A-Za-z0-9_-]{20,100}T3BlbkFJ"
        r"[A-Za-z0-9_-]{20,100}|\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,200}"
        r"|\bsk-[A-Za-z0-9]{48}\b"),
    "Hugging Face token": (("hf_", "api_org_"), r"\b(?:hf|api_org)_[A-Za-z0-9]{34,40}\b"),
    "Slack token": (("xox", "xapp-"), r"\bxox[abeoprs]-[A-Za-z0-9-]{10,200}"
        r"|\bxapp-\d-[A-Z0-9]{8,20}-\d{8,20}-[a-f0-9]{32,80}"),
    "Slack webhook": (("hooks.slack.com/",),
        r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9+/]{30,80}"),
    "Google API key": (("AIza",), r"\bAIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])"),
    "Google OAuth secret": (("GOCSPX-", "ya29."),
        r"\bGOCSPX-[A-Za-z0-9_-]{28}(?![0-9A-Za-z_-])|\bya29\.[0-9A-Za-z_-]{30,400}"),
    "Groq key": (("gsk_",), r"\bgsk_[A-Za-z0-9]{52}\b"),
    "xAI key": (("xai-",), r"\bxai-[A-Za-z0-9]{80}\b"),
    "Replicate token": (("r8_",), r"\br8_[A-Za-z0-9]{37}\b"),
    "Stripe key": (("k_live_",), r"\b(?:sk|rk)_live_[0-9A-Za-z]{20,200}"),
    "SendGrid key": (("SG.",), r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![0-9A-Za-z_-])"),
    "npm token": (("npm_",), r"\bnpm_[A-Za-z0-9]{36}\b"),
    "PyPI token": (("pypi-",), r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,300}"),
    "DigitalOcean token": (("_v1_",), r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
    "JSON web token": (("eyJ",), r"(?:(?<![A-Za-z0-9_.-])|(?<=\\[nrt]))eyJ[A-Za-z0-9_-]{10,4000}\."
        r"eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,4000}"),
}  # fmt: skip
_PRIVATE_KEY = (
    r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY"
    r"(?: BLOCK)?-----(?=\s*(?:\\[nr])*\s*[A-Za-z0-9+/=])"
    r"(?:[^-]{20,20000}-----END[A-Z0-9 ]{0,60}-----|[^-]{20,20000})"
)
_START = r"(?:\b|(?<=\\[nrt]))"  # a key may follow an escaped line break in text within text
_NAME = (
    r"(?:api|access|auth|secret|private|account|encryption|signing)[_-]?(?:access[_-]?)?"
    r"(?:key|token)|client[_-]?secret|app[_-]?secret|secret|passw(?:or)?d|bearer"
)
_RUN_CHARS = string.ascii_letters + string.digits + "_+/.~-"
_LEAST = 16  # characters of the shortest key
_RUNS = bytes(ord("x") if chr(code) in _RUN_CHARS else ord(" ") for code in range(256))
_LEAST_RUN = b"x" * _LEAST
_PLAIN = string.ascii_lowercase.encode() + b"_+/.~-"  # what words and paths are mostly made of
_REACH = 60  # characters, at most, from the name to the value
_NEAR = 45  # characters, at most, from the start of the last word of a name to the value
_BEFORE_RUN = len("https:")  # of a shape, at most, stands before its run
_LONGEST = 300
_LEAST_WORD = 12  # characters of a secret that is no word of a language
_RANDOM_BITS = 3.0  # a character, at least, in a value that was drawn by chance


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
    for start, end in _suspects(data):
        if _cue().search(text, start, end):  # hardly ever: the patterns are slow
            found += _shaped(text, start, end)
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
            if _is_named_secret(key, item):
                yield item, Secret(_ASSIGNED, 0, len(item), _masked(item))
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


def _is_named_secret(key: object, value: Any) -> bool:
    """A value that looks drawn, under a key that says what it is."""
    if not isinstance(value, str) or len(value) < _LEAST or not _whole_name().fullmatch(str(key)):
        return False
    return next(find_secrets(value), None) is None and _looks_drawn(value)


def _may_hold(written: str) -> bool:
    """Whether a JSON text is worth a closer look: true for any that holds a secret."""
    if next(_private_keys(written), None) or next(_passwords_in_urls(written), None):
        return True
    data = written.encode("ascii", "replace")
    return any(
        _cue().search(written, start, end) or _is_named(data, start)
        for start, end in _suspects(data)
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


def _shaped(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """What of a run has the shape of a known kind."""
    for kind, pattern in _patterns().items():
        if not any(text.find(cue, start, end) >= 0 for cue in _SHAPES[kind][0]):
            continue
        for match in pattern.finditer(text, max(0, start - _BEFORE_RUN), end):
            yield *match.span(), kind


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
    if _before().search(text, max(0, start - _REACH), start) and _looks_drawn(text[start:end]):
        yield start, end, _ASSIGNED


def _masked(secret: str) -> str:
    """The first characters, which tell the kind and give nothing away, and the length."""
    return f"{secret[:4]}… ({len(secret)} characters)"


def _is_no_placeholder(value: str) -> bool:
    return not _placeholder().search(value) and len(set(value)) > 2


def _looks_drawn(value: str) -> bool:
    """Letters and digits in a mixture that no word or path has (Shannon entropy a character)."""
    if not _is_no_placeholder(value) or re.search(r"\s", value):
        return False
    if not (re.search(r"[A-Za-z]", value) and len(re.findall(r"\d", value)) >= 2):
        return False
    counts = Counter(value).values()
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts)
    return bits >= _RANDOM_BITS


# Patterns are compiled when they are first needed: the first frame waits for none of them.


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    return {
        kind: re.compile(re.sub(r"(^|\|)\\b", lambda m: m[1] + _START, shape))
        for kind, (_, shape) in _SHAPES.items()
    }


@cache
def _cue() -> re.Pattern[str]:
    return re.compile("|".join(re.escape(cue) for cues, _ in _SHAPES.values() for cue in cues))


@cache
def _private_key() -> re.Pattern[str]:
    return re.compile(_PRIVATE_KEY)


@cache
def _url() -> re.Pattern[str]:
    return re.compile(r"://[^\s:/@\"'<>]{0,80}:(?P<value>[^\s:/@\"'<>]{3,80})@[\w.-]{1,200}")


@cache
def _near() -> re.Pattern[bytes]:
    """The end of a telling name, in lower case, and what may stand between it and the value."""
    return re.compile(rb"(?:key|token|secret|passw(?:or)?d|bearer)[\"'\\\s:=>nrt]{0,36}\Z")


@cache
def _before() -> re.Pattern[str]:
    """What stands before the value of an assignment."""
    return re.compile(
        rf"(?i:{_NAME})[\"'\\]{{0,4}}\s{{0,4}}(?:[:=]|=>|:=)?\s{{0,4}}[\"'\\]{{0,4}}\Z"
    )


@cache
def _whole_name() -> re.Pattern[str]:
    return re.compile(rf"(?i)(?:.{{0,40}}[_-])?(?:{_NAME})")


@cache
def _placeholder() -> re.Pattern[str]:
    return re.compile(
        r"(?i)example|your|placeholder|changeme|redacted|dummy|fake|sample|foobar|xxx|\*\*"
        r"|\.\.\.|12345678|abcdefgh|test|mock|todo|secret|passw|pass$|user|admin|root|postgres"
        r"|key|token|\$|\{|%"
    )
