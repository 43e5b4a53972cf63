"""The little root that the sandbox lives in: Python's library, system libraries, five devices."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from . import syscalls
from .syscalls import MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_RDONLY, MS_REC

SCRATCH = Path("/tmp")
DEVICES = tuple(map(Path, ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")))

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo")
# The new root is put together on top of one of these, whichever exists.
_WORKBENCHES = ("/tmp", "/mnt", "/run")


def library_paths() -> list[Path]:
    """What a program may need to import: no home, no /etc, no program; nested ones left out."""
    own = Path(sys.base_prefix, "lib")
    paths = {own, *map(Path, sys.path), *map(Path, _LIBRARIES)}
    kept: list[Path] = []
    for path in sorted(path for path in paths if path.is_dir()):
        if not any(path.is_relative_to(outer) for outer in kept):
            kept.append(path)
    return kept


def build_root(libraries: list[Path]) -> None:
    """Replace the root of this mount namespace by one that holds only `libraries` and devices.

    Needs CAP_SYS_ADMIN over the namespace. The calling process must be the first of its pid
    namespace for /proc to show that one. Raises OSError.
    """
    syscalls.mount("none", "/", None, MS_REC | MS_PRIVATE)
    # Taken before the new root hides what lies under it.
    links = {path: path.readlink() for path in libraries if path.is_symlink()}
    flags = MS_RDONLY | MS_NOSUID
    trees = {path: syscalls.clone_tree(path, flags | MS_NODEV) for path in {*libraries} - {*links}}
    devices = {path: syscalls.clone_tree(path, flags | MS_NOEXEC) for path in DEVICES}
    base = next(path for path in map(Path, _WORKBENCHES) if path.is_dir())
    options = "mode=755,size=1m,nr_inodes=512"
    syscalls.mount("tmpfs", base, "tmpfs", MS_NOSUID | MS_NODEV, options)
    for path, tree in trees.items():
        _below(base, path).mkdir(parents=True, exist_ok=True)
        syscalls.attach_tree(tree, _below(base, path))
    _below(base, Path("/dev")).mkdir()
    for path, tree in devices.items():
        _below(base, path).touch()
        syscalls.attach_tree(tree, _below(base, path))
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        links[Path("/dev", name)] = Path(f"/proc/self/fd/{number}")
    for path, target in links.items():
        _below(base, path).parent.mkdir(parents=True, exist_ok=True)
        _below(base, path).symlink_to(target)
    _add_proc(base)
    _below(base, SCRATCH).mkdir(exist_ok=True)
    os.chdir(base)
    syscalls.pivot_root_here()
    syscalls.make_read_only("/")


def _below(base: Path, path: Path) -> Path:
    return base / path.relative_to("/")


def _add_proc(base: Path) -> None:
    """/proc of the sandbox's own processes, for /dev/stdin alone; no wall depends on it."""
    _below(base, Path("/proc")).mkdir()
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    # Inside some containers the kernel refuses it; then only open("/dev/stdin") is lost.
    with contextlib.suppress(OSError):
        syscalls.mount("proc", base / "proc", "proc", flags, "subset=pid")


def add_scratch(size: int, inodes: int) -> None:
    """An empty writable tmpfs of `size` bytes, the only writable place."""
    options = f"mode=700,size={size},nr_inodes={inodes}"
    syscalls.mount("tmpfs", SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options)


def empty_scratch() -> bool:
    """Remove what an item left there; False when that is not possible."""
    if not os.listdir(SCRATCH):  # noqa: PTH208 - nearly always, and it has to be quick
        return True

    def refuse(error: OSError) -> None:
        raise error

    try:
        for place, directories, files in os.walk(SCRATCH, topdown=False, onerror=refuse):
            for name in files:
                Path(place, name).unlink()
            for name in directories:
                Path(place, name).rmdir()
    except OSError:  # a directory that may not be listed, a path that is too long
        return False
    return True
