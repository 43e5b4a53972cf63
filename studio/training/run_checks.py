"""Preflight checks of the run itself: two steps of the real trainer before it takes thousands."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from db.counted import counted
from studio.evals.statistics import wilson
from studio.training.checks import Check, Flight
from studio.training.footprint import footprint
from studio.training.recipe import Recipe

ITEMS_TO_BLOCK = 20  # fewer items at 0% or 100% say little
RELOAD_TOLERANCE = 1e-2  # of the logits' change; a bfloat16 base is read back as bfloat16
NO_RECIPE = "not run: no recipe was given (--recipe)"
GIB = 2**30

# The recipe's words, what TRL or peft call them, and what the recipe wants there.
OPTIONS: tuple[tuple[str, str, str, Callable[[Recipe], Any]], ...] = (
    ("learning_rate", "arguments", "learning_rate", lambda r: r.learning_rate),
    ("schedule", "arguments", "lr_scheduler_type", lambda r: r.schedule),
    ("warmup_steps", "arguments", "warmup_steps", lambda r: r.warmup_steps),
    ("steps", "arguments", "max_steps", lambda r: r.steps or -1),
    ("epochs", "arguments", "num_train_epochs", lambda r: r.epochs or 1.0),
    ("batch_size", "arguments", "per_device_train_batch_size", lambda r: r.batch_size),
    ("accumulate", "arguments", "gradient_accumulation_steps", lambda r: r.accumulate),
    ("max_length", "arguments", "max_length", lambda r: r.max_length),
    ("evaluate_every", "arguments", "save_steps", lambda r: r.evaluate_every),
    ("weight_decay", "arguments", "weight_decay", lambda r: r.weight_decay),
    ("clip", "arguments", "max_grad_norm", lambda r: r.clip),
    ("seed", "arguments", "seed", lambda r: r.seed),
    ("lora.r", "lora", "r", lambda r: r.lora.r),
    ("lora.alpha", "lora", "lora_alpha", lambda r: r.lora.alpha),
    ("lora.dropout", "lora", "lora_dropout", lambda r: r.lora.dropout),
)


def options_echo(flight: Flight) -> Check:
    """14: the options that the trainer received are those that the recipe gives."""
    if flight.recipe is None:
        return Check("options_echo", "warn", NO_RECIPE)
    received = flight.dry_run.options
    if received is None:
        why = flight.dry_run.skipped or flight.dry_run.problem
        return Check("options_echo", "warn", f"not run: {why}")
    differences = [
        f"{word} is {received[part].get(name)!r} where the recipe says {wanted(flight.recipe)!r}"
        for word, part, name, wanted in OPTIONS
        if received[part].get(name) != wanted(flight.recipe)
    ]
    targets = flight.recipe.lora.targets
    if targets != "all-linear" and sorted(targets) != received["lora"]["target_modules"]:
        differences.append(f"lora.targets are {received['lora']['target_modules']}, not {targets}")
    if differences:
        detail = f"the trainer did not take {counted(len(differences), 'option')}: {differences[0]}"
        return Check(
            "options_echo", "block", detail, {"seen": differences},
            "the installed trl or peft differs from the one that studio was made with",
        )  # fmt: skip
    return Check("options_echo", "pass", f"{len(OPTIONS) + 1} options reached the trainer as given")


def base_score(flight: Flight) -> Check:
    """15: the base was scored first, and there is something to gain and something to lose."""
    if flight.evaluated is not None:
        passed, n, suite = flight.evaluated
        on = f"of {n} items of suite {suite} (stored evaluation)"
    else:
        report = flight.dry_run
        if report.passed is None and not report.scored:
            if report.skipped or report.problem:
                return Check("base_score", "warn", f"not run: {report.skipped or report.problem}")
            detail = "not run: no validation turn has calls or a final answer that can be scored"
            return Check("base_score", "warn", detail, remedy="give --suite SUITE")
        passed, n = report.passed or 0, report.scored
        on = f"of {n} {'suite items' if flight.suites else 'validation turns'}"
    low, high = (100 * bound for bound in wilson(passed, n))
    detail = f"the base passes {passed} {on}: {low:.0f}–{high:.0f}%"
    if 0 < passed < n:
        return Check("base_score", "pass", detail)
    if n < ITEMS_TO_BLOCK:
        return Check(
            "base_score", "warn", f"{detail}; too few to tell", remedy="give --suite SUITE"
        )
    if passed:
        return Check("base_score", "block", f"{detail}: nothing is left to learn",
                     remedy="keep the base, or score it on harder items")  # fmt: skip
    return Check("base_score", "block", f"{detail}: a broken template looks just like this",
                 remedy="read its answers: studio evaluate base --suite SUITE")  # fmt: skip


def dry_run(flight: Flight) -> Check:
    """16: two steps with finite loss and a gradient; the adapter is saved, read back, and acts."""
    if flight.recipe is None:
        return Check("dry_run", "warn", NO_RECIPE)
    report = flight.dry_run
    if report.skipped:
        return Check("dry_run", "warn", f"not run: {report.skipped}")
    if report.problem or report.logit_change is None or report.reload_error is None:
        remedy = "mend the recipe: the run would fail in the same way"
        return Check("dry_run", "block", f"the trainer fails: {report.problem}", remedy=remedy)
    losses = ", ".join(f"{loss:.3g}" for loss in report.losses)
    gradients = ", ".join(f"{norm:.3g}" for norm in report.gradients)
    complaint = None
    if not all(map(math.isfinite, report.losses)):
        complaint = f"the loss is not finite: {losses}"
    elif not all(math.isfinite(norm) and norm > 0 for norm in report.gradients):
        complaint = f"the gradient's norm is {gradients}: nothing is learned from it"
    elif not math.isfinite(report.logit_change) or report.logit_change == 0:
        complaint = f"the trained adapter changes the logits by {report.logit_change:g}"
    elif report.reload_error > RELOAD_TOLERANCE * report.logit_change:
        complaint = (
            f"the adapter read back from the disk differs by {report.reload_error:.2g} in its "
            f"logits, it changes them by {report.logit_change:.2g}"
        )
    if complaint:
        remedy = "lower the learning rate, or look at the recipe's targets"
        return Check("dry_run", "block", complaint, remedy=remedy)
    return Check(
        "dry_run", "pass",
        f"loss {losses}, gradient {gradients}; saved and read back, it changes the logits by up to "
        f"{report.logit_change:.2g}",
    )  # fmt: skip


def resources(flight: Flight) -> Check:
    """17: memory and room on the disk against what is there, and the time that it will take."""
    if flight.recipe is None:
        return Check("resources", "warn", NO_RECIPE)
    if flight.no_weights:
        return Check("resources", "warn", f"not run: {flight.no_weights}")
    report = flight.dry_run
    rows = sum(example.split == "train" for example in flight.examples)
    on_cpu = report.device in ("", "cpu")
    need = footprint(
        flight.base.folder,
        flight.recipe,
        rows=rows,
        longest=max((len(rendered.ids) for _, rendered in flight.rendered), default=0),
        value_bytes=4 if on_cpu else 2,
    )
    memory = max(need.memory, report.memory_peak or 0)
    free = int(psutil.virtual_memory().available) if on_cpu else report.memory_free or 0
    room = shutil.disk_usage(_existing(flight.folder)).free
    parts = (
        f"{_size(memory)} of {_size(free)} free memory ({report.device or 'cpu'}: weights "
        f"{_size(need.weights)}, adapter and optimiser {_size(need.adapter)}, activations "
        f"{_size(need.activations)}); checkpoints {_size(need.disk)} of {_size(room)} free disk"
    ) + _duration(flight.recipe.total_steps(rows), report.step_seconds)
    if memory > free:
        remedy = "lower batch_size (and raise accumulate), or take a smaller base"
        return Check("resources", "warn", f"too little memory: {parts}", remedy=remedy)
    if need.disk > room:
        remedy = "raise evaluate_every, or put the store where there is room"
        return Check("resources", "warn", f"too little room on the disk: {parts}", remedy=remedy)
    return Check("resources", "pass", parts)


def _duration(steps: int, seconds: float | None) -> str:
    if seconds is None:
        return ""
    return (
        f"; {steps} steps in about {steps * seconds / 60:.1f} minutes, and the scoring beside them"
    )


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there already."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _size(size: int) -> str:
    return f"{size / GIB:.1f} GiB" if size >= GIB / 10 else f"{size / 2**20:.1f} MiB"
