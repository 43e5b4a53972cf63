"""The child process of a run: TRL's SFTTrainer on what `exports.rendering` renders, nothing else.

    python -m studio.training.worker --store STORE --run ID [--resume]

SIGTERM saves a checkpoint and ends the run as stopped.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import transformers
from sqlalchemy import select

from db.interactions import loads
from db.models.base import table
from db.models.runs import Run
from db.store import Store, open_store
from exports.frozen import examples_of
from exports.rendering import load_template
from studio import jobs
from studio.evals.generate import Model
from studio.training.bases import Base, find_base
from studio.training.journal import Journal
from studio.training.recipe import Recipe
from studio.training.trainer import make_trainer, options
from studio.training.validation import Turn, executed_score, scorable_turns


class Reporter(transformers.TrainerCallback):  # type: ignore[misc]
    """Writes steps, metrics and checkpoints to the journal; stops when it was asked to."""

    def __init__(self, journal: Journal, base: Base, turns: list[Turn]) -> None:
        self.journal = journal
        self.base = base
        self.turns = turns
        self.stop_asked = False
        self._step_began = 0.0
        self._seconds: float | None = None
        self._seen: tuple[float, float] | None = None
        self._speed: float | None = None

    def ask_to_stop(self, *_: object) -> None:
        """A signal's handler: stop after the step that is under way."""
        self.stop_asked = True

    def on_step_begin(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
        """Time the step."""
        self._step_began = time.monotonic()

    def on_step_end(self, _args: Any, state: Any, control: Any, **_: Any) -> None:
        """Report the step; at the last one, or when asked to stop, evaluate and save."""
        seconds = time.monotonic() - self._step_began
        self._seconds = seconds if self._seconds is None else 0.9 * self._seconds + 0.1 * seconds
        self.journal.step(state.global_step, self._seconds, self._speed)
        if self.stop_asked or state.global_step >= state.max_steps:
            control.should_evaluate = control.should_save = True
            control.should_training_stop = True

    def on_log(
        self, _args: Any, state: Any, _control: Any, logs: dict[str, float] | None = None, **_: Any
    ) -> None:
        """Keep what the trainer logs, under its own names."""
        values = {k: v for k, v in (logs or {}).items() if isinstance(v, int | float)}
        if "num_tokens" in values:
            now = (time.monotonic(), values["num_tokens"])
            if self._seen and now[0] > self._seen[0]:
                self._speed = (now[1] - self._seen[1]) / (now[0] - self._seen[0])
            self._seen = now
        if values:
            self.journal.metrics(state.global_step, values)

    def on_save(self, args: Any, state: Any, _control: Any, model: Any = None, **_: Any) -> None:
        """Score the checkpoint by what it generates, and enter it."""
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        was_training = model.training
        model.eval()
        score, items = executed_score(Model(self.base, model), self.turns)
        model.train(was_training)
        if score is not None:
            self.journal.metrics(state.global_step, {"score": score})
        self.journal.checkpoint(state.global_step, folder, score, items)


def train(store: Store, run: Any, *, resume: bool) -> str:
    """Train a run to its end; returns `finished` or `stopped`."""
    recipe = Recipe.model_validate(loads(run.recipe_json))
    folder = Path(run.folder)
    base = find_base(run.base)
    template = load_template(base.folder)
    examples = examples_of(store, run.dataset_id)
    valid = [example for example in examples if example.split == "valid"]
    journal = Journal(store, run.id, folder)
    reporter = Reporter(journal, base, scorable_turns(valid, recipe.score_items))
    jobs.take_signals([signal.SIGTERM], reporter.ask_to_stop)
    trainer = make_trainer(base, template, recipe, examples, folder, [reporter])
    _echo(trainer, folder)
    journal.started(recipe.total_steps(len(trainer.train_dataset)))
    begins = not reporter.stop_asked
    if begins:
        trainer.train(resume_from_checkpoint=journal.last_checkpoint() if resume else None)
    whole = begins and _complete(trainer)
    state = "stopped" if reporter.stop_asked and not whole else "finished"
    journal.ended(state)
    return state


def _complete(trainer: Any) -> bool:
    return bool(trainer.state.global_step >= trainer.state.max_steps)


def _echo(trainer: Any, folder: Path) -> None:
    """The options that the trainer really received, beside the run's checkpoints."""
    text = json.dumps(options(trainer), indent=1, default=str, sort_keys=True)
    (folder / "options.json").write_text(text)


def main() -> int:
    """Run as a child process; every way to end is written to the store."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", required=True)
    parser.add_argument("--run", required=True, type=int)
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    store = open_store(given.store)
    runs = table(Run)
    with store.read() as connection:
        run = connection.execute(select(runs).where(runs.c.id == given.run)).one()
    try:
        train(store, run, resume=given.resume)
    except Exception as error:  # noqa: BLE001  whatever it was, the run has failed and says so
        traceback.print_exc()
        message = " ".join(str(error).split())[:500]
        Journal(store, run.id, Path(run.folder)).ended(
            "failed", f"{type(error).__name__}: {message}"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
