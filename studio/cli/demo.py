"""demo: the whole loop on the embedded base."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from studio.cli.frame import answer, interval, note, output_options, percent, say, table
from studio.cli.progress import bar


@click.command("demo")
@click.option(
    "--dir",
    "folder",
    default="demo",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where its store goes.",
)
@output_options
def demo_command(folder: Path, as_json: bool) -> None:
    """Run the whole loop on the embedded base: collect, curate, build, train, evaluate, decide."""
    from studio.demo import Watch, run_demo

    with bar("") as show:
        watch = Watch(
            heading=lambda text: note(f"\n▌ {text}"),
            detail=lambda text: note(f"  {text}"),
            progress=show,
        )
        value = run_demo(folder, watch)
    answer(value, as_json, lambda: _print(value))


def _print(value: dict[str, Any]) -> None:
    from studio.evals.compare import sentence

    names = ("base", "few_shot", "good", "bad")
    titles = ("base", "base, 4 examples", "good adapter", "bad adapter")
    rows = []
    for name, title, report in zip(names, titles, value["evaluate"], strict=True):
        compared = value["compare"].get(name)
        for group, rate in (("overall", report), *report["by_category"].items()):
            delta = compared and (
                compared["overall"] if group == "overall" else compared["by_category"][group]
            )
            rows.append(
                (
                    title if group == "overall" else "",
                    group,
                    rate["n"],
                    percent(rate["rate"]),
                    interval(rate["ci95"]),
                    sentence(delta, compared["margin"]) if compared and delta else "",
                )
            )
    say()
    table(("arm", "", "n", "rate", "95% interval", "against the base"), rows, right="n rate")
    losses = value["losses"]["bad"]
    say(
        f"The bad adapter's validation loss fell from {losses[0][1]:.2f} to {losses[-1][1]:.2f} "
        "while its answers broke."
    )
    decision = value["decision"]
    say(f"Decision: {decision['verdict']}. {decision['scenario']}.")
    say(f"\n{value['seconds']:.0f} s. The store is worth a look:")
    say(f"  studio --store {value['store']}")
    say(f"  studio compare base run:{value['runs']['bad']} --suite nano --store {value['store']}")
    say(f"  studio history --store {value['store']}")
