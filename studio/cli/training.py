"""train, runs, stop, resume, nano: runs in child processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from studio.cli.frame import answer, note, opened, percent, say, store_options, table
from studio.cli.progress import bar

_path = click.Path(path_type=Path)


@click.command("train")
@click.argument("dataset")
@click.option("--recipe", required=True, help="A recipe's name, or a YAML file.")
@click.option("--base", help="The base, else the recipe's, else the one that it was built for.")
@click.option("--suite", "suites", multiple=True, help="Nothing may be shared with it.")
@click.option("--wait", "waits", is_flag=True, help="Follow the run to its end.")
@click.option("--force-preflight", is_flag=True, help="Train although preflight blocks.")
@store_options
def train_command(
    dataset: str,
    recipe: str,
    base: str | None,
    suites: tuple[str, ...],
    waits: bool,
    force_preflight: bool,
    location: str,
    as_json: bool,
) -> int:
    """Fine-tune an adapter, after preflight, in a child process."""
    from studio.training import runs

    with opened(location) as store:
        with bar("preflight") as show:
            run = runs.start(
                store, dataset, recipe, base=base, suites=suites, force=force_preflight,
                progress=show,
            )  # fmt: skip
        if waits:
            with bar("training") as show:
                try:
                    runs.wait(store, run, show)
                except KeyboardInterrupt:
                    note(
                        f"run {run} goes on: studio runs {run} shows it, studio stop {run} ends it"
                    )
                    raise
        value = runs.list_runs(store, run)[0]
    answer({"run": run, **value}, as_json, lambda: _print_run(value))
    return int(waits and value["state"] != "finished")


@click.command("runs")
@click.argument("run", required=False, type=int)
@store_options
def runs_command(run: int | None, location: str, as_json: bool) -> None:
    """List runs: state, progress, losses, checkpoints and their scores."""
    from studio.training import runs

    with opened(location) as store:
        found = runs.list_runs(store, run)
    answer({"runs": found}, as_json, lambda: _print_runs(found, run))


def _print_runs(found: list[dict[str, Any]], run: int | None) -> None:
    if not found:
        say("No runs yet: studio train DATASET --recipe RECIPE starts one.")
    elif run is not None:
        _print_run(found[0])
    else:
        table(
            ("run", "dataset", "recipe", "base", "state", "step", "loss", "valid", "eta s"),
            [
                (
                    r["id"],
                    r["dataset"],
                    r["recipe"],
                    r["base"],
                    r["state"] + (" (forced)" if r["forced"] else ""),
                    f"{r['step']}/{r['total_steps'] or '?'}",
                    _number(r["loss"]),
                    _number(r["eval_loss"]),
                    r["eta_seconds"],
                )
                for r in found
            ],
            right="run step loss valid eta",
        )


def _print_run(run: dict[str, Any]) -> None:
    forced = ", forced through preflight" if run["forced"] else ""
    say(
        f"run {run['id']}: {run['dataset']} with {run['recipe']} on {run['base']}: "
        f"{run['state']}{forced}, step {run['step']} of {run['total_steps'] or '?'}"
    )
    if run["error"]:
        say(f"error: {run['error']}")
    for line in run["log"]:
        say(f"  {line}")
    if run["checkpoints"]:
        table(
            ("step", "score", "n", "", "path"),
            [
                (
                    c["step"],
                    percent(c["score"]),
                    c["score_n"],
                    "selected" if c["step"] == run["selected_step"] else "",
                    c["path"],
                )
                for c in run["checkpoints"]
            ],
            right="step score n",
        )
    if run["state"] in ("dead", "stopped", "failed"):
        say(f"studio resume {run['id']} goes on from the last checkpoint")


def _number(value: float | None) -> str:
    return "·" if value is None else f"{value:.3f}"


@click.command("stop")
@click.argument("run", type=int)
@store_options
def stop_command(run: int, location: str, as_json: bool) -> None:
    """Save a checkpoint and end a run; it can be resumed."""
    from studio.training import runs

    with opened(location) as store:
        value = runs.stop(store, run)
    answer(value, as_json, lambda: say(f"run {run} is {value['state']}"))


@click.command("resume")
@click.argument("run", type=int)
@click.option("--wait", "waits", is_flag=True, help="Follow the run to its end.")
@store_options
def resume_command(run: int, waits: bool, location: str, as_json: bool) -> int:
    """Go on with a run that was stopped, failed or died, from its last checkpoint."""
    from studio.training import runs

    with opened(location) as store:
        value = runs.resume(store, run)
        if waits:
            with bar("training") as show:
                value["state"] = runs.wait(store, run, show)
    answer(value, as_json, lambda: say(f"run {run} is {value['state']}"))
    return int(waits and value["state"] != "finished")


@click.command("nano")
@click.option("--rebuild", is_flag=True, help="Train it anew from its seed (about 15 minutes).")
@store_options
def nano_command(
    rebuild: bool,
    location: str,  # noqa: ARG001  every command takes --store
    as_json: bool,
) -> None:
    """The embedded base model: where it lies, its size, its measured accuracy."""
    import json

    from studio import nano

    if rebuild:
        from studio.nano.rebuild import rebuild as make_anew

        with bar("") as show:
            make_anew(show)
    card = json.loads((nano.MODEL / "card.json").read_text(encoding="utf-8"))
    size = sum(path.stat().st_size for path in nano.MODEL.iterdir())
    value = {"path": str(nano.MODEL), "bytes": size, "suite": str(nano.SUITE), **card}
    answer(value, as_json, lambda: _print_nano(value))


def _print_nano(value: dict[str, Any]) -> None:
    say(f"{value['path']} ({value['bytes'] / 1e6:.1f} MB), suite {value['suite']}")
    for name, measured in value.get("accuracy", {}).items():
        low, high = measured["ci95"]
        say(
            f"{name:<10} {percent(measured['rate'])} of {measured['n']} "
            f"({100 * low:.0f}–{100 * high:.0f}%)"
        )
