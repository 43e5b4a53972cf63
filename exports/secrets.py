"""Keys and tokens in text: found by their documented shapes, masked in place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SHAPES = {
    "private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----.*?(?:-----END[A-Z0-9 ]*-----|\Z)",
    "AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})",
    "GitLab token": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "Anthropic key": r"\bsk-ant-[A-Za-z0-9_-]{24,}",
    "OpenAI key": r"\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}"
    r"|\bsk-(?:proj|svcacct)-[A-Za-z0-9_-]{40,}|\bsk-[A-Za-z0-9]{48}\b",
    "Hugging Face token": r"\bhf_[A-Za-z0-9]{34,}\b",
    "Slack token": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    "Google API key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "Stripe key": r"\b(?:sk|rk)_live_[0-9A-Za-z]{20,}",
    "JSON web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "password in a URL": r"\b[a-z][a-z0-9+.-]*://[^\s:/@]+:[^\s:/@]{3,}@[^\s/]+",
}
_ANY = re.compile(
    "|".join(f"(?P<k{number}>{shape})" for number, shape in enumerate(_SHAPES.values())), re.DOTALL
)
_NAMES = list(_SHAPES)


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret in a text: what kind, and where."""

    kind: str
    start: int
    end: int


def find_secrets(text: str) -> Iterator[Secret]:
    """Every secret in the text, in order."""
    for found in _ANY.finditer(text):
        yield Secret(_NAMES[int(str(found.lastgroup)[1:])], found.start(), found.end())


def mask_secrets(text: str) -> str:
    """The text with each secret replaced by its kind."""
    return _ANY.sub(lambda found: f"[{_NAMES[int(str(found.lastgroup)[1:])]}]", text)
