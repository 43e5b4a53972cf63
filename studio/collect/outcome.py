"""How a request ended, as APIs tell it."""

from __future__ import annotations

from db.interactions import dumps
from studio.collect.values import name

ERROR_CHARS = 2000


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
