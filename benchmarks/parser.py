"""The tool-call parser: MB/s of text, and that no text makes it raise or slow down.

A text's time is linear when 16 times the text takes about 16 times as long: the exponent
log(time ratio) / log(size ratio) is then about 1, and 2 for a quadratic reader.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Iterator

import click

from benchmarks.planted_texts import Writer
from exports.tool_calls import parse, render_call
from studio.cli.frame import say, table

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "find",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            },
        },
    }
]
CALL = '{"name": "find", "arguments": {"days": 2}}'
XML = "<function=find>\n<parameter=days>\n2\n</parameter>\n</function>"
PIECES = [
    "<tool_call>", "</tool_call>", "/tool_call>", "<tools>", "</tools>", "<function=find>",
    "<function=", "</function>", "<parameter=days>", "<parameter=", "</parameter>", "```json\n",
    "```python\n", "```", "<think>", "</think>", '{"name": "find", "arguments": {', '"days": 2',
    "}", "}}", "{", "[", "]", ",", ":", '"', "\\", '\\"', "\n", " ", "text", '{"tool": "find"',
    "Tool call:", "\ud800", "\x00", "é", CALL, XML, "null", "1e999", '{"a":', '<tool_call>{"a": "',
]  # fmt: skip
SMALL, LARGE = 20_000, 320_000  # characters
NOISE = 0.002  # seconds: what is faster tells nothing of its growth


def fuzzed_texts(count: int, seed: int) -> Iterator[str]:
    """Texts of up to 40 pieces of every format, put together by chance."""
    draw = random.Random(seed)
    for _ in range(count):
        yield "".join(draw.choices(PIECES, k=draw.randrange(41)))


def growth(piece: str) -> float:
    """The exponent with which the time grows over a text of that piece again and again."""
    small = min(_seconds(piece * (SMALL // len(piece))) for _ in range(3))
    large = min(_seconds(piece * (LARGE // len(piece))) for _ in range(2))
    return math.log(max(large, NOISE) / max(small, NOISE / 16)) / math.log(LARGE / SMALL)


def _seconds(text: str) -> float:
    begin = time.process_time()
    parse(text, TOOLS)
    return time.process_time() - begin


def corpora(megabytes: float, seed: int) -> dict[str, list[str]]:
    """Answers of about 2 KB: plain prose and code, and prose with calls in every form."""
    writer = Writer(seed, phrases=20_000, statements=3_000)
    forms = {
        "calls in tags": lambda: render_call("find", {"city": writer.prose(60), "days": 3}),
        "calls in XML": lambda: f"<tool_call>\n{XML}\n</tool_call>",
        "calls in fences": lambda: f"```json\n{CALL}\n```",
        "bare JSON": lambda: json.dumps({"name": "find", "arguments": {"city": writer.prose(40)}}),
    }
    size = int(megabytes * 1e6)
    found = {
        "prose": _until(size, lambda: writer.prose(2000)),
        "code": _until(size, lambda: f"```python\n{writer.code(2000)}\n```"),
    }
    for name, form in forms.items():
        found[name] = _until(size, lambda form=form: writer.prose(150) + "\n" + form())  # type: ignore[misc]
    return found


def _until(size: int, write: Callable[[], str]) -> list[str]:
    texts: list[str] = []
    while size > 0:
        texts.append(write())
        size -= len(texts[-1])
    return texts


def throughput(texts: list[str]) -> float:
    """MB (10^6 bytes of UTF-8) a second of one core's time."""
    size = sum(len(text.encode()) for text in texts)
    begin = time.process_time()
    for text in texts:
        parse(text, TOOLS)
    return size / 1e6 / (time.process_time() - begin)


@click.command()
@click.option("--texts", default=1_000_000, show_default=True, help="Fuzzed texts.")
@click.option("--megabytes", default=5.0, show_default=True, help="Of each kind of text.")
@click.option("--seed", default=1, show_default=True)
def main(texts: int, megabytes: float, seed: int) -> None:
    """Measure the tool-call parser."""
    rows = [
        (name, len(kind), f"{throughput(kind):.1f}")
        for name, kind in corpora(megabytes, seed).items()
    ]
    table(("text", "answers", "MB/s"), rows, right="answers MB/s")
    begin = time.process_time()
    characters, slowest = 0, (0.0, "")
    for text in fuzzed_texts(texts, seed):
        started = time.process_time()
        parse(text, TOOLS)
        slowest = max(slowest, ((time.process_time() - started) / (len(text) + 100), text))
        characters += len(text)
    spent = time.process_time() - begin
    say(f"\n{texts:,} fuzzed texts, {characters / 1e6:.0f} MB: 0 exceptions in {spent:.0f} s")
    grown = {repr(piece)[:40]: growth(piece) for piece in PIECES}
    grown["the slowest fuzzed text"] = growth(slowest[1])
    worst = sorted(grown.items(), key=lambda item: -item[1])[:5]
    say(f"\ntime over size, {SMALL:,} to {LARGE:,} characters of each piece; 1 is linear")
    table(("steepest", "exponent"), [(name, f"{n:.2f}") for name, n in worst], right="exponent")


if __name__ == "__main__":
    main()
