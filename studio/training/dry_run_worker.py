"""The child process of a dry run: the base scored, two steps taken, the adapter saved and reread.

    python -m studio.training.dry_run_worker FOLDER

FOLDER holds `request.json`; `report.json` is written after each part.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import peft
import psutil
import torch
import transformers

from db.store import open_store
from exports.frozen import StoredExample, examples_of
from exports.rendering import Template, load_template
from studio.evals.evaluate import drawn_items
from studio.evals.generate import Model, load_network
from studio.evals.known_suites import find_suite
from studio.training import trainer as stack
from studio.training.bases import Base, find_base
from studio.training.dry_run import Report
from studio.training.footprint import footprint
from studio.training.recipe import Recipe
from studio.training.validation import Turn, executed_score, item_turns, scorable_turns

STEPS = 2
ITEMS = 24  # on which the base is scored


class Watch(transformers.TrainerCallback):  # type: ignore[misc]
    """Keeps the loss, the gradient's norm and the seconds of every step."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._began = 0.0

    def on_step_begin(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
        """Time the step."""
        self._began = time.monotonic()

    def on_step_end(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
        """The last step counts: the first one warms up."""
        self.report.step_seconds = time.monotonic() - self._began

    def on_log(
        self, _args: Any, _state: Any, _control: Any, logs: dict[str, float] | None = None, **_: Any
    ) -> None:
        """What the trainer logs after a step."""
        if logs and "grad_norm" in logs:
            self.report.losses.append(float(logs["loss"]))
            self.report.gradients.append(float(logs["grad_norm"]))


def rehearse(folder: Path, report: Report) -> None:
    """Every part in turn; `report` holds what was seen when one of them raises."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    store = open_store(request["store"])
    examples = examples_of(store, request["dataset"])
    store.close()
    base = find_base(request["base"])
    template = load_template(base.folder)
    recipe = Recipe.model_validate(request["recipe"]) if request["recipe"] else None
    report.device, report.memory_free = _device()
    shortage = _shortage(base, recipe, report.memory_free)
    if shortage:
        report.skipped = shortage
        return
    if request["score"]:
        turns = _turns(request["suites"], examples)
        score, report.scored = executed_score(Model(base, load_network(base)), turns)
        report.passed = None if score is None else round(score * report.scored)
        report.save(folder / "report.json")
    if recipe is not None:
        _two_steps(base, template, recipe, examples, folder, report)
    report.memory_peak = _peak()


def _device() -> tuple[str, int]:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name(0), int(torch.cuda.mem_get_info()[0])
    return "cpu", int(psutil.virtual_memory().available)


def _shortage(base: Base, recipe: Recipe | None, free: int) -> str | None:
    """Loading what does not fit would bring the whole machine down."""
    size = 2 if torch.cuda.is_available() else 4
    any_recipe = recipe or Recipe(learning_rate=1e-4, steps=1)
    need = footprint(base.folder, any_recipe, rows=1, longest=16, value_bytes=size)
    if need.weights < free:
        return None
    return f"the weights take {need.weights / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free"


def _turns(suites: Sequence[str], examples: Sequence[StoredExample]) -> list[Turn]:
    """A few items of the first suite, else validation turns: what the base is scored on."""
    valid = [example for example in examples if example.split == "valid"]
    if not suites:
        return scorable_turns(valid, ITEMS)
    suite = find_suite(suites[0])
    readable = replace(suite, items=[i for i in suite.items if i.scorer["kind"] != "code"])
    return item_turns(drawn_items(readable, ITEMS)) or scorable_turns(valid, ITEMS)


def _two_steps(
    base: Base,
    template: Template,
    recipe: Recipe,
    examples: Sequence[StoredExample],
    folder: Path,
    report: Report,
) -> None:
    rows = _rows(template, recipe, [e for e in examples if e.split == "train"])
    trainer = stack.make_trainer(base, template, recipe, rows, folder / "run", [Watch(report)])
    report.options = json.loads(json.dumps(stack.options(trainer), default=_plain))
    report.save(folder / "report.json")
    # At the full rate from the first step: a warm-up would leave the adapter as it is.
    trainer.args.max_steps, trainer.args.warmup_steps = STEPS, 0
    trainer.args.logging_steps, trainer.args.save_strategy = 1, "no"
    trainer.args.logging_nan_inf_filter = False
    trainer.train()
    probe = torch.tensor([template.render(rows[0].messages, rows[0].tools).ids[:256]])
    adapter = folder / "adapter"
    trainer.save_model(str(adapter))
    report.logit_change, report.reload_error = _changes(trainer.model, adapter, probe)
    shutil.rmtree(folder / "run", ignore_errors=True)
    shutil.rmtree(adapter)


def _rows(template: Template, recipe: Recipe, training: list[StoredExample]) -> list[StoredExample]:
    """As many rows as two steps take: a batch of the longest, the others as they come."""
    wanted = STEPS * recipe.batch_size * recipe.accumulate
    by_length = sorted(training, key=lambda e: -len(template.render(e.messages, e.tools).ids))
    longest = by_length[: recipe.batch_size]
    chosen = {example.id for example in longest}
    others = [example for example in training if example.id not in chosen]
    return [*longest, *others[: wanted - len(longest)]]


def _changes(model: Any, adapter: Path, probe: torch.Tensor) -> tuple[float, float]:
    """(greatest change of a logit by the adapter, by saving and loading it)."""
    model.eval()
    with torch.no_grad():
        probe = probe.to(model.device)
        trained = model(probe).logits.float()
        with model.disable_adapter():
            plain = model(probe).logits.float()
        again = peft.PeftModel.from_pretrained(model.unload(), str(adapter)).eval()
        reread = again(probe).logits.float()
    return float((trained - plain).abs().max()), float((reread - trained).abs().max())


def _plain(value: object) -> Any:
    return sorted(value) if isinstance(value, set) else str(value)


def _peak() -> int:
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> int:
    """Run as a child process; whatever ends it is written into the report."""
    folder = Path(sys.argv[1])
    report = Report()
    try:
        rehearse(folder, report)
    except Exception as error:  # noqa: BLE001  whatever it was, the run would have met it too
        traceback.print_exc()
        report.problem = f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"
    report.save(folder / "report.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
