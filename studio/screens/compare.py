"""Screen 5, Compare: what differs between two arms, down to the words of one answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from db.counted import counted
from studio.commands import Command
from studio.screen_text import screen_text
from studio.screens import deltas, leaving
from studio.screens.answer_pane import AnswerPane, Item
from studio.screens.deltas import DELTA_COLUMNS, ITEM_COLUMNS, Delta, DeltaList, ItemList
from studio.screens.pairing import Compared, PairingScreen
from studio.widgets.key_line import KeyLine
from studio.widgets.prompt import Prompt
from studio.widgets.side_by_side import SideBySide

FOLLOW = 0.03  # seconds that the cursor rests before the answers follow it
TALL = 36  # lines from which the answers stand below the items


class CompareScreen(PairingScreen):
    """The delta table, the items behind it, and both answers to one of them."""

    PLACE = "compare"
    CSS_PATH = "compare.tcss"

    def __init__(self, path: Path, table: Sequence[Command]) -> None:
        super().__init__(path, table)
        self.deltas: list[Delta] = []
        self.wanted = "all"
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Status, figures, items and answers, a line for messages, the keys."""
        yield Static("", id="status", markup=False)
        yield Static(" reading …", id="nothing", markup=False)
        yield DeltaList(DELTA_COLUMNS, self.commands, id="deltas")
        yield Static("", id="sentence", markup=False)
        yield Static("", id="states", markup=False)
        yield ItemList(ITEM_COLUMNS, self.commands, id="items")
        yield AnswerPane(self.path, self.commands, id="answers")
        yield Static("", id="message", markup=False)
        yield Prompt(self.commands, id="prompt")
        yield KeyLine(id="keys")

    @property
    def delta_list(self) -> DeltaList:
        """The delta table."""
        return self.query_one(DeltaList)

    @property
    def pane(self) -> AnswerPane:
        """Both answers under their names."""
        return self.query_one(AnswerPane)

    @property
    def sides(self) -> SideBySide:
        """Both answers."""
        return self.query_one(SideBySide)

    @property
    def item(self) -> Item | None:
        """The item under the cursor."""
        at = self.item_list.cursor
        return self.items[at] if at < len(self.items) else None

    @property
    def delta(self) -> Delta | None:
        """The group under the cursor."""
        at = self.delta_list.cursor
        return self.deltas[at] if at < len(self.deltas) else None

    @property
    def zoomed(self) -> bool:
        """Whether the answers have the whole screen."""
        return self.has_class("-zoomed")

    def on_mount(self) -> None:
        """Begin with the items."""
        self.prompt.display = False
        self.add_class("-nothing")
        self.item_list.focus()
        self.draw_board_status()
        self.draw_keys()

    def on_resize(self) -> None:
        """Put the answers below the items where there is room."""
        self.set_class(self.size.height >= TALL, "-tall")
        self.draw_board_status()
        self._follow()

    # what is compared

    def draw_board(self) -> None:
        """Compare the arms that were compared, else the newest adapter with its base."""
        self.draw_board_status()
        if self.alone or self.board is None:
            return
        known = {arm.id for arm in self.board.arms}
        shown = self.comparison
        if shown is not None and {shown.a.id, shown.b.id} <= known:
            return
        pair = self.board.pair()
        if pair is not None:
            self.compare(self.board, pair)

    @on(Compared)
    def _compared(self, message: Compared) -> None:
        """Draw the figures, with the cursors where they were."""
        self.comparison = message.comparison
        self.deltas = deltas.deltas_of(self.comparison.value)
        self.delta_list.styles.height = len(self.deltas) + 1
        self.delta_list.show(len(self.deltas), lambda n: deltas.delta_cells(self.deltas[n]))
        self.say("")
        self.draw_board_status()

    @on(DeltaList.Moved)
    def _group_chosen(self) -> None:
        words = ""
        if self.delta is not None and self.comparison is not None:
            words = self.delta.in_words(self.comparison.value["margin"])
        self.query_one("#sentence", Static).update(Content(" " + screen_text(words, one_line=True)))
        self._list_items()

    def _list_items(self) -> None:
        """List the items that are wanted, with the cursor on the same one if it is among them."""
        if self.comparison is None:
            return
        before, requests = self.item, self.comparison.requests
        self.items = deltas.items_in(self.comparison.value["items"], self.delta, self.wanted)
        at = self.items.index(before) if before in self.items else 0
        self.item_list.show(
            len(self.items),
            lambda n: deltas.item_cells(self.items[n], requests.get(self.items[n]["item"], "")),
            cursor=at,
        )
        line = deltas.states_line(self.comparison.value["items"], self.delta, self.wanted)
        self.query_one("#states", Static).update(Content(screen_text(line)), layout=False)

    @on(ItemList.Moved)
    def _moved(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(FOLLOW, self._follow)

    def _follow(self) -> None:
        """Show the answers to the item under the cursor, where they are to be seen."""
        if self.zoomed or self.words:
            self.draw_board_status()
        if self.comparison is not None and (self.zoomed or self.has_class("-tall")):
            self.pane.show(self.comparison, self.item)

    @on(AnswerPane.Read)
    def _not_read(self, message: AnswerPane.Read) -> None:
        self.say(f"error: {message.error}", wrong=True)

    # drawing

    def draw_board_status(self) -> None:
        """The first line: the arms, or the item that is read."""
        parts = [f"5 Compare ─ {self.path.name}"]
        counts: list[str] = []
        if self.comparison is not None and not self.alone:
            a, b = self.comparison.names
            parts.append(f"A {a} ─ B {b}")
        if self.board is not None:
            parts.append(Path(self.board.suite).name)
            counts.append(counted(self.board.n, "item"))
        if self.comparison is not None and (struck := self.comparison.value["struck"]["n"]):
            counts.append(f"! {struck:,} struck")
        if self.zoomed and self.item is not None:
            parts = [f"5 Compare ─ {self.item['item']} ─ {self.item['category'] or '·'}"]
            parts += [self.item["agent"] or "no agent", deltas.state(self.item)]
            counts = [f"{self.item_list.cursor + 1:,} of {len(self.items):,} {self.wanted}"]
        self.draw_status(parts, [*self.hit_counts(), *counts])

    def focus_back(self) -> None:
        """To the answers where they have the screen, else to the items."""
        (self.sides if self.zoomed else self.item_list).focus()

    def places(self) -> list[str]:
        """The places of the command table that have the focus, the innermost first."""
        if self.prompt.display:
            return ["prompt"]
        return ["pane" if self.focused is self.sides else "lines", "compare"]

    # moving about

    @on(DeltaList.Opened)
    @on(ItemList.Opened)
    def action_open(self) -> None:
        """From a group to its items, from an item to its answers."""
        if self.focused is self.delta_list:
            self.item_list.focus()
        elif self.item is not None and not self.zoomed and not self.alone:
            self.add_class("-zoomed")
            self.sides.focus()
            self._follow()

    def back(self) -> bool:
        """Close the innermost thing that is open; False when nothing is."""
        if self.zoomed:
            self.remove_class("-zoomed")
            self.item_list.focus()
            self.draw_board_status()
        elif self.words:
            self.end_search()
            self.draw_board_status()
        elif self.focused is not self.item_list and not self.alone:
            self.item_list.focus()
        elif self.wanted != "all":
            self._want("all")
        elif self.delta_list.cursor:
            self.delta_list.move_to(0)
        else:
            return False
        return True

    def action_switch(self) -> None:
        """To the next pane."""
        self._switch(1)

    def action_switch_back(self) -> None:
        """To the pane before."""
        self._switch(-1)

    def _switch(self, step: int) -> None:
        if self.zoomed or self.alone:
            return
        panes: list[Widget] = [self.delta_list, self.item_list]
        if self.has_class("-tall"):
            panes.append(self.sides)
        at = next((n for n, pane in enumerate(panes) if pane is self.focused), 0)
        panes[(at + step) % len(panes)].focus()

    def action_next_item(self) -> None:
        """One item down, wherever the focus is."""
        self.item_list.action_down()

    def action_previous_item(self) -> None:
        """One item up, wherever the focus is."""
        self.item_list.action_up()

    def action_next_difference(self) -> None:
        """The next hit of a search, else the next difference: here, then in the next item."""
        if self.words:
            self.go_to_hit(1)
        else:
            self._difference(1)

    def action_previous_difference(self) -> None:
        """The difference before."""
        self._difference(-1)

    def _difference(self, step: int) -> None:
        if self.focused is self.sides and self.sides.go_to_difference(step):
            return
        at = self.item_list.cursor + step
        while 0 <= at < len(self.items):
            if self.zoomed or deltas.state(self.items[at]) in ("broken", "fixed"):
                self.item_list.move_to(at)
                return
            at += step
        self.say("no other difference that way")

    # choosing

    def _want(self, state: str) -> None:
        if self.alone:
            self.say("there are no two arms to compare yet")
            return
        self.wanted = state
        self.say("")
        self._list_items()
        self.draw_board_status()

    def action_broken(self) -> None:
        """Items that A passes and B does not."""
        self._want("broken")

    def action_fixed(self) -> None:
        """Items that B passes and A does not."""
        self._want("fixed")

    def action_both_wrong(self) -> None:
        """Items that neither passes."""
        self._want("both wrong")

    def action_all(self) -> None:
        """Every item."""
        self._want("all")

    def action_whole(self) -> None:
        """Show long requests in full, or their first lines."""
        self.pane.toggle_whole()

    # leaving

    def _text(self) -> str | None:
        """What is read here: the answers where they have the focus, else the figures."""
        if self.comparison is None or self.alone:
            self.say("there is nothing to read yet")
            return None
        if self.focused is self.sides:
            return self.pane.text()
        return deltas.as_text(self.comparison.names, self.comparison.value, self.deltas)

    def action_copy(self) -> None:
        """Copy the answers where they have the focus, else the figures."""
        if (text := self._text()) is not None:
            leaving.copy_text(self, screen_text(text))

    def action_pager(self) -> None:
        """Read the same in $PAGER."""
        if (text := self._text()) is not None:
            leaving.lend(self, text)
