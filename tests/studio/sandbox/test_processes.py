"""Whatever happens to the program that runs the sandbox, no process of the sandbox stays."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from studio.sandbox import Task, probe, run_tasks

ROOT = Path(__file__).parents[3]
PATIENCE = 120.0  # seconds: a busy machine makes processes slow, and none of them right or wrong
STUCK = """
import sys
sys.path.insert(0, {root!r})
from studio.sandbox import Task, run_tasks
code = 'import time\\ndef f(x):\\n    while True: time.sleep(1)'
first = Task('first', 'def f(x): return x', 'f', 'assert f(1) == 1')
stuck = [Task(str(n), code, 'f', 'assert f(1) == 1', timeout=600) for n in range(4)]
for result in run_tasks([first, *stuck], workers=2, unsandboxed={unsandboxed}):
    print(result.verdict, flush=True)
"""


def needs_a_sandbox() -> None:
    if probe().tier == "C":
        pytest.skip(probe().explanation())


def start_stuck(unsandboxed: bool = False) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """A program whose lanes are busy for ten minutes, and all processes that it started."""
    if not unsandboxed:
        needs_a_sandbox()
    script = STUCK.format(root=str(ROOT), unsandboxed=unsandboxed)
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline().strip() == "passed"
    wanted = 8 if unsandboxed or probe().tier == "B" else 12
    end = time.monotonic() + PATIENCE
    while True:  # until both lanes have a code process and a tests process
        children = psutil.Process(owner.pid).children(recursive=True)
        if len(children) >= wanted:
            return owner, children
        assert time.monotonic() < end, f"the lanes did not start: {children}"
        time.sleep(0.05)


def all_end(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE)
    return not alive


@pytest.mark.parametrize("unsandboxed", [False, True])
def test_kill_minus_9_of_the_owner(unsandboxed: bool) -> None:
    owner, children = start_stuck(unsandboxed)
    owner.kill()
    owner.wait()
    assert all_end(children)


def test_control_c() -> None:
    owner, children = start_stuck()
    owner.send_signal(signal.SIGINT)
    assert owner.wait(timeout=PATIENCE) != 0
    assert all_end(children)


def test_a_reader_who_has_seen_enough() -> None:
    needs_a_sandbox()
    before = set(psutil.Process().children(recursive=True))
    loop = "def f(x):\n    while x: pass"
    tasks = [Task("a", "def f(x): return x", "f", "assert f(1) == 1")]
    tasks += [Task(str(n), loop, "f", "assert f(1)", timeout=600) for n in range(9)]
    results = run_tasks(iter(tasks), workers=2)
    assert next(results).verdict == "passed"
    started = set(psutil.Process().children(recursive=True)) - before
    results.close()  # type: ignore[attr-defined]
    assert started
    assert all_end(list(started))


def test_an_error_in_the_source_of_tasks_is_the_callers() -> None:
    needs_a_sandbox()

    def tasks() -> object:
        yield Task("a", "def f(x): return x", "f", "assert f(1) == 1")
        raise OSError("the disk is gone")

    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(OSError, match="the disk is gone"):
        list(run_tasks(tasks()))  # type: ignore[arg-type]
    assert set(psutil.Process().children(recursive=True)) <= before


def test_every_task_gets_a_result_over_several_lanes() -> None:
    needs_a_sandbox()
    tasks = [
        Task(str(n), f"def f(x): return x + {n % 2}", "f", "assert f(1) == 1") for n in range(60)
    ]
    results = {result.id: result.verdict for result in run_tasks(iter(tasks), workers=3)}
    assert results == {str(n): ("wrong_answer" if n % 2 else "passed") for n in range(60)}
    assert list(run_tasks([])) == []
