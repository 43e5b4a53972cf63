"""What stays apart however near it is: what a person called distinct, and different solutions.

The act itself is the memory. It names the members that left their cluster, a later dedupe reads it
where it still applies, and undoing it allows the old cluster anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from db.interactions import bodies, loads, output_of

DECLARED = (
    "SELECT a.id AS act, json_extract(a.value_json, '$.cluster') AS cluster, "
    "t.interaction_id AS interaction FROM act a JOIN act_state s ON s.act_id = a.id "
    "JOIN act_item t ON t.act_id = a.id WHERE a.kind = 'distinct' AND s.applied = 1"
)
"""SQL: the acts that apply and call interactions distinct, each with its cluster and members."""


def declared_distinct(connection: Connection) -> dict[int, set[int]]:
    """By interaction, the acts that call it distinct from the others of the same act."""
    found: dict[int, set[int]] = {}
    for row in connection.execute(text(DECLARED)):
        found.setdefault(row.interaction, set()).add(row.act)
    return found


def solved(connection: Connection) -> set[int]:
    """The interactions whose answers passed their tests."""
    found = connection.execute(text("SELECT id FROM interaction WHERE verified = 'passed'"))
    return set(found.scalars())


def solution_of(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """What makes the answers of these interactions the same solution or another."""
    from exports.solutions import shape  # numpy, for those who look for duplicates

    messages = bodies(connection, list(ids))
    return {identity: shape(output_of(loads(body[1]))) for identity, body in messages.items()}


def kept_apart(
    texts: Sequence[str],
    declared: Sequence[Iterable[int]],
    threshold: float,
    solutions: Sequence[str | None] | None = None,
) -> list[list[int]]:
    """Clusters of near texts (positions) in which no two share a declaration of being distinct,
    and none are different verified `solutions`: different correct answers are no duplicates.

    Single-link clustering with cannot-link constraints: the strongest links first, and none that
    would put two together that are to stay apart (Davidson and Ravi, ECML PKDD 2005).
    """
    from rapidfuzz import process
    from rapidfuzz.fuzz import ratio

    acts_of = [frozenset(each) for each in declared]
    solved_by = [frozenset({s} if s else ()) for s in solutions or [None] * len(texts)]

    def apart(one: int, other: int) -> bool:
        return bool(acts_of[one] & acts_of[other]) or len(solved_by[one] | solved_by[other]) > 1

    links: list[tuple[float, int, int]] = []
    for one in range(len(texts)):
        free = [o for o in range(one + 1, len(texts)) if not apart(one, o)]
        if not free:
            continue
        others = [texts[other] for other in free]
        scores = process.cdist(
            [texts[one]], others, scorer=ratio, score_cutoff=threshold, dtype=float, workers=-1
        )[0]
        links += [(-s, one, o) for s, o in zip(scores, free, strict=True) if s >= threshold]
    groups = {position: [position] for position in range(len(texts))}
    root = list(range(len(texts)))
    for _, one, other in sorted(links):
        a, b = root[one], root[other]
        if a == b or apart(a, b):
            continue
        acts_of[a] |= acts_of[b]
        solved_by[a] |= solved_by[b]
        for position in groups[b]:
            root[position] = a
        groups[a] += groups.pop(b)
    return [sorted(group) for group in groups.values() if len(group) > 1]
