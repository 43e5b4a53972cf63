"""Clusters of duplicates in words: the cells of the list, two members as sections to compare."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from studio.widgets.listing import ListColumn
from studio.widgets.side_by_side import Section

if TYPE_CHECKING:
    from studio.curation.clusters import Cluster, Member, Pair

COLUMNS = (
    ListColumn("cluster", 7, 0, right=True),
    ListColumn("size", 5, 0, right=True),
    ListColumn("alike", 5, 1, right=True),
    ListColumn("agent", 11, 2),
    ListColumn("state", 8, 0),
    ListColumn("stays", 7, 0, right=True),
    ListColumn("why"),
)
SAME_MOST = 4  # lines of a task that both members have
LONG = 40_000  # characters from which the common beginning of two texts is left out
BEFORE = 400  # characters of it that are shown all the same


def cells(cluster: Cluster, alike: float | None) -> tuple[str, ...]:
    """What the list shows of a cluster. `alike`: at least so near to the representative, 0 to 100.

    A cluster of which some members were dropped shows how many are left.
    """
    size = f"{cluster.size:,}" if cluster.live == cluster.size else f"{cluster.live}/{cluster.size}"
    return (
        str(cluster.number),
        size,
        percent(alike),
        cluster.agent or "·",
        cluster.state,
        *_proposal(cluster),
    )


def _proposal(cluster: Cluster) -> tuple[str, str]:
    """Who stays, or is proposed to, and why."""
    if cluster.state == "distinct":
        return "all", "they are no duplicates"
    if cluster.state == "dropped":
        return "none", ""
    if cluster.kept not in (None, cluster.representative):
        return str(cluster.kept), f"chosen before {cluster.representative}"
    return str(cluster.representative), cluster.reason


def percent(similarity: float | None) -> str:
    """A similarity of 0 to 100; 100 means equal, so what is nearly so is not rounded up to it."""
    if similarity is None:
        return "·"
    return "equal" if similarity == 100 else f"{min(similarity, 99.9):.1f}"


def titles(cluster: Cluster, pair: Pair) -> tuple[str, str]:
    """What stands above each of the two members."""
    left = f"{pair.left.id} proposed: {cluster.reason}"
    if pair.right is None:
        return left, ""
    what = "" if cluster.on == "both" else f"{cluster.on} "  # that dedupe compared
    near = "" if pair.similarity is None else f" · {what}{percent(pair.similarity)}"
    near += " alike" if near and pair.similarity != 100 else ""
    which = "the other" if pair.others == 1 else f"{pair.position + 1} of {pair.others} others"
    return left, f"{pair.right.id} · {which}{near}"


def sections(pair: Pair) -> list[Section]:
    """Two members to compare: what is known of them, their tasks, and all that was answered."""
    left, right = pair.left, pair.right
    if right is None:
        return [Section("task", left.task), Section("answer", left.output)]
    return [
        Section("about", _facts(left), _facts(right), marked=True),
        compared("task", left.task, right.task, most=SAME_MOST),
        compared("answer", left.output, right.output),
    ]


def _facts(member: Member) -> str:
    facts = [member.agent or "no agent", member.status]
    if member.success is not None:
        facts.append("succeeded" if member.success else "failed")
    if member.verified:
        facts.append(f"tests {member.verified}")
    if member.model:
        facts.append(member.model)
    if member.started_ms is not None:
        facts.append(time.strftime("%y-%m-%d %H:%M", time.gmtime(member.started_ms / 1000)))
    if member.duration_ms is not None:
        facts.append(f"{member.duration_ms / 1000:.1f} s")
    return " · ".join(facts)


def compared(title: str, left: str, right: str, *, most: int | None = None) -> Section:
    """Two texts as a section: once where they are the same, `most` lines of it then."""
    if left == right:
        return Section(f"{title}, the same in both", left, most=most)
    start = _difference(left, right) if max(len(left), len(right)) > LONG else 0
    if start:
        title += f", from character {start + 1:,}; before it both are the same"
    return Section(title, left[start:], right[start:], marked=True)


def _difference(left: str, right: str) -> int:
    """A place a little before the first difference: found by halves, for slices compare fast."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    start = max(0, low - BEFORE)
    line = left.find("\n", start, low)
    return line + 1 if start and line >= 0 else start
