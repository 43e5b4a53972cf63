"""Write a store of N made-up interactions, the same ones for the same seed.

    python -m benchmarks big_store --rows 1000000 --out big.db

A million of them hold about 2.5 GB of text. The words are drawn from a short list, so that a
search for one of them meets many rows, and each row has a word of its own, which meets one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from sqlalchemy import insert

from db.interactions import Record, insert_records
from db.models.base import table
from db.models.interactions import Source
from db.store import open_store
from studio.cli.frame import say

BATCH = 5_000
ANSWER_CHARS = 2_200  # on average
AGENTS = {"coder": 58, "tester": 25, "researcher": 9, "coordinator": 7, "reviewer": 1}
MODELS = ("qwen2.5-coder-1.5b", "qwen2.5-coder-7b", "llama-3.1-70b", "tongyi-30b")
PROVIDERS = ("replicate", "tongyi", "local", "mock")
WORDS = (
    "add", "fix", "write", "test", "refactor", "parser", "tokenizer", "cache", "queue", "index",
    "retry", "loop", "header", "schema", "lock", "migration", "worker", "stream", "buffer",
    "socket", "timeout", "metric", "trace", "filter", "column", "page", "cursor", "branch",
    "merge", "commit", "review", "plan", "sprint", "compare", "research", "database", "vector",
    "adapter", "template", "dataset",
)  # fmt: skip


def records(rows: int, seed: int, first: int = 0) -> Iterator[Record]:
    """Interactions `first` to `first + rows` of a seed."""
    draw = random.Random(f"{seed}:{first}")
    for number in range(first, first + rows):
        task = " ".join(draw.choices(WORDS, k=9)) + f" item{number}"
        words = draw.choices(WORDS, k=int(draw.expovariate(1 / (ANSWER_CHARS / 7))) + 5)
        answer = f"{' '.join(words[:20])}\n\n```python\n{' '.join(words[20:])}\n```\n"
        failed = draw.random() < 0.03
        yield Record(
            external_id=f"made-up:{seed}:{number}",
            line=number + 1,
            messages=[{"role": "user", "content": task}, {"role": "assistant", "content": answer}],
            agent=draw.choices(list(AGENTS), list(AGENTS.values()))[0],
            provider=draw.choice(PROVIDERS),
            model=draw.choice(MODELS),
            success=not failed,
            error="timeout" if failed else None,
            started_ms=1_759_276_800_000 + number * 1_000,
            duration_ms=int(draw.expovariate(1 / 12_000)),
            prompt_tokens=len(task) // 4,
            completion_tokens=len(answer) // 4,
        )


def write(path: Path, rows: int, seed: int = 1, *, first: int = 0) -> None:
    """Write rows to a store, which is made where there is none."""
    store = open_store(str(path), create=True)
    source = table(Source)
    try:
        for start in range(first, first + rows, BATCH):
            size = min(BATCH, first + rows - start)
            batch = list(records(size, seed, start))
            with store.write() as connection:
                number = connection.execute(
                    insert(source)
                    .values(
                        path=f"/logs/{start}.jsonl",
                        format="studio",
                        sha256=f"{seed:032x}{start:032x}",
                        bytes=0,
                        state="complete",
                        imported=size,
                        rejected=0,
                        imported_ms=0,
                    )
                    .returning(source.c.id)
                ).scalar_one()
                insert_records(connection, batch, number)
    finally:
        store.close()


def write_log(path: Path, rows: int, seed: int = 1, *, first: int = 0) -> None:
    """Write the same interactions as a log that `studio import` reads, one JSON object a line."""
    with path.open("wb") as file:
        for record in records(rows, seed, first):
            line = {
                "id": record.external_id,
                "messages": record.messages,
                "agent": record.agent,
                "model": record.model,
                "provider": record.provider,
            }
            file.write(msgspec.json.encode(line) + b"\n")


@click.command()
@click.option("--rows", default=100_000, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--first", default=0, help="The first one's number, to add to a store.")
@click.option("--out", required=True, type=click.Path(path_type=Path))
def main(rows: int, seed: int, first: int, out: Path) -> None:
    """Write a store of made-up interactions, the same ones for the same seed."""
    began = time.perf_counter()
    write(out, rows, seed, first=first)
    seconds = time.perf_counter() - began
    say(f"{rows:,} rows, {out.stat().st_size / 1e6:,.0f} MB, {seconds:.0f} s → {out}")
