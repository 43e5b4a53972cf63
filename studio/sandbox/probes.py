"""Which tier holds here: a hostile program is run behind the walls and tells how far it came.

Tier A has every wall; tier B does without namespaces (Landlock, seccomp and limits hold alone);
tier C is the refusal. Nothing is taken for granted from a kernel's version: each probe does the
thing that must not work.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import SandboxUnavailable
from .guard import Broken
from .lane import Lane
from .policy import Limits

_CANARY = "a canary of adapter studio\n"
_LEFT = "studio-was-here"  # what hostile_probes.py tries to write
_SECONDS = 20.0
_PROGRAM = Path(__file__).with_name("hostile_probes.py")

_REMEDIES = {
    "walls": "Linux 5.13 or newer with Landlock (boot option lsm=landlock,…) on x86-64 or aarch64; "
    "tier A also needs user namespaces (sysctl user.max_user_namespaces, "
    "kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)",
    "imports": "Python's library must be readable by an unprivileged user: install Python outside "
    "of /root, or do not run as root",
}
_REMEDY = "the wall that should stop this does not hold: do not run hostile code here; report it"


@dataclass(frozen=True)
class Probe:
    """One attempt to get out, and how it ended. `remedy` is empty when it held."""

    name: str
    held: bool
    detail: str
    remedy: str


@dataclass(frozen=True)
class ProbeReport:
    """What was found here. `tier` is `A`, `B` or `C`; `refused` says why a better one is not."""

    tier: str
    probes: tuple[Probe, ...]
    refused: dict[str, str]

    def explanation(self) -> str:
        """Why this machine cannot hold hostile code, and what to do about it."""
        lines = [f"tier {tier}: {why}" for tier, why in self.refused.items()]
        lines += [f"{p.name}: {p.detail}; {p.remedy}" for p in self.probes if not p.held]
        return "hostile code cannot be held here. " + ". ".join(lines)


@functools.cache
def probe() -> ProbeReport:
    """Try the tiers, best first; the answer is kept for the life of this process."""
    refused: dict[str, str] = {}
    probes: tuple[Probe, ...] = ()
    for tier in ("A", "B"):
        try:
            probes = _try_tier(tier)
        except SandboxUnavailable as error:
            refused[tier] = str(error)
            continue
        if all(found.held for found in probes):
            return ProbeReport(tier, probes, refused)
        refused[tier] = ", ".join(found.name for found in probes if not found.held) + " failed"
    if not probes:
        probes = (Probe("walls", False, "no tier could be started", _REMEDIES["walls"]),)
    return ProbeReport("C", probes, refused)


def _try_tier(tier: str) -> tuple[Probe, ...]:
    """What the hostile program achieved in this tier. Raises SandboxUnavailable."""
    limits, code = Limits(), _PROGRAM.read_text("utf-8")
    with _places() as places, contextlib.closing(Lane(tier, limits)) as lane:
        question = json.dumps({**places, "memory": limits.memory, "parent": os.getpid()})
        try:
            ran = lane.run_program(code, question, _SECONDS)
        except Broken as error:
            raise SandboxUnavailable(str(error)) from None
        touched = _touched(places)
    if ran.ended.broken or ran.report:
        raise SandboxUnavailable(ran.ended.broken or ran.report.decode("utf-8", "replace"))
    try:
        found: dict[str, str] = json.loads(ran.output)
    except ValueError:
        how = f"status {ran.ended.status}, signal {ran.ended.signal} {ran.ended.cause}"
        found = {"programs": f"the probes did not come to an end: {how}"}
    if touched:
        found["writing"] = touched
    return tuple(
        Probe(name, not said, said or "held", _REMEDIES.get(name, _REMEDY) if said else "")
        for name, said in found.items()
    )


@contextlib.contextmanager
def _places() -> Iterator[dict[str, str]]:
    """A file in the home directory and one outside, both open to everyone: only walls help."""
    with contextlib.ExitStack() as stack:
        outside = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        outside.chmod(0o777)
        home = _home()
        places = {"outside": str(outside), "home": str(home), "canary": "no canary"}
        _plant(outside / "canary")
        with contextlib.suppress(OSError):  # a user without a home, or with a read-only one
            handle = stack.enter_context(tempfile.NamedTemporaryFile(dir=home, prefix=".studio-"))
            _plant(Path(handle.name))
            places["canary"] = Path(handle.name).name
        yield places


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a user id without a home
        return Path("/nonexistent")


def _plant(path: Path) -> None:
    path.write_text(_CANARY, "utf-8")
    path.chmod(0o666)


def _touched(places: dict[str, str]) -> str:
    """What the program changed outside, as seen from outside."""
    outside, home = Path(places["outside"]), Path(places["home"])
    if (outside / "canary").read_text("utf-8") != _CANARY:
        return "changed a file outside"
    for path in (outside / _LEFT, home / _LEFT):
        with contextlib.suppress(PermissionError):  # what we may not see, it may not either
            if path.exists():
                return f"left {path} behind"
    return ""
