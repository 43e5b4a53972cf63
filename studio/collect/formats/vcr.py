"""Cassettes of recorded HTTP: `interactions` of a request and a response, in YAML or in JSON.

Requests to the chat completions, messages and Responses APIs are read as those formats read them
(`studio.collect.chains`); telemetry, embeddings and other requests are passed over. Bodies are
texts, bytes, base64 or gzip. When it ended stands in the `date` header, how long it took in
`openai-processing-ms`.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from db.counted import counted
from db.interactions import Record
from studio.collect import anthropic_api, chat_completions, responses_api
from studio.collect.chains import conversations
from studio.collect.decoding import Damaged
from studio.collect.exchange import Exchange
from studio.collect.log import Head, Item, Log, Rejected
from studio.collect.plain_yaml import LINE, parse
from studio.collect.splitting import PIECE_LIMIT, TOO_LONG

NAME = "vcr"
Row = Mapping[str, Any]
_APIS: tuple[tuple[Callable[[Row], bool], Callable[[Row], Exchange | None]], ...] = tuple(
    (api.looks_like_exchange, api.exchange_of)
    for api in (chat_completions, anthropic_api, responses_api)
)


def sniff(head: Head) -> bool:
    """The file begins with the key `interactions`, or a row holds recorded requests."""
    if head.start.removeprefix(b"\xef\xbb\xbf").startswith(
        (b"interactions:", b"version: 1\ninter")
    ):
        return b"request:" in head.start
    return any(isinstance(row, dict) and bool(_interactions(row)) for row in head.rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a conversation, over all requests of the file."""
    rows = list(_rows(log))
    yield from (row for row in rows if isinstance(row, Rejected))
    kept: list[Item | Rejected] = [row for row in rows if isinstance(row, Item)]
    told = False
    for found in conversations(log, NAME, _exchange, rows=kept):
        told = True
        yield found
    if kept and not told:
        yield log.rejected(0, f"no request to a model among its {counted(len(kept), 'request')}")


def _exchange(row: Row) -> Exchange | None:
    for looks_like_exchange, exchange_of in _APIS:
        if looks_like_exchange(row):
            return exchange_of(row)
    return None


def _rows(log: Log) -> Iterator[Item | Rejected]:
    if not log.head.rows:
        yield from _yaml_rows(log)
        return
    for item in log.items():
        if isinstance(item, Rejected):
            yield item
        elif found := _interactions(item.value):
            for one in found:
                yield Item(item.line, _row(one))
        else:
            yield log.rejected(item.line, "no interactions of a cassette")


def _yaml_rows(log: Log) -> Iterator[Item | Rejected]:
    if log.size > PIECE_LIMIT:
        yield log.rejected(0, TOO_LONG)
        return
    with log.path.open("rb") as file:
        text = file.read(log.size).decode(errors="replace")
    try:
        found = _interactions(parse(text))
    except Damaged as error:
        yield log.rejected(0, str(error))
        return
    if not found:
        yield log.rejected(0, "no interactions of a cassette")
    for one in found:
        line = one.pop(LINE, 1)
        yield Item(line, _row(one))


def _row(one: dict[str, Any]) -> dict[str, Any]:
    """As `studio.collect.exchange` has it."""
    request, response = _object(one.get("request")), _object(one.get("response"))
    headers = _headers(response.get("headers"))
    status = response.get("status", response.get("status_code"))
    status = status.get("code") if isinstance(status, dict) else status
    return {
        "url": request.get("uri") or request.get("url"),
        "status": status,
        "date": headers.get("date"),
        "duration_ms": headers.get("openai-processing-ms"),
        "request": _body(request),
        "response": _body(response),
    }


def _body(side: dict[str, Any]) -> object:
    """The body of a request or response: text, or what is JSON already."""
    body = side.get("body", side.get("content", side.get("parsed_body")))
    if isinstance(body, dict):
        for key in ("string", "text", "data", "base64_string"):
            if key in body and not {"messages", "input", "choices"} & body.keys():
                body = _unpacked(body[key]) if key in ("data", "base64_string") else body[key]
                break
    if isinstance(body, bytes):
        body = _text(body)
    return {k: v for k, v in body.items() if k != LINE} if isinstance(body, dict) else body


def _unpacked(data: object) -> object:
    if not isinstance(data, str):
        return data
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return data


def _text(data: bytes) -> str:
    """Bytes as text, out of gzip where they are in it; never more than the limit."""
    if data.startswith(b"\x1f\x8b"):
        try:
            data = zlib.decompressobj(31).decompress(data, PIECE_LIMIT)
        except zlib.error:
            return ""
    return data.decode(errors="replace")


def _headers(value: object) -> dict[str, Any]:
    """By lower-case name, the first of several values."""
    told = {}
    for key, values in _object(value).items():
        told[str(key).lower()] = values[0] if isinstance(values, list) and values else values
    return told


def _interactions(value: object) -> list[dict[str, Any]]:
    listed = _object(value).get("interactions")
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return found if found and all({"request", "response"} <= one.keys() for one in found) else []


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
