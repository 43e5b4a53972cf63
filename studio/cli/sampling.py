"""sample: more solutions to problems, from a teacher behind an OpenAI-compatible endpoint."""

from __future__ import annotations

from typing import Any

import click

from db.counted import counted
from studio.cli.frame import answer, note, opened, say, store_options
from studio.cli.progress import bar


@click.command("sample")
@click.argument("problems", nargs=-1, type=int)
@click.option("--endpoint", "name", required=True, help="Whom to ask: a name of endpoints.yaml.")
@click.option("--n", "count", required=True, type=click.IntRange(1, 1000),
              help="Answers to each problem; what is there already counts.")  # fmt: skip
@click.option("--where", default="", help="The problems of interactions that this filter finds.")
@click.option("--all", "every", is_flag=True, help="Every problem.")
@click.option("--fewer-than", type=click.IntRange(min=1),
              help="Only problems with fewer distinct solutions that no test refutes.")  # fmt: skip
@click.option("--temperature", type=click.FloatRange(0, 2), help="Else the endpoint's, else 0.8.")
@click.option("--max-tokens", type=click.IntRange(min=1),
              help="The longest answer, else the endpoint's, else 2048.")  # fmt: skip
@click.option("--workers", default=4, type=click.IntRange(1, 256), show_default=True,
              help="Requests at a time.")  # fmt: skip
@click.option("--timeout", default=600.0, type=click.FloatRange(min=0.1), show_default=True,
              help="Seconds that an answer may take.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say what would be asked.")
@store_options
def sample_command(
    problems: tuple[int, ...],
    name: str,
    count: int,
    where: str,
    every: bool,
    fewer_than: int | None,
    temperature: float | None,
    max_tokens: int | None,
    workers: int,
    timeout: float,
    dry_run: bool,
    location: str,
    as_json: bool,
) -> int:
    """Ask a teacher for more solutions; verify them, and count the distinct ones.

    PROBLEMS are the numbers of studio problems. Every answer is kept as it arrives: what was
    interrupted goes on with the same command, and nothing is asked twice.
    """
    from studio.chat import ChatClient
    from studio.curation import sampling
    from studio.curation.questions import chosen_problems, questions
    from studio.endpoints import find_endpoint

    endpoint = find_endpoint(name)
    order = sampling.order_of(name, endpoint, count, temperature=temperature, max_tokens=max_tokens)
    with opened(location) as store, bar("asking") as show:
        wanted = chosen_problems(store, problems, where=where, every=every, fewer_than=fewer_than)
        found = questions(store, wanted)
        head = {"problems": len(found.asked), "skipped": dict(found.skipped)}
        expected = sampling.forecast(store, order, found, endpoint)
        if dry_run:
            value = sampling.nothing_asked(store, order, found)
        else:
            client = ChatClient(
                name, endpoint, timeout=timeout,
                on_retry=lambda why, pause: show(0, 0, f"{why}; again in {pause:.0f} s"),
            )  # fmt: skip
            value = sampling.sample(store, order, found, client, workers=workers, tell=show)
    value = {**head, **value, "forecast": expected}
    answer(value, as_json, lambda: _print(value, dry_run=dry_run))
    if value["interrupted"]:
        note("stopped; what came is kept, and the same command goes on there")
        return 130
    return int(not dry_run and bool(value["refused"]) and not value["answers"])


def _print(value: dict[str, Any], *, dry_run: bool) -> None:
    if value["skipped"]:
        reasons = {
            "tool_session": "sessions with tools, which are no single question",
            "no_request": "without a request",
        }
        said = ", ".join(f"{n:,} {reasons[name]}" for name, n in value["skipped"].items())
        say(f"left aside: {said}")
    if dry_run:
        _print_forecast(value)
        return
    for refusal in value["refused"][:5]:
        say(f"problem {refusal['problem']} was refused: {refusal['reason']}")
    untold = value["tokens_untold"]
    say(
        f"{counted(value['asked'], 'answer')} asked for, {counted(value['tokens'], 'token')} "
        f"({value['completion_tokens']:,} of them written)"
        + (f"; {counted(untold, 'reply', 'replies')} did not tell theirs" if untold else "")
    )
    cut = f", {value['truncated']:,} cut off" if value["truncated"] else ""
    say(
        f"{counted(value['problems'], 'problem')}: {counted(value['answers'], 'answer')}{cut}, "
        f"{value['verified']:,} verified, {value['failed']:,} failed their tests, "
        f"{value['distinct']:,} distinct"
    )
    if value["not_verified"]:
        say(f"not verified: {value['not_verified']}")
    say("Next: studio build NAME --strategy diverse chooses among them, verified ones first")


def _print_forecast(value: dict[str, Any]) -> None:
    expected = value["forecast"]
    most = expected["completion_tokens"]
    say(
        f"{counted(expected['requests'], 'request')} for "
        f"{counted(expected['answers'], 'answer')} to "
        f"{counted(value['problems'], 'problem')}; {counted(value['answers'], 'is', 'are')} "
        "there already"
    )
    say(
        f"about {counted(expected['prompt_tokens'], 'token')} to read, "
        + ("no limit on what is written" if most is None else f"at most {most:,} to write")
    )
