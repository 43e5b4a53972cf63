"""Write N megabytes of made-up Claude Code sessions, the same ones for the same seed.

    python -m benchmarks made_up_sessions --megabytes 1000 --out sessions/

What they weigh is drawn from real ones: most of it is results of tools, which stand in a line
twice, and a session in ten has a subagent in a file of its own.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from benchmarks.big_store import WORDS
from studio.cli.frame import say

CALLS = 40  # of a session, on average
RESULT_LINES = 90  # of a tool's result, on average
TOOLS = {"Read": "file_path", "Bash": "command", "Grep": "pattern", "Edit": "file_path"}
PROJECTS = ("shop", "parser", "website", "notes", "infra")


class Sessions:
    """Sessions by their number, one at a time."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        draw = random.Random(seed)
        self._pool = [self._line(draw) for _ in range(5_000)]

    def files(self, number: int) -> Iterator[tuple[str, str]]:
        """The files of a session: path below `projects/`, text."""
        draw = random.Random(f"{self.seed}:{number}")
        name = self._uuid(draw)
        project = draw.choice(PROJECTS)
        about: dict[str, Any] = {
            "sessionId": name,
            "cwd": f"/home/me/{project}",
            "version": "2.0.1",
        }
        folder = f"-home-me-{project}"
        helper = f"{draw.getrandbits(32):08x}" if draw.random() < 0.1 else None
        text = self._text(draw, about | {"isSidechain": False}, helper, started=number)
        yield f"{folder}/{name}.jsonl", text
        if helper is not None:
            about |= {"isSidechain": True, "agentId": helper}
            text = self._text(draw, about, None, started=number)
            yield f"{folder}/{name}/subagents/agent-{helper}.jsonl", text

    def _text(
        self, draw: random.Random, about: dict[str, Any], helper: str | None, started: int
    ) -> str:
        lines: list[str] = []
        seconds, before = 0.0, None

        def add(kind: str, message: dict[str, Any], **more: Any) -> None:
            nonlocal seconds, before
            seconds += draw.expovariate(1 / 8)
            when = time.gmtime(1_759_276_800 + 600 * started + seconds)
            row = {"parentUuid": before, **about, "type": kind, "uuid": self._uuid(draw)}
            row["timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%S", when) + ".512Z"
            before = row["uuid"]
            lines.append(json.dumps(row | {"message": message} | more))

        add("user", {"role": "user", "content": " ".join(draw.choices(WORDS, k=15))})
        for turn in range(1 + int(draw.expovariate(1 / CALLS))):
            reply: dict[str, Any] = {"id": f"msg_{draw.getrandbits(64):016x}", "role": "assistant"}
            reply |= {"type": "message", "model": "claude-sonnet-4-5", "stop_reason": None}
            usage = {"input_tokens": 9, "cache_read_input_tokens": 900 * turn, "output_tokens": 200}
            said = {"type": "text", "text": " ".join(draw.choices(WORDS, k=40))}
            call, tool = f"toolu_{self._uuid(draw)}", draw.choice(tuple(TOOLS))
            given = {TOOLS[tool]: f"src/{draw.choice(WORDS)}/{draw.choice(WORDS)}.py"}
            result = "".join(draw.choices(self._pool, k=int(draw.expovariate(1 / RESULT_LINES))))
            told: dict[str, Any] = {"stdout": result, "stderr": ""}
            if helper is not None and turn == 0:
                tool, given = "Task", {"prompt": "look into it", "subagent_type": "Explore"}
                told = {"agentId": helper, "content": []}
            use = {"type": "tool_use", "id": call, "name": tool, "input": given}
            for block in (said, use):
                add("assistant", reply | {"content": [block], "usage": usage})
            answer = {"type": "tool_result", "tool_use_id": call, "content": result}
            add("user", {"role": "user", "content": [answer]}, toolUseResult=told)
        return "".join(f"{line}\n" for line in lines)

    @staticmethod
    def _line(draw: random.Random) -> str:
        words = draw.choices(WORDS, k=draw.randint(2, 9))
        return f"{'    ' * draw.randint(0, 3)}{' '.join(words)}({draw.randint(0, 999)})\n"

    @staticmethod
    def _uuid(draw: random.Random) -> str:
        digits = f"{draw.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def write(out: Path, megabytes: float, seed: int = 1) -> int:
    """Write sessions, a file each, or one after the other into a `.jsonl` file; how many files."""
    made, number, left = 0, 0, megabytes * 1e6
    sessions = Sessions(seed)
    whole = out.open("w", encoding="utf-8") if out.suffix == ".jsonl" else None
    while left > 0:
        for name, text in sessions.files(number):
            left -= len(text)
            if whole is not None:
                whole.write(text)
                continue
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            made += 1
        number += 1
    if whole is not None:
        whole.close()
        made = 1
    return made


@click.command()
@click.option("--megabytes", default=100.0, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder, or a .jsonl")
def main(megabytes: float, seed: int, out: Path) -> None:
    """Write made-up Claude Code sessions, the same ones for the same seed."""
    say(f"{write(out, megabytes, seed):,} files, {megabytes:,.0f} MB → {out}")
