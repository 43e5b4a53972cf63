"""Arms: what is evaluated. A model, a prompt condition, and the digest that names both.

base   base:NAME_OR_PATH   run:7   run:7@500   adapter:PATH
each optionally followed by +random4 or +retrieved4 and +prompt:FILE
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import xxhash
from rapidfuzz import fuzz, process
from sqlalchemy import select

from db.errors import BadInput, NotFound
from db.models.base import table
from db.models.datasets import Dataset
from db.models.runs import Checkpoint, Run
from db.store import Store
from exports.frozen import StoredExample, examples_of, find_dataset
from exports.suites import Item, last_request
from studio.training.bases import Base, base_digest, find_base, weights_digest

_SHOTS = re.compile(r"(random|retrieved)(\d+)")
_RUN = re.compile(r"(\d+)(?:@(\d+))?")
MAX_NEW_TOKENS = 256


@dataclass(frozen=True, slots=True)
class Shots:
    """Few-shot examples before each item: drawn at random, or the nearest by request."""

    kind: str
    count: int
    dataset: str
    pool: tuple[StoredExample, ...]


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm that can be run: its base, its adapter if any, its prompt condition."""

    spec: str
    base: Base
    adapter: Path | None = None
    shots: Shots | None = None
    system: str | None = None
    digest: str = ""

    def messages_for(self, item: Item) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The messages and tools that this arm is given for an item."""
        messages = list(item.messages)
        if self.system is not None:
            messages = [m for m in messages if m["role"] != "system"]
            messages.insert(0, {"role": "system", "content": self.system})
        if self.shots is None:
            return messages, item.tools
        at = 1 if messages[0]["role"] == "system" else 0
        chosen = _choose(self.shots, item)
        exchanges = [message for example in chosen for message in _exchange(example)]
        return [*messages[:at], *exchanges, *messages[at:]], item.tools


def find_arm(
    store: Store, spec: str, *, default_base: str = "nano", examples: str | None = None
) -> Arm:
    """The arm that a spec names. `examples` is the dataset that few-shot examples come from.

    Raises BadInput for a spec that is none, NotFound for what is not there.
    """
    head, *conditions = spec.split("+")
    base, adapter = _model(store, head, default_base)
    shots: Shots | None = None
    system: str | None = None
    for condition in conditions:
        if found := _SHOTS.fullmatch(condition):
            shots = _shots(store, found[1], int(found[2]), examples)
        elif condition.startswith("prompt:"):
            system = _read_prompt(Path(condition.removeprefix("prompt:")))
        else:
            raise BadInput(
                f"{spec!r}: +{condition} is no prompt condition; there are +random4, +retrieved4 "
                "(any number) and +prompt:FILE"
            )
    arm = Arm(spec, base, adapter, shots, system)
    return replace(arm, digest=_digest(arm))


def base_arm(base: Base) -> Arm:
    """A base as it is: no adapter, no examples."""
    arm = Arm(f"base:{base.name}", base)
    return replace(arm, digest=_digest(arm))


def base_of_runs(store: Store, specs: Sequence[str]) -> str | None:
    """The base of the first run among the specs: what plain `base` means beside it."""
    for spec in specs:
        head = spec.split("+")[0]
        if head.startswith("run:"):
            return str(_run(store, head)[0].base)
    return None


def dataset_of_runs(store: Store, specs: Sequence[str]) -> str | None:
    """The dataset of the first run among the specs: where few-shot examples come from."""
    datasets = table(Dataset)
    for spec in specs:
        head = spec.split("+")[0]
        if head.startswith("run:"):
            run = _run(store, head)[0]
            with store.read() as connection:
                row = connection.execute(
                    select(datasets.c.name, datasets.c.version).where(
                        datasets.c.id == run.dataset_id
                    )
                ).one()
            return f"{row.name}@{row.version}"
    return None


def _model(store: Store, head: str, default_base: str) -> tuple[Base, Path | None]:
    kind, _, rest = head.partition(":")
    if head == "base":
        return find_base(default_base), None
    if kind == "base" and rest:
        return find_base(rest), None
    if kind == "run":
        run, folder = _run(store, head)
        return _same_base(run), folder
    if kind == "adapter" and rest:
        return _base_of_adapter(Path(rest)), Path(rest)
    raise BadInput(
        f"{head!r} is no arm; there are base, base:NAME_OR_PATH, run:7, run:7@500, adapter:PATH"
    )


def _run(store: Store, head: str) -> tuple[Any, Path]:
    """The run's row, and the folder of the checkpoint that the spec names (or the selected one)."""
    found = _RUN.fullmatch(head.removeprefix("run:"))
    if found is None:
        raise BadInput(f"{head!r}: a run is run:7 or run:7@500")
    runs, checkpoints = table(Run), table(Checkpoint)
    with store.read() as connection:
        run = connection.execute(select(runs).where(runs.c.id == int(found[1]))).first()
        if run is None:
            raise NotFound(f"no run {found[1]} in {store.location}; studio runs lists them")
        step = int(found[2]) if found[2] else run.selected_step
        rows = connection.execute(
            select(checkpoints).where(checkpoints.c.run_id == run.id).order_by(checkpoints.c.step)
        ).all()
    if not rows:
        raise NotFound(f"run {run.id} has no checkpoint yet; studio runs {run.id} shows its state")
    steps = [row.step for row in rows]
    if step is None:
        step = steps[-1]
    if step not in steps:
        listed = ", ".join(map(str, steps))
        raise NotFound(f"run {run.id} has no checkpoint at step {step}; there are {listed}")
    return run, Path(rows[steps.index(step)].path)


def _same_base(run: Any) -> Base:
    """The run's base, if it still is what the run was trained on."""
    base = find_base(run.base)
    if run.base_digest is not None and run.base_digest != base_digest(base.folder):
        raise BadInput(
            f"the base {run.base} in {base.folder} has changed since run {run.id} was trained on "
            "it (weights, tokenizer or template): put the old one back, or train again"
        )
    return base


def _base_of_adapter(folder: Path) -> Base:
    config = folder / "adapter_config.json"
    try:
        named = json.loads(config.read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(f"{folder} holds no adapter: {config.name} cannot be read") from error
    return find_base(str(named))


def _shots(store: Store, kind: str, count: int, examples: str | None) -> Shots:
    if count < 1:
        raise BadInput(f"+{kind}{count}: give at least one example")
    if examples is None:
        raise BadInput(f"+{kind}{count} needs examples: give --examples DATASET")
    frozen = find_dataset(store, examples)
    pool = tuple(e for e in examples_of(store, frozen.id, split="train") if _exchange(e))
    if len(pool) < count:
        raise BadInput(f"{frozen.label} has {len(pool)} training examples, {count} are wanted")
    return Shots(kind, count, frozen.label, pool)


def _exchange(example: StoredExample) -> list[dict[str, Any]]:
    """The first request of an example and what the assistant answered."""
    for number, message in enumerate(example.messages[:-1]):
        after = example.messages[number + 1]
        if message["role"] == "user" and after["role"] == "assistant":
            return [message, after]
    return []


def _choose(shots: Shots, item: Item) -> list[StoredExample]:
    """The examples for one item, always the same ones; the nearest stands last."""
    if shots.kind == "random":
        order = sorted(
            shots.pool, key=lambda e: xxhash.xxh3_64_intdigest(f"{item.id}:{e.id}".encode())
        )
        return order[: shots.count]
    requests = [last_request(_exchange(example)) for example in shots.pool]
    nearest = process.extract(
        last_request(item.messages), requests, scorer=fuzz.ratio, limit=shots.count
    )
    return [shots.pool[index] for _, _, index in reversed(nearest)]


def _read_prompt(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"+prompt:{path}: cannot be read: {error}") from error


def _digest(arm: Arm) -> str:
    """Everything that the arm's answers depend on, beside the suite."""
    parts = {
        "base": base_digest(arm.base.folder),
        "adapter": weights_digest(arm.adapter) if arm.adapter else None,
        "shots": [arm.shots.kind, arm.shots.count, [e.id for e in arm.shots.pool]]
        if arm.shots
        else None,
        "system": arm.system,
        "max_new_tokens": MAX_NEW_TOKENS,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
