"""What a training would do and cost, after preflight; Enter starts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from studio.commands import Command
from studio.screen_text import screen_text
from studio.screens.checks import STATES, summary_of
from studio.screens.working import WorkingScreen
from studio.widgets.facts import Facts
from studio.widgets.hanging import hanging
from studio.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from exports.frozen import Frozen
    from studio.training.recipe import Recipe


class PlanScreen(WorkingScreen):
    """One plan. `tell` takes what the screen of the datasets shall say afterwards."""

    PLACE = "plan"

    def __init__(
        self,
        path: Path,
        table: Sequence[Command],
        dataset: Frozen,
        recipe: str,
        tell: Callable[[str], None],
    ) -> None:
        super().__init__(path, table)
        self.dataset, self.recipe, self._tell = dataset, recipe, tell
        self.checked: dict[str, Any] | None = None
        self.run: int | None = None
        self._starting = False

    def compose(self) -> ComposeResult:
        """Status, the plan, messages, keys."""
        yield Static("", id="status", markup=False)
        yield Facts(self.commands, id="plan")
        yield Static("", id="message", markup=False)
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Show what is known, and check the rest."""
        self.query_one(Facts).focus()
        self._draw()
        self.do(
            f"checking {self.dataset.label}",
            ["preflight", self.dataset.label, f"--recipe={self.recipe}"], self._checked,
        )  # fmt: skip

    def on_resize(self) -> None:
        """Fill the line anew."""
        self.draw_status([f"3 Datasets ─ train on {self.dataset.label}", f"with {self.recipe}"])

    def places(self) -> list[str]:
        """The places of the command table that have the focus, the innermost first."""
        return ["lines", "plan"]

    def _draw(self) -> None:
        from studio.training.recipe import read_recipe

        name, recipe = read_recipe(self.recipe)

        def made(width: int, _height: int) -> Content:
            plan = plan_of(self.dataset, name, recipe, width)
            if self.checked is None:
                checks = Content.styled("preflight is looking …", "$text-muted")
            else:
                checks = checks_of(self.checked, width)
            return Content("\n\n").join([plan, checks])

        self.query_one(Facts).show(made)

    def _checked(self, answer: dict[str, Any]) -> None:
        self.checked = answer
        self._draw()
        if answer["ok"]:
            self.say("Enter starts the training in a process of its own · Esc leaves")
        else:
            self.say("preflight blocks it; F trains all the same, and the run is stamped",
                     wrong=True)  # fmt: skip

    def action_launch(self) -> None:
        """Start the training, where preflight lets it pass."""
        if self.checked is not None and not self.checked["ok"]:
            self.say("error: preflight blocks it; mend what it names, or F forces it", wrong=True)
        else:
            self._launch()

    def action_force(self) -> None:
        """Start the training although preflight blocks it."""
        if self.checked is not None and self.checked["ok"]:
            self.say("preflight lets it pass: Enter starts it")
        else:
            self._launch("--force-preflight")

    def _launch(self, *more: str) -> None:
        if self.run is not None:
            self.say(f"run {self.run} is started already")
        elif self.checked is None:
            self.say("preflight is still looking; again in a moment")
        elif not self._starting:
            self._starting = True
            self.do(
                "starting", ["train", self.dataset.label, f"--recipe={self.recipe}", *more],
                self._started, self._not_started,
            )  # fmt: skip

    def _started(self, answer: Mapping[str, Any]) -> None:
        self.run = answer["run"]
        said = (
            f"run {self.run} is {answer['state']}; it goes on when the app is closed · 4 shows it"
        )
        self.say(said)
        self._tell(said)

    def _not_started(self, error: Exception) -> None:
        self._starting = False
        self.say(f"error: {error}", wrong=True)

    def back(self) -> bool:
        """Leave; a run that was started goes on."""
        self.dismiss()
        return True


def plan_of(dataset: Frozen, name: str, recipe: Recipe, width: int) -> Content:
    """What is trained on what, for how long, in lines of `width` cells."""
    rows = dataset.report["examples"]["train"]
    steps = recipe.total_steps(rows)
    batch = recipe.batch_size * recipe.accumulate
    facts = (
        ("dataset", f"{dataset.label}: {rows:,} train, "
                    f"{dataset.report['examples']['valid']:,} valid"),
        ("base", recipe.base or dataset.base or "nano"),
        ("recipe", f"{name}: {recipe.description}" if recipe.description else name),
        ("steps", f"{steps:,} of {batch} examples each: {steps * batch / max(1, rows):.1f} epochs"),
        ("rate", f"{recipe.learning_rate:g}, {recipe.schedule}, {recipe.warmup_steps} steps of "
                 "warm-up"),
        ("adapter", f"LoRA r {recipe.lora.r}, alpha {recipe.lora.alpha:g}"),
        ("checkpoint", f"every {recipe.evaluate_every} steps, scored on "
                       f"{recipe.score_items} items"),
    )  # fmt: skip
    return Content("\n").join(_fact(label, said, width) for label, said in facts)


def checks_of(answer: Mapping[str, Any], width: int) -> Content:
    """What preflight says: the outcome, memory and time, and everything that does not pass."""
    parts = [_fact("preflight", summary_of(answer), width)]
    for check in answer["checks"]:
        if check["id"] == "resources":
            parts.append(_fact("cost", check["detail"], width))
    for check in answer["checks"]:
        if check["status"] != "pass":
            state = Content.styled(f"{STATES[check['status']]:>10}  ", "$text-warning")
            said = _clean(f"{check['id'].replace('_', ' ')}: {check['detail']}")
            parts.append(hanging(state, Content.styled(said, "$text-warning"), width))
            if check["remedy"]:
                parts.append(_fact("→", check["remedy"], width))
    return Content("\n").join(parts)


def _fact(label: str, said: str, width: int) -> Content:
    return hanging(Content.styled(f"{label:>10}  ", "bold"), Content(_clean(said)), width)


def _clean(text: str) -> str:
    return screen_text(text.replace("\n", " "))
