"""Any sequence of acts by keys, over any number of sessions, ends where a simple model says."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.studio.curation_model import STEPS, Model, Step, seeded, state_of
from tests.studio.screens.conftest import Driven, driven

KEYS = {"labelcoder": "c", "labeltester": "t", "accept": "a", "drop": "x", "reset": "X",
        "undo": "u", "redo": "ctrl+r"}  # fmt: skip


def sessions(steps: list[Step]) -> list[list[Step]]:
    """The steps between restarts of the app."""
    parts: list[list[Step]] = [[]]
    for step in steps:
        if step.kind == "restart":
            parts.append([])
        else:
            parts[-1].append(step)
    return parts


async def select(app: Driven, model: Model, step: Step) -> bool:
    """Filter and mark all, or mark rows, or go to the only one; False where there is none."""
    where = step.where or ""
    wanted = sorted(model.matching(where), reverse=True)
    if app.browse.view.filter != where or app.shown != wanted:
        await app.press("f", "ctrl+u")
        await app.type(where, "enter")
        await app.until(lambda: app.shown == wanted and app.browse.view.filter == where)
    await app.until(lambda: app.browse.rows.whole)
    if step.where is not None:
        await app.press("asterisk")
    else:
        for identity in step.ids:
            await app.press("g", *("j" for _ in range(app.shown.index(identity))))
            if len(step.ids) > 1:
                await app.press("space")
    return bool(wanted)


async def do(app: Driven, model: Model, step: Step) -> None:
    """One step by keys, until the app says what came of it."""
    if step.kind not in ("undo", "redo") and not await select(app, model, step):
        return
    app.browse.say("")
    if step.kind in ("tag", "note"):
        await app.press("T" if step.kind == "tag" else "N", "ctrl+u")
        await app.type(step.value, "enter")
    else:
        await app.press(KEYS[step.kind + step.value])
    await app.until(lambda: app.message.strip() and "writing" not in app.message)
    changed = model.do(step)
    assert ("nothing" not in app.message) == changed, (app.message, step)


@settings(
    max_examples=5, deadline=None, derandomize=True, database=None,
    phases=[Phase.generate],  # a failure is shown as it was found: shrinking would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=STEPS)
async def test_any_sequence_of_keys_ends_where_it_should(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    store = seeded(tmp_path_factory.mktemp("story"))
    model = Model()
    for part in sessions(steps):
        async with driven(store) as app:
            for step in part:
                await do(app, model, step)
                assert state_of(store) == model.rows, step
    store.close()
