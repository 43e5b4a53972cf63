"""Screen 3, Datasets: what was built, from what, and where it goes next."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from db.errors import BadInput
from studio.commands import Command
from studio.completion import complete_word
from studio.screen_text import screen_text
from studio.screens.dataset_report import report_of
from studio.screens.working import WorkingScreen
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


class DatasetsScreen(WorkingScreen):
    """Datasets to build, look into, check, export and train on."""

    PLACE = "datasets"

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
        self.bases: dict[str, str] = {}  # the base that a dataset was built or trained for
        self._wanted: str | None = None  # the dataset for the cursor when all are read again
        self._answer: Callable[[str], object] = lambda _: None

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
    def sets(self) -> Listing:
        """The list of datasets."""
        return self.query_one("#sets", Listing)

    @property
    def report(self) -> Pane:
        """What is said of the one under the cursor."""
        return self.query_one("#report", Pane)

    @property
    def prompt(self) -> Prompt:
        """The line that asks."""
        return self.query_one("#prompt", Prompt)

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
        count = "…" if self.datasets is None else f"{len(self.datasets):,}"
        self.draw_status([f"3 Datasets ─ {self.path.name}"], [f"{count} datasets"])

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

        if (dataset := self._chosen()) is not None:
            base = self.bases.get(dataset.label, "nano")
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

    def _chosen(self) -> Frozen | None:
        """The dataset under the cursor; says so where there is none."""
        if self.current is None:
            self.say("there is no dataset yet; b builds one")
        return self.current

    # asking

    def _ask(
        self,
        question: str,
        then: Callable[[str], object],
        words: Sequence[str] = (),
        *,
        value: str = "",
        hint: str = "",
        check: Callable[[str], object] | None = None,
    ) -> None:
        self._answer = then
        self.prompt.ask(
            question, value, hint=hint, check=check,
            complete=lambda text, cursor: complete_word(text, cursor, words),
        )  # fmt: skip
        self.draw_keys()

    @on(Prompt.Answered)
    def _answered(self, event: Prompt.Answered) -> None:
        self.sets.focus()
        self._answer(event.value.strip())

    @on(Prompt.Cancelled)
    def _cancelled(self) -> None:
        self.sets.focus()

    def action_preflight(self) -> None:
        """Ask for a recipe and check the dataset with it."""
        from studio.screens.checks import ChecksScreen

        if (dataset := self._chosen()) is not None:
            self._ask_recipe(
                "preflight with recipe",
                lambda recipe: self.app.push_screen(
                    ChecksScreen(self.path, self.commands, dataset, recipe)
                ),
                empty="without one only the data is checked",
            )

    def action_train(self) -> None:
        """Ask for a recipe and show what would be trained."""
        from studio.screens.plan import PlanScreen

        if (dataset := self._chosen()) is not None:
            self._ask_recipe(
                "train with recipe",
                lambda recipe: self.app.push_screen(
                    PlanScreen(self.path, self.commands, dataset, recipe, self.say)
                ),
            )

    def _ask_recipe(self, question: str, then: Callable[[str], object], empty: str = "") -> None:
        from studio.settings import config_names
        from studio.training.recipe import read_recipe

        def check(name: str) -> None:
            if name.strip() or not empty:
                read_recipe(name.strip())

        hint = "a recipe's name or a YAML file" + (f"; {empty}" if empty else "")
        self._ask(question, then, config_names("recipes"),
                  hint=hint, check=check)  # fmt: skip

    def action_export(self) -> None:
        """Ask for format and folder, then write the dataset there."""
        from exports.formats import FORMATS

        def check(name: str) -> None:
            if name.strip() not in FORMATS:
                raise BadInput(f"no format {name!r}; there are {', '.join(FORMATS)}")

        if (dataset := self._chosen()) is not None:
            self._ask("export as", lambda name: self._ask_folder(dataset, name), list(FORMATS),
                      value="trl", check=check)  # fmt: skip

    def _ask_folder(self, dataset: Frozen, format_name: str) -> None:
        def check(folder: str) -> None:
            if not folder.strip():
                raise BadInput("a folder is needed")

        self._ask(
            "into the folder", lambda folder: self._export(dataset, format_name, folder),
            value=f"{dataset.label.replace('@', '-')}-{format_name}", check=check,
            hint="files of an earlier export in it are replaced",
        )  # fmt: skip

    def _export(self, dataset: Frozen, format_name: str, folder: str) -> None:
        base = ["--base", self.bases.get(dataset.label, "nano")] if format_name == "text" else []
        self.do(
            f"exporting {dataset.label}",
            ["export", dataset.label, "--format", format_name, "--out", folder, *base],
            lambda answer: self._exported(answer, folder),
        )

    def _exported(self, answer: dict[str, Any], folder: str) -> None:
        rows = sum(file["rows"] for file in answer["files"])
        left = sum(answer["left_out"].values())
        more = f"; {left:,} cannot be said in this format" if left else ""
        self.say(f"{rows:,} examples in {len(answer['files'])} files written to {folder}{more}")

    # acts

    def action_undo(self) -> None:
        """Take the last act of curation back."""
        self._turn("undo")

    def action_redo(self) -> None:
        """Bring back what was undone."""
        self._turn("redo")

    def _turn(self, kind: str) -> None:
        from db import acts
        from studio.curation import named_acts

        turn = acts.undo if kind == "undo" else acts.redo
        self.studio.act(lambda store: turn(store, 1, actor=named_acts.actor()), kind)
