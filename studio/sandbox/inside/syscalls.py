"""The Linux calls that Python does not wrap, through ctypes. Each raises OSError with its name."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REC, MS_PRIVATE = 0x4000, 0x40000
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP = 1, 4, 22
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 24, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

# These numbers are the same on every architecture that Linux added after 5.1; pivot_root's is not.
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_AT_FDCWD, _AT_EMPTY_PATH, _AT_RECURSIVE = -100, 0x1000, 0x8000
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC = 1, os.O_CLOEXEC
_MOVE_MOUNT_F_EMPTY_PATH = 4

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

Argument = int | bytes | ctypes.Structure | ctypes.Array[ctypes.c_char] | None


def machine() -> str:
    """The architecture as the kernel names it: `x86_64` or `aarch64` are supported."""
    return os.uname().machine


def syscall(name: str, number: int, *arguments: Argument) -> int:
    """Make one system call; structures and buffers are passed by address. Raises OSError."""
    return _checked(name, _libc.syscall(ctypes.c_long(number), *map(_word, arguments)))


def _word(argument: Argument) -> object:
    if isinstance(argument, int):
        return ctypes.c_long(argument)
    if isinstance(argument, (ctypes.Structure, ctypes.Array)):
        return ctypes.byref(argument)
    return ctypes.c_char_p(argument)


def _checked(name: str, result: int) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def prctl(option: int, *values: int) -> None:
    """prctl(2) with up to four numbers."""
    words = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    _checked(f"prctl({option})", _libc.prctl(ctypes.c_int(option), *words))


def prctl_pointer(option: int, value: int, structure: ctypes.Structure) -> None:
    """prctl(2) whose third argument is the address of a structure."""
    address = ctypes.byref(structure)
    _checked(f"prctl({option})", _libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), address))


def unshare(flags: int) -> None:
    """Leave the namespaces of `flags` for new ones."""
    _checked(f"unshare({flags:#x})", _libc.unshare(ctypes.c_int(flags)))


def mount(source: str, target: str | Path, kind: str | None, flags: int, data: str = "") -> None:
    """mount(2)."""
    words = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    result = _libc.mount(*words, ctypes.c_ulong(flags), os.fsencode(data))
    _checked(f"mount({target})", result)


def unmount(target: str | Path) -> None:
    """Detach the mount at `target` at once; it goes when its last user is gone."""
    _checked(f"umount({target})", _libc.umount2(os.fsencode(target), MNT_DETACH))


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]


def clone_tree(path: Path, flags: int) -> int:
    """A detached copy of the mounts at `path` with MS_* `flags` added; returns its descriptor."""
    how = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | _AT_RECURSIVE
    tree = syscall(f"open_tree({path})", _OPEN_TREE, _AT_FDCWD, os.fsencode(path), how)
    _set_flags(tree, b"", _AT_EMPTY_PATH | _AT_RECURSIVE, flags)
    return tree


def attach_tree(tree: int, target: Path) -> None:
    """Mount what `clone_tree` returned at `target` and close it."""
    where, flags = os.fsencode(target), _MOVE_MOUNT_F_EMPTY_PATH
    syscall(f"move_mount({target})", _MOVE_MOUNT, tree, b"", _AT_FDCWD, where, flags)
    os.close(tree)


def make_read_only(path: str) -> None:
    """Forbid writes through the mount at `path`."""
    _set_flags(_AT_FDCWD, os.fsencode(path), 0, MS_RDONLY)


def _set_flags(directory: int, path: bytes, how: int, flags: int) -> None:
    # MOUNT_ATTR_RDONLY, NOSUID, NODEV and NOEXEC have the values of the MS_* of the same name.
    wanted = _MountAttributes(set=flags)
    size = ctypes.sizeof(wanted)
    syscall("mount_setattr", _MOUNT_SETATTR, directory, path, how, wanted, size)


def pivot_root_here() -> None:
    """Make the working directory the root and let go of the old one."""
    syscall("pivot_root", _PIVOT_ROOT[machine()], b".", b".")
    unmount(".")
    os.chdir("/")


def drop_bounding_set() -> None:
    """No later exec can gain any capability."""
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:
            return  # past the last capability of this kernel


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


def drop_capabilities() -> None:
    """Give up every capability, the ambient ones too."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = _CapabilityHeader(version=0x20080522, pid=0)
    nothing = ctypes.create_string_buffer(24)
    _checked("capset", _libc.capset(ctypes.byref(header), nothing))
