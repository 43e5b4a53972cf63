"""What Browse asks in its prompt, and what it does with each answer."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

from db import reader
from db.errors import BadInput, StudioError
from db.reader import Reader
from studio.completion import Completion, complete_filter, complete_word
from studio.preferences import View

if TYPE_CHECKING:
    from studio.screens.browse import BrowseScreen


def filter(screen: BrowseScreen) -> None:
    """Ask for a filter; what is wrong with it is said under the wrong word."""
    from db.filters import KEYS

    values = _values(screen)

    def complete(text: str, cursor: int) -> Completion:
        return complete_filter(text, cursor, KEYS, values)

    screen.prompt.ask(
        "filter",
        screen.view.filter,
        hint='agent:coder success:false duration:>10s model:qwen* "free text"',
        check=lambda text: reader.query(text, screen.view.search, screen.view.sort),
        complete=complete,
    )


def _values(screen: BrowseScreen) -> dict[str, list[str]]:
    """The values that the keys of a filter can have; those of the store are read once."""
    from db.models.interactions import STATUSES

    if not screen.values:
        screen.values = {
            "agent": [*screen.studio.agents, "none"],
            "status": list(STATUSES),
            "success": ["true", "false", "none"],
            "method": ["declared", "human", "model", "rule", "none"],
        }
        screen.run_worker(lambda: _read_values(screen), thread=True, group="values")
    return screen.values


def _read_values(screen: BrowseScreen) -> None:
    with contextlib.suppress(sqlite3.Error), contextlib.closing(Reader(screen.path)) as store:
        for column in ("provider", "model"):
            screen.values[column] = [*store.values(column), "none"]


def search(screen: BrowseScreen) -> None:
    """Search while the user types."""
    screen.prompt.ask(
        "search", screen.view.search, hint="words in tasks and answers; Enter keeps, Esc leaves"
    )


def search_for(screen: BrowseScreen, typed: str) -> None:
    """Show what holds these words."""
    screen.show_view(replace(screen.view, search=typed))


def sort(screen: BrowseScreen) -> None:
    """Ask for an order."""
    from db.filters import SORTS, sort_key

    screen.prompt.ask(
        "sort",
        screen.view.sort,
        hint="- before it for descending",
        check=sort_key,
        complete=lambda text, cursor: complete_word(text, cursor, list(SORTS)),
    )


def tag(screen: BrowseScreen) -> None:
    """Ask for a tag."""
    screen.prompt.ask("tag", hint="one word; tag:WORD in a filter finds it again")


def note(screen: BrowseScreen) -> None:
    """Ask for a note; where one row has one already it is changed."""
    row = None if screen.rows.marked else screen.rows.current_row()
    screen.prompt.ask("note", (row.note or "") if row else "", hint="an empty note removes it")


def view_name(screen: BrowseScreen) -> None:
    """Ask for the name of the present view."""
    screen.prompt.ask("name of this view", hint="w opens it again", check=_name)


def _name(text: str) -> None:
    if len(text) > 60:
        raise BadInput("a name has at most 60 characters")


def answered(screen: BrowseScreen, kind: str, value: str) -> None:
    """Do what was asked for."""
    from studio.curation import named_acts

    if kind == "filter":
        screen.show_view(replace(screen.view, filter=value.strip()))
    elif kind == "search":
        if value != screen.view.search:
            search_for(screen, value)
    elif kind == "sort":
        screen.show_view(replace(screen.view, sort=value.strip() or "-id"), keep=None)
    elif kind == "tag" and value:
        screen.act(lambda store, ids: named_acts.tag(store, ids, value))
    elif kind == "note":
        screen.act(lambda store, ids: named_acts.note(store, ids, value))
    elif kind == "import":
        screen.start_import(value)
    elif kind == "name of this view" and value.strip():
        _keep(screen, value.strip())


def _keep(screen: BrowseScreen, name: str) -> None:
    try:
        screen.studio.keep_views({**screen.studio.preferred.views, name: screen.view})
    except StudioError as error:
        screen.say(f"error: {error}", wrong=True)
    else:
        screen.say(f"view {name} saved · w opens it")


def views(screen: BrowseScreen) -> None:
    """Let the user choose a saved view."""
    from studio.screens.views import ViewsScreen

    saved = screen.studio.preferred.views
    if not saved:
        screen.say("no view is saved yet; W saves this one")
        return

    def chosen(name: str | None) -> None:
        if name is not None:
            screen.show_view(saved.get(name, View()))
            screen.say(f"view {name}")

    screen.app.push_screen(ViewsScreen(screen.commands, saved), chosen)
