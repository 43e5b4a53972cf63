"""Numbers, names and times as logs write them; None where the log does not tell."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

COUNT_LIMIT = 2**53
LATEST_MS = 253_402_300_800_000  # the year 10000
EARLIEST_S = 86_400_000  # autumn 1972; smaller numbers are counters
_SINCE_1970 = re.compile(r"(?:[0-9]{10}|[0-9]{13}|[0-9]{16}|[0-9]{19})(?:\.[0-9]{1,9})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def count(value: object) -> int | None:
    """A whole number from 0: tokens or milliseconds. Accepts `12`, `12.4` and `"12"`."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value) or not 0 <= value < COUNT_LIMIT:
        return None
    return round(value)


def name(value: object) -> str | None:
    """A text that is not empty."""
    return value.strip() or None if isinstance(value, str) else None


def moment(value: object) -> int | None:
    """Milliseconds since 1970 of an ISO 8601 or HTTP date, or of s, ms, µs or ns since 1970,
    which may be digits in a string.

    A time without a zone is taken as UTC.
    """
    if isinstance(value, str):
        value = value.strip()
        if not _SINCE_1970.fullmatch(value):
            return _parsed(value.removesuffix(" UTC"))
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value) or value < EARLIEST_S:
        return None
    for limit, unit in ((1e11, 1000), (1e14, 1), (1e17, 1e-3), (1e20, 1e-6)):
        if value < limit:
            return round(value * unit)
    return None


def _parsed(text: str) -> int | None:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        try:
            when = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    try:
        milliseconds = (when - _EPOCH) // timedelta(milliseconds=1)
    except OverflowError:
        return None
    return milliseconds if 0 <= milliseconds < LATEST_MS else None
