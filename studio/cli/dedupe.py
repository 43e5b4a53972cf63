"""dedupe: exact and near duplicates, and which of them to keep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from db.counted import counted
from studio.cli.frame import answer, opened, say, store_options
from studio.cli.jsonl import file_options, read_jsonl, write_jsonl
from studio.cli.progress import bar


@click.command("dedupe")
@click.option("--threshold", default=90.0, type=click.FloatRange(50, 100), show_default=True)
@click.option("--on", type=click.Choice(("task", "answer", "both")), default="both")
@click.option(
    "--measure",
    type=click.Choice(("ratio", "set")),
    default="ratio",
    show_default=True,
    help="How alike: the raw texts, or their words in any order (finds reordered copies).",
)
@click.option("--across-agents", is_flag=True, help="Also compare between agents.")
@file_options
@store_options
def dedupe_command(
    threshold: float,
    on: str,
    measure: str,
    across_agents: bool,
    files: tuple[Path, Path] | None,
    location: str,
    as_json: bool,
) -> None:
    """Find exact and near duplicates, each verified, and propose which to keep."""
    from studio.curation.duplicates import dedupe, dedupe_rows

    if files is not None:
        path_in, path_out = files
        rows_in = list(read_jsonl(path_in, ("id", "text")))
        answers, counts = dedupe_rows(rows_in, threshold=threshold, measure=measure)
        write_jsonl(path_out, answers)
        value: dict[str, Any] = {**counts, "out": str(path_out)}
    else:
        with opened(location) as store, bar("duplicates") as show:
            value = dedupe(
                store,
                threshold=threshold,
                on=on,
                measure=measure,
                across_agents=across_agents,
                progress=lambda stage, share: show(100 * share, 100, stage),
            )
    answer(value, as_json, lambda: _print_duplicates(value))


def _print_duplicates(value: dict[str, Any]) -> None:
    say(
        f"{counted(value['documents'], 'document')}: {value['exact_duplicates']:,} exact and "
        f"{counted(value['near_duplicates'], 'near duplicate')} in "
        f"{counted(value['clusters'], 'cluster')}, "
        f"{value['seconds']:.1f} s"
    )
    if "out" in value:
        say(f"→ {value['out']}")
        return
    say("studio undo takes it back" if value["act"] else "nothing changed")
