"""Screen 3, Datasets: what was built, from what, and where it goes next."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from db.counted import counted
from studio.commands import Command
from studio.screen_text import screen_text
from studio.screens.dataset_acts import DatasetActsScreen
from studio.screens.dataset_report import report_of
from studio.widgets.key_line import KeyLine
from studio.widgets.listing import ListColumn, Listing
from studio.widgets.pane import Pane
from studio.widgets.prompt import Prompt

if TYPE_CHECKING:
    from exports.frozen import Frozen, Listed

WIDE = 120  # columns from which the report stands beside the list
COLUMNS = (
    ListColumn("dataset", 18),
    ListColumn("train", 6, right=True),
    ListColumn("valid", 5, right=True),
    ListColumn("test", 5, right=True),
    ListColumn("tokens", 10, right=True),
    ListColumn("template", 9, rank=2),
    ListColumn("sha256", 8, rank=3),
    ListColumn("built", 8, rank=1),
    ListColumn("agents"),
)


class DatasetsScreen(DatasetActsScreen):
    """Datasets to build, look into, check, export and train on."""

    PLACE = "datasets"
    CSS_PATH = "datasets.tcss"

    class Loaded(Message):
        """The datasets, the newest first, and the planned shares of the agents."""

        def __init__(self, datasets: list[Listed], plan: dict[str, float]) -> None:
            self.datasets, self.plan = datasets, plan
            super().__init__()

    def __init__(self, path: Path, table: Sequence[Command]) -> None:
        super().__init__(path, table)
        self.datasets: list[Listed] | None = None
        self.plan: dict[str, float] = {}
        self.values: dict[str, str] = {}  # what was last typed into the form
        self._wanted: str | None = None  # the dataset for the cursor when all are read again

    def compose(self) -> ComposeResult:
        """Status, list and report, a line for messages, the prompt, the keys."""
        yield Static("", id="status", markup=False)
        with Container(id="datasets"):
            yield Listing(COLUMNS, self.commands, id="sets")
            yield Static("", id="no-sets", markup=False)
            yield Pane(self.commands, id="report")
        yield Static("", id="message", markup=False)
        yield Prompt(self.commands, id="prompt")
        yield KeyLine(id="keys")

    @property
    def report(self) -> Pane:
        """What is said of the one under the cursor."""
        return self.query_one("#report", Pane)

    @property
    def current(self) -> Frozen | None:
        """The dataset under the cursor."""
        return self.datasets[self.sets.cursor].frozen if self.datasets else None

    def on_mount(self) -> None:
        """Give the list the focus; the store may have to be opened."""
        self.prompt.display = False
        self.sets.focus()
        self.studio.open()
        self._draw_status()
        self.draw_keys()

    def on_resize(self) -> None:
        """Put the report beside the list where there is room."""
        self.set_class(self.size.width >= WIDE, "-wide")
        self._draw_status()

    def on_screen_resume(self) -> None:
        """Read what others have built meanwhile."""
        self.action_refresh()

    def opened(self, table: Sequence[Command]) -> None:
        """The store is open: read it."""
        super().opened(table)
        self.action_refresh()

    def action_refresh(self) -> None:
        """Read the datasets again."""
        if self.studio.store is not None:
            self._load()

    @work(thread=True, exclusive=True, group="load")
    def _load(self) -> None:
        from exports.frozen import list_datasets
        from studio import settings

        store = self.studio.store
        assert store is not None
        plan = {name: agent.planned for name, agent in settings.agents().items()}
        self.post_message(self.Loaded(list_datasets(store), plan))

    def on_datasets_screen_loaded(self, message: Loaded) -> None:
        """Draw what a worker read, with the cursor on the dataset that it was on."""
        wanted = self._wanted or (self.current.label if self.current else None)
        self._wanted = None
        self.datasets, self.plan = message.datasets, message.plan
        labels = [listed.frozen.label for listed in self.datasets]
        legacy = [n for n, d in enumerate(self.datasets) if d.frozen.recipe["template"] == "legacy"]
        cursor = labels.index(wanted) if wanted in labels else 0
        self.sets.show(len(labels), self._cells, cursor=cursor, warnings=legacy)
        self._draw_empty()
        self._draw_status()

    # drawing

    def _cells(self, index: int) -> Sequence[str]:
        assert self.datasets is not None
        listed = self.datasets[index]
        report, recipe = listed.frozen.report, listed.frozen.recipe
        tokens = report["tokens"]
        return (
            listed.frozen.label,
            *(f"{report['examples'][split]:,}" for split in ("train", "valid", "test")),
            "·" if tokens is None else f"{tokens:,}",
            recipe["template"],
            listed.frozen.sha256[:8],
            time.strftime("%y-%m-%d", time.gmtime(listed.created_ms / 1000)),
            " ".join(f"{name} {n:,}" for name, n in report["by_agent"].items()),
        )

    def _draw_status(self) -> None:
        found = self.datasets
        count = "… datasets" if found is None else counted(len(found), "dataset")
        self.draw_status([f"3 Datasets ─ {self.path.name}"], [count])

    def _draw_empty(self) -> None:
        self.set_class(not self.datasets, "-no-sets")
        self.query_one("#no-sets", Static).update(
            Content(
                "No dataset yet.\n\n"
                "b builds one: of the interactions that you accepted on screen 1,\n"
                "without duplicates, split so that nothing straddles."
            )
        )

    @on(Listing.Moved)
    def _moved(self) -> None:
        if (dataset := self.current) is not None:
            self.report.show(
                Content.assemble(
                    Content.styled(screen_text(dataset.label), "bold"),
                    f"  sha256 {dataset.sha256[:16]}\n",
                    report_of(dataset.report, self.plan, dataset.recipe),
                )
            )

    def places(self) -> list[str]:
        """The places of the command table that have the focus, the innermost first."""
        if self.prompt.display:
            return ["prompt"]
        return ["pane" if self.focused is self.report else "lines", "datasets"]

    # moving about

    def back(self) -> bool:
        """End what runs, or go back to the list; False when there is nothing to leave."""
        if self.cancel_work():
            self.say("cancelled")
        elif self.focused is self.report:
            self.sets.focus()
        else:
            return False
        return True

    def action_cancel(self) -> None:
        """End the export that runs."""
        self.say("cancelled" if self.cancel_work() else "nothing runs that could be cancelled")

    def action_switch(self) -> None:
        """To the other pane."""
        (self.sets if self.focused is self.report else self.report).focus()

    @on(Listing.Opened)
    def action_examples(self) -> None:
        """Look into the dataset."""
        from studio.screens.examples import ExamplesScreen

        if (dataset := self.chosen()) is not None:
            base = self.bases.get(dataset.label) or dataset.base or "nano"
            self.app.push_screen(ExamplesScreen(self.path, self.commands, dataset, base))

    def action_build(self) -> None:
        """Open the form."""
        from studio.screens.building import BuildScreen

        if self.studio.store is None:
            self.say("the store is still being opened; again in a moment")
            return
        self.app.push_screen(
            BuildScreen(self.path, self.commands, self.values, self.plan, self.built)
        )

    def built(self, answer: dict[str, Any], base: str) -> None:
        """A dataset was built: put the cursor on it."""
        self._wanted = label = str(answer["dataset"])
        self.bases[label] = base
        counts = ", ".join(f"{n:,} {split}" for split, n in answer["examples"].items())
        self.say(f"{label} built: {counts} · p checks it")
        self.action_refresh()
