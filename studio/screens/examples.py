"""The examples of a dataset, each as the tokens that a base reads, the trained ones marked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from db.errors import StudioError
from exports.rendering import without_secrets
from studio.commands import Command
from studio.completion import complete_word
from studio.screens.working import WorkingScreen
from studio.widgets.key_line import KeyLine
from studio.widgets.listing import ListColumn, Listing
from studio.widgets.prompt import Prompt
from studio.widgets.token_view import TokenView

if TYPE_CHECKING:
    from exports.frozen import ExampleLine, Frozen

WIDE = 120
FOLLOW = 0.05  # seconds that the cursor rests before the tokens follow it
AT_ONCE = 12  # examples that one child renders
MOST = 200_000  # characters of an example that is shown as tokens
COLUMNS = (
    ListColumn("id", 7, right=True),
    ListColumn("split", 5),
    ListColumn("tokens", 6, right=True),
    ListColumn("of", 8, right=True),
    ListColumn("agent"),
)


class ExamplesScreen(WorkingScreen):
    """A list of examples above or beside their tokens."""

    PLACE = "examples"

    class Loaded(Message):
        """The examples, in the dataset's order."""

        def __init__(self, lines: list[ExampleLine]) -> None:
            self.lines = lines
            super().__init__()

    def __init__(
        self,
        path: Path,
        table: Sequence[Command],
        dataset: Frozen,
        base: str,
        example: int | None = None,
    ) -> None:
        """`example` is the id of the one to begin with."""
        super().__init__(path, table)
        self.dataset, self.base = dataset, base
        self.lines: list[ExampleLine] = []
        self._first = example
        self._rendered: dict[int, list[dict[str, Any]]] = {}
        self._asked: frozenset[int] = frozenset()
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Status, list and tokens, messages, the prompt, the keys."""
        yield Static("", id="status", markup=False)
        with Container(id="examples"):
            yield Listing(COLUMNS, self.commands, id="example-list")
            yield TokenView(self.commands, id="tokens")
        yield Static("", id="message", markup=False)
        yield Prompt(self.commands, id="prompt")
        yield KeyLine(id="keys")

    @property
    def listing(self) -> Listing:
        """The list of examples."""
        return self.query_one("#example-list", Listing)

    @property
    def tokens(self) -> TokenView:
        """The tokens of the one under the cursor."""
        return self.query_one("#tokens", TokenView)

    @property
    def prompt(self) -> Prompt:
        """The line that asks."""
        return self.query_one("#prompt", Prompt)

    @property
    def current(self) -> ExampleLine | None:
        """The example under the cursor."""
        return self.lines[self.listing.cursor] if self.lines else None

    def on_mount(self) -> None:
        """Read the list."""
        self.prompt.display = False
        self.listing.focus()
        self._load()
        self.say("┃ and underlined: trained · other tokens are only read")

    def on_resize(self) -> None:
        """Put the tokens beside the list where there is room."""
        self.set_class(self.size.width >= WIDE, "-wide")
        self._draw_status()

    @work(thread=True, exclusive=True, group="load")
    def _load(self) -> None:
        from exports.frozen import example_lines

        store = self.studio.store
        assert store is not None
        self.post_message(self.Loaded(example_lines(store, self.dataset.id)))

    def on_examples_screen_loaded(self, message: Loaded) -> None:
        """Draw the list, with the cursor on the example that was asked for."""
        self.lines = message.lines
        ids = [line.id for line in self.lines]
        at = ids.index(self._first) if self._first in ids else 0
        self.listing.show(len(ids), self._cells, cursor=at)

    def _cells(self, index: int) -> Sequence[str]:
        line = self.lines[index]
        return (
            str(line.id),
            line.split,
            "·" if line.tokens is None else f"{line.tokens:,}",
            "general" if line.interaction_id is None else f"#{line.interaction_id}",
            line.agent or "·",
        )

    # tokens

    @on(Listing.Moved)
    def _moved(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(FOLLOW, self._follow)

    def _follow(self) -> None:
        """Show the tokens of the example under the cursor, once they are known."""
        line = self.current
        self._draw_status()
        if line is None:
            return
        if line.id in self._rendered:
            self.tokens.show(self._rendered[line.id])
        elif line.chars > MOST:
            note = f"{line.chars:,} characters are too many to show here"
            self.tokens.show([], f"{note}: studio render {self.dataset.label} --example {line.id}")
        elif not (self.working and line.id in self._asked):
            self._ask_for(self._near(self.listing.cursor))

    def _near(self, index: int) -> list[int]:
        """The example at an index and those after it that will be wanted next."""
        near = self.lines[index : index + AT_ONCE]
        return [line.id for line in near if line.id not in self._rendered and line.chars <= MOST]

    def _ask_for(self, ids: Sequence[int]) -> None:
        self._asked = frozenset(ids)
        self.tokens.show([], f"rendering as {self.base} reads it …")
        self.do(
            "",
            ["render", self.dataset.label, f"--base={self.base}",
             *(f"--example={identity}" for identity in ids)],
            self._known, self._not_rendered,
        )  # fmt: skip

    def _known(self, answer: dict[str, Any]) -> None:
        for example in answer["examples"]:
            self._rendered[example["id"]] = without_secrets(example["tokens"])
        self._follow()

    def _not_rendered(self, error: StudioError) -> None:
        """One that the template refuses must not hide the others of its batch."""
        if len(self._asked) > 1 and self.current is not None:
            self._ask_for([self.current.id])
        else:
            self.tokens.show([], f"error: {error}")

    def _draw_status(self) -> None:
        parts, counts = [f"3 Datasets ─ {self.dataset.label}", f"as {self.base}"], []
        line = self.current
        if line is not None:
            counts = [f"{self.listing.cursor + 1:,} of {len(self.lines):,}"]
            if line.id in self._rendered:
                tokens = self._rendered[line.id]
                trained = sum(token["trained"] for token in tokens)
                counts.insert(0, f"{trained:,} of {len(tokens):,} tokens trained")
        self.draw_status(parts, counts)

    # moving about

    def places(self) -> list[str]:
        """The places of the command table that have the focus, the innermost first."""
        if self.prompt.display:
            return ["prompt"]
        return ["pane" if self.focused is self.tokens else "lines", "examples"]

    def back(self) -> bool:
        """Back to the list, then to the datasets."""
        if self.has_class("-only-tokens"):
            self.remove_class("-only-tokens")
            self.listing.focus()
        elif self.focused is self.tokens:
            self.listing.focus()
        else:
            self.dismiss()
        return True

    def action_switch(self) -> None:
        """To the other pane."""
        if not self.has_class("-only-tokens"):
            (self.listing if self.focused is self.tokens else self.tokens).focus()

    @on(Listing.Opened)
    def action_zoom(self) -> None:
        """The tokens alone."""
        self.add_class("-only-tokens")
        self.tokens.focus()

    def action_next(self) -> None:
        """The next example, wherever the focus is."""
        self.listing.action_down()

    def action_previous(self) -> None:
        """The example before."""
        self.listing.action_up()

    def action_trained(self) -> None:
        """To the next tokens that are trained on."""
        self.tokens.next_trained()

    def action_base(self) -> None:
        """Ask for another base."""
        from studio.training.bases import known_bases

        words = list(known_bases())
        self.prompt.ask(
            "as read by the base", self.base, suggested=True,
            hint="a name of bases.yaml, a folder or a Hub name",
            complete=lambda text, cursor: complete_word(text, cursor, words),
        )  # fmt: skip
        self.draw_keys()

    @on(Prompt.Answered)
    def _answered(self, event: Prompt.Answered) -> None:
        self.listing.focus()
        if event.value.strip() not in ("", self.base):
            self.base = event.value.strip()
            self._rendered.clear()
            self._follow()

    @on(Prompt.Cancelled)
    def _cancelled(self) -> None:
        self.listing.focus()
