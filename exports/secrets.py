"""Keys and tokens in text: found by their documented shapes, masked in place.

Where a shape is no proof (`api_key=…`, a password in a URL), the value must look drawn by chance
and be no placeholder. Every repetition is bounded, so any text is read in linear time.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SHAPES: dict[str, tuple[tuple[str, ...], str]] = {  # kind: (what every one holds, its shape)
    "private key": (("PRIVATE KEY",), r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY"
        r"(?: BLOCK)?-----(?=\s*(?:\\[nr])*\s*[A-Za-z0-9+/=])"
        r"(?:[^-]{20,20000}-----END[A-Z0-9 ]{0,60}-----|[^-]{20,20000})"),
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
    "Slack webhook": (("hooks.slack.com",),
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
_START = r"(?:\b|(?<=\\[nrt]))"  # a key may follow an escaped line break in text within text
_PATTERNS = {
    kind: (cues, re.compile(re.sub(r"(^|\|)\\b", lambda m: m[1] + _START, shape)))
    for kind, (cues, shape) in _SHAPES.items()
}
_NAME = (
    r"(?:api|access|auth|secret|private|account|encryption|signing)[_-]?(?:access[_-]?)?"
    r"(?:key|token)|client[_-]?secret|app[_-]?secret|secret|passw(?:or)?d|bearer"
)
_URL = re.compile(r"://[^\s:/@\"'<>]{0,80}:(?P<value>[^\s:/@\"'<>]{3,80})@[\w.-]{1,200}")
_RUN = re.compile(r"[A-Za-z0-9_+/.~-]{16,}={0,2}")
_BEFORE = re.compile(  # what stands before the value of an assignment
    rf"(?i:{_NAME})[\"'\\]{{0,4}}\s{{0,4}}(?:[:=]|=>|:=)?\s{{0,4}}[\"'\\]{{0,4}}\Z"
)
_REACH = 60  # characters, at most, from the name to the value
_LONGEST = 300
_WHOLE_NAME = re.compile(rf"(?i)(?:.{{0,40}}[_-])?(?:{_NAME})")
_PLACEHOLDER = re.compile(
    r"(?i)example|your|placeholder|changeme|redacted|dummy|fake|sample|foobar|xxx|\*\*|\.\.\."
    r"|12345678|abcdefgh|test|mock|todo|secret|passw|pass$|user|admin|root|postgres|key|token|\$|\{|%"
)
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
    found = [
        (*match.span(), kind)
        for kind, (cues, pattern) in _PATTERNS.items()
        if any(cue in text for cue in cues)  # nearly always none: the patterns are slow
        for match in pattern.finditer(text)
    ]
    found += _passwords_in_urls(text)
    found += _assigned(text)
    done = 0
    for start, end, kind in sorted(found, key=lambda one: (one[0], -one[1])):
        if start >= done:
            yield Secret(kind, start, end, _masked(text[start:end]))
            done = end


def _passwords_in_urls(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _URL.finditer(text):
        if _is_no_placeholder(match["value"]):
            yield *match.span("value"), "password in a URL"


def _assigned(text: str) -> Iterator[tuple[int, int, str]]:
    """Runs of characters that look drawn by chance, right behind a name such as `api_key=`."""
    for match in _RUN.finditer(text):
        start, end = match.span()
        if end - start > _LONGEST or text[end : end + 1] in ("(", "[", "{"):
            continue
        if _looks_drawn(match[0]) and _BEFORE.search(text, max(0, start - _REACH), start):
            yield start, end, "key in an assignment"


def secrets_in(value: Any) -> Iterator[Secret]:
    """Every secret in the strings of a JSON value; places are those in its string.

    A value under a telling key (`{"api_key": "…"}`) counts like an assignment.
    """
    if isinstance(value, str):
        yield from find_secrets(value)
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            found = list(secrets_in(item))
            named = isinstance(item, str) and _WHOLE_NAME.fullmatch(str(key))
            if named and not found and len(item) >= 16 and _looks_drawn(item):
                found = [Secret("key in an assignment", 0, len(item), _masked(item))]
            yield from found


def mask_secrets(text: str) -> str:
    """The text with each secret replaced by its kind: what may be shown of it."""
    parts, done = [], 0
    for secret in find_secrets(text):
        parts += [text[done : secret.start], f"[{secret.kind}]"]
        done = secret.end
    return "".join([*parts, text[done:]])


def _masked(secret: str) -> str:
    """The first characters, which tell the kind and give nothing away, and the length."""
    return f"{secret[:4]}… ({len(secret)} characters)"


def _is_no_placeholder(value: str) -> bool:
    return not _PLACEHOLDER.search(value) and len(set(value)) > 2


def _looks_drawn(value: str) -> bool:
    """Letters and digits in a mixture that no word or path has (Shannon entropy a character)."""
    if not _is_no_placeholder(value) or re.search(r"\s", value):
        return False
    if not (re.search(r"[A-Za-z]", value) and len(re.findall(r"\d", value)) >= 2):
        return False
    counts = Counter(value).values()
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts)
    return bits >= _RANDOM_BITS
