"""evaluate, compare, decide, sandbox: what an adapter is worth, and what follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from db.counted import counted
from db.errors import BadInput
from studio.cli.frame import (
    answer,
    interval,
    opened,
    output_options,
    percent,
    say,
    store_options,
    table,
)
from studio.cli.progress import bar

_path = click.Path(path_type=Path)


@click.command("evaluate")
@click.argument("arms", nargs=-1, required=True)
@click.option("--suite", required=True, help="A suite's JSONL, or nano for the embedded one.")
@click.option(
    "--limit", type=click.IntRange(min=1), help="Only so many items, from all categories."
)
@click.option("--workers", default=2, type=click.IntRange(min=1), show_default=True)
@click.option("--examples", help="The dataset of few-shot examples, else that of the first run.")
@store_options
def evaluate_command(
    arms: tuple[str, ...],
    suite: str,
    limit: int | None,
    workers: int,
    examples: str | None,
    location: str,
    as_json: bool,
) -> None:
    """Evaluate arms on a suite: base, few-shot, adapters, all in one process."""
    from studio.evals.workbench import evaluate_specs

    with opened(location, create=True) as store, bar("evaluating") as show:
        reports = evaluate_specs(
            store, arms, suite, limit=limit, workers=workers, examples=examples, progress=show
        )
    answer({"evaluations": reports}, as_json, lambda: _print_evaluations(reports))


def _print_evaluations(reports: list[dict[str, Any]]) -> None:
    rows = []
    for report in reports:
        for name, rate in (("all", report), *report["by_category"].items()):
            rows.append(
                (
                    report["arm"] if name == "all" else "",
                    name,
                    rate["n"],
                    rate["passed"],
                    percent(rate["rate"]),
                    interval(rate["ci95"]),
                    f"{report['seconds_per_answer']:.2f}" if name == "all" else "",
                    report["at_token_limit"] if name == "all" else "",
                )
            )
    table(
        ("arm", "category", "n", "passed", "rate", "95% interval", "s/answer", "cut"),
        rows,
        right="n passed rate s/answer cut",
    )
    for report in reports:
        struck = report["struck"]
        if struck["n"]:
            say(
                f"{report['arm']}: {counted(struck['n'], 'item is', 'items are')} struck, "
                "since its training side "
                f"shares them ({struck['passed']:,} passed); the figures are without them"
            )


@click.command("compare")
@click.argument("arms", nargs=-1)
@click.option("--suite", help="A suite's JSONL, or nano for the embedded one.")
@click.option("--files", nargs=2, type=_path, help="Compare two files of {item, passed} rows.")
@click.option("--margin", default=0.02, type=click.FloatRange(0.0001, 0.5), show_default=True)
@click.option("--limit", type=click.IntRange(min=1), help="Only so many items.")
@click.option("--workers", default=2, type=click.IntRange(min=1), show_default=True)
@click.option("--examples", help="The dataset of few-shot examples, else that of the first run.")
@store_options
def compare_command(
    arms: tuple[str, ...],
    suite: str | None,
    files: tuple[Path, Path] | None,
    margin: float,
    limit: int | None,
    workers: int,
    examples: str | None,
    location: str,
    as_json: bool,
) -> int:
    """Compare B with A on the same items: better, worse, equivalent or undecided."""
    from studio.evals.compare import compare, read_verdicts

    if files is not None:
        if arms or suite:
            raise BadInput("--files A.jsonl B.jsonl stands alone, without arms or a suite")
        names = [str(path) for path in files]
        value = compare(*(read_verdicts(path) for path in files), margin=margin)
    else:
        if len(arms) != 2 or suite is None:
            raise BadInput("give two arms and --suite, or --files A.jsonl B.jsonl")
        from studio.evals.workbench import compare_specs

        names = list(arms)
        with opened(location, create=True) as store, bar("comparing") as show:
            value = compare_specs(
                store, arms[0], arms[1], suite, margin=margin, limit=limit, workers=workers,
                examples=examples, progress=show,
            )  # fmt: skip
    value = {"a": names[0], "b": names[1], **value}
    answer(value, as_json, lambda: print_comparison(value))
    return 1 if value["overall"]["verdict"] == "worse" else 0


def print_comparison(value: dict[str, Any]) -> None:
    """The delta table: overall, by category, by agent, and the verdict in a sentence."""
    from studio.evals.compare import sentence, struck_sentence

    groups = [("overall", value["overall"])]
    groups += [(f"  {name}", delta) for name, delta in value["by_category"].items()]
    groups += [(f"  agent {name}", delta) for name, delta in value["by_agent"].items()]
    say(f"{value['b']} against {value['a']}")
    table(
        ("", "n", "A", "B", "fixed", "broken", "verdict"),
        [
            (
                name,
                delta["a"]["n"],
                percent(delta["a"]["rate"]),
                percent(delta["b"]["rate"]),
                delta["fixed"],
                delta["broken"],
                sentence(delta, value["margin"]),
            )
            for name, delta in groups
        ],
        right="n A B fixed broken",
    )
    if value["struck"]["n"]:
        say(struck_sentence(value["struck"]))


@click.command("decide")
@click.argument("arms", nargs=-1)
@click.option("--suite", help="A suite's JSONL, or nano for the embedded one.")
@click.option("--rules", type=_path, help="Rules of your own, else those of decisions.yaml.")
@click.option("--against", default="base", show_default=True, help="The arm to beat.")
@click.option("--examples", help="The dataset of few-shot examples, else that of the first run.")
@store_options
def decide_command(
    arms: tuple[str, ...],
    suite: str | None,
    rules: Path | None,
    against: str,
    examples: str | None,
    location: str,
    as_json: bool,
) -> None:
    """What follows from the differences: deploy, keep the base, few-shot, retrain, …"""
    from studio.decisions.decide import decide_specs

    with opened(location) as store, bar("evaluating") as show:
        value = decide_specs(
            store, arms, suite, rules=rules, against=against, examples=examples, progress=show
        )
    answer(value, as_json, lambda: print_decision(value))


def print_decision(value: dict[str, Any]) -> None:
    """The verdict, each rule with its evidence, and the routes that follow."""
    say(f"{value['verdict'].upper().replace('_', ' ')}: {value['scenario']}")
    marks = {True: "holds", False: "no", None: "unknown"}
    for rule in value["rules"]:
        say(f"  {marks[rule['holds']]:<8} {rule['id']:<22} {rule['evidence']}")
    for agent, arm in value["routes"].items():
        say(f"  {agent} → {arm}")


@click.group("sandbox")
def sandbox_command() -> None:
    """Run hostile code against tests, isolated."""


@sandbox_command.command("run")
@click.option("--file", "path_in", required=True, type=_path, help="{id, code, …} rows.")
@click.option("--out", "path_out", required=True, type=_path, help="Where the verdicts go.")
@click.option("--workers", default=2, type=click.IntRange(min=1), show_default=True)
@click.option("--unsandboxed", is_flag=True, help="Run without isolation; every result says so.")
@output_options
def sandbox_run(
    path_in: Path,
    path_out: Path,
    workers: int,
    unsandboxed: bool,
    as_json: bool,
) -> int:
    """Run every row's code against its tests or cases; 1 when some did not pass."""
    from studio.sandbox.command import run_file

    with bar("sandbox") as show:
        value = run_file(
            path_in,
            path_out,
            workers=workers,
            unsandboxed=unsandboxed,
            progress=lambda done, total: show(done, total, f"{done}/{total}"),
        )
    answer(value, as_json, lambda: _print_verdicts(value, path_out))
    return 0 if value["passed"] == value["items"] else 1


def _print_verdicts(value: dict[str, Any], path_out: Path) -> None:
    verdicts = ", ".join(f"{name} {n}" for name, n in value["by_verdict"].items())
    say(
        f"{value['passed']} of {value['items']} passed ({verdicts}), tier {value['tier']}, "
        f"{value['seconds']:.1f} s → {path_out}"
    )
