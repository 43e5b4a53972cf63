"""Preflight as a list: each check in words, with its evidence and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from studio.commands import Command
from studio.screen_text import screen_text
from studio.screens.working import WorkingScreen
from studio.widgets.facts import Facts
from studio.widgets.hanging import hanging
from studio.widgets.key_line import KeyLine
from studio.widgets.listing import ListColumn, Listing

if TYPE_CHECKING:
    from exports.frozen import Frozen

STATES = {"pass": "✓ pass", "warn": "! WARN", "block": "✗ BLOCK"}
COLUMNS = (ListColumn("state", 7), ListColumn("check", 14), ListColumn("what was seen"))


class ChecksScreen(WorkingScreen):
    """The checks above, all of the one under the cursor below."""

    PLACE = "checks"

    def __init__(self, path: Path, table: Sequence[Command], dataset: Frozen, recipe: str) -> None:
        """`recipe` may be empty: then only the data is checked."""
        super().__init__(path, table)
        self.dataset, self.recipe = dataset, recipe
        self.checks: list[dict[str, Any]] = []
        self._base = "nano"

    def compose(self) -> ComposeResult:
        """Status, list, the check in full, messages, keys."""
        yield Static("", id="status", markup=False)
        with Container(id="checks"):
            yield Listing(COLUMNS, self.commands, id="check-list")
            yield Facts(self.commands, id="evidence")
        yield Static("", id="message", markup=False)
        yield KeyLine(id="keys")

    @property
    def listing(self) -> Listing:
        """The list of checks."""
        return self.query_one("#check-list", Listing)

    @property
    def evidence(self) -> Facts:
        """The check under the cursor in full."""
        return self.query_one("#evidence", Facts)

    def on_mount(self) -> None:
        """Check at once."""
        self.listing.focus()
        self.action_again()

    def on_resize(self) -> None:
        """Fill the line anew."""
        self._draw_status("")

    def action_again(self) -> None:
        """Check once more."""
        recipe = [f"--recipe={self.recipe}"] if self.recipe else []
        self._draw_status("")
        self.do(f"checking {self.dataset.label}", ["preflight", self.dataset.label, *recipe],
                self._checked)  # fmt: skip

    def _checked(self, answer: Mapping[str, Any]) -> None:
        self.checks, self._base = answer["checks"], answer["base"]
        outcome = "ready to train" if answer["ok"] else "blocked: t will not train it"
        self.say(f"{summary_of(answer)} · {outcome}")
        self._draw_status("ready" if answer["ok"] else "BLOCKED")
        bad = [n for n, check in enumerate(self.checks) if check["status"] != "pass"]
        worst = [n for n in bad if self.checks[n]["status"] == "block"]
        first = (worst or bad or [0])[0]
        self.listing.show(len(self.checks), self._cells, cursor=first, warnings=bad)

    def _cells(self, index: int) -> Sequence[str]:
        check = self.checks[index]
        return STATES[check["status"]], check["id"].replace("_", " "), check["detail"]

    def _draw_status(self, state: str) -> None:
        using = f"with {self.recipe}" if self.recipe else "the data alone"
        parts = [f"3 Datasets ─ preflight of {self.dataset.label}", using]
        self.draw_status(parts, [state] if state else [])

    @on(Listing.Moved)
    def _moved(self) -> None:
        if self.checks:
            check = self.checks[self.listing.cursor]
            self.evidence.show(lambda width, _: evidence_of(check, width))
            self.evidence.action_first()

    def places(self) -> list[str]:
        """The places of the command table that have the focus, the innermost first."""
        return ["lines", "checks"]

    def back(self) -> bool:
        """End the checking, or go back to the datasets."""
        if self.cancel_work() and self.checks:
            self.say("cancelled")
        elif self.focused is self.evidence:
            self.listing.focus()
        else:
            self.dismiss()
        return True

    def action_switch(self) -> None:
        """To the other pane."""
        (self.listing if self.focused is self.evidence else self.evidence).focus()

    @on(Listing.Opened)
    def action_example(self) -> None:
        """The example that the check names, as tokens."""
        from studio.screens.examples import ExamplesScreen

        if not self.checks:
            return
        example = (self.checks[self.listing.cursor]["example"] or {}).get("example")
        if example is None:
            self.say("this check names no example")
            return
        self.app.push_screen(
            ExamplesScreen(self.path, self.commands, self.dataset, self._base, example)
        )


def summary_of(answer: Mapping[str, Any]) -> str:
    """How many checks came to what."""
    states = [check["status"] for check in answer["checks"]]
    return ", ".join(
        f"{states.count(state)} {word}"
        for state, word in (("block", "block"), ("warn", "warn"), ("pass", "pass"))
        if state in states
    )


def evidence_of(check: Mapping[str, Any], width: int) -> Content:
    """A check in full: what was seen, what to do about it, and on which example."""
    title = f"{STATES[check['status']]}  {check['id'].replace('_', ' ')}"
    parts = [Content.styled(title, "bold"), Content(screen_text(check["detail"]))]
    if check["remedy"] and check["status"] != "pass":
        remedy = Content(screen_text(check["remedy"], one_line=True))
        parts += [Content.styled("\nwhat to do", "bold"), hanging(Content("  → "), remedy, width)]
    if check["example"]:
        seen = "\n".join(f"  {name}: {value}" for name, value in check["example"].items())
        parts += [Content.styled("\nevidence", "bold"), Content(screen_text(seen))]
    return Content("\n").join(parts)
