"""history, label, accept, drop, reset, tag, note, edit, undo, redo, split, merge, dedupe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from db import acts, filters, rows
from db.acts import Done, Selection
from db.errors import BadInput
from db.store import Store
from studio.cli.frame import answer, opened, say, store_options, table
from studio.cli.jsonl import read_jsonl, write_jsonl
from studio.cli.progress import bar
from studio.curation import named_acts

_where_option = click.option("--where", help="All that this filter holds for.")


def _selection(ids: tuple[str, ...], where: str | None) -> Selection:
    """Ids such as `12` and `20-25`, or a filter; one of the two."""
    if bool(ids) == (where is not None):
        raise BadInput("give ids (12 20-25) or --where FILTER, one of the two")
    if where is not None:
        return filters.ids(where)
    listed: list[int] = []
    for word in ids:
        first, dash, last = word.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise BadInput(f"{word!r} is no id; ids are numbers (12) or ranges (20-25)")
        listed.extend(range(int(first), int(last or first) + 1))
    return listed


def _perform(location: str, as_json: bool, what: str, act: Callable[[Store], Done]) -> None:
    with opened(location) as store:
        done = act(store)
    number = done.acts[0] if done.acts else None
    answer(
        {"act": number, "changed": done.changed},
        as_json,
        lambda: say(
            f"{done.changed:,} {what} · studio undo takes it back" if number else "nothing changed"
        ),
    )


@click.command("label")
@click.argument("agent")
@click.argument("ids", nargs=-1)
@_where_option
@store_options
def label_command(
    agent: str,
    ids: tuple[str, ...],
    where: str | None,
    location: str,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> None:
    """Say whose task interactions are."""
    selection = _selection(ids, where)
    _perform(location, as_json, f"→ {agent}", lambda s: named_acts.label(s, selection, agent))


def _status_command(kind: str, what: str, help_text: str) -> click.Command:
    @click.command(kind, help=help_text)
    @click.argument("ids", nargs=-1)
    @_where_option
    @store_options
    def command(
        ids: tuple[str, ...],
        where: str | None,
        location: str,
        as_json: bool,
        debug: bool,  # noqa: ARG001
    ) -> None:
        selection = _selection(ids, where)
        _perform(location, as_json, what, lambda s: named_acts.set_status(s, selection, kind))

    return command


accept_command = _status_command("accept", "accepted", "Accept interactions for datasets.")
drop_command = _status_command("drop", "dropped", "Keep interactions out of datasets.")
reset_command = _status_command("reset", "reset to new", "Take accepting or dropping away.")


@click.command("tag")
@click.argument("name", metavar="TAG")
@click.argument("ids", nargs=-1)
@_where_option
@store_options
def tag_command(
    name: str,
    ids: tuple[str, ...],
    where: str | None,
    location: str,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> None:
    """Tag interactions; tag:NAME finds them again."""
    selection = _selection(ids, where)
    _perform(location, as_json, f"tagged {name}", lambda s: named_acts.tag(s, selection, name))


@click.command("note")
@click.argument("text")
@click.argument("ids", nargs=-1)
@_where_option
@store_options
def note_command(
    text: str,
    ids: tuple[str, ...],
    where: str | None,
    location: str,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> None:
    """Write a note on interactions; an empty one removes it."""
    selection = _selection(ids, where)
    _perform(location, as_json, "noted", lambda s: named_acts.note(s, selection, text))


@click.command("edit")
@click.argument("identity", metavar="ID", type=int)
@click.option(
    "--answer",
    "path",
    required=True,
    type=click.Path(path_type=Path),
    help="A file with the better answer, - for standard input.",
)
@store_options
def edit_command(
    identity: int,
    path: Path,
    location: str,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> None:
    """Replace the answer of one interaction; the old one stays in the history."""
    try:
        with click.open_file(str(path), encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read: {error}") from error
    _perform(location, as_json, "edited", lambda s: named_acts.edit(s, identity, text))


@click.command("split")
@click.argument("ids", nargs=-1)
@_where_option
@store_options
def split_command(
    ids: tuple[str, ...],
    where: str | None,
    location: str,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> None:
    """Make a problem of its own of some of a problem's interactions."""
    from studio.curation.problems import assign_problems
    from studio.curation.regrouping import split

    def act(store: Store) -> Done:
        assign_problems(store)
        return split(store, selection)

    selection = _selection(ids, where)
    _perform(location, as_json, "split off as a problem", act)


@click.command("merge")
@click.argument("problems", nargs=-1, type=int, required=True)
@store_options
def merge_command(
    problems: tuple[int, ...],
    location: str,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> None:
    """Make one problem of several: the first takes the interactions of the others."""
    from studio.curation.problems import assign_problems
    from studio.curation.regrouping import merge

    def act(store: Store) -> Done:
        assign_problems(store)
        return merge(store, problems)

    _perform(location, as_json, f"→ problem {problems[0]}", act)


def _turn_command(kind: str, help_text: str, step: Callable[..., Done]) -> click.Command:
    @click.command(kind, help=help_text)
    @click.argument("count", metavar="[N]", type=click.IntRange(min=1), default=1)
    @store_options
    def command(
        count: int,
        location: str,
        as_json: bool,
        debug: bool,  # noqa: ARG001
    ) -> int:
        with opened(location) as store:
            done = step(store, count, actor=named_acts.actor())
        answer(
            {"acts": done.acts, "changed": done.changed},
            as_json,
            lambda: say(
                f"{kind}: acts {', '.join(map(str, done.acts))}, {done.changed:,} interactions"
                if done.acts
                else f"nothing to {kind}"
            ),
        )
        return 0 if done.acts else 1

    return command


undo_command = _turn_command("undo", "Take back the last N acts.", acts.undo)
redo_command = _turn_command("redo", "Bring back what was undone last.", acts.redo)


@click.command("history")
@click.option("--limit", default=50, type=click.IntRange(min=1), show_default=True)
@store_options
def history_command(
    limit: int,
    location: str,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> None:
    """What was decided, by whom and when, newest first."""
    with opened(location) as store:
        found = [rows.dated(act) for act in acts.history(store, limit)]
    answer({"acts": found}, as_json, lambda: _print_history(found))


def _print_history(found: list[dict[str, Any]]) -> None:
    if not found:
        say("Nothing was decided yet; accept, drop and label are acts.")
        return
    table(
        ("act", "when", "who", "what", "value", "rows", "undone by"),
        [
            (
                act["id"],
                act["at"],
                act["actor"],
                act["kind"],
                act["value"],
                act["ids_count"],
                act["undone_by"],
            )
            for act in found
        ],
        right="act rows",
    )


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
@click.option("--file", "path_in", type=click.Path(path_type=Path), help="{id, text} rows.")
@click.option("--out", "path_out", type=click.Path(path_type=Path), help="Where answers go.")
@store_options
def dedupe_command(
    threshold: float,
    on: str,
    measure: str,
    across_agents: bool,
    path_in: Path | None,
    path_out: Path | None,
    location: str,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> None:
    """Find exact and near duplicates, each verified, and propose which to keep."""
    from studio.curation.duplicates import dedupe, dedupe_rows

    if (path_in is None) != (path_out is None):
        raise BadInput("--file and --out go together")
    if path_in is not None and path_out is not None:
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
        f"{value['documents']:,} documents: {value['exact_duplicates']:,} exact and "
        f"{value['near_duplicates']:,} near duplicates in {value['clusters']:,} clusters, "
        f"{value['seconds']:.1f} s"
    )
    if "out" in value:
        say(f"→ {value['out']}")
        return
    say("studio undo takes it back" if value["act"] else "nothing changed")
