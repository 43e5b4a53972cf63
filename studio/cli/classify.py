"""classify: whose task it is, and how far that can be trusted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click

from db.counted import counted
from db.errors import BadInput
from studio.cli.frame import answer, interval, opened, percent, say, store_options, table
from studio.cli.jsonl import file_options, read_jsonl, write_jsonl
from studio.cli.progress import bar


@click.command("classify")
@click.option("--where", default="", help="Classify only what this filter holds for.")
@click.option("--report", is_flag=True, help="Say how far the classes can be trusted; write none.")
@click.option("--limit", default=50, type=click.IntRange(min=0), help="Disagreements to report.")
@file_options
@store_options
def classify_command(
    where: str,
    report: bool,
    limit: int,
    files: tuple[Path, Path] | None,
    location: str,
    as_json: bool,
) -> None:
    """Give interactions their agent: as declared, else by rules that say why.

    Where a model of your own labels is measurably better than the rules, it answers in their place.
    """
    if files is not None:
        if report:
            raise BadInput("--report is about a store; give it without --file")
        _classify_file(*files, as_json)
        return
    if report:
        from studio.curation.class_report import class_report

        with opened(location) as store, bar("comparing") as show:
            value = class_report(
                store, where, limit=limit, progress=lambda at, of: show(at, of, f"{at:,} of {of:,}")
            )
        answer(value, as_json, lambda: _print_report(value))
        return
    from studio.curation.classify import classify_store

    with opened(location) as store:
        value = classify_store(store, where, actor="studio classify")
    answer(value, as_json, lambda: _print_classes(value))


def _classify_file(path_in: Path, path_out: Path, as_json: bool) -> None:
    from studio.curation.classify import LOW_CONFIDENCE, classify_text

    answers: list[dict[str, Any]] = []
    for identity, text in read_jsonl(path_in, ("id", "text")):
        found = classify_text(text)
        answers.append(
            {
                "id": identity,
                "agent": found.agent,
                "confidence": round(found.confidence, 4),
                "reason": found.reason,
            }
        )
    write_jsonl(path_out, answers)
    value = {
        "classified": len(answers),
        "by_agent": dict(Counter(row["agent"] for row in answers).most_common()),
        "by_method": {"declared": 0, "human": 0, "model": 0, "rule": len(answers)},
        "low_confidence": sum(row["confidence"] < LOW_CONFIDENCE for row in answers),
        "out": str(path_out),
    }
    answer(
        value,
        as_json,
        lambda: say(f"{len(answers):,} classified → {path_out}"),
    )


def _print_classes(value: dict[str, Any]) -> None:
    total = value["classified"] or 1
    table(
        ("agent", "n", "share"),
        [(name, n, percent(n / total)) for name, n in value["by_agent"].items()],
        right="n share",
    )
    methods = ", ".join(f"{name} {n:,}" for name, n in value["by_method"].items() if n)
    say(f"{value['classified']:,} classified ({methods}); {value['low_confidence']:,} are unsure")
    _say_who_answers(value["model"])
    if value["act"]:
        say("studio undo takes it back")


def _say_who_answers(model: dict[str, Any] | None) -> None:
    if model is not None:
        who = "the model of your labels answers" if model["takes_over"] else "the rules stay"
        say(f"{who}: the model is {model['why']}")


def _print_report(value: dict[str, Any]) -> None:
    if value["model"] is None:
        say(
            f"{value['labels']} distinct requests are labelled by people; with "
            f"{value['labels_needed']} of two agents or more a model learns from them "
            "(studio label AGENT IDS)"
        )
    else:
        say("requests that you labelled because the rules were wrong count against the rules")
    _say_who_answers(value["model"])
    for by, counts in value["confusion"].items() if value["labels"] else ():
        say(f"\nlabelled (down) against {by} (across)")
        table(
            ("label", *counts),
            [(label, *answered.values()) for label, answered in counts.items()],
            right=" ".join(counts),
        )
        say(f"\nreliability of the {by}")
        _print_bins(value["reliability"][by])
    found = value["disagreements"]
    say(
        f"\n{counted(value['disagreements_total'], 'interaction')} where declared, rules "
        "and model differ"
    )
    if found:
        table(
            ("id", "agent", "by", "declared", "rules", "model", "sure", "task"),
            [
                (
                    row["id"], row["agent"], row["method"], row["declared"], row["rules"],
                    row["model"], percent(row["confidence"]), row["task"],
                )
                for row in found
            ],
            right="id sure",
        )  # fmt: skip


def _print_bins(bins: list[dict[str, Any]]) -> None:
    table(
        ("confidence", "n", "mean", "right", "95% interval"),
        [
            (
                f"{row['low']:.0%}–{row['high']:.0%}",
                row["n"],
                percent(row["confidence"]),
                percent(row["accuracy"]),
                interval(row["ci95"]) if row["n"] else "·",
            )
            for row in bins
        ],
        right="n mean right",
    )
