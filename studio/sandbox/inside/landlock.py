"""Landlock: which files the process may still reach. Kernel 5.13 or newer (ABI 1)."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from . import syscalls

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1

_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE = 1 << 4, 1 << 5
_MAKE_DIR, _MAKE_REGULAR = 1 << 7, 1 << 8
_REFER, _TRUNCATE = 1 << 13, 1 << 14

# Every right that each ABI knows; all are denied unless a rule grants them.
_ALL_RIGHTS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
_READ = _READ_FILE | _READ_DIR
_SCRATCH = (
    _READ
    | _WRITE_FILE
    | _TRUNCATE
    | _REFER
    | _REMOVE_DIR
    | _REMOVE_FILE
    | _MAKE_DIR
    | _MAKE_REGULAR
)
_ALL_TCP = 0b11  # bind and connect, ABI 4
_ALL_SCOPES = 0b11  # abstract unix sockets and signals, ABI 6


class _Ruleset(ctypes.Structure):
    _fields_ = [
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    ]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("rights", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def abi() -> int:
    """The Landlock ABI of this kernel; 0 where there is none."""
    try:
        return syscalls.syscall("landlock", _CREATE_RULESET, None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def restrict(
    version: int, readable: Iterable[Path], scratch: Iterable[Path], devices: Iterable[Path]
) -> None:
    """Leave this process and its children only these paths, for good. Needs no_new_privs.

    Args:
        version: what `abi()` returned.
        readable: directories that may be read; one that is missing is left out.
        scratch: directories in which files may be made, changed and removed.
        devices: device files that may be read and written.

    Raises:
        OSError: the kernel has no Landlock, or refused.
    """
    rights = _ALL_RIGHTS[max(1, min(version, 5))]
    attributes = _Ruleset(
        files=rights,
        network=_ALL_TCP if version >= 4 else 0,
        scopes=_ALL_SCOPES if version >= 6 else 0,
    )
    size = ctypes.sizeof(attributes)
    handle = syscalls.syscall("landlock_create_ruleset", _CREATE_RULESET, attributes, size, 0)
    for path in readable:
        with contextlib.suppress(FileNotFoundError, PermissionError):
            _allow(handle, path, _READ & rights)
    for path in scratch:
        _allow(handle, path, _SCRATCH & rights)
    for path in devices:
        _allow(handle, path, (_READ_FILE | _WRITE_FILE) & rights)
    syscalls.syscall("landlock_restrict_self", _RESTRICT_SELF, handle, 0)
    os.close(handle)


def _allow(rules: int, path: Path, rights: int) -> None:
    parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _PathBeneath(rights=rights, parent=parent)
        syscalls.syscall("landlock_add_rule", _ADD_RULE, rules, _PATH_BENEATH, rule, 0)
    finally:
        os.close(parent)
