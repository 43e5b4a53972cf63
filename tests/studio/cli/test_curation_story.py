"""Any sequence of acts by commands, in one shell or many, ends where a simple model says."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout

import pytest
from hypothesis import given, settings

from studio.__main__ import main
from tests.studio.curation_model import STEPS, Model, Step, seeded, state_of


def command(*words: str) -> tuple[int, dict[str, object]]:
    """A command's exit code and its answer."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(io.StringIO()):
        code = main([*words, "--json"])
    return code, json.loads(said.getvalue() or "{}")


def words_of(step: Step) -> list[str]:
    """The command that does it."""
    name = [step.kind, step.value] if step.kind in ("label", "tag", "note") else [step.kind]
    on = map(str, step.ids) if step.where is None else ("--where", step.where)
    return [*name, *on]


@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
def test_any_sequence_of_commands_ends_where_it_should(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    opened = seeded(tmp_path_factory.mktemp("story"))
    opened.close()
    model, store = Model(), ("--store", opened.location)
    for step in steps:
        if step.kind == "restart":
            continue  # every command opens the store anew
        changed = model.do(step)
        if step.kind in ("undo", "redo"):
            code, answer = command(step.kind, *store)
            assert (code, bool(answer.get("acts"))) == (0 if changed else 1, changed)
        else:
            code, answer = command(*words_of(step), *store)
            assert (code, bool(answer["act"]), bool(answer["changed"])) == (0, changed, changed)
    assert state_of(opened) == model.rows
    opened.close()
