"""Screen 4, Runs: what trains and what has trained, with its curves, checkpoints and log."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.worker import get_current_worker

from db.errors import StudioError
from db.reader import Reader
from studio.commands import Command
from studio.screens import run_acts, run_charts, run_words
from studio.screens.frame import StudioScreen
from studio.screens.run_reading import Known, read_runs
from studio.screens.run_words import ACTIVE, RESUMABLE, WRONG
from studio.widgets.chart import Chart
from studio.widgets.facts import Facts
from studio.widgets.key_line import KeyLine
from studio.widgets.listing import Listing
from studio.widgets.prompt import Prompt

if TYPE_CHECKING:
    from db.store import Store

LOOK = 1.0  # seconds between looks at what runs have written
NO_RUN = "there is no run yet; 3 leads to the datasets, t trains on one"
WIDE = 120  # columns from which the facts stand beside the curves


class RunsScreen(StudioScreen):
    """Runs to follow, to lay over each other, to stop and to resume."""

    PLACE = "runs"
    CSS_PATH = "runs.tcss"

    class Read(Message):
        """A worker has read the runs, and what is known of the one under the cursor."""

        def __init__(self, runs: list[dict[str, Any]], known: Known | None) -> None:
            self.runs, self.known = runs, known
            super().__init__()

    class Told(Message):
        """Something was done, or was not."""

        def __init__(self, text: str, *, wrong: bool = False) -> None:
            self.text, self.wrong = text, wrong
            super().__init__()

    def __init__(self, path: Path, table: Sequence[Command]) -> None:
        super().__init__(path, table)
        self.runs: list[dict[str, Any]] = []
        self.known: Known | None = None
        self.loaded = self._arriving = False
        self.overlaid: list[int] = []
        self.chart = 0
        self._reader: Reader | None = None
        self._version: int | None = None

    def compose(self) -> ComposeResult:
        """Status, the runs, curves and facts of one of them, messages, the prompt, the keys."""
        yield Static("", id="status", markup=False)
        yield Listing(run_words.COLUMNS, self.commands, id="runs")
        yield Static("", id="empty", markup=False)
        with Container(id="run"):
            yield Chart(id="chart")
            yield Facts(self.commands, id="facts")
        yield Static("", id="message", markup=False)
        yield Prompt(self.commands, id="prompt")
        yield KeyLine(id="keys")

    @property
    def rows(self) -> Listing:
        """The table of runs."""
        return self.query_one("#runs", Listing)

    @property
    def facts(self) -> Facts:
        """The text about the run under the cursor."""
        return self.query_one("#facts", Facts)

    @property
    def prompt(self) -> Prompt:
        """The line that asks."""
        return self.query_one("#prompt", Prompt)

    @property
    def current(self) -> dict[str, Any] | None:
        """The run under the cursor; None when there is none."""
        return self.runs[self.rows.cursor] if self.rows.cursor < len(self.runs) else None

    def on_mount(self) -> None:
        """Read the runs, and look again every second."""
        self.prompt.display = False
        self.facts.can_focus = False  # until one run is seen in full
        self.rows.focus()
        self.set_interval(LOOK, self._look)
        self._draw()
        self.draw_keys()
        self.studio.open()

    def on_screen_resume(self) -> None:
        """Draw what has happened meanwhile, with the cursor on a run that was queued meanwhile."""
        self._arriving = self._look()

    def on_resize(self) -> None:
        """Put the facts beside the curves where there is room."""
        self.set_class(self.size.width >= WIDE, "-wide")
        self._draw_status()

    def opened(self, table: Sequence[Command]) -> None:
        """The store is open: it can be read."""
        super().opened(table)
        self._look()

    def on_unmount(self) -> None:
        """Release the file."""
        if self._reader is not None:
            self._reader.close()

    # reading

    def _look(self) -> bool:
        """Read again when somebody wrote, or when a process could have ended without a word."""
        if not self.is_current or self.studio.store is None:
            return False
        busy = any(run["state"] in ACTIVE for run in self.runs)
        wanted = self._changed() or busy or (self.known is not None and self.known.job_runs)
        if wanted:
            self._read()
        return wanted

    def _changed(self) -> bool:
        with contextlib.suppress(sqlite3.Error):
            if self._reader is None:
                self._reader = Reader(self.path)
            before, self._version = self._version, self._reader.version()
            return before != self._version
        return True

    def _read(self) -> None:
        if self.studio.store is not None:
            wanted = self.current["id"] if self.current else None
            self._read_runs(self.studio.store, wanted, [*self.overlaid])

    @work(thread=True, exclusive=True, group="runs")
    def _read_runs(self, store: Store, wanted: int | None, overlaid: list[int]) -> None:
        worker = get_current_worker()
        try:
            runs, known = read_runs(store, wanted, overlaid, run_charts.METRICS)
        except StudioError as error:
            self.post_message(self.Told(f"error: {error}", wrong=True))
            return
        if not worker.is_cancelled:
            self.post_message(self.Read(runs, known))

    def on_runs_screen_read(self, message: Read) -> None:
        """Draw what was read, if it is anything new."""
        arriving, self._arriving = self._arriving, False
        if self.loaded and (message.runs, message.known) == (self.runs, self.known):
            return
        self._tell_ends(message)
        current, self.loaded = self.current, True
        before, ids = ([run["id"] for run in runs] for runs in (self.runs, message.runs))
        self.runs, self.known = message.runs, message.known
        self.overlaid = [run for run in self.overlaid if run in ids]
        at = ids.index(current["id"]) if current and current["id"] in ids else 0
        queued = [n for n, run in enumerate(ids) if run not in before] if arriving else []
        self._show_rows(queued[0] if queued else at)
        self._draw()

    def _tell_ends(self, read: Read) -> None:
        """Say it when a run or an evaluation has ended while one looked on."""
        before = {run["id"]: run["state"] for run in self.runs}
        for run in read.runs:
            if before.get(run["id"]) in ACTIVE and run["state"] not in ACTIVE:
                more = " · R resumes" if run["state"] in RESUMABLE else ""
                self.say(f"run {run['id']} is {run['state'].replace('_', ' ')}{more}")
        old, new = self.known, read.known
        if old and new and old.job and old.job == new.job and old.job_runs > new.job_runs:
            self.say(f"the evaluation of {old.job.arm} on {old.job.suite} is over")

    @on(Listing.Moved)
    def _moved(self) -> None:
        current = self.current
        if current is not None and self.known and self.known.run["id"] != current["id"]:
            self._read()

    # drawing

    def _charted(self) -> list[int]:
        """The runs on the chart: the cursor's, then those that are laid over it."""
        if self.known is None:
            return []
        current = int(self.known.run["id"])
        return [current, *(run for run in self.overlaid if run != current)][: run_charts.MOST]

    def _show_rows(self, cursor: int) -> None:
        charted = self._charted() if self.overlaid else []
        symbols = dict(zip(charted, run_charts.SYMBOLS, strict=False))
        lines = [run_words.cells(run, symbols.get(run["id"], [""])[0]) for run in self.runs]
        wrong = [n for n, run in enumerate(self.runs) if run["state"] in WRONG]
        self.rows.styles.height = len(lines) + 1
        self.rows.show(len(lines), lambda n: lines[n], cursor=cursor, warnings=wrong)

    def _draw(self) -> None:
        self._draw_status()
        self.set_class(not self.runs, "-empty")
        if self.known is None:
            self._draw_empty()
            return
        known, full = self.known, self.has_class("-zoomed")
        self._draw_chart()
        self.facts.show(lambda width, height: run_words.facts(known, width, height, full=full))

    def _draw_status(self) -> None:
        parts = [f"4 Runs ─ {self.path.name}"]
        if self.has_class("-zoomed") and self.known is not None:
            parts.append(f"run {self.known.run['id']}")
        counts = [f"{len(self.overlaid)} overlaid"] if self.overlaid else []
        if active := sum(run["state"] in ACTIVE for run in self.runs):
            counts.append(f"{active} running")
        many = f"{len(self.runs):,}" if self.loaded else "…"
        self.draw_status(parts, [*counts, f"{many} run{'' if many == '1' else 's'}"])

    def _draw_empty(self) -> None:
        text = run_words.no_run(self.studio.location)
        self.query_one("#empty", Static).update(Content(text if self.loaded else "reading …"))

    def _draw_chart(self) -> None:
        if self.known is not None:
            shown = run_charts.CHARTS[self.chart]
            run_charts.draw(self.query_one(Chart), self.known, self._charted(), shown)

    def places(self) -> list[str]:
        """The places of the command table that have the focus, the innermost first."""
        return ["prompt"] if self.prompt.display else ["lines", "runs"]

    # moving about

    @on(Listing.Opened)
    def action_open(self) -> None:
        """This run in full."""
        if self.known is not None:
            self._zoom(full=True)
        else:
            self.say(NO_RUN)

    def _zoom(self, *, full: bool) -> None:
        self.set_class(full, "-zoomed")
        self.facts.can_focus = full
        self.facts.scroll_home(animate=False)
        self._focus_back()
        self._draw()

    def back(self) -> bool:
        """Close the innermost thing that is open; False when nothing is."""
        if self.has_class("-zoomed"):
            self._zoom(full=False)
        elif self.overlaid:
            self.overlaid = []
            self._show_rows(self.rows.cursor)
            self._draw()
        else:
            return False
        return True

    def action_mark(self) -> None:
        """Lay this run's curves over those of others, or take them away; then the next run."""
        if self.current is None:
            self.say(NO_RUN)
            return
        run = self.current["id"]
        if run in self.overlaid:
            self.overlaid.remove(run)
        elif len(self.overlaid) == run_charts.MOST - 1:
            self.say(f"{len(self.overlaid)} runs are overlaid already; Esc takes them away")
            return
        else:
            self.overlaid.append(run)
        self._show_rows(self.rows.cursor)
        self.rows.action_down()
        self._draw()
        self._read()

    def action_metric(self) -> None:
        """The next chart."""
        self.chart = (self.chart + 1) % len(run_charts.CHARTS)
        self._draw_chart()

    def action_next_row(self) -> None:
        """The next run, wherever the focus is."""
        self.rows.action_down()

    def action_previous_row(self) -> None:
        """The run before, wherever the focus is."""
        self.rows.action_up()

    # what can be done with a run

    def do(self, act: Callable[[Store], str]) -> None:
        """Do something to the store in a thread, and say what it answers ("" says nothing)."""
        store = self.studio.store
        if store is None:
            self.say("the store is still being opened; again in a moment")
            return

        def run() -> None:
            try:
                told = self.Told(act(store))
            except StudioError as error:
                told = self.Told(f"error: {error}", wrong=True)
            self.post_message(told)

        self.run_worker(run, thread=True, group="do")

    def on_runs_screen_told(self, message: Told) -> None:
        """Say what was done, and look what has become of it."""
        if message.text:
            self.say(message.text, wrong=message.wrong)
        if not message.wrong:
            self._read()

    def action_stop(self) -> None:
        """Ask whether to stop this run."""
        run_acts.stop(self)

    def action_resume(self) -> None:
        """Go on with this run from its last checkpoint."""
        run_acts.resume(self)

    def action_evaluate(self) -> None:
        """Evaluate the selected checkpoint and its base on a suite."""
        run_acts.ask_suite(self)

    def action_copy(self) -> None:
        """Copy the path of the selected checkpoint."""
        run_acts.copy(self)

    def action_log(self) -> None:
        """Read the run's log in $PAGER."""
        run_acts.log(self)

    @on(Prompt.Cancelled)
    def _focus_back(self) -> None:
        (self.facts if self.has_class("-zoomed") else self.rows).focus()

    @on(Prompt.Answered)
    def _suite_given(self, event: Prompt.Answered) -> None:
        self._focus_back()
        if self.current is not None and event.value.strip():
            run_acts.evaluate(self, self.current, event.value.strip())
