"""The process that waits inside of the walls and forks one child for every item.

It never sees code, tests or answers: it is handed open files, gives them to a fresh child, ends
the child at its deadline and says how it ended. The files of a request are, in this order: the
source, standard input, output and errors, the report, and for two of three roles the link between
the code and its tests.
"""

from __future__ import annotations

import _sitebuiltins
import builtins
import contextlib
import fcntl
import gc
import importlib
import json
import math
import os
import random
import select
import signal
import socket
import sys
from collections.abc import Callable
from typing import NoReturn

from . import isolation, mounts, wire

# What programs import most, so that a fork has it for nothing; and what the tests' process needs.
# Every module more makes every fork and every exit a little slower.
_FOR_CODE = (
    "bisect", "collections", "copy", "functools", "heapq", "itertools", "json", "math", "operator",
    "random", "re", "string", "typing",
)  # fmt: skip
_FOR_TESTS = ("copy", "math", "random", "unittest")

_SIGKILL = int(signal.SIGKILL)
_LINK, _REPORT, _LOWEST_FREE, _ASIDE = 3, 4, 5, 32

Run = Callable[[str, bytes, int, int, int], NoReturn]  # source, role, link, report, largest


def main(control_number: int, tier: str, side: str, limits: isolation.Limits) -> None:
    """Serve requests on the control socket until its other end closes.

    `side` says what is preloaded: for the `code` or for the `tests`.
    """
    isolation.end_with_parent()
    control = socket.socket(fileno=os.dup(control_number))  # as low a number as there is
    os.close(control_number)
    run = _load(side)
    os.environ.clear()
    os.environ |= {"HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8"}
    try:
        walls = isolation.enter(tier, limits)
    except OSError as error:
        control.send(wire.REFUSED + (error.strerror or str(error)).encode())
        return
    with contextlib.suppress(OSError):
        os.chdir(mounts.SCRATCH)
    for name in [name for name in sys.modules if name.split(".")[0] == "inside"]:
        del sys.modules[name]
    gc.collect()
    gc.freeze()  # children share what is here instead of copying it at their first collection
    control.send(wire.READY)
    while True:
        role, seconds, files = wire.receive(control)
        if not role:
            return
        if role != wire.STOP:  # a stop may come after the end that made it needless
            control.send(_run_item(role, seconds, files, control, walls, run))


def _load(side: str) -> Run:
    for name in _FOR_CODE if side == "code" else _FOR_TESTS:
        importlib.import_module(name)
    random.seed(0)  # children all start from the same state
    sys.orig_argv = [sys.executable]
    for name in ("exit", "quit"):  # without `site` they are missing, and programs use them
        setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D"))
    if side == "code":
        from . import candidate

        return candidate.run
    from . import oracle

    return oracle.run


def _run_item(
    role: bytes,
    seconds: float,
    files: list[int],
    control: socket.socket,
    walls: isolation.Walls,
    run: Run,
) -> bytes:
    """Give the files to a new child and wait for its end."""
    try:
        pid = os.fork()
    except OSError as error:
        return wire.BROKEN + str(error).encode()
    if pid == 0:
        _child(role, seconds, files, walls, run)
    for number in files:
        os.close(number)
    how = _watch(pid, control, seconds)
    if how != wire.ENDED:
        os.kill(pid, _SIGKILL)
    _, status = os.waitpid(pid, 0)
    if walls.tier == "A":
        _sweep()
        return wire.reply(how, status, not mounts.empty_scratch())
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, _SIGKILL)  # its session; behind walls there is nothing left in it
    return wire.reply(how, status, False)


def _watch(pid: int, control: socket.socket, seconds: float) -> bytes:
    """Wait for the end of the child, its deadline or a request to stop it."""
    child = os.pidfd_open(pid)
    poller = select.poll()
    poller.register(child, select.POLLIN)
    poller.register(control, select.POLLIN)
    ready = [number for number, _ in poller.poll(seconds * 1000)]
    os.close(child)
    if child in ready:
        return wire.ENDED
    if not ready:
        return wire.TIMED_OUT
    role, _, _ = wire.receive(control)
    if not role:  # our owner is gone
        os.kill(pid, _SIGKILL)
        os._exit(0)
    return wire.STOPPED


def _sweep() -> None:
    """End everything else in this pid namespace: whatever a child may have left behind."""
    if os.getpid() != 1:
        raise RuntimeError("not the first process of a namespace")
    try:
        os.kill(-1, _SIGKILL)
        while True:
            os.waitpid(-1, 0)
    except (ProcessLookupError, ChildProcessError):
        return


def _child(
    role: bytes, seconds: float, files: list[int], walls: isolation.Walls, run: Run
) -> NoReturn:
    """Become the item's process. Whatever happens, it ends here."""
    try:
        source = _read(files[0])
        _place(files[1:])
        try:
            isolation.confine(walls, math.ceil(seconds) + 1)
        except (OSError, ValueError) as error:
            os.write(_REPORT, json.dumps({"broken": str(error)}).encode("ascii"))
            os._exit(1)
        run(source, role, _LINK, _REPORT, walls.largest)
    finally:
        os._exit(1)


def _read(number: int) -> str:
    data = os.read(number, os.fstat(number).st_size)  # it lies in memory: one read is enough
    os.close(number)
    return data.decode("utf-8", "surrogatepass")


def _place(files: list[int]) -> None:
    """Standard streams at 0 to 2, the link at 3, the report at 4, nothing else open."""
    order = (0, 1, 2, _REPORT, _LINK)
    high = [fcntl.fcntl(number, fcntl.F_DUPFD, _ASIDE) for number in files]
    for number, place in zip(high, order, strict=False):
        os.dup2(number, place, inheritable=False)
    if len(files) < len(order):
        os.closerange(_LINK, _LINK + 1)
    os.closerange(_LOWEST_FREE, 4096)
