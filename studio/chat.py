"""Ask an OpenAI-compatible endpoint: one request, tried again where that may help.

429, 5xx, timeouts, broken connections and answers that are none are tried again after a pause that
doubles, or after what `Retry-After` says. What trying again cannot help ends it at once.
"""

from __future__ import annotations

import email.utils
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from db.errors import BadInput
from studio.endpoints import EndpointSettings, key_of

if TYPE_CHECKING:
    import httpx2

TRIES = 6
LONGEST_PAUSE = 60.0  # seconds, of our own pauses
LONGEST_WAIT = 600.0  # seconds that a server may ask us to wait
_AGAIN = frozenset({408, 409, 425, 429})
_SAID_CHARS = 200


class EndpointError(BadInput):
    """The endpoint cannot be used, or not any more; the message says how to mend it."""


class RequestRefused(BadInput):
    """This request is not taken, others may be: 400, 413, 422."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: `choices` as the API gives them. Counts that were not told are None."""

    choices: list[dict[str, Any]]
    model: str | None
    id: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    started_ms: int
    duration_ms: int


class ChatClient:
    """A client of one endpoint, for several threads. `on_retry(why, seconds)` hears of pauses.

    `timeout` in seconds is what an answer may take. Raises BadInput where the key is missing.
    """

    def __init__(
        self,
        name: str,
        endpoint: EndpointSettings,
        *,
        timeout: float = 600.0,
        tries: int = TRIES,
        on_retry: Callable[[str, float], object] = lambda _why, _seconds: None,
    ) -> None:
        import httpx2

        key = key_of(endpoint)
        self.name, self.endpoint, self.tries = name, endpoint, tries
        self._key = key
        self._on_retry = on_retry
        self._closed = threading.Event()
        self._reached = False  # a server that never answered is not waited for
        self._http = httpx2.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 10.0)),
            limits=httpx2.Limits(max_connections=None),
        )

    def ask(self, body: Mapping[str, Any]) -> Reply:
        """One chat completion of `body`, which is sent as it is.

        Raises RequestRefused for this request, EndpointError when it is of no use to ask on.
        """
        for number in range(1, self.tries + 1):
            begun, started_ms = time.monotonic(), time.time_ns() // 1_000_000
            outcome = self._once(body)
            if not isinstance(outcome, _Again):
                return _reply(outcome, started_ms, round(1000 * (time.monotonic() - begun)))
            if number == self.tries or self._closed.is_set():
                raise EndpointError(f"{self._place()}: {outcome.why}, {number} times in a row")
            pause = outcome.pause if outcome.pause is not None else _pause(number)
            if pause > LONGEST_WAIT:
                raise EndpointError(
                    f"{self._place()}: {outcome.why}; it asks to wait {pause:,.0f} s"
                )
            self._on_retry(outcome.why, pause)
            self._closed.wait(pause)
        raise AssertionError("unreachable")

    def hurry(self) -> None:
        """From now on nothing is tried again; requests under way may still be answered."""
        self._closed.set()

    def close(self) -> None:
        """End pauses and connections; requests under way are given up."""
        self.hurry()
        self._http.close()

    def _place(self) -> str:
        return f"endpoint {self.name} ({self.endpoint.url})"

    def _once(self, body: Mapping[str, Any]) -> dict[str, Any] | _Again:
        """A completion, or why it is worth another try."""
        import httpx2

        try:
            response = self._http.post(f"{self.endpoint.url}/chat/completions", json=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            refused = "refused" in str(error).lower()
            why = "the connection is refused" if refused else f"no connection ({_short(error)})"
            return self._unless_first(_Again(why))
        except httpx2.TimeoutException:
            return _Again("no answer in time")
        except httpx2.TransportError as error:
            return _Again(f"the connection broke ({_short(error)})")
        except (httpx2.HTTPError, httpx2.InvalidURL, RuntimeError) as error:
            raise EndpointError(f"{self._place()}: {_short(error)}") from error
        self._reached = True
        return self._judged(response)

    def _unless_first(self, again: _Again) -> _Again:
        if not self._reached:
            raise EndpointError(
                f"{self._place()}: {again.why}; is the server running, and is the url right?"
            )
        return again

    def _judged(self, response: httpx2.Response) -> dict[str, Any] | _Again:
        status = response.status_code
        if status in _AGAIN or status >= 500:
            return _Again(f"{_status(status)}{self._said(response)}", _retry_after(response))
        if status in (401, 403):
            variable = self.endpoint.key_env
            remedy = f"check ${variable}" if variable else "name its key's variable in key_env"
            raise EndpointError(
                f"{self._place()}: {_status(status)}{self._said(response)}; {remedy}"
            )
        if status in (400, 413, 422):
            raise RequestRefused(f"{_status(status)}{self._said(response)}")
        if status != 200:
            raise EndpointError(
                f"{self._place()}: {_status(status)}{self._said(response)}; check its url and its "
                f"model ({self.endpoint.model})"
            )
        try:
            value: dict[str, Any] = response.json()
        except ValueError:
            return _Again(f"the answer is no JSON{self._said(response)}")
        choices = value.get("choices") if isinstance(value, dict) else None
        if not isinstance(choices, list) or not choices or not all(map(_is_choice, choices)):
            return _Again("the answer is no chat completion")
        return value

    def _said(self, response: httpx2.Response) -> str:
        """What the server says of it, in a few words, without the key that it may repeat."""
        try:
            value = response.json()
        except ValueError:
            value = response.text
        if isinstance(value, dict):
            error = value.get("error", value.get("message", value.get("detail", "")))
            value = error.get("message", "") if isinstance(error, dict) else error
        text = " ".join(str(value).split())
        if self._key:
            text = text.replace(self._key, "…")
        return f": {text[:_SAID_CHARS]}" if text else ""


@dataclass(frozen=True, slots=True)
class _Again:
    """Why another try may help, and how many seconds from now the server says, if it says."""

    why: str
    pause: float | None = None


def _is_choice(choice: object) -> bool:
    return isinstance(choice, dict) and isinstance(choice.get("message"), dict)


def _reply(value: Mapping[str, Any], started_ms: int, duration_ms: int) -> Reply:
    usage = value.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Reply(
        choices=value["choices"],
        model=value["model"] if isinstance(value.get("model"), str) else None,
        id=value["id"] if isinstance(value.get("id"), str) else None,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        started_ms=started_ms,
        duration_ms=duration_ms,
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _pause(number: int) -> float:
    """Seconds before the next try: doubling, half of it by chance, so that workers spread."""
    return float(min(LONGEST_PAUSE, 2 ** (number - 1)) * random.uniform(0.5, 1.0))


def _retry_after(response: httpx2.Response) -> float | None:
    """RFC 9110, 10.2.3: seconds, or a date."""
    said = response.headers.get("retry-after", "").strip()
    if not said:
        return None
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        moment = email.utils.parsedate_to_datetime(said).timestamp()
    except (TypeError, ValueError):
        return None
    return max(0.0, moment - time.time())


def _status(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:_SAID_CHARS] or type(error).__name__
