"""Datasets that preflight passes, and ways to spoil one row of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from db.store import Store
from exports.frozen import ExampleRow, freeze
from studio.training.bases import Base, BaseSettings
from studio.training.checks import Flight
from studio.training.preflight import prepare
from studio.training.recipe import Recipe

RUN_TESTS: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "run_tests",
        "description": "Run tests.",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "limit": {"type": "integer"}},
            "required": ["path"],
        },
    },
}
TURNS = ("asked", "call", "result", "said")


def call_row(n: int, split: str, **more: Any) -> ExampleRow:
    """A request, one tool call, its result and an answer."""
    path = f"tests/test_{n}.py"
    call = {"name": "run_tests", "arguments": {"path": path, **more}}
    calls = [{"id": "c", "type": "function", "function": call}]
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": f"Run what lies in {path}"},
        {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "tool", "content": f"{n} passed", "tool_call_id": "c"},
        {"role": "assistant", "content": f"All {n} passed."},
    ]
    return ExampleRow(split, "interaction", messages, [RUN_TESTS], agent="tester")


def code_row(n: int, split: str) -> ExampleRow:
    """A request that is answered with code."""
    code = f"def step_{n}(x):\n    return x + {n}\n"
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": f"Write step_{n}, which adds {n}"},
        {"role": "assistant", "content": f"```python\n{code}```"},
    ]
    return ExampleRow(split, "interaction", messages, [], agent="coder")


def good_rows() -> list[ExampleRow]:
    """60 training, 8 validation and 8 test rows, half calls and half code."""
    splits = ["train"] * 30 + ["valid"] * 4 + ["test"] * 4
    return [make(n, split) for n, split in enumerate(splits) for make in (call_row, code_row)]


def spoiled(**changes: Callable[[dict[str, Any]], None]) -> list[ExampleRow]:
    """The good rows with a message of the first one changed; its messages are named by `TURNS`."""
    rows = good_rows()
    for name, change in changes.items():
        change(rows[0].messages[TURNS.index(name)])
    return rows


def good_recipe(**more: Any) -> Recipe:
    """A recipe that no check complains of."""
    return Recipe(**{"learning_rate": 1e-4, "steps": 16, "max_length": 512, **more})


def flight_of(
    store: Store,
    folder: Path,
    rows: list[ExampleRow] | None = None,
    *,
    recipe: Recipe | None = None,
    suites: tuple[str, ...] = (),
    **settings: Any,
) -> Flight:
    """Everything that preflight is given; the rows are frozen as a dataset first."""
    base = Base(
        str(folder), folder, BaseSettings(model=str(folder), **{"enough_rows": 40, **settings})
    )
    label = freeze(store, "rows", {}, rows or good_rows(), {})["dataset"]
    return prepare(store, label, recipe or good_recipe(), base, suites)
