"""Interactions that answer the same request, grouped into a problem, and its solutions counted.

The program only numbers what has no number yet: what a person split or merged stays so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from db.interactions import bodies, hash_of_task, loads, output_of
from db.secrets import mask_secrets, masked
from db.store import Store
from exports.requests import same_requests
from exports.solutions import Answer, distinct, solutions

_NOTHING_ASKED = hash_of_task("")
_AT_ONCE = 500  # interactions whose texts are read at a time
_RANK = {"passed": 0, None: 1}  # the rest, whose tests failed, comes last
STATES = ("verified", "untested", "refuted")  # of a solution, by the rank of its best answer
Progress = Callable[[int, int], None]


def assign_problems(store: Store) -> int:
    """Give every interaction that has none its problem; returns how many problems there are."""
    with store.read() as connection:
        waiting = connection.execute(
            text("SELECT count(*) FROM interaction WHERE problem IS NULL")
        ).scalar_one()
        if not waiting:
            return _count(connection)
        rows = connection.execute(
            text(
                "SELECT i.task_hash, min(i.problem) AS problem, b.task FROM interaction i "
                "JOIN interaction_body b ON b.id = i.id WHERE i.task_hash != :nothing "
                "GROUP BY i.task_hash ORDER BY min(i.id)"
            ),
            {"nothing": _NOTHING_ASKED},
        ).all()
    heads = same_requests([row.task for row in rows])
    known: dict[int, int] = {}
    for head, row in zip(heads, rows, strict=True):
        if row.problem is not None:
            known.setdefault(head, row.problem)
    new = [row for index, row in enumerate(rows) if heads[index] == index and index not in known]
    with store.write() as connection:
        if new:
            connection.execute(
                text(
                    "INSERT INTO problem (task, task_hash) VALUES (:task, :hash) "
                    "ON CONFLICT (task_hash) DO NOTHING"
                ),
                [{"task": row.task, "hash": row.task_hash} for row in new],
            )
        made = {
            row.task_hash: row.id
            for row in connection.execute(text("SELECT task_hash, id FROM problem"))
        }
        problem_of = [
            {
                "hash": row.task_hash,
                "problem": row.problem or known.get(head) or made[rows[head].task_hash],
            }
            for head, row in zip(heads, rows, strict=True)
        ]
        if problem_of:
            _assign(connection, problem_of)
        _assign_alone(connection)
        return _count(connection)


def _count(connection: Connection) -> int:
    """Problems that have interactions: a split or a merge that was undone leaves its number."""
    found = connection.execute(text("SELECT count(DISTINCT problem) FROM interaction"))
    return int(found.scalar_one())


def _assign(connection: Connection, problem_of: list[dict[str, Any]]) -> None:
    """Write them in one statement: `interaction` has no index by the task's hash."""
    connection.execute(text("CREATE TEMP TABLE problem_of (hash TEXT PRIMARY KEY, problem INT)"))
    connection.execute(text("INSERT INTO problem_of VALUES (:hash, :problem)"), problem_of)
    connection.execute(
        text(
            "UPDATE interaction SET problem = "
            "(SELECT p.problem FROM problem_of p WHERE p.hash = task_hash) WHERE problem IS NULL"
        )
    )
    connection.execute(text("DROP TABLE problem_of"))


def _assign_alone(connection: Connection) -> None:
    """Interactions without any request have nothing in common: each is a problem of its own."""
    nothing = {"nothing": _NOTHING_ASKED}
    connection.execute(
        text(
            "INSERT INTO problem (task, task_hash) SELECT '', 'alone:' || id FROM interaction "
            "WHERE problem IS NULL AND task_hash = :nothing ORDER BY id "
            "ON CONFLICT (task_hash) DO NOTHING"
        ),
        nothing,
    )
    connection.execute(
        text(
            "UPDATE interaction SET problem = "
            "(SELECT p.id FROM problem p WHERE p.task_hash = 'alone:' || interaction.id) "
            "WHERE problem IS NULL AND task_hash = :nothing"
        ),
        nothing,
    )


def list_problems(
    store: Store, *, min_solutions: int = 0, progress: Progress | None = None
) -> list[dict[str, Any]]:
    """`{id, task, interactions, solutions, verified, refuted}`, most verified solutions first.

    Of the interactions that nobody dropped. A solution is a distinct answer (by its code's syntax
    tree, prose by likeness): verified when one of its interactions passed its tests, refuted when
    they only failed. Interactions without a problem are given theirs first.
    """
    assign_problems(store)
    with store.read() as connection:
        members = _members(connection)
        tasks = {row.id: row.task for row in connection.execute(_TASKS)}
    found = []
    total = sum(map(len, members.values()))
    for done, problem, answers, verified in _answers(store, members):
        solutions = distinct(answers) if len(answers) > 1 else answers
        if len(solutions) >= min_solutions:
            kinds = [verified[answer.id] for answer in solutions]
            found.append(
                {
                    "id": problem,
                    "task": mask_secrets(tasks.get(problem, "")),
                    "interactions": len(members[problem]),
                    "solutions": len(solutions),
                    "verified": kinds.count("passed"),
                    "refuted": len(kinds) - kinds.count("passed") - kinds.count(None),
                }
            )
        if progress is not None:
            progress(done, total)
    return sorted(found, key=lambda row: (-row["verified"], -row["solutions"], row["id"]))


@dataclass(frozen=True, slots=True)
class Solution:
    """A distinct answer to a problem: its best interaction (`id`) and all that gave it.

    `state` is verified, untested or refuted (its tests only failed: `verdict` says how). `task` and
    `text` are those of the best, their secrets masked; `agent` and `model` made it.
    """

    id: int
    ids: tuple[int, ...]
    state: str
    verdict: str | None
    agent: str | None
    model: str | None
    task: str
    text: str


def problem_solutions(store: Store, problem: int, *, most: int | None = None) -> list[Solution]:
    """The solutions of a problem, verified ones first; of the first `most` answers only.

    Of the interactions that nobody dropped. None for a problem that has no answers.
    """
    with store.read() as connection:
        rows = connection.execute(_ANSWERS, {"problem": problem, "most": most or -1}).all()
    by_id = {row.id: row for row in rows}
    outputs = {row.id: output_of(loads(row.messages)) for row in rows}
    answers = [Answer(row.id, outputs[row.id], _RANK.get(row.verified, 2)) for row in rows]
    found = []
    for group in solutions(answers):
        best = by_id[group[0].id]
        shown = [best.task, outputs[best.id]]
        task, output = masked(shown) if best.secrets else shown
        ids = tuple(answer.id for answer in group)
        state = STATES[group[0].rank]
        found.append(
            Solution(best.id, ids, state, best.verified, best.agent, best.model, task, output)
        )
    return found


_ANSWERS = text(
    "SELECT i.id, i.verified, i.agent, i.model, i.secrets, b.task, b.messages FROM interaction i "
    "JOIN interaction_body b ON b.id = i.id WHERE i.problem = :problem AND i.status != 'dropped' "
    "AND i.output_chars > 0 ORDER BY i.verified IS NOT 'passed', i.id LIMIT :most"
)
_TASKS = text("SELECT id, task FROM problem")
_Member = tuple[int, str | None, bool]  # its id, what its tests said, whether it has an answer


def _members(connection: Connection) -> dict[int, list[_Member]]:
    members: dict[int, list[_Member]] = defaultdict(list)
    rows = connection.execute(
        text(
            "SELECT id, problem, verified, output_chars FROM interaction "
            "WHERE problem IS NOT NULL AND status != 'dropped' ORDER BY id"
        )
    )
    for row in rows:
        members[row.problem].append((row.id, row.verified, row.output_chars > 0))
    return members


def _answers(
    store: Store, members: dict[int, list[_Member]]
) -> Iterator[tuple[int, int, list[Answer], dict[int, str | None]]]:
    """(interactions so far, problem, its answers, what their tests said) of each problem.

    The text is read only where there are several answers to compare.
    """
    done = 0
    for batch in _batches(members):
        wanted = [
            identity
            for problem in batch
            if len(members[problem]) > 1
            for identity, _, answered in members[problem]
            if answered
        ]
        with store.read() as connection:
            texts = bodies(connection, wanted)
        for problem in batch:
            verified = {identity: said for identity, said, answered in members[problem] if answered}
            answers = [
                Answer(
                    identity,
                    output_of(loads(texts[identity][1])) if identity in texts else "",
                    _RANK.get(said, 2),
                )
                for identity, said in verified.items()
            ]
            done += len(members[problem])
            yield done, problem, answers, verified


def _batches(members: dict[int, list[_Member]]) -> Iterator[list[int]]:
    """Problems, about `_AT_ONCE` interactions at a time."""
    batch: list[int] = []
    size = 0
    for problem, group in members.items():
        batch.append(problem)
        size += len(group)
        if size >= _AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
