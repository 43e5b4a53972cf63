"""A day's interactions against a store of many: what `studio dedupe` takes when it carries on.

Planted interactions are written to a store and searched once, which signs them; then a day's new
ones, a fifth of them copies, are added and `studio dedupe` runs again, in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from sqlalchemy import insert

from benchmarks.planted_texts import planted_texts
from db.interactions import Record, insert_records
from db.models.base import table
from db.models.interactions import Source
from db.store import Store, open_store
from studio.cli.frame import note, say

BATCH = 5000


def write(store: Store, texts: Sequence[str], first: int) -> None:
    """Put texts into the store as answers of one agent: the hardest case, nothing keeps apart."""
    source = table(Source)
    for start in range(0, len(texts), BATCH):
        records = [
            Record(
                external_id=f"planted:{first + number}",
                line=first + number + 1,
                messages=[
                    {"role": "user", "content": "Do it"},
                    {"role": "assistant", "content": texts[number]},
                ],
                agent="coder",
                success=True,
                started_ms=1_759_276_800_000 + (first + number) * 1000,
            )
            for number in range(start, min(len(texts), start + BATCH))
        ]
        with store.write() as connection:
            values = {
                "path": "/logs/planted.jsonl", "format": "studio", "bytes": 0, "state": "complete",
                "sha256": f"{first + start:064x}", "imported": len(records), "rejected": 0,
                "imported_ms": 0,
            }  # fmt: skip
            number = connection.execute(
                insert(source).values(values).returning(source.c.id)
            ).scalar_one()
            insert_records(connection, records, number)


def dedupe(path: Path) -> dict[str, Any]:
    """`studio dedupe --on answer` in a process of its own; its answer, wall and user seconds."""
    before, began = os.times(), time.perf_counter()
    command = [sys.executable, "-m", "studio", "dedupe", "--on", "answer", "--json"]
    done = subprocess.run(
        [*command, "--store", str(path)], check=True, capture_output=True, text=True
    )
    wall, after = time.perf_counter() - began, os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return {**json.loads(done.stdout), "wall": wall, "cpu": cpu}


@click.command()
@click.option("--stored", default=100_000, show_default=True, help="Interactions in the store.")
@click.option("--new", default=1000, show_default=True, help="Those of the day.")
@click.option("--days", default=3, show_default=True, help="How many days are measured.")
@click.option("--seed", default=1, show_default=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A store; kept.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
def main(stored: int, new: int, days: int, seed: int, out: Path, as_json: bool) -> None:
    """Measure a first search of a store, and the searches of the days after it."""
    texts = planted_texts(stored + new * days, seed).texts
    note(f"{stored:,} interactions, {sum(map(len, texts)) / 1e6:.0f} MB of text")
    store = open_store(str(out), create=True)
    answers = []
    for start, end in [
        (0, stored),
        *((stored + d * new, stored + d * new + new) for d in range(days)),
    ]:
        write(store, texts[start:end], start)
        answers.append({"new": end - start, **dedupe(out)})
        note(f"{end - start:,} more: {answers[-1]['wall']:.1f} s")
    store.close()
    if as_json:
        click.echo(json.dumps(answers))
        return
    for each in answers:
        say(
            f"{each['new']:,} new of {each['documents']:,}: search {each['seconds']:.2f} s, the "
            f"command {each['wall']:.2f} s ({each['cpu']:.2f} s CPU), {each['changed']:,} rows "
            f"changed, {each['clusters']:,} clusters"
        )


if __name__ == "__main__":
    main()
