"""Search among the items of a comparison: `/` as one types, then `n` and `N` from hit to hit."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

from textual import on

from db.counted import counted
from studio.commands import Command
from studio.evals.stored import Comparison
from studio.screens.answer_pane import Item
from studio.screens.deltas import ItemList
from studio.screens.evaluated import EvaluatedScreen
from studio.widgets.prompt import Prompt

FIELDS = ("item", "category", "agent", "a", "b")


class ItemSearchScreen(EvaluatedScreen):
    """Lists items, in which words can be looked for. Its `compose` yields a Prompt `#prompt`."""

    def __init__(self, path: Path, table: Sequence[Command]) -> None:
        super().__init__(path, table)
        self.comparison: Comparison | None = None
        self.items: list[Item] = []  # those of the chosen group that ended as wanted
        self.words = ""
        self._from = 0  # where the cursor was when the search was asked for

    @property
    def item_list(self) -> ItemList:
        """The items."""
        return self.query_one(ItemList)

    @property
    def prompt(self) -> Prompt:
        """The line that asks."""
        return self.query_one("#prompt", Prompt)

    @abstractmethod
    def focus_back(self) -> None:
        """Give the focus to what had it before the search was asked for."""

    @property
    def hits(self) -> list[int]:
        """Which of the listed items hold all the words."""
        wanted = self.words.casefold().split()
        return [
            at
            for at, item in enumerate(self.items)
            if wanted and all(word in self._haystack(item) for word in wanted)
        ]

    def _haystack(self, item: Item) -> str:
        request = self.comparison.requests.get(item["item"], "") if self.comparison else ""
        return " ".join([*(str(item[key] or "") for key in FIELDS), request]).casefold()

    def hit_counts(self) -> list[str]:
        """For the status line: which hit this is, of how many."""
        if not self.words:
            return []
        hits, at = self.hits, self.item_list.cursor
        which = f"{hits.index(at) + 1:,} of " if at in hits else ""
        return [f"/{self.words}: {which}{counted(len(hits), 'hit')}"]

    def action_search(self) -> None:
        """Look for words in items and requests."""
        self._from = self.item_list.cursor
        hint = "words in items, verdicts and requests; then n N go from hit to hit"
        self.prompt.ask("search", self.words, hint=hint)
        self.draw_keys()

    def go_to_hit(self, step: int) -> None:
        """To the next hit (1) or the one before (-1), round the end."""
        hits, at = self.hits, self.item_list.cursor
        if not hits:
            self.say(f"nothing holds {self.words}" if self.words else "/ searches")
            return
        ahead = [hit for hit in hits if (hit - at) * step > 0]
        chosen = ahead or hits
        self.item_list.move_to(chosen[0] if step > 0 else chosen[-1])

    def action_previous_hit(self) -> None:
        """To the hit before."""
        self.go_to_hit(-1)

    def end_search(self) -> None:
        """Look for nothing any more."""
        self.words = ""
        self.say("")

    @on(Prompt.Changed)
    def _typed(self, event: Prompt.Changed) -> None:
        self.words = event.value.strip()
        hits = self.hits
        self.item_list.move_to(next((hit for hit in hits if hit >= self._from), self._from))
        self.draw_board_status()

    @on(Prompt.Answered)
    def _answered(self, event: Prompt.Answered) -> None:
        self.words = event.value.strip()
        self.focus_back()
        if self.words and self.item_list.cursor not in self.hits:
            self.go_to_hit(1)
        self.draw_board_status()

    @on(Prompt.Cancelled)
    def _cancelled(self, event: Prompt.Cancelled) -> None:
        self.words = event.value
        self.item_list.move_to(self._from)
        self.focus_back()
        self.draw_board_status()

    @abstractmethod
    def draw_board_status(self) -> None:
        """Draw the first line, with `hit_counts`."""
