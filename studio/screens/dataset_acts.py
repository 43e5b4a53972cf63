"""What is done with a dataset: checked, trained on, exported; each asks first."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on

from db.counted import counted
from db.errors import BadInput
from studio.commands import Command
from studio.completion import complete_word
from studio.screens.working import WorkingScreen
from studio.widgets.listing import Listing
from studio.widgets.prompt import Prompt

if TYPE_CHECKING:
    from exports.frozen import Frozen


class DatasetActsScreen(WorkingScreen):
    """Acts on the dataset under the cursor of `#sets`. Its `compose` yields a Prompt `#prompt`."""

    def __init__(self, path: Path, table: Sequence[Command]) -> None:
        super().__init__(path, table)
        self.bases: dict[str, str] = {}  # the base that a dataset was built or trained for
        self._answer: Callable[[str], object] = lambda _: None

    @property
    @abstractmethod
    def current(self) -> Frozen | None:
        """The dataset under the cursor."""

    @property
    def sets(self) -> Listing:
        """The list of datasets."""
        return self.query_one("#sets", Listing)

    @property
    def prompt(self) -> Prompt:
        """The line that asks."""
        return self.query_one("#prompt", Prompt)

    def chosen(self) -> Frozen | None:
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
            question, value, hint=hint, check=check, suggested=True,
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

        if (dataset := self.chosen()) is not None:
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

        if (dataset := self.chosen()) is not None:
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

        if (dataset := self.chosen()) is not None:
            self._ask("export as", lambda name: self._ask_folder(dataset, name), list(FORMATS),
                      value="trl", hint=" ".join(FORMATS), check=check)  # fmt: skip

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
        base = (
            ["--base", self.bases.get(dataset.label) or dataset.base or "nano"]
            if format_name == "text"
            else []
        )
        self.do(
            f"exporting {dataset.label}",
            ["export", dataset.label, "--format", format_name, "--out", folder, *base],
            lambda answer: self._exported(answer, folder),
        )

    def _exported(self, answer: dict[str, Any], folder: str) -> None:
        rows = sum(file["rows"] for file in answer["files"])
        left = sum(answer["left_out"].values())
        more = f"; {left:,} cannot be said in this format" if left else ""
        self.say(
            f"{counted(rows, 'example')} in {counted(len(answer['files']), 'file')} "
            f"written to {folder}{more}"
        )
