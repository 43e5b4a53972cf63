"""What problems ask, as one request each: what to put to a teacher that shall solve them too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, bindparam, text

from db import filters
from db.errors import BadInput, NotFound
from db.interactions import Message, bodies, loads
from db.store import Store
from studio.curation.problems import assign_problems, list_problems

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Question:
    """The messages before the first answer to a problem, taken from one of its interactions.

    `agent` are the columns that say whose problem it is, and who decided that.
    """

    problem: int
    interaction: int
    messages: list[Message]
    tools: list[dict[str, Any]]
    agent: dict[str, Any]

    @property
    def chars(self) -> int:
        """Characters of the request."""
        return sum(len(str(message["content"])) for message in self.messages)


@dataclass(slots=True)
class Questions:
    """The questions in the order of their problems, and how many problems have none, and why."""

    asked: list[Question] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def chosen_problems(
    store: Store,
    ids: Sequence[int],
    *,
    where: str = "",
    every: bool = False,
    fewer_than: int | None = None,
) -> list[int]:
    """Problems by id, or those that interactions of a filter belong to, or all of them.

    `fewer_than` keeps those with fewer distinct solutions that no test refutes. Raises NotFound
    for an id that is no problem, BadInput where nothing or two things are chosen.
    """
    if bool(ids) + bool(where) + every != 1:
        raise BadInput("say which problems: their ids, or --where FILTER, or --all")
    assign_problems(store)
    with store.read() as connection:
        there = text(
            "SELECT DISTINCT problem FROM interaction "
            "WHERE problem IS NOT NULL AND status != 'dropped' ORDER BY problem"
        )
        known = list(connection.execute(there).scalars())
        if where:
            found = set(connection.execute(_problems_of(where)).scalars())
            known = [problem for problem in known if problem in found]
    if ids:
        if missing := sorted(set(ids) - set(known)):
            raise NotFound(f"no problem {missing[0]}; studio problems lists them")
        known = list(dict.fromkeys(ids))
    if fewer_than is not None:
        enough = {
            row["id"]
            for row in list_problems(store)
            if row["solutions"] - row["refuted"] >= fewer_than
        }
        known = [problem for problem in known if problem not in enough]
    return known


def _problems_of(where: str) -> Any:
    return filters.ids(where).with_only_columns(text("problem"))


def questions(store: Store, problems: Sequence[int]) -> Questions:
    """What each problem asks, from its first interaction that is one request and its answer.

    A session in which tools answered cannot be put as one question: `tool_session` in `skipped`.
    """
    found = Questions()
    for start in range(0, len(problems), _AT_ONCE):
        part = problems[start : start + _AT_ONCE]
        with store.read() as connection:
            best: dict[int, Row[Any]] = {}
            for row in connection.execute(_CANDIDATES, {"problems": list(part)}):
                best.setdefault(row.problem, row)
            texts = bodies(connection, [row.id for row in best.values()])
        for problem in part:
            question = _question(best[problem], texts) if problem in best else "tool_session"
            if isinstance(question, str):
                found.skipped[question] += 1
            else:
                found.asked.append(question)
    return found


# single exchanges first; of longer ones only those without tools, up to their first answer
_CANDIDATES = text(
    "SELECT id, problem, agent, agent_method, agent_confidence FROM interaction "
    "WHERE problem IN :problems AND status != 'dropped' AND (turns <= 2 OR tool_calls = 0) "
    "AND external_id NOT LIKE 'sample:%' ORDER BY problem, turns > 2, id"
).bindparams(bindparam("problems", expanding=True))


def _question(row: Row[Any], texts: dict[int, tuple[str, str, str | None]]) -> Question | str:
    _, stored, tools = texts[row.id]
    asked: list[Message] = []
    for message in loads(stored):
        if message["role"] not in ("system", "user"):
            break
        asked.append({"role": message["role"], "content": message["content"]})
    if not any(message["role"] == "user" and message["content"].strip() for message in asked):
        return "no_request"
    agent = {
        "agent": row.agent,
        "agent_method": row.agent_method,
        "agent_confidence": row.agent_confidence,
        "agent_reason": f"as interaction {row.id}, which asks the same" if row.agent else None,
    }
    return Question(row.problem, row.id, asked, loads(tools) if tools else [], agent)
