"""The walls around hostile code, in the order in which they go up.

A zygote puts itself behind nearly all of them, once (`enter`): namespaces and a root of its own in
tier A, an unprivileged uid where it was started by root, no capability, no new privileges,
Landlock, seccomp. Its children inherit them; each adds its own limits and loses the few rights
that only a zygote needs (`confine`). A wall that cannot be put up is an OSError; nothing is left
out silently.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
from pathlib import Path
from typing import NamedTuple, TypedDict

from . import landlock, mounts, seccomp, syscalls
from .syscalls import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
)

# High enough to belong to nobody; 65534 where a container maps only the usual 65,536.
_SPARE_UIDS = (1_879_048_192, 65_534)

_OWN_PROCESSES = 3  # the zygote, the one that waits for it, the child
_DEEP_STACK = 64 << 20  # of the main thread; it counts as memory only once it is used
# Landlock knows truncation from ABI 3 on; without mount namespaces nothing else would stop it.
_LANDLOCK_NEEDED = {"A": 1, "B": 3}


class Limits(TypedDict):
    """What one process may use; sizes in bytes."""

    memory: int
    file_size: int
    open_files: int
    threads: int
    largest: int  # message between the code and its tests
    scratch: int  # in tier A, where there is a writable directory
    scratch_files: int


class Walls(NamedTuple):
    """What `enter` put up, for `confine`."""

    tier: str
    largest: int  # message between the code and its tests, in bytes
    last_filter: seccomp.Filter | None  # for the child; the zygote needs what it takes away


def enter(tier: str, limits: Limits) -> Walls:
    """Put this process behind the walls, under limits that its children inherit.

    In tier A it forks: the caller goes on as the first process of a new pid namespace, and the
    original one only waits for it.

    Args:
        tier: `A`, `B` or `unsandboxed`.
        limits: of each process.

    Raises:
        OSError: a wall of this tier cannot be put up here; the text names it.
    """
    if tier == "unsandboxed":
        _set_limits(limits, _threads_of(os.getuid()))
        return Walls(tier, limits["largest"], None)
    abi, libraries = landlock.abi(), mounts.library_paths()
    if not seccomp.supported():
        raise OSError(f"seccomp: no table of system calls for {syscalls.machine()}")
    if abi < _LANDLOCK_NEEDED[tier]:
        raise OSError(f"landlock: ABI {_LANDLOCK_NEEDED[tier]} needed, this kernel has {abi}")
    others, scratch = 0, [mounts.SCRATCH]
    if tier == "A":
        _enter_namespaces(libraries)
        mounts.add_scratch(limits["scratch"], limits["scratch_files"])
    else:
        if os.geteuid() == 0:
            _become_nobody(os.getpid())
        others, scratch = _threads_of(os.getuid()), []
    _set_limits(limits, others)
    syscalls.drop_capabilities()
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)  # nobody opens its memory under /proc
    end_with_parent()  # again: a change of rights has undone it
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    landlock.restrict(abi, libraries, scratch, mounts.DEVICES)
    seccomp.install(seccomp.zygote_filter())
    return Walls(tier, limits["largest"], seccomp.child_filter())


def end_with_parent() -> None:
    """Let the kernel end this process when the thread that started it ends, by kill -9 too."""
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)


def _enter_namespaces(libraries: list[Path]) -> None:
    root, number = os.geteuid() == 0, os.getpid()
    spaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID
    if root:
        syscalls.unshare(spaces)
    else:
        _new_user_namespace(spaces, os.open("/proc/self", os.O_PATH))
    _go_on_in_child()
    socket.sethostname("sandbox")
    own = os.open("/proc/self", os.O_PATH)  # the new root has no /proc to write the id maps in
    mounts.build_root(libraries)
    if root:
        # The mounts were root's; what follows is not. A user namespace of its own gives this
        # process back the right to mount the scratch directory, until that is done.
        _become_nobody(number)
        _new_user_namespace(CLONE_NEWNS, own)
    syscalls.drop_bounding_set()


def _new_user_namespace(spaces: int, process: int) -> None:
    """Leave the user namespace and `spaces`; this uid and gid exist in it as themselves.

    `process` is a descriptor of this process's own directory under /proc.
    """
    uid, gid = os.getuid(), os.getgid()
    syscalls.unshare(CLONE_NEWUSER | spaces)
    maps = {"setgroups": "deny", "uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}
    for name, text in maps.items():
        handle = os.open(name, os.O_WRONLY, dir_fd=process)
        os.write(handle, text.encode())
        os.close(handle)


def _go_on_in_child() -> None:
    child = os.fork()
    if child == 0:
        return
    os.closerange(0, 64)  # the control socket belongs to the child alone
    end_with_parent()
    os.waitpid(child, 0)
    os._exit(0)


def _become_nobody(number: int) -> None:
    os.setgroups([])
    for uid in (_SPARE_UIDS[0] + number, _SPARE_UIDS[1]):
        try:
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        except OSError:
            continue
        # A change of uid hides /proc/self from its own process; the id maps are written there.
        syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)
        return
    raise OSError("setresuid: root cannot drop to an unprivileged user here")


def _threads_of(uid: int) -> int:
    """How many threads this user runs on the machine."""
    count = 0
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it may end while we look
            if entry.stat().st_uid == uid:
                count += len(list((entry / "task").iterdir()))
    return count


def _set_limits(limits: Limits, others: int) -> None:
    """RLIMIT_NPROC counts the `others`, threads of this uid outside of the sandbox, in tier B."""
    _limit(resource.RLIMIT_AS, limits["memory"])
    _limit(resource.RLIMIT_FSIZE, limits["file_size"])
    _limit(resource.RLIMIT_NOFILE, limits["open_files"])
    _limit(resource.RLIMIT_NPROC, limits["threads"] + _OWN_PROCESSES + others)
    _limit(resource.RLIMIT_STACK, _DEEP_STACK, resource.RLIM_INFINITY)  # programs may raise it
    _limit(resource.RLIMIT_CORE, 0)
    # Python ignores it; it shall end a process that writes more than it may.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)


def confine(walls: Walls, cpu_seconds: int) -> None:
    """Put up the last walls of a child that is about to run hostile code. Raises OSError.

    SIGXCPU after `cpu_seconds` tells a used-up processor from other deaths.
    """
    os.setsid()
    _limit(resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1)
    end_with_parent()
    if walls.last_filter is not None:
        seccomp.install(walls.last_filter)


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    try:
        resource.setrlimit(kind, (soft, soft if hard is None else hard))
    except ValueError:  # the owner of the sandbox is itself limited to less
        least = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (min(soft, least), least))
