"""The demo: the whole loop on the embedded base, everything measured while one watches.

302 sample interactions are imported, curated and built into two datasets: a good one, and a bad
one as the background's adapters were made (old template, no general examples). Preflight blocks
the bad one; it is trained all the same, to show what its validation loss does not tell.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db import filters
from db.counted import counted
from db.errors import BadInput, StudioError
from db.history import history
from db.store import Store, open_store
from exports.dataset import BuildRecipe
from studio.collect.importing import import_paths
from studio.curation import named_acts
from studio.curation.building import build_dataset
from studio.curation.classify import classify_store
from studio.curation.duplicates import dedupe
from studio.curation.stats import collection_stats
from studio.decisions.decide import decide_specs
from studio.evals.workbench import compare_specs, evaluate_specs
from studio.nano import SAMPLE
from studio.training import runs
from studio.training.preflight import preflight

GOOD, BAD = "nano-good", "nano-bad"
FEW_SHOT = "base+random4"
WITH_CALLS = "tools:>0 status:accepted"
MARKER = ".studio-demo"

Tell = Callable[[str], None]
Progress = Callable[[float, float, str], None]


@dataclass(frozen=True, slots=True)
class Watch:
    """How the demo tells what it does: headings, and progress within a step."""

    heading: Tell
    detail: Tell
    progress: Progress


def run_demo(folder: Path, watch: Watch) -> dict[str, Any]:
    """Run the whole loop in `folder`, replacing an earlier demo there; returns every answer."""
    started = time.monotonic()
    _make_room(folder)
    store = open_store(str(folder / "studio.db"), create=True)
    try:
        value = _loop(store, watch)
    finally:
        store.close()
    return {
        "store": str(folder / "studio.db"),
        **value,
        "seconds": round(time.monotonic() - started, 1),
    }


def _make_room(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).is_file():
            raise BadInput(f"{folder} is not empty and no earlier demo: give another --dir")
        shutil.rmtree(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{folder} cannot be made: {error.strerror}") from error
    (folder / MARKER).write_text("made by studio demo; the next demo replaces this folder\n")


def _loop(store: Store, watch: Watch) -> dict[str, Any]:
    imported, duplicates = _collect_and_curate(store, watch)
    good, bad, blocked = _build_and_check(store, watch)
    good_run, bad_run = _train(store, good["dataset"], bad["dataset"], watch)
    good_arm, bad_arm = f"run:{good_run}", f"run:{bad_run}"

    watch.heading("Evaluate: base, base with four examples, the good and the bad adapter")
    specs = ["base", FEW_SHOT, good_arm, bad_arm]
    examples = good["dataset"]
    evaluations = evaluate_specs(store, specs, "nano", examples=examples, progress=watch.progress)
    compared = {
        name: compare_specs(store, "base", spec, "nano", examples=examples)
        for name, spec in (("few_shot", FEW_SHOT), ("good", good_arm), ("bad", bad_arm))
    }
    watch.heading("Decide")
    decision = decide_specs(store, [FEW_SHOT, good_arm, bad_arm], "nano", examples=examples)
    return {
        "imported": imported,
        "duplicates": duplicates,
        "dataset": good,
        "dataset_bad": bad,
        "runs": {"good": good_run, "bad": bad_run},
        "losses": {"good": runs.losses(store, good_run), "bad": runs.losses(store, bad_run)},
        "preflight_bad": blocked,
        "evaluate": evaluations,
        "compare": compared,
        "decision": decision,
    }


def _collect_and_curate(store: Store, watch: Watch) -> tuple[int, dict[str, Any]]:
    watch.heading("Collect: the sample's interactions, through the ordinary importer")
    summary = import_paths(store, [SAMPLE])
    stats = collection_stats(store)
    low, high = (100 * bound for bound in stats["success_ci95"])
    watch.detail(
        f"{summary.imported} imported; {stats['successful']} succeeded "
        f"({low:.1f}–{high:.1f}%), {stats['failed']} failed"
    )
    watch.heading("Curate: classify, find duplicates, accept what succeeded")
    classified = classify_store(store, actor="studio classify")
    duplicates = dedupe(store)
    accepted = named_acts.set_status(store, filters.ids("success:true"), "accept")
    watch.detail(
        ", ".join(f"{name} {n}" for name, n in classified["by_agent"].items())
        + f"; {duplicates['exact_duplicates']} exact and {duplicates['near_duplicates']} near "
        f"duplicates; {accepted.changed} accepted ({counted(len(history(store)), 'act')}, "
        "each can be "
        "undone)"
    )
    return summary.imported, duplicates


def _build_and_check(
    store: Store, watch: Watch
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    watch.heading("Build: tool calls with general examples, and the same in the old template")
    avoid = ("nano",)
    good = build_dataset(
        store,
        BuildRecipe("tools", where=WITH_CALLS, avoid=avoid, replay=0.7),
        base="nano",
    )
    bad = build_dataset(
        store, BuildRecipe("tools-old", where=WITH_CALLS, template="legacy"), base="nano"
    )
    for report in (good, bad):
        counts = ", ".join(f"{n} {name}" for name, n in report["examples"].items())
        watch.detail(f"{report['dataset']}: {counts}; {report['replay']} of them general")
    watch.heading("Preflight: render, mask, cut, read back with the evaluation's parser")
    passed = preflight(store, good["dataset"], recipe=GOOD, progress=watch.progress)
    blocked = preflight(store, bad["dataset"], recipe=BAD, progress=watch.progress)
    for report in (passed, blocked):
        stopping = [check for check in report["checks"] if check["status"] == "block"]
        watch.detail(
            f"{report['dataset']}: "
            + (f"BLOCKED by {stopping[0]['id']}: {stopping[0]['detail']}" if stopping else "ready")
        )
    if not passed["ok"]:
        raise StudioError("the demo's good dataset does not pass preflight")
    return good, bad, blocked


def _train(store: Store, good: str, bad: str, watch: Watch) -> tuple[int, int]:
    watch.heading("Train: both adapters side by side, the bad one forced through preflight")
    good_run = runs.start(store, good, GOOD)
    bad_run = runs.start(store, bad, BAD, force=True)
    try:
        while True:
            rows = {row["id"]: row for row in runs.list_runs(store)}
            pair = [rows[good_run], rows[bad_run]]
            done = sum(row["step"] for row in pair)
            total = sum(row["total_steps"] or 0 for row in pair)
            watch.progress(done, total, " · ".join(_line(row) for row in pair))
            if all(row["state"] in runs.OVER for row in pair):
                break
            time.sleep(0.5)
    except BaseException:
        for run in (good_run, bad_run):
            _stop_quietly(store, run)
        raise
    for row in pair:
        if row["state"] != "finished":
            raise StudioError(
                f"run {row['id']} {row['state']}: {row['error'] or 'see'} {row['folder']}/log.txt"
            )
        losses = runs.losses(store, row["id"])
        watch.detail(
            f"run {row['id']} ({row['recipe']}): validation loss {losses[0][1]:.2f} → "
            f"{losses[-1][1]:.2f}; executed score at its checkpoints "
            + ", ".join(f"{100 * (c['score'] or 0):.0f}%" for c in row["checkpoints"])
        )
    return good_run, bad_run


def _line(row: dict[str, Any]) -> str:
    loss = f" {row['loss']:.2f}" if row["loss"] is not None else ""
    return f"{row['recipe']} {row['step']}/{row['total_steps'] or '?'}{loss}"


def _stop_quietly(store: Store, run: int) -> None:
    try:
        runs.stop(store, run, wait_seconds=0)
    except StudioError:
        return  # it was over already
