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
        hint=f"- before it for descending · {' '.join(SORTS)}",
        check=sort_key,
        suggested=True,
        complete=lambda text, cursor: complete_word(text, cursor, list(SORTS)),
    )


def tag(screen: BrowseScreen) -> None:
    """Ask for a tag."""
    if _acts_on_something(screen):
        hint = "one word; tag:WORD in a filter finds it again"
        screen.prompt.ask("tag", hint=hint, check=_tag)


def _tag(text: str) -> None:
    from studio.curation.named_acts import check_tag

    if text:  # an empty line tags nothing
        check_tag(text)


def _acts_on_something(screen: BrowseScreen) -> bool:
    """Whether there is a row; says so where there is none."""
    if screen.rows.loaded and not screen.rows.ids:
        screen.say("there is no row to act on")
        return False
    return True


def note(screen: BrowseScreen) -> None:
    """Ask for a note; where one row has one already it is changed."""
    if not _acts_on_something(screen):
        return
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
        name, before = value.strip(), screen.studio.preferred.views
        done = "saved anew" if name in before else "saved"
        _keep(screen, {**before, name: screen.view}, f"view {name} {done} · w opens it")


def _keep(screen: BrowseScreen, views: dict[str, View], done: str) -> bool:
    """Write the saved views and say `done`; False, and why, where they cannot be written."""
    try:
        screen.studio.keep_views(views)
    except StudioError as error:
        screen.say(f"error: {error}", wrong=True)
        return False
    screen.say(done)
    return True


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

    def keep(left: dict[str, View]) -> bool:
        gone = ", ".join(screen.studio.preferred.views.keys() - left.keys())
        return _keep(screen, left, f"view {gone} removed · W saves the one that is shown")

    screen.app.push_screen(ViewsScreen(screen.commands, saved, keep), chosen)
