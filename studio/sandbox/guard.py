"""A zygote process as its owner sees it: start it, hand it an item's files, learn how it ended."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import SandboxUnavailable
from .inside import wire

_HERE = Path(__file__).parent
# The modules of `inside` are imported before the walls go up; the path to them is then forgotten.
_START = """
import os, sys
# What threading and random would do after every fork has no use in the child of a process with
# one thread, and takes longer than the fork.
os.register_at_fork = lambda **_: None
sys.path.insert(0, {here!r})
from inside.zygote import main
del sys.path[0]
main({control}, {tier!r}, {side!r}, {limits!r})
"""
_START_SECONDS = 60.0  # a cold disk, a machine under load
_GRACE_SECONDS = 5.0  # over an item's deadline, before the zygote itself is given up


class Broken(Exception):
    """The zygote ended or does not answer."""


@dataclass(frozen=True)
class Exit:
    """How an item's process ended.

    `cause` is `timeout` or `stopped` when it was ended from outside. `signal` is 0 for a process
    that exited, with `status`.
    """

    cause: str
    status: int
    signal: int
    broken: str = ""


class Guard:
    """One zygote, for the `side` of the code or of the tests. Not for several threads at once.

    Raises:
        SandboxUnavailable: a wall of this tier cannot be put up here.
        Broken: the process did not start.
    """

    def __init__(self, tier: str, side: str, limits: dict[str, int]) -> None:
        self.spent = False  # it can take no other item
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._poller = select.poll()
        self._poller.register(self._control, select.POLLIN)
        script = _START.format(
            here=str(_HERE), control=theirs.fileno(), tier=tier, side=side, limits=limits
        )
        interpreter = getattr(sys, "_base_executable", None) or sys.executable
        self._process = subprocess.Popen(
            # As -I, but for the hash seed; the environment is empty anyway.
            [interpreter, "-s", "-S", "-P", "-X", "utf8", "-c", script],
            env={"PYTHONHASHSEED": "0"},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,  # a Ctrl-C is for us; we end it ourselves
        )
        theirs.close()
        try:
            hello = self._receive(_START_SECONDS)
        except BaseException:
            self.close()
            raise
        if hello.startswith(wire.REFUSED):
            self.close()
            raise SandboxUnavailable(hello[1:].decode("utf-8", "replace"))

    def submit(self, role: bytes, files: Sequence[int], seconds: float) -> None:
        """Start an item's process with these open files; they may be closed afterwards.

        It is ended after `seconds`. For the files see inside/zygote.py, for the roles
        inside/wire.py.
        """
        try:
            socket.send_fds(self._control, [wire.request(role, seconds)], list(files))
        except OSError as error:
            raise Broken(f"the sandbox process ended: {error.strerror}") from None

    def stop(self) -> None:
        """End the item's process now, if it still runs."""
        try:
            self._control.send(wire.STOP)
        except OSError as error:
            raise Broken(f"the sandbox process ended: {error.strerror}") from None

    def wait(self, seconds: float) -> Exit:
        """How the item's process ended; it has `seconds` left before its deadline."""
        reply = self._receive(seconds + _GRACE_SECONDS)
        if reply.startswith(wire.BROKEN):
            return Exit("", 0, 0, reply[1:].decode("utf-8", "replace"))
        how, status, self.spent = wire.read_reply(reply)
        cause = {wire.TIMED_OUT: "timeout", wire.STOPPED: "stopped"}.get(how, "")
        if os.WIFSIGNALED(status):
            return Exit(cause, 0, os.WTERMSIG(status))
        return Exit(cause, os.WEXITSTATUS(status), 0)

    def kill(self) -> None:
        """From any thread: end the zygote without waiting; whoever waits for it gets Broken."""
        self._process.kill()

    def close(self) -> None:
        """End the zygote and everything that it started."""
        self._control.close()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()  # what it started ends with it: parent-death signals, namespace
            self._process.wait()

    def _receive(self, seconds: float) -> bytes:
        if not self._poller.poll(seconds * 1000):
            raise Broken(f"the sandbox process does not answer for {seconds:.0f} s")
        data = self._control.recv(1 << 16)
        if not data:
            raise Broken("the sandbox process ended")
        return data
