"""Tries to get out of the sandbox. Run behind the walls by `probes`, never imported.

Reads from standard input where to try; prints for each probe "" when every attempt was stopped, or
else the attempts that were not.
"""

import fcntl
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

asked = json.load(sys.stdin)
home, outside, parent = Path(asked["home"]), Path(asked["outside"]), int(asked["parent"])
ends = os.pipe()


def run_a_program() -> None:
    """One that starts takes this process's place: nothing is printed and every probe failed."""
    os.execv("/bin/sh", ["sh", "-c", "exit 3"])


def write_into(place: Path) -> Callable[[], object]:
    """A probe that writes a file there."""
    return lambda: (place / "studio-was-here").write_text("x")


def keep_secrets() -> None:
    """Here it is a failure of the sandbox when the environment holds anything of its owner's."""
    if set(os.environ) <= {"HOME", "TMPDIR", "LANG", "LC_CTYPE", "PYTHONHASHSEED"}:
        raise PermissionError("nothing was inherited")


def import_libraries() -> None:
    """The other way round: this must work. A module the zygote has not loaded, a system library."""
    try:
        import sqlite3  # noqa: F401
        import wave  # noqa: F401
    except ImportError:
        return
    raise PermissionError("nothing is missing")


attempts: dict[str, dict[str, Callable[[], object]]] = {
    "network": {
        "an internet socket was opened": lambda: socket.socket(socket.AF_INET),
        "an internet 6 socket was opened": lambda: socket.socket(socket.AF_INET6),
        "a unix socket was opened": lambda: socket.socket(socket.AF_UNIX),
        "a netlink socket was opened": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    },
    "processes": {"a fork worked": lambda: os.fork() or os._exit(0)},
    "programs": {"a program ran": run_a_program},
    "home": {
        "it was listed": lambda: list(home.iterdir()),
        "a file in it was read": lambda: (home / asked["canary"]).read_text(),
    },
    "files": {"a file outside was read": lambda: (outside / "canary").read_text()},
    "writing": {
        f"a file was made in {place}": write_into(place)
        for place in (outside, home, *map(Path, ("/", "/usr/lib", "/dev", "/etc", "/var/tmp")))
    },
    "truncating": {
        "a file outside was emptied": lambda: os.open(outside / "canary", os.O_RDONLY | os.O_TRUNC),
    },
    "signals": {
        "the parent could be signalled": lambda: os.kill(os.getppid() or parent, 0),
        "the owner could be signalled": lambda: os.kill(parent, 0),
        "a descriptor could signal the owner": lambda: fcntl.fcntl(ends[0], fcntl.F_SETOWN, parent),
    },
    "other processes": {
        "the owner's environment was read": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
        "the parent's environment was read": lambda: Path(
            f"/proc/{os.getppid() or 1}/environ"
        ).read_bytes(),
    },
    "memory": {"twice the limit was allocated": lambda: bytearray(asked["memory"] * 2)},
    "environment": {"a variable of the owner's was inherited": keep_secrets},
    "imports": {"sqlite3 or wave cannot be imported": import_libraries},
}
found = {}
for name, ways in attempts.items():
    worked = []
    for way, attempt in ways.items():
        try:
            attempt()
        except (OSError, MemoryError):
            continue
        worked.append(way)
    found[name] = ", ".join(worked)
print(json.dumps(found))
