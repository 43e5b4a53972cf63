"""Inspect evaluation logs: `{"version", "eval", "samples"}` as JSON, or a zip with a file a sample.

One interaction a sample and epoch. Success is what the scorers say, where they agree; texts that
were moved to the attachments are put back, pictures stay there. An evaluation that was cancelled
before its first sample is told.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any
from zipfile import BadZipFile, ZipFile

from db.interactions import Record
from studio.collect.any_messages import AnyMessages
from studio.collect.decoding import Damaged, decode
from studio.collect.log import Head, Log, Rejected, Unusable, as_object
from studio.collect.outcome import error_text
from studio.collect.splitting import PIECE_LIMIT, TOO_LONG
from studio.collect.values import count, moment, name

NAME = "inspect"
_ZIP = b"PK\x03\x04"
_MEMBERS = (b"_journal/", b"header.json", b"samples/")
_HEADERS = ("header.json", "_journal/start.json")
_ATTACHED = "attachment://"
_BAD_ZIP = (
    BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    KeyError,
)
_WON = {"C": True, "I": False, True: True, False: False}


def sniff(head: Head) -> bool:
    """A zip that begins with a journal, header or sample, or a row with an `eval`."""
    if head.start.startswith(_ZIP):
        return any(member in head.start for member in _MEMBERS)
    return any(isinstance(row, dict) and _is_log(row) for row in head.rows)


def read(log: Log) -> Iterator[Record | Rejected]:
    """One interaction a sample."""
    if log.head.start.startswith(_ZIP):
        return _zipped(log)
    return log.each(lambda row, line: _samples(log, row, line))


def _samples(log: Log, row: dict[str, Any], line: int) -> Iterator[Record | Rejected]:
    """The samples of an evaluation in one document."""
    if not _is_log(row):
        raise Unusable("no evaluation with its eval and samples")
    samples = row.get("samples")
    samples = samples if isinstance(samples, list) else []
    if not samples:
        raise Unusable(f"an evaluation without samples: {row.get('status')}")
    for number, sample in enumerate(samples, 1):
        yield _kept(log, row, sample, line, f"sample {number}")


def _zipped(log: Log) -> Iterator[Record | Rejected]:
    """The samples of a zip, one in memory at a time; a sample's number stands for its line."""
    try:
        with log.path.open("rb") as file, ZipFile(file) as archive:
            members = archive.namelist()
            header: dict[str, Any] = {}
            for member in _HEADERS:
                if member in members and not header:
                    header = as_object(_member(archive, member))
            samples = [one for one in members if one.startswith("samples/")]
            for number, member in enumerate(sorted(samples), 1):
                try:
                    sample = _member(archive, member)
                except (Damaged, *_BAD_ZIP) as error:
                    yield log.rejected(number, f"{member}: {error}")
                else:
                    yield _kept(log, header, sample, number, member)
            if not samples:
                yield log.rejected(0, f"an evaluation without samples: {header.get('status')}")
    except (Damaged, Unusable, *_BAD_ZIP) as error:
        yield log.rejected(0, f"not a whole zip: {error}")


def _member(archive: ZipFile, member: str) -> Any:
    with archive.open(member) as file:
        data = file.read(PIECE_LIMIT + 1)
    if len(data) > PIECE_LIMIT:
        raise Damaged(TOO_LONG)
    return decode(data)


def _kept(
    log: Log, row: dict[str, Any], sample: object, line: int, where: str
) -> Record | Rejected:
    try:
        return _record(log, row, as_object(sample), line)
    except Unusable as error:
        return log.rejected(line, f"{where}: {error}")


def _record(log: Log, row: dict[str, Any], sample: dict[str, Any], line: int) -> Record:
    facts = _object(row.get("eval"))
    said = AnyMessages()
    attached = _object(sample.get("attachments"))
    messages = sample.get("messages")
    for message in messages if isinstance(messages, list) else []:
        said.request(_message(as_object(_restored(message, attached))))
    if not said.conversation.messages:
        raise Unusable("no messages")
    output = _object(sample.get("output"))
    choices = output.get("choices")
    choice = _object(choices[0]) if isinstance(choices, list) and choices else {}
    full = name(facts.get("model")) or ""
    provider, _, model = full.rpartition("/")
    error = error_text(sample.get("error"))
    run = name(facts.get("run_id")) or name(facts.get("task_id"))
    identity = f"{NAME}:{run}/{sample.get('id')}/{sample.get('epoch', 1)}"
    seconds = sample.get("total_time")
    prompt, completion = _tokens(sample, output)
    told = {
        "task": facts.get("task"),
        "scores": sample.get("scores"),
        "target": sample.get("target"),
    }
    return Record(
        external_id=identity if run else log.content_id(NAME, sample),
        line=line,
        messages=said.conversation.messages,
        provider=provider.partition("/")[0] or None,
        model=name(output.get("model")) or name(model),
        success=False if error else _success(sample.get("scores")),
        error=error,
        started_ms=_began(sample) or moment(facts.get("created")),
        duration_ms=count(seconds * 1000) if isinstance(seconds, int | float) else None,
        prompt_tokens=prompt,
        completion_tokens=completion,
        stop_reason=name(choice.get("stop_reason")) or name(output.get("stop_reason")),
        raw={key: value for key, value in told.items() if value} | said.conversation.raw(),
    )


def _began(sample: dict[str, Any]) -> int | None:
    """When the sample began: as newer versions tell, else when the first of its events was."""
    if (told := moment(sample.get("started_at"))) is not None:
        return told
    events = sample.get("events")
    listed = events if isinstance(events, list) else []
    times = [moment(_object(one).get("timestamp")) for one in listed]
    return min((when for when in times if when is not None), default=None)


def _message(message: dict[str, Any]) -> dict[str, Any]:
    """In the form of OpenAI's: a call's function is its name, an error is its result."""
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        calls = [
            {**call, "name": call.get("function")} if isinstance(call, dict) else call
            for call in calls
        ]
        message = {**message, "tool_calls": calls}
    if message.get("role") == "tool" and isinstance(message.get("error"), dict):
        told = message.get("content") or message["error"].get("message")
        message = {**message, "is_error": True, "content": told}
    return message


def _restored(value: Any, attached: dict[str, Any]) -> Any:
    if isinstance(value, str) and value.startswith(_ATTACHED):
        text = attached.get(value.removeprefix(_ATTACHED))
        return text if isinstance(text, str) and not text.startswith("data:") else value
    if isinstance(value, list):
        return [_restored(one, attached) for one in value]
    if isinstance(value, dict):
        return {key: _restored(one, attached) for key, one in value.items()}
    return value


def _tokens(sample: dict[str, Any], output: dict[str, Any]) -> tuple[int | None, int | None]:
    """Prompt tokens with cached ones, which some providers count in the input and some beside."""
    usage = sample.get("model_usage")
    told = list(usage.values()) if isinstance(usage, dict) and usage else [output.get("usage")]
    prompt: list[int] = []
    completion: list[int] = []
    for one in map(_object, told):
        total, asked = count(one.get("total_tokens")), count(one.get("input_tokens"))
        wrote = count(one.get("output_tokens"))
        if wrote is not None:
            completion.append(wrote)
        if asked is not None:
            prompt.append(max(asked, total - wrote) if total and wrote is not None else asked)
    return (sum(prompt) if prompt else None, sum(completion) if completion else None)


def _success(scores: object) -> bool | None:
    values = [_object(score).get("value") for score in _object(scores).values()]
    known = {_WON.get(value) if isinstance(value, str | int | float) else None for value in values}
    return known.pop() if len(known) == 1 else None


def _is_log(row: dict[str, Any]) -> bool:
    return isinstance(row.get("eval"), dict) and {"status", "version"} <= row.keys()


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
