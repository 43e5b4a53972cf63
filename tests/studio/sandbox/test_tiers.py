"""What holds where: the best tier here, the second without namespaces, the refusal below that.

Where the tests run as root, the sandbox is tried as an ordinary user too, and the other way round
nothing is lost: an ordinary user's run is the ordinary one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.sandbox import probe
from tests.studio.sandbox.attacks import ATTACKS

ROOT = Path(__file__).parents[3]
NOBODY = 65_534
UNSHARE = {"x86_64": 272, "aarch64": 97}
LANDLOCK = 444

# Denies system calls as an older or a locked-down kernel would, then runs the attacks.
SCRIPT = """
import ctypes, json, os, platform, struct, sys, tempfile
sys.path.insert(0, sys.argv[1])
denied = json.loads(sys.argv[2])
if denied:
    steps = [(0x20, 0, 0, 0)]
    for number in denied:
        steps += [(0x15, 0, 1, number), (6, 0, 0, 0x50001)]
    code = b"".join(struct.pack("=HBBI", *step) for step in [*steps, (6, 0, 0, 0x7FFF0000)])
    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]
    libc = ctypes.CDLL(None)
    if os.geteuid():
        libc.prctl(38, 1, 0, 0, 0)
    assert libc.prctl(22, 2, ctypes.byref(Program(len(code) // 8, code))) == 0
from studio.sandbox import SandboxUnavailable, Task, probe, run_tasks
from attacks import ATTACKS
report = probe()
answer = {"tier": report.tier, "refused": report.refused, "uid": os.getuid()}
answer["probes"] = {found.name: found.held for found in report.probes}
if report.tier == "C":
    try:
        list(run_tasks([Task("a", "x", "f", "assert f(1)")]))
    except SandboxUnavailable as error:
        answer["error"] = str(error)
elif sys.argv[3] == "attack":
    place = tempfile.mkdtemp()
    outside = os.path.join(place, "canary")
    open(outside, "w").write("a canary")
    where = {"outside": outside, "home": outside, "parent": os.getpid()}
    tasks = [
        Task(a.name, a.code.format(**where), a.entry_point, a.tests, timeout=a.timeout)
        for a in ATTACKS
    ]
    answer["verdicts"] = {result.id: result.verdict for result in run_tasks(tasks)}
    good = Task("good", "def f(x): return x + 1", "f", "assert f(2) == 3")
    answer["good"] = next(run_tasks([good])).verdict
    answer["left"] = os.listdir(place)
print(json.dumps(answer))
"""


@pytest.fixture(scope="module")
def copy() -> Iterator[Path]:
    """The package where everybody may read it: a checkout may lie in a private directory."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        shutil.copytree(ROOT / "studio" / "sandbox", place / "studio" / "sandbox")
        (place / "db").mkdir()
        for name in ("db/__init__.py", "db/errors.py", "studio/interruptible.py"):
            shutil.copy(ROOT / name, place / name)
        shutil.copy(Path(__file__).with_name("attacks.py"), place)
        for path in (place, *place.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield place


def interpreter_for(user: int) -> str:
    """A Python 3.11 that this user may run; root's own may lie in its private directory."""
    for path in (sys._base_executable, "/usr/bin/python3.11", "/usr/local/bin/python3.11"):  # type: ignore[attr-defined]
        command = [path, "-c", "import sqlite3, sys; assert sys.version_info[:2] == (3, 11)"]
        try:
            run = subprocess.run(
                command, user=user, group=user, extra_groups=[], cwd="/", capture_output=True
            )
        except OSError:
            continue
        if run.returncode == 0:
            return str(path)
    pytest.skip(f"no Python 3.11 here that user {user} may run")


def try_as(user: int, copy: Path, denied: list[int], action: str = "attack") -> dict[str, Any]:
    if os.getuid() != 0 and user != os.getuid():
        pytest.skip("only root can become another user")
    as_other: dict[str, Any] = {}
    interpreter = sys.executable
    if user != os.getuid():
        interpreter = interpreter_for(user)
        as_other = {"user": user, "group": user, "extra_groups": []}
    run = subprocess.run(
        [interpreter, "-B", "-c", SCRIPT, str(copy), json.dumps(denied), action],
        cwd="/",
        capture_output=True,
        text=True,
        **as_other,
    )
    assert run.returncode == 0, run.stderr
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


def no_attack_worked(answer: dict[str, Any]) -> bool:
    allowed = {attack.name: attack.verdicts for attack in ATTACKS}
    wrong = {name: v for name, v in answer["verdicts"].items() if v not in allowed[name]}
    assert wrong == {}
    assert answer["left"] == ["canary"]
    assert answer["good"] == "passed"
    return True


def test_the_probes_name_what_was_tried() -> None:
    report = probe()
    assert probe() is report
    if report.tier == "C":
        pytest.skip(report.explanation())
    names = {found.name for found in report.probes}
    assert {"network", "processes", "home", "files", "writing", "signals", "memory"} <= names
    assert all(found.held and not found.remedy for found in report.probes)


def test_an_ordinary_user_is_held_too(copy: Path) -> None:
    answer = try_as(NOBODY if os.getuid() == 0 else os.getuid(), copy, [])
    if answer["tier"] == "C":
        pytest.skip(str(answer["error"]))
    assert no_attack_worked(answer)


def test_without_namespaces_the_second_tier_holds_alone(copy: Path) -> None:
    user = NOBODY if os.getuid() == 0 else os.getuid()
    answer = try_as(user, copy, [UNSHARE[os.uname().machine]])
    if answer["tier"] == "C":
        pytest.skip(str(answer["error"]))
    assert answer["tier"] == "B"
    assert "unshare" in answer["refused"]["A"]
    assert no_attack_worked(answer)


def test_root_without_namespaces_becomes_an_ordinary_user(copy: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("this is about root")
    answer = try_as(0, copy, [UNSHARE[os.uname().machine]])
    if answer["tier"] == "C":  # root's Python lies where only root can read it
        assert "imports" in answer["error"]
        assert "readable by an unprivileged user" in answer["error"]
    else:
        assert no_attack_worked(answer)


def test_without_landlock_nothing_is_run(copy: Path) -> None:
    answer = try_as(os.getuid(), copy, [LANDLOCK])
    assert answer["tier"] == "C"
    assert "landlock" in answer["error"]
    assert "Linux 5.13" in answer["error"]
