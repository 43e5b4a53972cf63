"""The kinds of keys and tokens that are known by their shape, as their makers document them.

Patterns are compiled when they are first needed: the first frame waits for none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

SHAPES: dict[str, tuple[tuple[str, ...], str]] = {  # kind: (what every one holds, its shape)
    "AWS access key": (("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)(?![0-9A-Z]{9}EXAMPLE)[0-9A-Z]{16}\b"),
    "GitHub token": (("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}"
        r"|github_pat_[A-Za-z0-9_]{60,255})"),
    "GitLab token": (("glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "gloas-"),
        r"\bgl(?:pat|dt|rt|ptt|cbt|oas)-[A-Za-z0-9_-]{20,64}(?:\.[0-9a-z]{2}\.[0-9a-z]{9})?"),
    "Anthropic key": (("sk-ant-",), r"\bsk-ant-[A-Za-z0-9_-]{24,200}"),
    "OpenRouter key": (("sk-or-",), r"\bsk-or-v1-[0-9a-f]{64}\b"),
    "Langfuse key": (("sk-lf-",), r"\bsk-lf-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
    "OpenAI key": (("sk-",), r"\bsk-(?:(?:proj|svcacct|admin)-)?[A-Za-z0-9_-]{20,100}T3BlbkFJ"
        r"[A-Za-z0-9_-]{20,100}|\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,200}"
        r"|\bsk-[A-Za-z0-9]{48}\b"),
    "DeepSeek key": (("sk-",), r"\bsk-[0-9a-f]{32}\b"),
    "Hugging Face token": (("hf_", "api_org_"), r"\b(?:hf|api_org)_[A-Za-z0-9]{34,40}\b"),
    "Slack token": (("xox", "xapp-"), r"\bxox[abeoprs]-[A-Za-z0-9-]{10,200}"
        r"|\bxapp-\d-[A-Z0-9]{8,20}-\d{8,20}-[a-f0-9]{32,80}"),
    "Slack webhook": (("hooks.slack.com/",),
        r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9+/]{30,80}"),
    "Discord webhook": (("/api/webhooks/",),
        r"https://(?:\w{1,10}\.)?discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_-]{60,80}"),
    "Google API key": (("AIza",), r"\bAIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])"),
    "Google OAuth secret": (("GOCSPX-", "ya29."),
        r"\bGOCSPX-[A-Za-z0-9_-]{28}(?![0-9A-Za-z_-])|\bya29\.[0-9A-Za-z_-]{30,400}"),
    "Azure client secret": (("Q~",),
        r"(?:(?<![0-9A-Za-z_~.-])|(?<=\\[nrt]))[0-9A-Za-z_~.-]{3}[0-9]Q~"
        r"[0-9A-Za-z_~.-]{31,34}(?![0-9A-Za-z_~-])"),
    "Groq key": (("gsk_",), r"\bgsk_[A-Za-z0-9]{52}\b"),
    "xAI key": (("xai-",), r"\bxai-[A-Za-z0-9]{80}\b"),
    "Perplexity key": (("pplx-",), r"\bpplx-[A-Za-z0-9]{40,64}\b"),
    "Tavily key": (("tvly-",), r"\btvly-(?:dev-|prod-)?[A-Za-z0-9]{32}\b"),
    "NVIDIA key": (("nvapi-",), r"\bnvapi-[A-Za-z0-9_-]{60,80}"),
    "LangSmith key": (("lsv2_",), r"\blsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}\b"),
    "Replicate token": (("r8_",), r"\br8_[A-Za-z0-9]{37}\b"),
    "Stripe key": (("k_live_", "k_test_", "whsec_"),
        r"\b[sr]k_(?:live|test)_(?!(?i:x{4}|your))[0-9A-Za-z]{20,200}|\bwhsec_[0-9A-Za-z+/]{32,64}"),
    "SendGrid key": (("SG.",), r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![0-9A-Za-z_-])"),
    "Mailgun key": (("key-",), r"\bkey-[0-9a-f]{32}\b"),
    "Mailchimp key": (("-us",), r"\b[0-9a-f]{32}-us\d{1,2}\b"),
    "npm token": (("npm_",), r"\bnpm_[A-Za-z0-9]{36}\b"),
    "PyPI token": (("pypi-",), r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,300}"),
    "RubyGems key": (("rubygems_",), r"\brubygems_[0-9a-f]{48}\b"),
    "Docker token": (("dckr_",), r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{27,40}"),
    "DigitalOcean token": (("_v1_",), r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
    "Databricks token": (("dapi",), r"\bdapi[0-9a-f]{32}(?:-\d)?\b"),
    "Vault token": (("hvs.", "hvb."), r"\bhv[sb]\.[A-Za-z0-9_-]{24,300}"),
    "age key": (("AGE-SECRET-KEY-1",), r"\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b"),
    "Shopify token": (("shp",), r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b"),
    "Atlassian token": (("ATATT3",), r"\bATATT3[A-Za-z0-9_=-]{60,300}"),
    "Linear key": (("lin_",), r"\blin_(?:api|oauth)_[A-Za-z0-9]{40,64}\b"),
    "Notion token": (("ntn_", "secret_"), r"\bntn_[A-Za-z0-9]{40,50}\b|\bsecret_[A-Za-z0-9]{43}\b"),
    "Figma token": (("figd_",), r"\bfigd_[A-Za-z0-9_-]{40,60}"),
    "Sentry token": (("sntry",), r"\bsntry[su]_[A-Za-z0-9_+/=-]{60,300}"),
    "New Relic key": (("NRAK-",), r"\bNRAK-[A-Z0-9]{27}\b"),
    "Grafana token": (("glsa_", "glc_"), r"\bglsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}\b"
        r"|\bglc_[A-Za-z0-9+/]{40,300}"),
    "Supabase key": (("sbp_",), r"\bsbp_[0-9a-f]{40}\b"),
    "Fly token": (("fo1_", "fm2_"), r"\b(?:fo1_[A-Za-z0-9_-]{43}|fm2_[A-Za-z0-9+/=]{100,500})"),
    "Postman key": (("PMAK-",), r"\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}\b"),
    "JSON web token": (("eyJ",), r"(?:(?<![A-Za-z0-9_.-])|(?<=\\[nrt]))eyJ[A-Za-z0-9_-]{10,4000}\."
        r"eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,4000}"),
}  # fmt: skip
_START = r"(?:\b|(?<=\\[nrt]))"  # a key may follow an escaped line break in text within text
_BEFORE_RUN = len("https:")  # of a shape, at most, stands before its run
_BEFORE_CUE = {  # characters of a shape, at most, before its cue; others begin with it
    "Slack webhook": len("https://"),
    "Discord webhook": len("https://") + 11 + len("discordapp.com"),
    "Azure client secret": 4,
    "Stripe key": 1,
    "Mailchimp key": 32,
    "DigitalOcean token": 3,
}
_SHORT = 400  # characters; over that, looking for each cue alone is faster


def shaped(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """What of a run of key characters has the shape of a known kind: from, to, kind."""
    first = max(0, start - _BEFORE_RUN)
    for kind, pattern in _patterns().items():
        if all(text.find(cue, start, end) < 0 for cue in SHAPES[kind][0]):
            continue
        if end - start < _SHORT:
            found = list(pattern.finditer(text, first, end))
        else:  # of a long run, such as a picture, only what is around the cues
            matches = (pattern.match(text, at, end) for at in tried(kind, text, start, end))
            found = [match for match in matches if match]
        for match in found:
            yield *match.span(), kind


def tried(kind: str, text: str, start: int, end: int) -> list[int]:
    """The places of a long run at which a key of that kind may begin."""
    first, before = max(0, start - _BEFORE_RUN), _BEFORE_CUE.get(kind, 0)
    places = {at for cue in SHAPES[kind][0] for at in _places(text, cue, start, end)}
    return sorted({n for at in places for n in range(max(first, at - before), at + 1)})


def _places(text: str, cue: str, start: int, end: int) -> Iterator[int]:
    at = text.find(cue, start, end)
    while at >= 0:
        yield at
        at = text.find(cue, at + len(cue), end)


def has_cue(text: str, start: int, end: int) -> bool:
    """Whether a run holds what every key of some kind holds; hardly any run does."""
    if end - start < _SHORT:
        return _cue().search(text, start, end) is not None
    return any(text.find(cue, start, end) >= 0 for cues, _ in SHAPES.values() for cue in cues)


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    return {
        kind: re.compile(re.sub(r"(^|\|)\\b", lambda m: m[1] + _START, shape))
        for kind, (_, shape) in SHAPES.items()
    }


@cache
def _cue() -> re.Pattern[str]:
    cues = dict.fromkeys(cue for cues, _ in SHAPES.values() for cue in cues)
    return re.compile("|".join(map(re.escape, cues)))
