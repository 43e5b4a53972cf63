"""import, list, show, stats: get interactions in, and look at them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from db import rows
from db.counted import counted
from db.errors import BadInput
from studio.cli.frame import (
    answer,
    interval,
    note,
    opened,
    percent,
    say,
    seconds,
    store_options,
    table,
)
from studio.cli.progress import bar

LISTED = 20  # of what was left out that an import prints, where nothing came


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "format_name", help="Take every file as this format.")
@click.option("--agent", help="The agent that these logs are of, where they do not say.")
@store_options
def import_command(
    paths: tuple[Path, ...],
    format_name: str | None,
    agent: str | None,
    location: str,
    as_json: bool,
) -> int:
    """Import logs: files or folders of them, each recognised by its content."""
    from studio.collect.import_report import progress_line
    from studio.collect.importing import import_paths

    missing = [path for path in paths if not path.exists()]
    if missing:
        raise BadInput(f"{missing[0]} does not exist; nothing was imported")
    with opened(location, create=True) as store, bar("importing") as show:
        summary = import_paths(
            store,
            paths,
            format=format_name,
            agent=agent,
            progress=lambda at: show(at.bytes_done, at.bytes_total, progress_line(at)),
        )
    value = {
        "imported": summary.imported,
        "updated": summary.updated,
        "already_present": summary.already_present,
        "rejected": [
            {"path": str(r.path), "line": r.line, "reason": r.reason} for r in summary.rejected
        ],
        "unknown": [str(path) for path in summary.unknown],
        "by_format": summary.by_format,
        "interrupted": [str(path) for path in summary.interrupted],
        "overview": summary.overview,
        "bytes": summary.bytes,
        "seconds": round(summary.seconds, 3),
        "store": location,
    }
    answer(value, as_json, lambda: _print_import(value))
    return 0 if summary.imported or summary.updated or summary.already_present else 1


def _print_import(value: dict[str, Any]) -> None:
    from studio.collect.import_report import details, summary
    from studio.collect.overview import next_steps

    say(summary(value))
    say(f"  read     {value['bytes'] / 1e6:,.1f} MB in {value['seconds']:.1f} s")
    for line in details(value, 1 if value["imported"] else LISTED):
        say(line)
    if value["imported"]:
        say(next_steps(value["overview"], value["store"]))


@click.command("list")
@click.option("--where", default="", help="A filter, such as: agent:coder success:false")
@click.option("--sort", default="id", help="A sort key, with - for descending.")
@click.option("--limit", default=50, type=click.IntRange(min=0), show_default=True)
@store_options
def list_command(where: str, sort: str, limit: int, location: str, as_json: bool) -> None:
    """List interactions that a filter holds for."""
    with opened(location) as store:
        found, total = rows.page(store, where, sort=sort, limit=limit)
    answer({"rows": found, "total": total}, as_json, lambda: _print_rows(found, total, where))


def _print_rows(found: list[dict[str, Any]], total: int, where: str) -> None:
    if not found:
        say(
            f"Nothing matches {where!r}."
            if where
            else "The store is empty: studio import PATH fills it."
        )
        return
    table(
        ("id", "agent", "model", "when", "s", "tokens", "ok", "status", "task"),
        [
            (
                row["id"],
                row["agent"],
                row["model"],
                (row["started_at"] or "·")[:10],
                seconds(row["duration_ms"]),
                row["completion_tokens"],
                {True: "✓", False: "✗", None: "·"}[row["success"]],
                row["status"],
                row["task"],
            )
            for row in found
        ],
        right="id s tokens",
    )
    if total > len(found):
        say(f"{len(found):,} of {total:,}; --limit shows more")


@click.command("show")
@click.argument("identity", metavar="ID", type=int)
@click.option("--reveal", is_flag=True, help="Show the keys and tokens that are masked otherwise.")
@store_options
def show_command(identity: int, reveal: bool, location: str, as_json: bool) -> None:
    """Show one interaction in full: messages, tools, where it came from, what was done to it."""
    with opened(location) as store:
        value = rows.show(store, identity, reveal=reveal)
    answer(value, as_json, lambda: _print_interaction(value))
    if value["secrets"] and not reveal and not as_json:
        note(f"{value['secrets']} masked ({value['secret_kinds']}); --reveal shows them")


def _print_interaction(value: dict[str, Any]) -> None:
    source = value["source"]
    outcome = {True: "succeeded", False: "failed", None: "outcome unknown"}[value["success"]]
    say(
        f"{value['id']} · {value['agent'] or 'no agent'} · {value['status']} · {outcome} · "
        f"{value['model'] or 'unknown model'} · {seconds(value['duration_ms'])} s"
    )
    say(f"{source['path']}:{source['line']} ({source['format']})")
    if value["error"]:
        say(f"error: {value['error']}")
    for message in value["messages"]:
        say(f"\n── {message['role']}")
        if message.get("content"):
            say(message["content"])
        for call in message.get("tool_calls") or ():
            function = call["function"]
            say(f"→ {function['name']}({json.dumps(function['arguments'], ensure_ascii=False)})")
    for act in value["acts"]:
        say(f"\n{act['at']} {act['actor']}: {act['kind']} {act['value'] or ''}")


@click.command("stats")
@click.option("--where", default="", help="Count only what this filter holds for.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    help="Also write the seven baseline metrics to this JSON file.",
)
@click.option(
    "--benchmark",
    help="Hold the mix against that of a benchmark: a JSONL file, a folder with "
    "<agent>/benchmark_all.jsonl, or nano. Else the suite that was evaluated last.",
)
@store_options
def stats_command(
    where: str,
    baseline: Path | None,
    benchmark: str | None,
    location: str,
    as_json: bool,
) -> None:
    """What the collection is: success with its interval, durations, who and what made it."""
    from studio.curation.benchmark_mix import benchmark_mix, evaluated_suite
    from studio.curation.stats import BASELINE_KEYS, collection_stats, write_baseline

    with opened(location) as store:
        value = collection_stats(store, where)
        name = benchmark or evaluated_suite(store)
    value["benchmark"] = benchmark_mix(name) if name else None
    if baseline is not None:
        write_baseline(baseline, {key: value[key] for key in BASELINE_KEYS})
        note(f"baseline metrics written to {baseline}")
    answer(value, as_json, lambda: _print_stats(value))


def _print_stats(value: dict[str, Any]) -> None:
    durations = value["duration_stats"]
    say(
        f"{counted(value['total_interactions'], 'interaction')}, {value['successful']:,} "
        "succeeded, "
        f"{value['failed']:,} failed"
        + (f", {value['unknown_outcome']:,} unknown" if value["unknown_outcome"] else "")
    )
    if value["success_rate"] is not None:
        say(
            f"success {percent(value['success_rate'])} "
            f"(95% interval {interval(value['success_ci95'])})"
        )
    if durations["avg_ms"] is not None:
        say(
            f"duration: average {seconds(durations['avg_ms'])} s, median "
            f"{seconds(durations['median_ms'])} s, {seconds(durations['min_ms'])} to "
            f"{seconds(durations['max_ms'])} s"
        )
    if value["task_chars_avg"] is not None:
        say(
            f"task {value['task_chars_avg']:.0f} characters, "
            f"output {value['output_chars_avg']:,.0f} characters on average"
        )
    total = value["total_interactions"] or 1
    planned = value["planned_distribution"]
    say()
    keywords = value["keyword_distribution"]
    looked_at = sum(keywords.values()) or 1
    bench = value["benchmark"] or {"distribution": {}, "n": 0}
    items = bench["distribution"]
    names = dict.fromkeys((*value["agent_distribution"], *keywords, *planned, *items))
    table(
        ("agent", "n", "share", "planned", "keywords", "benchmark"),
        [
            (
                name,
                n := value["agent_distribution"].get(name, 0),
                percent(n / total),
                percent(planned.get(name)),
                percent(keywords.get(name, 0) / looked_at),
                percent(items.get(name, 0) / bench["n"] if bench["n"] else None),
            )
            for name in names
        ],
        right="n share planned keywords benchmark",
    )
    if bench["n"]:
        say(f"benchmark: {bench['name']}, {counted(bench['n'], 'task')}")
    agreement = value["keyword_agreement"]
    if agreement["rate"] is not None:
        say(
            f"the keywords of the tasks agree with what was declared or labelled on "
            f"{percent(agreement['rate'])} of {agreement['n']:,} "
            f"(95% interval {interval(agreement['ci95'])})"
        )
    say()
    table(
        ("provider", "n", "share"),
        [(name, n, percent(n / total)) for name, n in value["provider_distribution"].items()],
        right="n share",
    )
