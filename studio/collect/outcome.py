"""How a request ended, as APIs tell it."""

from __future__ import annotations

from db.interactions import dumps
from studio.collect.values import name

ERROR_CHARS = 2000
_CUT_SHORT = {
    "length",
    "max_tokens",
    "max_output_tokens",
    "model_context_window_exceeded",
    "content_filter",
    "safety",
    "refusal",
}


def cut_short(reason: str | None) -> bool:
    """Whether a limit or a filter ended the answer before its end (finish and stop reasons)."""
    return reason is not None and reason.lower() in _CUT_SHORT


def ended_well(error: str | None, ended: bool, reason: str | None) -> bool | None:
    """Success of a request: False for an error, True for an answer that came to its own end."""
    if error:
        return False
    return True if ended and not cut_short(reason) else None


def error_text(error: object) -> str | None:
    """An error as `type: message`; None when there is none."""
    if not error:
        return None
    if isinstance(error, str):
        return error[:ERROR_CHARS]
    if not isinstance(error, dict):
        return dumps(error)[:ERROR_CHARS]
    message = name(error.get("message")) or dumps(error)
    kind = name(error.get("type")) or error.get("code")
    return (f"{kind}: {message}" if kind else message)[:ERROR_CHARS]
