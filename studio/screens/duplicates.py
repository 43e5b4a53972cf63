"""Screen 2, Duplicates: clusters to decide on, two members of one beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from db.counted import counted
from studio.commands import Command
from studio.screen_text import screen_text
from studio.screens import cluster_words
from studio.screens.cluster_reading import Compared, Listed, Measured
from studio.screens.clustered import OPEN, ClusteredScreen
from studio.widgets.columns import fitted
from studio.widgets.key_line import KeyLine
from studio.widgets.listing import Listing
from studio.widgets.side_by_side import SideBySide, column

if TYPE_CHECKING:
    from studio.curation.clusters import Cluster

FOLLOW = 0.03  # seconds that the cursor rests before the members are compared


class DuplicatesScreen(ClusteredScreen):
    """Clusters of near-duplicates: accept what is proposed, or decide otherwise."""

    PLACE = "duplicates"
    CSS_PATH = "duplicates.tcss"

    def __init__(self, path: Path, table: Sequence[Command]) -> None:
        super().__init__(path, table)
        self.all: list[Cluster] = []
        self.only_open = False
        self.searched: bool | None = None  # None until the store was read
        self._position = 0  # of the member that is compared, among those not proposed
        self._alike: dict[int, float | None] = {}
        self._unmeasured: dict[int, Cluster] = {}  # those that were drawn without their figure
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Status, clusters, what is compared, the two members, messages, keys."""
        yield Static("", id="status", markup=False)
        yield Listing(cluster_words.COLUMNS, self.commands, id="clusters")
        yield Static("", id="no-clusters", markup=False)
        yield Static("", id="titles", markup=False)
        yield SideBySide(self.commands, id="pair")
        yield Static("", id="message", markup=False)
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Begin with the list."""
        self.listing.focus()
        self._draw_status()
        self.draw_keys()

    def on_screen_resume(self) -> None:
        """Read what other screens and programs have changed."""
        self.load()

    def opened(self, table: Sequence[Command]) -> None:
        """The store is open: it can be read and written."""
        super().opened(table)
        self.load()

    def on_resize(self) -> None:
        """Draw for the new width."""
        self._draw_status()
        self._draw_titles()

    # the clusters

    @on(Listed)
    def _listed(self, message: Listed) -> None:
        self.all, self.searched = message.clusters, message.searched
        if not self.writing:
            self.decided.clear()
        self._show(message.keep)
        self.listed()

    def _show(self, keep: int | None = None) -> None:
        current = self.current
        wanted = keep if keep is not None else current.number if current else 0
        self.shown = [c for c in self.all if c.state == OPEN or not self.only_open]
        before = sum(cluster.number < wanted for cluster in self.shown)
        self.listing.show(len(self.shown), self._cells, cursor=before)
        self._draw_status()
        self._draw_empty()

    def _cells(self, index: int) -> Sequence[str]:
        cluster = self.shown[index]
        if cluster.number not in self._alike:
            if not self._unmeasured:
                self.call_later(lambda: self.measure(list(self._unmeasured.values())))
            self._unmeasured[cluster.number] = cluster
        return cluster_words.cells(cluster, self._alike.get(cluster.number))

    @on(Measured)
    def _measured(self, message: Measured) -> None:
        # what has come into sight meanwhile is asked for when it is drawn
        self._alike |= message.found
        self._unmeasured.clear()
        self.listing.refresh()

    # two members

    @on(Listing.Moved)
    def _moved(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        if self.current is None or self.current.number != self.pair_of:
            self._position = 0
        self._timer = self.set_timer(FOLLOW, self._compare)

    def _compare(self) -> None:
        if self.current is not None:
            self.compare(self.current, self._position)

    @on(Compared)
    def _compared(self, message: Compared) -> None:
        before = (self.pair.left, self.pair.right) if self.pair else None
        self.pair, self.pair_of = message.pair, message.cluster.number
        self._position = message.pair.position if message.pair else 0
        after = (message.pair.left, message.pair.right) if message.pair else None
        if before != after:
            self.sides.show(message.sections)
        self._draw_titles()

    # drawing

    def _draw_status(self) -> None:
        parts = [f"2 Duplicates ─ {self.path.name}"]
        if self.only_open:
            parts.append("open ones only")
        still = sum(cluster.state == OPEN for cluster in self.all)
        counts = [f"{still:,} open of {len(self.all):,}"] if self.searched is not None else ["…"]
        self.draw_status(parts, counts)

    def _draw_titles(self) -> None:
        line = self.query_one("#titles", Static)
        cluster = next((c for c in self.all if c.number == self.pair_of), None)
        if self.pair is None or cluster is None:
            line.update("", layout=False)
            return
        width = column(self.size.width - 1)
        left, right = (
            fitted(screen_text(title, one_line=True), width)
            for title in cluster_words.titles(cluster, self.pair)
        )
        line.update(Content(f"{left}   {right}"), layout=False)

    def _draw_empty(self) -> None:
        self.set_class(not self.shown, "-no-clusters")
        if self.shown and self.focused is None:  # it was hidden while there was nothing to list
            self.listing.focus()
        if self.all:
            text = "Every cluster is decided.\n\nf shows them all, u takes the last decision back."
        elif self.searched:
            text = "There are no duplicates in this store.\n\nd looks again, after an import."
        else:
            text = (
                "Nobody has looked for duplicates in this store yet.\n\n"
                "d looks for them: exact ones, and near ones at 90% and more, within each agent.\n"
                "Each cluster then waits here for your decision. It is one act; u takes it back."
            )
        self.query_one("#no-clusters", Static).update(Content(text))

    # moving about

    def back(self) -> bool:
        """Close the innermost thing that is open; False when nothing is."""
        if self.cancel_work():
            self.say("stopped; nothing was changed")
        elif self.focused is self.sides:
            self.listing.focus()
        elif self.only_open:
            self.action_filter()
        else:
            return False
        return True

    def action_next_cluster(self) -> None:
        """One cluster down, wherever the focus is."""
        self.listing.move_to(self.listing.cursor + 1)

    def action_previous_cluster(self) -> None:
        """One cluster up, wherever the focus is."""
        self.listing.move_to(self.listing.cursor - 1)

    def action_next_member(self) -> None:
        """Compare the next member."""
        self._turn_member(1)

    def action_previous_member(self) -> None:
        """Compare the member before."""
        self._turn_member(-1)

    def _turn_member(self, step: int) -> None:
        pair = self.ready_pair()
        if pair is None or pair.others < 2:
            self.say("there is no other member to compare")
            return
        self._position = (self._position + step) % pair.others
        self._compare()

    def action_filter(self) -> None:
        """Show open clusters only, or all."""
        self.only_open = not self.only_open
        self._show()

    def action_problems(self) -> None:
        """To the problems and their solutions."""
        from studio.screens.problems import ProblemsScreen

        self.app.push_screen(ProblemsScreen(self.path, self.commands))

    def action_refresh(self) -> None:
        """Read everything again."""
        self._alike.clear()
        self.load()

    # looking for duplicates

    def action_find(self) -> None:
        """Look for duplicates, in a process of its own."""
        if self.working:
            self.say("duplicates are being looked for already")
            return
        self.do("looking for duplicates", ["dedupe"], self._searched)

    def _searched(self, answer: dict[str, Any]) -> None:
        self._alike.clear()
        self.load()
        found = (
            f"{counted(answer['documents'], 'interaction')}: {answer['exact_duplicates']:,} "
            "exact and "
            f"{counted(answer['near_duplicates'], 'near duplicate')} in "
            f"{counted(answer['clusters'], 'cluster')}"
        )
        self.say(f"{found} · {'u undoes' if answer['act'] else 'as they were'}")
