"""history, label, accept, drop, reset, tag, note, edit, undo, redo, split, merge: acts by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from db import acts, filters, rows
from db.acts import Done
from db.bulk_change import Selection
from db.counted import counted
from db.errors import BadInput
from db.history import history
from db.store import Store
from studio.acting import in_words
from studio.cli.frame import answer, opened, say, store_options, table
from studio.curation import named_acts

F = TypeVar("F", bound=Callable[..., Any])


def _selection_options(command: F) -> F:
    """Add ids and `--where` to a command, which gets what they mean as `selection`."""

    @wraps(command)
    def with_selection(*, ids: tuple[str, ...], where: str | None, **rest: Any) -> object:
        return command(selection=_selection(ids, where), **rest)

    with_where = click.option("--where", help="All that this filter holds for.")(with_selection)
    return cast(F, click.argument("ids", nargs=-1)(with_where))


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
@_selection_options
@store_options
def label_command(agent: str, selection: Selection, location: str, as_json: bool) -> None:
    """Say whose task interactions are."""
    _perform(location, as_json, f"→ {agent}", lambda s: named_acts.label(s, selection, agent))


def _status_command(kind: str, what: str, help_text: str) -> click.Command:
    @click.command(kind, help=help_text)
    @_selection_options
    @store_options
    def command(selection: Selection, location: str, as_json: bool) -> None:
        _perform(location, as_json, what, lambda s: named_acts.set_status(s, selection, kind))

    return command


accept_command = _status_command("accept", "accepted", "Accept interactions for datasets.")
drop_command = _status_command("drop", "dropped", "Keep interactions out of datasets.")
reset_command = _status_command("reset", "reset to new", "Take accepting or dropping away.")


@click.command("tag")
@click.argument("name", metavar="TAG")
@_selection_options
@store_options
def tag_command(name: str, selection: Selection, location: str, as_json: bool) -> None:
    """Tag interactions; tag:NAME finds them again."""
    _perform(location, as_json, f"tagged {name}", lambda s: named_acts.tag(s, selection, name))


@click.command("note")
@click.argument("text")
@_selection_options
@store_options
def note_command(text: str, selection: Selection, location: str, as_json: bool) -> None:
    """Write a note on interactions; an empty one removes it."""
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
def edit_command(identity: int, path: Path, location: str, as_json: bool) -> None:
    """Replace the answer of one interaction; the old one stays in the history."""
    try:
        with click.open_file(str(path), encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read: {error}") from error
    _perform(location, as_json, "edited", lambda s: named_acts.edit(s, identity, text))


@click.command("split")
@_selection_options
@store_options
def split_command(selection: Selection, location: str, as_json: bool) -> None:
    """Make a problem of its own of some of a problem's interactions."""
    from studio.curation.regrouping import split

    what = "split off as a problem"
    _perform(location, as_json, what, _on_problems(lambda s: split(s, selection)))


@click.command("merge")
@click.argument("problems", nargs=-1, type=int, required=True)
@store_options
def merge_command(problems: tuple[int, ...], location: str, as_json: bool) -> None:
    """Make one problem of several: the first takes the interactions of the others."""
    from studio.curation.regrouping import merge

    what = f"→ problem {problems[0]}"
    _perform(location, as_json, what, _on_problems(lambda s: merge(s, problems)))


def _on_problems(act: Callable[[Store], Done]) -> Callable[[Store], Done]:
    """An act over problems, after every interaction has been given its own."""
    from studio.curation.problems import assign_problems

    def after_assigning(store: Store) -> Done:
        assign_problems(store)
        return act(store)

    return after_assigning


def _turn_command(kind: str, help_text: str, step: Callable[..., Done]) -> click.Command:
    @click.command(kind, help=help_text)
    @click.argument("count", metavar="[N]", type=click.IntRange(min=1), default=1)
    @store_options
    def command(count: int, location: str, as_json: bool) -> int:
        with opened(location) as store:
            done = step(store, count, actor=named_acts.actor())
        answer(
            {"acts": done.acts, "changed": done.changed},
            as_json,
            lambda: say(
                f"{kind}: {'act' if len(done.acts) == 1 else 'acts'} "
                f"{', '.join(map(str, done.acts))}, {counted(done.changed, 'interaction')}"
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
def history_command(limit: int, location: str, as_json: bool) -> None:
    """What was decided, by whom and when, newest first."""
    with opened(location) as store:
        found = [rows.dated(act) for act in history(store, limit)]
    answer({"acts": found}, as_json, lambda: _print_history(found))


def _print_history(found: list[dict[str, Any]]) -> None:
    if not found:
        say("Nothing was decided yet; accept, drop and label are acts.")
        return
    table(
        ("act", "when (UTC)", "who", "undone by", "what"),
        [
            (
                act["id"],
                act["at"][:16].replace("T", " "),
                act["actor"],
                act["undone_by"],
                in_words(act["kind"], act["value"], act["ids_count"]),
            )
            for act in found
        ],
        right="act",
    )
