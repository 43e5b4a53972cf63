"""A simple model of curation: what any sequence of acts, undos and redos must leave behind."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from hypothesis import strategies as st

from db import rows
from db.store import Store, open_store
from studio.collect.importing import import_paths

Kind = Literal["label", "accept", "drop", "reset", "tag", "note", "undo", "redo", "restart"]
STATUS_OF = {"accept": "accepted", "drop": "dropped", "reset": "new"}
AGENTS = ("coder", "tester", "coder", "reviewer")  # of the rows at first, by id


@dataclass(frozen=True)
class Row:
    """The state of curation of one interaction."""

    agent: str
    method: str = "declared"
    status: str = "new"
    tags: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True)
class Step:
    """One thing that a user does: `value` with `kind`, on these ids or on what a filter finds."""

    kind: Kind
    value: str = ""
    ids: tuple[int, ...] = ()
    where: str | None = None


_ON = st.one_of(
    st.sets(st.integers(1, len(AGENTS)), min_size=1).map(lambda ids: (tuple(sorted(ids)), None)),
    st.sampled_from(["", "status:new", "status:accepted", "agent:tester", "tag:x"]).map(
        lambda where: ((), where)
    ),
)
_ACT = st.one_of(
    st.tuples(st.just("label"), st.sampled_from(["coder", "tester"])),
    st.tuples(st.sampled_from(["accept", "drop", "reset"]), st.just("")),
    st.tuples(st.just("tag"), st.sampled_from(["x", "y"])),
    st.tuples(st.just("note"), st.sampled_from(["", "again", "two words"])),
)
_ACTS = st.builds(lambda act, on: Step(act[0], act[1], *on), _ACT, _ON)
_TURNS = st.sampled_from(["undo", "redo", "restart"]).map(Step)  # type: ignore[arg-type]
STEPS = st.lists(st.one_of(_ACTS, _ACTS, _TURNS), min_size=3, max_size=12)


@dataclass
class Model:
    """The rows by id, and the states to which undo and redo lead."""

    rows: dict[int, Row] = field(
        default_factory=lambda: {n: Row(agent) for n, agent in enumerate(AGENTS, 1)}
    )
    before: list[dict[int, Row]] = field(default_factory=list)
    after: list[dict[int, Row]] = field(default_factory=list)

    def matching(self, where: str) -> list[int]:
        """The ids that a filter of one word finds."""
        key, _, value = where.partition(":")
        return [
            identity
            for identity, row in self.rows.items()
            if not key or value == getattr(row, key, None) or (key == "tag" and value in row.tags)
        ]

    def do(self, step: Step) -> bool:
        """Do it; whether anything changed."""
        if step.kind == "restart":
            return False
        if step.kind in ("undo", "redo"):
            source, target = self.before, self.after
            if step.kind == "redo":
                source, target = target, source
            if not source:
                return False
            target.append(self.rows)
            self.rows = source.pop()
            return True
        ids = step.ids if step.where is None else self.matching(step.where)
        changed = {n: _changed(row, step) if n in ids else row for n, row in self.rows.items()}
        if changed == self.rows:
            return False
        self.before.append(self.rows)
        self.after.clear()
        self.rows = changed
        return True


def _changed(row: Row, step: Step) -> Row:
    if step.kind == "label":
        return replace(row, agent=step.value, method="human")
    if step.kind == "tag":
        return row if step.value in row.tags else replace(row, tags=(*row.tags, step.value))
    if step.kind == "note":
        return replace(row, note=step.value or None)
    return replace(row, status=STATUS_OF[step.kind])


def seeded(folder: Path) -> Store:
    """A new store with the rows of the model, imported."""
    log = folder / "log.jsonl"
    with log.open("w", encoding="utf-8") as lines:
        for number, agent in enumerate(AGENTS, 1):
            said = [{"role": "user", "content": f"Task {number}"},
                    {"role": "assistant", "content": "done"}]  # fmt: skip
            lines.write(json.dumps({"id": f"t{number}", "agent": agent, "messages": said}) + "\n")
    store = open_store(str(folder / "studio.db"), create=True)
    import_paths(store, [log])
    return store


def state_of(store: Store) -> dict[int, Row]:
    """The same, read from a store."""
    shown = (rows.show(store, row["id"]) for row in rows.page(store)[0])
    return {
        one["id"]: Row(one["agent"], one["agent_method"], one["status"], tuple(one["tags"]),
                       one["note"])
        for one in sorted(shown, key=lambda one: int(one["id"]))
    }  # fmt: skip
