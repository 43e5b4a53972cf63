"""What can be done with a run on its screen: stop, resume, evaluate, copy, read its log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from db.store import Store
from studio import jobs
from studio.screens import leaving
from studio.screens.confirm import ConfirmScreen
from studio.screens.run_words import ACTIVE, selected

if TYPE_CHECKING:
    from studio.screens.runs import RunsScreen

LOG_BYTES = 5_000_000  # the end of a log that is handed to the pager


def stop(screen: RunsScreen) -> None:
    """Ask whether to stop the run, then ask the run to."""
    run = screen.current
    if run is None:
        screen.say("there is no run to stop")
        return
    if run["state"] not in ACTIVE:
        screen.say(f"run {run['id']} is {run['state']}: there is nothing to stop")
        return

    def do(store: Store) -> str:
        from studio.training import runs

        runs.stop(store, run["id"], wait_seconds=0)  # the screen sees when it has stopped
        return ""

    question = (
        f"Stop run {run['id']} ({run['dataset']}, {run['recipe']}) at step {run['step']:,}?\n\n"
        "It saves a checkpoint first; R goes on from there."
    )

    def answered(yes: bool | None) -> None:
        if yes:
            screen.say(f"run {run['id']} is asked to stop; it saves a checkpoint first")
            screen.do(do)

    screen.app.push_screen(ConfirmScreen(screen.commands, question), answered)


def resume(screen: RunsScreen) -> None:
    """Go on with the run from its last checkpoint."""
    run = screen.current
    if run is None:
        screen.say("there is no run to resume")
        return

    def do(store: Store) -> str:
        from studio.training import runs

        runs.resume(store, run["id"])
        return f"run {run['id']} goes on · S stops it"

    screen.do(do)


def ask_suite(screen: RunsScreen) -> None:
    """Ask for a suite to evaluate the selected checkpoint and its base on."""
    run = screen.current
    checkpoint = selected(run) if run else None
    if run is None or checkpoint is None:
        screen.say("there is no checkpoint to evaluate yet")
        return
    before = screen.known.job.suite if screen.known and screen.known.job else "nano"
    hint = f"for run {run['id']} at step {checkpoint['step']:,} and its base; nano or a JSONL file"
    screen.prompt.ask("suite", before, hint=hint, check=_check_suite, suggested=True)


def _check_suite(text: str) -> None:
    from studio.evals.known_suites import check_suite

    if text.strip():  # an empty line evaluates nothing
        check_suite(text.strip())


def evaluate(screen: RunsScreen, run: dict[str, Any], suite: str) -> None:
    """Start the evaluation in a process of its own."""

    def do(store: Store) -> str:
        from studio.evals.evaluation_job import start_evaluation

        job = start_evaluation(store, run, suite)
        return f"{job.arm} and its base are being evaluated on {suite}, also when you leave"

    screen.do(do)


def copy(screen: RunsScreen) -> None:
    """Copy the path of the selected checkpoint."""
    checkpoint = selected(screen.current) if screen.current else None
    if checkpoint is None:
        screen.say("there is no checkpoint yet")
        return
    screen.app.copy_to_clipboard(checkpoint["path"])
    screen.say(f"copied (OSC 52): {checkpoint['path']}")


def log(screen: RunsScreen) -> None:
    """Read the run's log in $PAGER."""
    run = screen.current
    text = jobs.last_text(Path(run["folder"]) / "log.txt", LOG_BYTES) if run else ""
    if text:
        leaving.lend(screen, text)
    else:
        screen.say("there is no log yet")
