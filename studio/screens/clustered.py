"""A screen on which clusters are decided on: one key, one act, one undo, then the next open one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studio import acting
from studio.acting import Act, Outcome
from studio.commands import Command
from studio.screens.cluster_reading import ClusterReader

if TYPE_CHECKING:
    from db.acts import Done
    from db.store import Store
    from studio.curation.clusters import Cluster, Pair

OPEN = "open"


class ClusteredScreen(ClusterReader):
    """Acts on the cluster under the cursor of a list, and on the member that is compared."""

    def __init__(self, path: Path, table: Sequence[Command]) -> None:
        super().__init__(path, table)
        self.shown: list[Cluster] = []
        self.pair: Pair | None = None
        self.pair_of: int | None = None  # the cluster that `pair` is of
        self.decided: set[int] = set()  # acts on these are written, but not read again yet
        self.writing = 0  # acts
        self._afterwards: list[Callable[[], object]] | None = []  # None when the list is there

    @property
    def current(self) -> Cluster | None:
        """The cluster under the cursor."""
        return self.shown[self.listing.cursor] if self.shown else None

    def ready_pair(self) -> Pair | None:
        """The two members on the screen, when they are those of the cluster under the cursor."""
        current = self.current
        return self.pair if current is not None and current.number == self.pair_of else None

    def listed(self) -> None:
        """The list is there: decide as was asked for meanwhile."""
        waiting, self._afterwards = self._afterwards, None
        for decide in waiting or ():
            decide()

    # acts

    def write(self, act: Act, kind: str = "act") -> bool:
        """Write an act after those before it, and count it until it is written."""
        taken = super().write(act, kind)
        self.writing += taken
        return taken

    def _decide(self, decide: Callable[[Store, int], Done]) -> None:
        """Let an act decide on the cluster under the cursor, and go on to the next open one."""
        if self._afterwards is not None:  # a fast typist decides before the list is there
            self._afterwards.append(lambda: self._decide(decide))
            return
        cluster = self.current
        if cluster is None:
            self.say("there is no cluster to decide on")
        elif self.write(lambda store: decide(store, cluster.number)):
            self._go_on(cluster)

    def _go_on(self, cluster: Cluster) -> None:
        self.decided.add(cluster.number)
        at = self.listing.cursor
        for index in (*range(at + 1, len(self.shown)), *range(at)):
            each = self.shown[index]
            if each.state == OPEN and each.number not in self.decided:
                self.listing.move_to(index)
                return

    def action_accept(self) -> None:
        """The proposed member stays, the others are dropped."""
        from studio.curation import cluster_acts

        self._decide(cluster_acts.accept)

    def action_distinct(self) -> None:
        """Keep all members; they are no duplicates, also for a later search."""
        from studio.curation import cluster_acts

        self._decide(cluster_acts.keep_distinct)

    def action_drop_all(self) -> None:
        """Drop every member."""
        from studio.curation import cluster_acts

        self._decide(cluster_acts.drop_all)

    def action_keep(self) -> None:
        """The member on the right stays, the others are dropped."""
        from studio.curation import cluster_acts

        pair = self.ready_pair()
        if pair is None or pair.right is None:
            self._say_nothing_right("keep")
            return
        kept = pair.right.id
        self._decide(lambda store, number: cluster_acts.keep(store, number, kept))

    def action_drop(self) -> None:
        """Drop the member on the right; the cluster stays open while two others are left."""
        from studio.curation import named_acts

        pair, cluster = self.ready_pair(), self.current
        if pair is None or pair.right is None or cluster is None:
            self._say_nothing_right("drop")
            return
        member = pair.right
        dropped = self.write(lambda store: named_acts.set_status(store, [member.id], "drop"))
        if dropped and cluster.live - (member.status != "dropped") < 2:
            self._go_on(cluster)

    def _say_nothing_right(self, act: str) -> None:
        if self.current is not None and self.ready_pair() is None:
            self.say("the members are still being read; again in a moment")
        else:
            self.say(f"there is no member on the right to {act}")

    def acted(self, outcome: Outcome) -> None:
        """An act was written: say so, and show what it changed."""
        self.writing = max(0, self.writing - 1)
        act = self.act_of(outcome)
        self.say(acting.report(outcome, act), wrong=outcome.error is not None)
        if act is None or outcome.kind == "act":
            self.load()
            return
        value = json.loads(act.value_json)
        number = value.get("cluster") if isinstance(value, dict) else None
        self.load(keep=number, member=None if number else act.only)
