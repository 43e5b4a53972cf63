"""The terminal app: one store, its screens, and what they share.

Only Textual and sqlite3 are imported before the first frame; SQLAlchemy and the settings follow in
a thread while the first rows are already on the screen.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from db.errors import BadInput, StudioError
from studio import commands, keys, keys_in_order, pauses, preferences
from studio.acting import Act, ActQueue, Outcome
from studio.commands import Command
from studio.preferences import Preferences, View
from studio.screens.frame import StudioScreen
from studio.widgets.bindings import bind

if TYPE_CHECKING:
    from db.acts import Done
    from db.store import Store

FIRST = "browse"
# Imported, as are their styles, when they are first shown: the first frame waits for none of them.
SCREENS = {
    FIRST: "BrowseScreen",
    "duplicates": "DuplicatesScreen",
    "datasets": "DatasetsScreen",
    "runs": "RunsScreen",
    "compare": "CompareScreen",
    "decide": "DecideScreen",
}
RESTED = 0.1  # seconds without a key after which a pause of a few ms is nobody's
UNTOUCHED = 60.0  # seconds without a key after which a longer pause is nobody's
THEMES = {preferences.TERMINAL: "ansi-dark"}  # our names for themes of Textual's


class AdapterStudio(App[StudioError | None]):
    """The app on one store. `run` answers with the error that ended it, if one did."""

    TITLE = "Adapter Studio"
    DEFAULT_MODE = FIRST
    CSS_PATH: ClassVar[list[str | PurePath]] = ["app.tcss", f"screens/{FIRST}.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = []
    COMMAND_PALETTE_BINDING = "f24"  # the palette's own key comes from the command table

    class Opened(Message):
        """The store is open for acts, and the agents are known."""

        def __init__(self, store: Store, agents: dict[str, str]) -> None:
            self.store, self.agents = store, agents
            super().__init__()

    class Acted(Message):
        """An act was written, or was not."""

        def __init__(self, outcome: Outcome) -> None:
            self.outcome = outcome
            super().__init__()

    def __init__(self, location: str, preferred: Preferences | None = None) -> None:
        super().__init__()
        self.location = location
        self.path = _path(location)
        self.preferred = preferred if preferred is not None else preferences.load()
        self.table = self._with_keys(commands.COMMANDS)
        self.store: Store | None = None
        self.agents: list[str] = []
        self._opening = False
        self._typed: deque[events.Key] = deque()
        self._rested: Timer | None = None
        self._untouched: Timer | None = None
        self._acts: ActQueue | None = None
        self._file: tuple[int, int] | None = None
        bind(self, self.table, "everywhere")
        for name in SCREENS:
            self.add_mode(name, partial(self._make, name))
        theme = self.preferred.theme or self.preferred.chosen_theme
        if theme is not None:
            self._use_theme(theme)

    def _use_theme(self, name: str) -> None:
        known = THEMES.get(name, name)
        if known not in self.available_themes:
            names = ", ".join((preferences.TERMINAL, *sorted(self.available_themes)))
            raise BadInput(f"theme {name!r} is not known; there are {names}")
        self.theme = known

    def _with_keys(
        self, table: Iterable[Command], *, all_known: bool = False
    ) -> tuple[Command, ...]:
        """The commands with the keys of the settings. Raises BadInput that names the file."""
        try:
            found = keys.with_keys(table, self.preferred.keys)
            if all_known:
                keys.check_ids(self.preferred.keys, [command.id for command in found])
        except BadInput as error:
            raise BadInput(f"{self.preferred.folder / 'settings.yaml'}: {error}") from error
        return found

    def _make(self, name: str) -> StudioScreen:
        module = importlib.import_module(f"studio.screens.{name}")
        screen: StudioScreen = getattr(module, SCREENS[name])(self.path, self.table)
        # Textual takes every new mode for one that a change of theme has passed by, and would parse
        # all styles once more: a fifth of the time to the first text
        screen._css_update_count = self._css_update_count
        return screen

    async def action_go(self, name: str) -> None:
        """To one of the numbered screens."""
        await self.switch_mode(name)

    def on_mount(self) -> None:
        """Keep the theme that the user chooses; end with the terminal, whoever started us."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._hung_up)
        self.theme_changed_signal.subscribe(self, self._theme_chosen)
        self._rested = self.set_interval(RESTED, self._rest, pause=True)
        self._untouched = self.set_interval(UNTOUCHED, pauses.walk_all)
        # back from a shell: the terminal has forgotten what was drawn
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(repaint=True, layout=True))

    async def on_event(self, event: events.Event) -> None:
        """Act on keys in the order in which they were typed, however fast they come.

        A key waits behind everything that the one before it has asked for, a new focus, say.
        """
        if not isinstance(event, events.Key) or event.is_forwarded or not self.app_focus:
            await super().on_event(event)
            return
        self._typed.append(event)
        if len(self._typed) == 1:
            self.call_later(self._take_key)

    async def _take_key(self) -> None:
        try:
            await self._do_key(self._typed[0])
        finally:
            self._typed.popleft()
            if self._typed:
                self.call_later(self._take_key)

    async def _do_key(self, key: events.Key) -> None:
        """Do what the key is bound to, else hand it to the focus.

        Textual hands it to the focus first and learns of its command last: of a quick `/token` the
        `t` would be a label, since the search asks later. What an input takes stays with it.
        """
        if self._untouched is not None and self._rested is not None:
            self._untouched.reset()
            self._rested.reset()
        if key.key == "ctrl+z":  # the terminal's own, which raw mode keeps from it
            self._suspend()
            return
        if not self.screen.is_mounted:  # what is typed while it opens is for it
            await keys_in_order.done([self.screen])
        screen = self.screen
        focus = screen.focused or screen
        if isinstance(focus, Input) or not await self._check_bindings(key.key):
            await super().on_event(key)
        await keys_in_order.done(node for node in focus.ancestors_with_self if node is not self)

    def _rest(self) -> None:
        if self._rested is not None:
            self._rested.pause()
        pauses.walk_young()

    def _suspend(self) -> None:
        from studio import suspending

        if self._driver is not None and self._driver.can_suspend and suspending.can_return():
            with self.suspend():
                suspending.stop()
        elif isinstance(self.screen, StudioScreen):
            self.screen.say("there is no shell to go to; ctrl+q leaves the app")

    def _theme_chosen(self, theme: object) -> None:
        name = self.theme
        if name != THEMES.get(self.preferred.theme or "", self.preferred.theme):
            try:
                self.preferred = preferences.choose_theme(self.preferred, name)
            except BadInput as error:
                for screen in self.screen_stack:
                    if isinstance(screen, StudioScreen):
                        screen.say(f"error: the theme holds until you leave: {error}", wrong=True)

    # the store

    def open(self) -> None:
        """Open the store for acts, once: after the first rows, whose drawing it would delay."""
        if not self._opening:
            self._opening = True
            self.call_after_refresh(
                lambda: self.run_worker(self._open_store, thread=True, group="open")
            )

    def _open_store(self) -> None:
        import db.filters  # noqa: F401  else the first filter waits for its import
        from db.store import open_store
        from studio import memory, settings
        from studio.curation import named_acts  # noqa: F401  and the first act for this one

        memory.give_back_large()
        try:
            store = open_store(self.location)
            agents = {name: agent.key for name, agent in settings.agents().items()}
        except StudioError as error:
            self.call_from_thread(self.exit, error, 2)
            return
        self.post_message(self.Opened(store, agents))

    def on_adapter_studio_opened(self, message: Opened) -> None:
        """Take the store, and make a command of every agent."""
        pauses.settle()
        self.store, self._file = message.store, _file(self.path)
        self._acts = ActQueue(message.store, lambda outcome: self.post_message(self.Acted(outcome)))
        labels = commands.label_commands(message.agents)
        try:
            self.table = self._with_keys((*labels, *self.table), all_known=True)
        except BadInput as error:
            self.exit(error, 2)
            return
        self.agents = list(message.agents)
        for screen in self.screen_stack:
            if isinstance(screen, StudioScreen):
                screen.opened(self.table)

    def act(self, act: Act, kind: str = "act") -> bool:
        """Write an act after those before it; False while the store is not open yet."""
        if self._acts is None:
            return False
        self._acts.put(partial(self._on_same_file, act), kind)
        return True

    @property
    def acts_wait(self) -> bool:
        """Whether acts are still to be written."""
        return self._acts is not None and self._acts.waiting > 0

    def _on_same_file(self, act: Act, store: Store) -> Done:
        """Do an act. Raises StudioError where the file is another one by now: it would be lost."""
        if _file(self.path) != self._file:
            raise StudioError(
                f"{self.path.name} was moved, deleted or replaced since it was opened; nothing was "
                "written · ctrl+q leaves the app"
            )
        return act(store)

    def on_adapter_studio_acted(self, message: Acted) -> None:
        """Tell the screen."""
        if self._acts is not None:
            self._acts.told()
        for screen in self.screen_stack:
            if isinstance(screen, StudioScreen):
                screen.acted(message.outcome)

    def on_unmount(self) -> None:
        """Write what is still to be written."""
        if self._acts is not None:
            self._acts.close()
        if self.store is not None:
            self.store.close()

    def _hung_up(self) -> None:
        """The terminal is gone: nothing can be drawn, and Textual would wait to draw its last."""
        self.on_unmount()
        os._exit(128 + signal.SIGHUP)

    def keep_views(self, views: dict[str, View]) -> None:
        """Keep these views for the next time. Raises BadInput where that is impossible."""
        self.preferred = preferences.keep_views(self.preferred, views)

    # commands

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every command of this place, and the theme."""
        places = ("everywhere", *((screen.PLACE,) if isinstance(screen, StudioScreen) else ()))
        for command in self.table:
            if command.where in places and command.id != "app.palette":
                names = keys.key_names(command)
                title = command.label + (f"  ({names})" if names else "")
                yield SystemCommand(title, command.help, self._runner(command))
        yield SystemCommand("theme", "Choose the colours.", self.action_change_theme)

    def _runner(self, command: Command) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            await self.run_action(command.action, self.screen)

        return run

    async def action_run_command(self, identity: str) -> None:
        """Do what a command of the table does, as its key would with the present focus."""
        command = next(command for command in self.table if command.id == identity)
        target = self.screen.focused or self.screen
        await self.run_action(command.action, target)

    def action_palette(self) -> None:
        """Find a command by its name."""
        self.action_command_palette()

    def action_help(self) -> None:
        """Say what the keys do here."""
        from studio.screens.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.pop_screen()
            return
        places = ["everywhere"]
        if isinstance(self.screen, StudioScreen):
            places = [*self.screen.places(), "everywhere"]
        self.push_screen(HelpScreen(self.table, places))

    async def action_back(self) -> None:
        """Close what is open; where nothing is, say how to leave: Esc is pressed once too often."""
        if not self._closed_something() and isinstance(self.screen, StudioScreen):
            leave = next(command for command in self.table if command.id == "app.leave")
            self.screen.say(f"nothing is open · {keys.first_key(leave) or 'ctrl+q'} leaves the app")

    def action_leave(self) -> None:
        """Close what is open; where nothing is, leave the app."""
        if not self._closed_something():
            self.exit()

    def _closed_something(self) -> bool:
        if isinstance(self.screen, StudioScreen):
            return self.screen.back()
        if len(self.screen_stack) > 1:
            self.screen.dismiss(None)
        return True

    def action_stop(self) -> None:
        """Leave the app."""
        self.exit()


def _file(path: Path) -> tuple[int, int] | None:
    """Which file lies there; None where none does."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _path(location: str) -> Path:
    if "://" not in location:
        return Path(location)
    from db.store import store_path

    return store_path(location)
