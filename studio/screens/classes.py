"""The mix against the plan, and how far the classes can be trusted, above where opinions differ."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from studio import acting
from studio.acting import Outcome
from studio.commands import Command
from studio.screens import class_words
from studio.screens.working import WorkingScreen
from studio.widgets.key_line import KeyLine
from studio.widgets.listing import Listing
from studio.widgets.pane import Pane

LISTED = 500  # interactions about which the opinions differ, the least sure first


class ClassesScreen(WorkingScreen):
    """Mix, advice, confusion, reliability; the interactions on which declared, rules, model differ.

    Left with an interaction, it answers with its id.
    """

    PLACE = "classes"
    CSS_PATH = "classes.tcss"

    def __init__(self, path: Path, table: Sequence[Command]) -> None:
        super().__init__(path, table)
        self.stats: dict[str, Any] | None = None
        self.advice: dict[str, Any] | None = None
        self.trust: dict[str, Any] | None = None
        self._said = ""

    def compose(self) -> ComposeResult:
        """Status, the figures, the interactions, messages, keys."""
        yield Static("", id="status", markup=False)
        yield Pane(self.commands, id="figures")
        yield Listing(class_words.COLUMNS, self.commands, id="opinions")
        yield Static("", id="message", markup=False)
        yield KeyLine(id="keys")

    @property
    def figures(self) -> Pane:
        """Mix, advice and trust."""
        return self.query_one("#figures", Pane)

    @property
    def listing(self) -> Listing:
        """The interactions about which the opinions differ."""
        return self.query_one("#opinions", Listing)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What is listed."""
        return list(self.trust["disagreements"]) if self.trust is not None else []

    def on_mount(self) -> None:
        """Count, in processes of their own; what is known is drawn at once."""
        self.figures.focus()
        self._draw()
        self.load()

    def on_resize(self) -> None:
        """Draw for the new width."""
        self._draw_status()

    def places(self) -> list[str]:
        """The places of the command table that have the focus, the innermost first."""
        return ["lines" if self.focused is self.listing else "pane", self.PLACE]

    # reading

    def load(self, said: str = "") -> None:
        """Count everything anew; `said` is said when it is done."""
        self._said = said
        self.do("counting the mix", ["stats"], self._counted)

    def _counted(self, answer: dict[str, Any]) -> None:
        self.stats = answer
        self._draw()
        if not answer["total_interactions"]:
            self.say("")
            return
        self.do("counting the mix", ["advise"], self._advised)

    def _advised(self, answer: dict[str, Any]) -> None:
        self.advice = answer
        self._draw()
        asked = ["classify", "--report", "--limit", str(LISTED)]
        self.do("comparing declared, rules and model", asked, self._trusted)

    def _trusted(self, answer: dict[str, Any]) -> None:
        self.trust = answer
        self._draw()
        self.say(self._said)

    # drawing

    def _draw(self) -> None:
        self._draw_status()
        if self.stats is None:
            text = ""
        elif not self.stats["total_interactions"]:
            text = "There are no interactions in this store yet.\n\ni in Browse imports logs."
        else:
            text = class_words.report(self.stats, self.advice, self.trust)
            if "unknown" in self.stats["agent_distribution"]:
                text += "\n\nSome have no agent yet: c classifies them, as one act."
        if text != self.figures.text:
            self.figures.show(Content(text))
        rows = self.rows
        self.set_class(not rows, "-agreed")
        self.listing.show(len(rows), lambda index: class_words.cells(rows[index]))

    def _draw_status(self) -> None:
        counts = ["…"] if self.working else []
        if self.trust is not None:
            counts = [f"opinions differ on {self.trust['disagreements_total']:,}"]
        self.draw_status([f"1 Classes ─ {self.path.name}"], counts)

    # what can be done

    def back(self) -> bool:
        """To the figures, then to Browse."""
        if self.focused is self.listing:
            self.figures.focus()
        else:
            self.dismiss()
        return True

    def action_switch(self) -> None:
        """To the other pane."""
        if self.rows:
            (self.figures if self.focused is self.listing else self.listing).focus()

    @on(Listing.Opened)
    def action_open(self) -> None:
        """Read this one in Browse, where it can be labelled."""
        from studio.preferences import View
        from studio.screens.browse import BrowseScreen

        if not self.rows:
            self.say("there is no interaction on which the opinions differ")
            return
        wanted = self.rows[self.listing.cursor]["id"]
        below = next(s for s in self.app.screen_stack if isinstance(s, BrowseScreen))
        self.dismiss()
        below.show_view(View(), keep=wanted)

    def action_next(self) -> None:
        """One interaction down, wherever the focus is."""
        self.listing.move_to(self.listing.cursor + 1)

    def action_previous(self) -> None:
        """One interaction up, wherever the focus is."""
        self.listing.move_to(self.listing.cursor - 1)

    def action_refresh(self) -> None:
        """Count everything anew."""
        self.load()

    def action_classify(self) -> None:
        """Give every interaction its agent anew, as one act."""
        self.do("classifying", ["classify"], self._classified)

    def _classified(self, answer: dict[str, Any]) -> None:
        n = f"{answer['classified']:,} classified, {answer['low_confidence']:,} unsure"
        self.load(f"{n} · {'u undoes' if answer['act'] else 'as they were'}")

    def acted(self, outcome: Outcome) -> None:
        """An act was written: say so, and count anew."""
        said = acting.report(outcome, self.act_of(outcome))
        if outcome.error is not None:
            self.say(said, wrong=True)
        else:
            self.load(said)
