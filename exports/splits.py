"""Train, validation and test, by whole groups: nothing that belongs together is torn apart."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import xxhash

from db.errors import BadInput

SPLITS = ("train", "valid", "test")


def parse_shares(text: str) -> tuple[float, float, float]:
    """`80/10/10` as fractions. Raises BadInput when they are not three that sum to 100."""
    try:
        parts = [float(part) for part in text.split("/")]
    except ValueError:
        parts = []
    if len(parts) != 3 or any(part < 0 for part in parts) or abs(sum(parts) - 100) > 1e-6:
        raise BadInput(f"a split is three shares that sum to 100, such as 80/10/10, not {text!r}")
    return parts[0] / 100, parts[1] / 100, parts[2] / 100


def connected(keys: Sequence[Sequence[Hashable]]) -> list[int]:
    """A group number for every row; rows that share any key, directly or by others, share it."""
    parent = list(range(len(keys)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[Hashable, int] = {}
    for index, row in enumerate(keys):
        for key in row:
            other = first.setdefault(key, index)
            parent[root(index)] = root(other)
    return [root(index) for index in range(len(keys))]


def assign(groups: Sequence[int], shares: tuple[float, float, float], seed: int) -> list[str]:
    """The split of every row: groups in an order drawn from the seed, each to the split that lacks
    most of its share.

    The order depends only on the seed and on each group's place, so equal input gives equal splits.
    """
    members: dict[int, int] = {}
    for group in groups:
        members[group] = members.get(group, 0) + 1
    order = sorted(
        members, key=lambda group: (-members[group] * 20 > len(groups), draw(seed, group))
    )
    total = len(groups)
    filled = dict.fromkeys(SPLITS, 0)
    split_of: dict[int, str] = {}
    for group in order:
        wanted = {
            name: share * total - filled[name]
            for name, share in zip(SPLITS, shares, strict=True)
            if share > 0
        }
        name = max(wanted, key=lambda key: (wanted[key], key == "train"))
        split_of[group] = name
        filled[name] += members[group]
    return [split_of[group] for group in groups]


def draw(seed: int, value: object) -> int:
    """A number drawn from the seed for that value: what to sort by for an order by chance."""
    return xxhash.xxh3_64_intdigest(f"{seed}:{value}".encode())
