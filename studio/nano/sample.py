"""The sample: 302 interactions of a small team's agents, as a recorder left them.

Agents, providers, outcomes and timing have the shape of a real collection; the contents come from
`sample_tools`, `sample_code` and `sample_prose`. Near-duplicates, wrong answers marked as
successes and calls in an old format are in there on purpose: curation has to find them.
"""

import copy
import json
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from rapidfuzz import fuzz

from studio.nano import SAMPLE, sample_code, sample_prose, sample_tools

Record = dict[str, Any]

SEED: Final = 302
SIZE: Final = 302
TONGYI: Final = 86
DURATION_MS: Final = {"mean": 20_062, "median": 10_896, "min": 30, "max": 138_289}
# (agent, kind): originals, near-duplicates, exact copies.
_COUNTS: Final = {
    ("coder", "tools"): (65, 6, 0),
    ("coder", "plan"): (16, 2, 1),
    ("tester", "tools"): (60, 4, 1),
    ("tester", "test_plan"): (10, 1, 0),
    ("researcher", "tools"): (12, 0, 0),
    ("researcher", "research"): (11, 2, 1),
    ("coordinator", "tools"): (13, 1, 0),
    ("coordinator", "coordination"): (6, 0, 0),
    ("reviewer", "review"): (2, 0, 0),
}
_CODE_COUNTS: Final = (80, 6, 1)
_LEGACY: Final = {"coder": 16, "tester": 15, "researcher": 3, "coordinator": 3}
_ERRORS: Final = (
    ("coder", "plan", "timeout: no answer within 180 s"),
    ("tester", "tools", "502 Bad Gateway: upstream closed the connection"),
    ("researcher", "research", "429 Too Many Requests: retry after 30 s"),
    ("coder", "code", "prediction interrupted: the worker ran out of memory"),
)
_START: Final = datetime(2025, 9, 1, 7, 0, tzinfo=UTC)


def interactions() -> list[Record]:
    """The interactions in order of time; the same on every call."""
    rng = random.Random(SEED)
    drawn = _originals(rng)
    drawn += _duplicates(rng, drawn)
    drawn.append(_mock())
    _fail(rng, drawn)
    drawn.sort(key=lambda record: record["at"])
    _time(rng, drawn)
    _provide(rng, drawn)
    return [_finished(number, record) for number, record in enumerate(drawn, start=1)]


def output_text(record: Mapping[str, Any]) -> str:
    """Everything that the model wrote: contents and calls as JSON, one after the other."""
    parts: list[str] = []
    for message in record["messages"]:
        if message["role"] == "assistant":
            parts.append(message["content"])
            calls = message.get("tool_calls", ())
            parts += (json.dumps(call["function"], ensure_ascii=False) for call in calls)
    return "\n".join(part for part in parts if part)


def _originals(rng: random.Random) -> list[Record]:
    """All that are no copies: every draw that resembles an earlier one is drawn again."""
    found: list[Record] = []
    for problem, solution in _chosen_solutions(rng):
        found.append(_unlike(found, partial(_coding, rng, problem, solution)))
    for (agent, kind), (count, _, _) in _COUNTS.items():
        for place in range(count):
            if kind == "tools":
                make = partial(_tooling, rng, agent, legacy=place < _LEGACY[agent])
            else:
                make = partial(_writing, rng, agent, kind)
            found.append(_unlike(found, make))
    return found


def _chosen_solutions(rng: random.Random) -> list[tuple[Record, Record]]:
    right = [(p, s) for p in sample_code.problems() for s in p["solutions"]]
    wrong = [(p, s) for p in sample_code.problems() for s in p["wrong"]]
    return right + rng.sample(wrong, _CODE_COUNTS[0] - len(right))


def _unlike(found: list[Record], make: Callable[[], Record]) -> Record:
    """A record that is no near-duplicate of an earlier one."""
    while True:
        record = make()
        text = output_text(record)
        alike = (
            fuzz.ratio(text, output_text(other)) >= 80
            or (
                record["problem"] != other["problem"]
                and fuzz.ratio(record["task"], other["task"]) >= 85
            )
            for other in found
            if other["kind"] == record["kind"]
        )
        if not any(alike):
            return record


def _record(rng: random.Random, agent: str, kind: str, messages: list[Any], **more: Any) -> Record:
    """A record before its turn, provider and times are known."""
    task = messages[0]["content"]
    at = rng.random()
    base = {"agent": agent, "kind": kind, "task": task, "messages": messages, "at": at}
    return base | {"tools": [], "problem": task, "metadata": {}, "error": None} | more


def _tooling(rng: random.Random, agent: str, legacy: bool) -> Record:
    messages, tools = sample_tools.conversation(rng, agent, legacy)
    record = _record(rng, agent, "tools", messages, tools=tools)
    if legacy:
        record["at"] *= 0.35  # The old format was given up in the second week.
    return record


def _coding(rng: random.Random, problem: Record, solution: Record) -> Record:
    messages = _exchange(sample_code.task(rng, problem), sample_code.answer(rng, problem, solution))
    name = problem["entry_point"]
    metadata = {"entry_point": name, "tests": problem["tests"]}
    return _record(rng, "coder", "code", messages, problem=name, metadata=metadata)


def _writing(rng: random.Random, agent: str, kind: str) -> Record:
    return _record(rng, agent, kind, _exchange(*sample_prose.document(rng, kind)))


def _mock() -> Record:
    messages = _exchange("Say hello, I want to see whether the recorder works.", "Hello! It works.")
    return _record(random.Random(0), "coder", "mock", messages)


def _exchange(request: str, reply: str) -> list[Record]:
    return [{"role": "user", "content": request}, {"role": "assistant", "content": reply}]


def _duplicates(rng: random.Random, originals: list[Record]) -> list[Record]:
    """Near-duplicates, a few of them twice of one original, and exact copies."""
    counts = {("coder", "code"): _CODE_COUNTS, **_COUNTS}
    copies: list[Record] = []
    for (agent, kind), (_, near, exact) in counts.items():
        pool = [r for r in originals if (r["agent"], r["kind"]) == (agent, kind)]
        # One less than needed, so that the first original gets two: a triple.
        chosen = rng.sample(pool, max(1, near - 1 if near > 3 else near) + exact)
        sources = chosen[:1] * (near - len(chosen) + exact) + chosen if near > 3 else chosen
        for source in sources[:near]:
            copies.append(_edited(rng, source))
        for source in sources[near : near + exact]:
            copies.append(_again(rng, source))
    return copies


def _again(rng: random.Random, source: Record) -> Record:
    return copy.deepcopy(source) | {"at": source["at"] + rng.random() * 0.2, "copy": True}


def _edited(rng: random.Random, source: Record) -> Record:
    """A copy in which task and last answer differ by a few characters."""
    record = _again(rng, source)
    first, last = record["messages"][0], record["messages"][-1]
    first["content"] = record["task"] = _touched(rng, first["content"])
    last["content"] = _touched(rng, last["content"])
    return record


def _touched(rng: random.Random, text: str) -> str:
    """The text with a few characters more or less at its end, where no argument stands."""
    endings = (text.rstrip(".?!"), text + " Ok?", text + "!", text + " Thx", text + " :)")
    return rng.choice([changed for changed in endings if changed != text])


def _fail(rng: random.Random, drawn: list[Record]) -> None:
    """Let four requests fail: the answer never came."""
    for agent, kind, error in _ERRORS:
        copied = {r["task"][:40] for r in drawn if r.get("copy")}
        pool = [r for r in drawn if (r["agent"], r["kind"]) == (agent, kind)]
        failed = rng.choice([r for r in pool if r["task"][:40] not in copied])
        failed["error"] = error
        del failed["messages"][2 if kind == "tools" else 1 :]


def _time(rng: random.Random, drawn: list[Record]) -> None:
    """Durations with the wanted mean, median, least and most, longer for longer answers."""
    durations = _durations(rng, len(drawn))
    ranked = sorted(drawn, key=lambda r: len(output_text(r)) * rng.lognormvariate(0, 0.5))
    ranked.sort(key=lambda r: r["kind"] != "mock")
    for record, duration in zip(ranked, durations, strict=True):
        record["duration_ms"] = duration
    moment = _START
    for record in drawn:
        moment += timedelta(milliseconds=rng.randrange(60_000, 5_200_000))
        if moment.hour >= 17:
            moment += timedelta(hours=14)
        while moment.weekday() > 4:
            moment += timedelta(days=1)
        record["started_at"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _durations(rng: random.Random, count: int) -> list[int]:
    """Sorted milliseconds that meet `DURATION_MS` exactly."""
    want, half = DURATION_MS, count // 2
    low = sorted(rng.randrange(1_400, want["median"]) for _ in range(half - 2))
    high = sorted(int(want["median"] + 1e5 * rng.random() ** 3.4) for _ in range(half - 2))
    fixed = [want["min"], *low, want["median"], want["median"]]
    missing = want["mean"] * count - sum(fixed) - want["max"]
    scale = (missing - want["median"] * len(high)) / sum(v - want["median"] for v in high)
    stretched = [want["median"] + int((value - want["median"]) * scale) for value in high]
    return [*fixed, *stretched, want["max"]]


def _provide(rng: random.Random, drawn: list[Record]) -> None:
    """Researchers ask tongyi, the others mostly replicate; one record is the mock's."""
    others = [r for r in drawn if r["agent"] != "researcher" and r["kind"] != "mock"]
    asked = TONGYI - sum(record["agent"] == "researcher" for record in drawn)
    tongyi = {id(record) for record in rng.sample(others, asked)}
    for record in drawn:
        if record["kind"] == "mock":
            record["provider"], record["model"] = "mock", "mock"
        elif record["agent"] == "researcher" or id(record) in tongyi:
            record["provider"], record["model"] = "tongyi", "tongyi-deepresearch-30b"
        else:
            record["provider"], record["model"] = "replicate", "meta-llama-3.1-70b-instruct"


def _finished(number: int, record: Record) -> Record:
    """The record in the studio's own interaction format."""
    failed = record["error"] is not None
    written = len(output_text(record))
    read = len(json.dumps([record["messages"], record["tools"]])) - written
    session = {"session": f"{record['agent']}-{record['started_at'][:10]}"}
    return {
        "id": f"s-{number:04}",
        **{key: record[key] for key in ("agent", "provider", "model", "task", "messages", "tools")},
        "success": not failed,
        "error": record["error"],
        "started_at": record["started_at"],
        "duration_ms": record["duration_ms"],
        "prompt_tokens": max(8, read // 4),
        "completion_tokens": written // 4,
        "stop_reason": None if failed else "stop",
        "metadata": session | record["metadata"],
    }


def lines() -> Iterator[str]:
    """The interactions as JSON lines."""
    for record in interactions():
        yield json.dumps(record, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the sample."""
    SAMPLE.parent.mkdir(exist_ok=True)
    SAMPLE.write_text("".join(lines()), encoding="utf-8")


if __name__ == "__main__":
    main()
