"""What Duplicates reads of a store, in workers that send it as messages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message

from studio.screens import cluster_words
from studio.screens.beside import BesideScreen
from studio.widgets.side_by_side import Section

if TYPE_CHECKING:
    from db.store import Store
    from studio.curation.clusters import Cluster, Pair


class Listed(Message):
    """The clusters, from the worker; `keep` is the one that the cursor belongs on."""

    def __init__(self, clusters: list[Cluster], *, searched: bool, keep: int | None) -> None:
        self.clusters, self.searched, self.keep = clusters, searched, keep
        super().__init__()


class Compared(Message):
    """Two members of a cluster, from the worker."""

    def __init__(self, cluster: Cluster, pair: Pair | None, sections: list[Section]) -> None:
        self.cluster, self.pair, self.sections = cluster, pair, sections
        super().__init__()


class Measured(Message):
    """How near the members of some clusters are, by number, from the worker."""

    def __init__(self, found: dict[int, float | None]) -> None:
        self.found = found
        super().__init__()


class ClusterReader(BesideScreen):
    """A screen that reads clusters and their members, never in the thread that draws."""

    def load(self, *, keep: int | None = None, member: int | None = None) -> None:
        """Read the clusters; the cursor stays, or goes to `keep`, or to the cluster of `member`."""
        self.read("clusters", partial(_listed, keep=keep, member=member))

    def compare(self, cluster: Cluster, position: int) -> None:
        """Read the representative of a cluster and another member of it."""
        self.read("pair", partial(_compared, cluster=cluster, position=position))

    def measure(self, clusters: Sequence[Cluster]) -> None:
        """Find out how near the members of these clusters are."""
        self.read("alike", partial(_measured, wanted=clusters))


def _listed(store: Store, *, keep: int | None, member: int | None) -> Message:
    from studio.curation import clusters

    if member is not None:
        keep = clusters.cluster_of(store, member)
    found = clusters.clusters(store)
    return Listed(found, searched=clusters.was_searched(store), keep=keep)


def _compared(store: Store, *, cluster: Cluster, position: int) -> Message:
    from studio.curation.clusters import pair

    found = pair(store, cluster, position)
    return Compared(cluster, found, cluster_words.sections(found) if found else [])


def _measured(store: Store, *, wanted: Sequence[Cluster]) -> Message:
    from studio.curation.clusters import lowest_similarity

    return Measured({cluster.number: lowest_similarity(store, cluster) for cluster in wanted})
