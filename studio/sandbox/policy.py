"""What is run, under which limits, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass

# Part of every cached verdict's key: raise it when a limit, a wall or a rule of judging changes.
POLICY_VERSION = "1"

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What the code of one item may use. Sizes are bytes."""

    memory: int = 512 * MEBIBYTE  # address space of its process
    output: int = 1 * MEBIBYTE  # of standard output, and of any one file
    open_files: int = 64
    threads: int = 32
    scratch: int = 8 * MEBIBYTE  # tier A; tier B has no writable place
    scratch_files: int = 512
    value: int = 16 * MEBIBYTE  # JSON of one call's arguments, or of its answer


@dataclass(frozen=True)
class Case:
    """One run of a program: what it reads, what it must print."""

    stdin: str
    stdout: str


@dataclass(frozen=True)
class Task:
    """One item: code, and either tests with the name that they call, or cases.

    `tests` is Python source that calls `entry_point` by its name; it runs in another process than
    the code. `cases` run the code as a program, each in a fresh process. `timeout` is wall-clock
    seconds for the whole item.
    """

    id: str
    code: str
    entry_point: str | None = None
    tests: str | None = None
    cases: tuple[Case, ...] | None = None
    timeout: float = 10.0

    def __post_init__(self) -> None:
        if (self.tests is None) == (self.cases is None):
            raise ValueError(f"task {self.id}: needs either tests or cases")
        if self.tests is not None and not _is_dotted_name(self.entry_point):
            raise ValueError(f"task {self.id}: tests need the name that they call, entry_point")
        if self.cases is not None and not self.cases:
            raise ValueError(f"task {self.id}: there are no cases")
        if not 0 < self.timeout < 86_400:
            raise ValueError(f"task {self.id}: timeout must be seconds, above 0 and under a day")


def _is_dotted_name(name: str | None) -> bool:
    return bool(name) and all(part.isidentifier() for part in str(name).split("."))


@dataclass(frozen=True)
class Result:
    """The verdict of one item.

    `cases_passed` of `cases`: top-level asserts, test functions, or runs of a program. `detail` is
    one short printable line. `seconds` is wall-clock time. `tier` is what held the code: `A`, `B`
    or `unsandboxed`.
    """

    id: str
    verdict: str
    cases_passed: int
    cases: int
    detail: str
    seconds: float
    tier: str
