"""A run in words: the cells of its line, what state it is in, and all that is known of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.content import Content

from studio.evals.statistics import wilson
from studio.screen_text import screen_text
from studio.screens.run_reading import Known, Run
from studio.widgets.columns import fitted
from studio.widgets.listing import ListColumn

if TYPE_CHECKING:
    from studio.evals.evaluation_job import EvaluationJob, Result

STATES = {
    "queued": "… queued", "running": "▶ running", "finished": "✓ finished",
    "stopped": "■ stopped", "stopped_by_guard": "■ by guard", "failed": "✗ failed",
    "dead": "† dead",
}  # fmt: skip
ACTIVE = ("queued", "running")
WRONG = ("failed", "dead", "stopped_by_guard")
RESUMABLE = ("stopped", "stopped_by_guard", "failed", "dead")
ERROR_LINES = 2  # of an error, where there is no room for all of it
DATASET = 10  # cells of a dataset's name
COLUMNS = (
    ListColumn("", 1),
    ListColumn("run", 4, right=True),
    ListColumn("state", 10),
    ListColumn("step", 9, right=True),
    ListColumn("loss", 5, right=True),
    ListColumn("valid", 5, right=True),
    ListColumn("score", 5, rank=1, right=True),
    ListColumn("eta", 6, right=True),
    ListColumn("tok/s", 6, rank=2, right=True),
    ListColumn("forced", 6),
    ListColumn("base", 12, rank=3),
    ListColumn("dataset", DATASET),
    ListColumn("recipe"),
)


def cells(run: Run, symbol: str) -> tuple[str, ...]:
    """The cells of a run's line; `symbol` is that of its curves, if it has any."""
    checkpoint = selected(run)
    speed = run["tokens_per_second"]
    return (
        symbol,
        str(run["id"]),
        STATES.get(run["state"], str(run["state"])),
        _steps(run),
        number(run["loss"]),
        number(run["eval_loss"]),
        percent(checkpoint["score"]) if checkpoint else "·",
        duration(run["eta_seconds"]),
        f"{speed:.0f}" if speed else "·",
        "FORCED" if run["forced"] else "·",
        str(run["base"]).rstrip("/").rpartition("/")[2],
        _dataset(run["dataset"]),
        run["recipe"],
    )


def _dataset(label: str) -> str:
    """A dataset's name in its cells; where it is cut the version stays: `long-n…@12`."""
    name, sign, version = _clean(label).rpartition("@")
    return fitted(name, max(2, DATASET - len(sign + version))).rstrip() + sign + version


def _steps(run: Run) -> str:
    step, total = run["step"], run["total_steps"]
    if step < 10_000 and (total or 0) < 10_000:
        return f"{step}/{total or '?'}"
    return f"{step / 1000:.0f}k/{'?' if total is None else f'{total / 1000:.0f}k'}"


def number(value: float | None) -> str:
    """A loss in five cells."""
    if value is None:
        return "·"
    if not 0.001 <= abs(value) < 1e5:
        return f"{value:.0e}" if value else "0"
    return f"{value:.3f}"[:5].rstrip(".")


def percent(value: float | None) -> str:
    """A fraction of 1 as a percentage."""
    return "·" if value is None else f"{100 * value:.0f}%"


def duration(seconds: float | None) -> str:
    """How long, in at most six cells: `48s`, `12m05s`, `3h20m`, `2d04h`."""
    if seconds is None:
        return "·"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02}h"


def selected(run: Run) -> Mapping[str, Any] | None:
    """The selected checkpoint of a run, else its last one."""
    saved: Sequence[Mapping[str, Any]] = run["checkpoints"]
    chosen = (checkpoint for checkpoint in saved if checkpoint["step"] == run["selected_step"])
    return next(chosen, saved[-1] if saved else None)


def no_run(location: str) -> str:
    """What to do in a store without runs."""
    return (
        "No run yet.\n\n"
        "3 leads to the datasets; t trains an adapter on one, after preflight.\n"
        "The same from a shell:\n\n"
        f"studio train DATASET --recipe RECIPE --store {_clean(location)}\n\n"
        "It appears here as soon as it starts."
    )


def state_sentence(run: Run, room: int | None = None) -> str:
    """What the run is doing, and the way on where it does nothing; an error in `room` cells."""
    at = f"step {run['step']:,} of {run['total_steps'] or '?'}"
    saved = run["checkpoints"]
    way = f"R goes on from step {saved[-1]['step']}" if saved else "R starts it anew"
    match run["state"]:
        case "queued":
            return "queued: its process is starting"
        case "running" if run["eta_seconds"] is None:
            return f"running, {at}; how long it takes is not measured yet"
        case "running":
            return f"running, {at}; about {duration(run['eta_seconds'])} left · S stops and saves"
        case "finished":
            return f"finished, {at}"
        case "stopped":
            return f"stopped at {at} · {way}"
        case "stopped_by_guard":
            return f"stopped by its guard at {at} · {way}"
        case "failed":
            error = run["error"] or "its log says why (L)"
            return f"failed at {at}: {error if room is None else _cut(error, room)} · {way}"
        case "dead":
            return f"dead: its process ended at {at} without a word · {way} · L opens its log"
        case other:
            return f"{other}, {at}"


def facts(known: Known, width: int, height: int, *, full: bool) -> Content:
    """All that is known of a run. In full with paths, options and a long log; else in so many
    lines as there is room for."""
    run = known.run
    said = state_sentence(run, None if full else ERROR_LINES * width)
    parts = [_styled(said, "$text-error" if run["state"] in WRONG else "bold")]
    if run["forced"]:
        parts.append(_styled("FORCED: preflight blocked it and was overridden", "$text-warning"))
    elif full:
        parts.append(Content("preflight let it pass"))
    if full:
        parts.append(Content(_clean(f"{run['dataset']} with {run['recipe']} on {run['base']}")))
    parts += _checkpoints(run, full=full)
    parts += _evaluations(known, width)
    if not full:
        used = sum(-(-part.cell_length // width) for part in parts)
        parts += _log(known.log[-max(1, height - used) :], width)
        return Content("\n").join(parts)
    if known.log:
        parts += [_heading("log (L opens all of it)"), *_log(known.log, width)]
    return Content("\n").join([*parts, *_options(known.options)])


def _log(lines: Sequence[str], width: int) -> list[Content]:
    return [Content.styled(_cut(line, width), "$text-muted") for line in lines]


def _checkpoints(run: Run, *, full: bool) -> list[Content]:
    chosen, saved = selected(run), run["checkpoints"]
    if not saved:
        return [Content("no checkpoint yet")]
    if not full:
        shown = " · ".join(
            f"{'▸' * (one is chosen)}{one['step']:,} {_scored(one, interval=one is chosen)}"
            for one in saved[-6:]
        )
        return [Content(_clean(f"checkpoints: {shown}"))]
    lines = [_heading("checkpoints, with their executed score on the validation split")]
    for one in saved:
        mark = "▸ selected" if one is chosen else ""
        scored = _scored(one, interval=True)
        text = f"{one['step']:>7,}  {scored:<19}  {mark:<10}  {screen_text(one['path'])}"
        lines.append(Content.styled(text, "bold" if mark else ""))
    return lines


def _scored(checkpoint: Mapping[str, Any], *, interval: bool = False) -> str:
    score, n = checkpoint["score"], checkpoint["score_n"]
    if score is None:
        return "no score"
    if not n:
        return percent(score)
    between = f" ({_between(wilson(round(score * n), n))})" if interval else ""
    return f"{percent(score)} of {n}{between}"


def _between(bounds: Sequence[float]) -> str:
    low, high = (f"{100 * end:.0f}" for end in bounds)
    return f"{low}–{high}%"


def _evaluations(known: Known, width: int) -> list[Content]:
    """A line for each suite that was run, and one for an evaluation that is under way or failed."""
    beside: dict[tuple[str, int], list[Result]] = {}
    for found in known.results:
        beside.setdefault((found.suite, found.n), []).append(found)
    lines = []
    for (suite, n), results in beside.items():
        rates = " · ".join(map(_rate, sorted(results, key=lambda found: found.step or 0)))
        lines.append(Content(_cut(f"{suite} (n {n:,}): {rates}", width)))
    job = known.job
    if job is not None and (known.job_runs or not _has_result(known, job)):
        last = known.job_log[-1] if known.job_log else "it has said nothing yet"
        how = "is being evaluated" if known.job_runs else "was not evaluated to the end"
        style = "$text-accent" if known.job_runs else "$text-error"
        lines.append(_styled(_cut(f"{job.arm} {how} on {job.suite}: {last}", width), style))
    return lines


def _rate(found: Result) -> str:
    name = "base" if found.step is None else f"step {found.step:,}"
    return f"{name} {100 * found.rate:.1f}% ({_between(found.ci95)})"


def _has_result(known: Known, job: EvaluationJob) -> bool:
    return any(
        found.step is not None and found.created_ms >= job.started_ms for found in known.results
    )


def _options(options: Mapping[str, Any]) -> list[Content]:
    if not options:
        return []
    lines = [_heading("options, as the trainer received them")]
    for group, values in options.items():
        items = values.items() if isinstance(values, dict) else [("", values)]
        for name, value in items:
            shown = value if isinstance(value, str) else json.dumps(value)
            lines.append(Content(_clean(f"{group}.{name}".rstrip(".") + f" = {shown}")[:400]))
    return lines


def _heading(text: str) -> Content:
    return _styled(text, "bold $text-primary")


def _styled(text: str, style: str) -> Content:
    return Content.styled(_clean(text), style)


def _clean(text: str) -> str:
    return screen_text(text, one_line=True)


def _cut(text: str, width: int) -> str:
    return fitted(_clean(text[:2_000]), max(10, width)).rstrip()
