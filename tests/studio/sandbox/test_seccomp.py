"""The tables of system call numbers agree with the kernel's own headers, where they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from studio.sandbox.inside import seccomp

HEADERS = {
    1: Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    2: Path("/usr/include/asm-generic/unistd.h"),  # aarch64 uses the generic numbers
}


def header_numbers(path: Path) -> dict[str, int]:
    if not path.exists():
        pytest.skip(f"no kernel headers at {path}")
    pattern = r"#define __NR(?:3264)?_(\w+)\s+(\d+)\s"
    found = {name: int(number) for name, number in re.findall(pattern, path.read_text())}
    return {"newfstatat": found.get("fstatat", -1), **found}


@pytest.mark.parametrize("column", [1, 2])
def test_numbers(column: int) -> None:
    numbers = header_numbers(HEADERS[column])
    ours = {entry.split(":")[0]: entry.split(":")[column] for entry in seccomp._ALLOWED.split()}
    some = {name: pair[column - 1] for name, pair in seccomp._CONDITIONAL.items()}
    ours |= {name: "-" if number is None else str(number) for name, number in some.items()}
    assert len(ours) > 100
    wrong = {name: n for name, n in ours.items() if n != "-" and int(n) != numbers.get(name)}
    assert wrong == {}
    forbidden = {"execve", "socket", "ptrace", "mount", "unshare", "bpf", "chmod", "setuid"}
    assert not forbidden & set(ours)
    assert {"fork", "vfork", "kill", "pidfd_open"} <= set(seccomp._ZYGOTE_ALONE)
