"""problems, verify, advise: what there is to train on, what of it is proven, and on which base."""

from __future__ import annotations

from typing import Any

import click

from db.counted import counted
from db.errors import NotFound
from studio.cli.frame import answer, note, opened, percent, say, store_options, table
from studio.cli.progress import bar


@click.command("problems")
@click.argument("problem", metavar="[PROBLEM]", type=int, required=False)
@click.option(
    "--min-solutions",
    default=0,
    type=click.IntRange(min=0),
    help="Only problems with so many distinct solutions.",
)
@store_options
def problems_command(problem: int | None, min_solutions: int, location: str, as_json: bool) -> None:
    """The problems that interactions answer, those with most verified solutions first.

    With a number: the solutions of that problem.
    """
    from studio.curation.problems import list_problems

    if problem is not None:
        _show_problem(problem, location, as_json)
        return
    with opened(location) as store, bar("comparing answers") as show:
        found = list_problems(
            store,
            min_solutions=min_solutions,
            progress=lambda done, total: show(done, total, f"{done:,} of {total:,}"),
        )
    answer({"problems": found}, as_json, lambda: _print_problems(found))


def _print_problems(found: list[dict[str, Any]]) -> None:
    if not found:
        say("No problems with so many solutions.")
        return
    table(
        ("problem", "interactions", "solutions", "verified", "refuted", "task"),
        [
            (
                row["id"],
                row["interactions"],
                row["solutions"],
                row["verified"],
                row["refuted"],
                row["task"],
            )
            for row in found
        ],
        right="problem interactions solutions verified refuted",
    )
    solutions, verified = (sum(row[key] for row in found) for key in ("solutions", "verified"))
    say(
        f"{counted(len(found), 'problem')}, {counted(solutions, 'distinct solution')}, "
        f"{verified:,} verified"
    )
    if not verified:
        say("studio verify runs them against the tests that came with them")


def _show_problem(problem: int, location: str, as_json: bool) -> None:
    from dataclasses import asdict

    from studio.curation.problems import problem_solutions

    with opened(location) as store:
        found = problem_solutions(store, problem)
    if not found:
        raise NotFound(f"problem {problem} has no answers; studio problems lists them all")
    value = {"id": problem, "task": found[0].task, "solutions": [asdict(each) for each in found]}

    def show() -> None:
        say(f"problem {problem}: {found[0].task}")
        for number, each in enumerate(found, 1):
            ids = ", ".join(map(str, each.ids))
            said = each.state if each.state != "refuted" else f"refuted: {each.verdict}"
            say(f"\n── solution {number} · {said} · interactions {ids}\n{each.text}")

    answer(value, as_json, show)


@click.command("verify")
@click.option("--where", default="", help="Verify only what this filter holds for.")
@click.option("--again", is_flag=True, help="Run what has a verdict, too.")
@click.option("--workers", default=2, type=click.IntRange(min=1), show_default=True)
@store_options
def verify_command(where: str, again: bool, workers: int, location: str, as_json: bool) -> int:
    """Run answers against the tests that came with them, in the sandbox."""
    from studio.curation.verify import verify

    with opened(location) as store, bar("verifying") as show:
        value = verify(
            store,
            where,
            again=again,
            workers=workers,
            progress=lambda seen, total, ran: show(seen, total, f"{seen:,}/{total:,}, {ran:,} ran"),
        )
    answer(value, as_json, lambda: _print_verdicts(value))
    if value["interrupted"]:
        note("stopped; what was found is kept, and studio verify goes on there")
        return 130
    return 0


def _print_verdicts(value: dict[str, Any]) -> None:
    wrong = ", ".join(
        f"{name} {n:,}" for name, n in value["by_verdict"].items() if name != "passed"
    )
    say(
        f"{value['verified']:,} verified, {value['failed']:,} failed"
        + (f" ({wrong})" if wrong else "")
        + f"; {value['without_tests']:,} without tests say nothing"
        + (f", {value['without_code']:,} without code" if value["without_code"] else "")
    )
    if value["not_run"]:
        say(f"{value['not_run']:,} could not be run; the next studio verify tries them again")
    if value["ran"]:
        say(f"{value['ran']:,} ran now, sandbox tier {value['tier']}")


@click.command("advise")
@click.option("--where", default="", help="Advise on what this filter holds for.")
@store_options
def advise_command(where: str, location: str, as_json: bool) -> None:
    """Which kind of base suits the collection, and which base each agent."""
    from studio.curation.advise import advise

    with opened(location) as store:
        value = advise(store, where)
    answer(value, as_json, lambda: _print_advice(value))


def _print_advice(value: dict[str, Any]) -> None:
    say(f"{value['advice'].upper()}: {value['why']}")
    if value["unlabelled"]:
        say(
            f"left out, since without an agent: {counted(value['unlabelled'], 'interaction')} "
            "(studio classify)"
        )
    if value["unsure"]:
        say(
            f"the agent of {value['unsure']:,} is little more than a guess, which the interval "
            "does not cover (studio list --where 'confidence:<0.5')"
        )
    say()
    table(
        ("agent", "n", "share", "base", "its own adapter"),
        [
            (
                name,
                agent["n"],
                percent(agent["share"]),
                agent["base"],
                "rows enough" if agent["enough"] else f"needs {agent['enough_rows'] or 0:,} rows",
            )
            for name, agent in value["agents"].items()
        ],
        right="n share",
    )
    say(f"{value['strategy'].replace('_', ' ')}: {value['strategy_why']}")
    if value["single_base"]:
        say(f"one adapter for all: {value['single_base']}")
