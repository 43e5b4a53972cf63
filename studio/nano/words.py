"""The words that corpus, suite and sample are made of, and the wall between them.

Every task carries one *key*: a path, a phrase, the parts of a function's name, a tuple of numbers.
`reserved` splits all keys that could ever be drawn in two. The corpus, the replay set and the
sample draw open keys, the suite reserved ones, so no suite item can occur in what is trained on.
"""

import random
import zlib
from collections.abc import Callable
from typing import Final, TypeVar

Value = TypeVar("Value")

MODULES: Final = (
    "account", "audit", "badge", "billing", "buffer", "cache", "calendar", "cart", "client",
    "config", "export", "filter", "gateway", "header", "import", "index", "invoice", "ledger",
    "lexer", "login", "mailer", "metric", "order", "parser", "payment", "policy", "profile",
    "queue", "report", "request", "router", "schema", "search", "session", "storage", "stream",
    "ticket", "token", "upload", "user", "vault", "widget", "worker",
)  # fmt: skip
PARTS: Final = (
    "form", "job", "limit", "list", "name", "page", "path", "rate", "service", "size", "state",
    "table", "test", "timeout", "view",
)  # fmt: skip
FOLDERS: Final = ("api", "app", "core", "docs", "jobs", "lib", "src", "tools", "web")
SUFFIXES: Final = ("py", "md", "json", "yaml", "toml", "txt", "css")
PEOPLE: Final = (
    "Ana", "Ben", "Carla", "David", "Emma", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Kira",
    "Liam", "Mona", "Nils", "Olga", "Paul", "Rosa", "Sven", "Tara", "Vera",
)  # fmt: skip
STATES: Final = (
    "is green", "is ready", "is late", "is slow again", "is done", "is blocked", "failed twice",
    "needs a review", "needs more time", "moved to friday", "works now", "has a new owner",
)  # fmt: skip
FAULTS: Final = (
    "crashes on start", "is too slow", "loses data", "shows old data", "returns an error",
    "ignores the filter", "never stops", "fails for large files", "breaks on empty input",
    "runs twice", "leaks memory", "hangs after login",
)  # fmt: skip
VERBS: Final = (
    "check", "clean", "close", "fix", "merge", "move", "open", "read", "review", "send", "split",
    "start", "stop", "test", "update", "write",
)  # fmt: skip
THINGS: Final = (
    "files", "tickets", "tests", "pages", "users", "orders", "reports", "jobs", "tokens", "queues",
)  # fmt: skip


ACTIONS: Final = (
    *VERBS, "add", "archive", "assign", "count", "create", "delete", "find", "label", "list", "run",
    "search", "show", "sort", "tag",
)  # fmt: skip
OBJECTS: Final = (
    *MODULES, *THINGS, "alert", "branch", "bug", "code", "file", "folder", "note", "page", "task",
    "test",
)  # fmt: skip
LABELS: Final = ("api", "beta", "fast", "full", "new", "old", "slow", "smoke", "unit", "web")
LEVELS: Final = ("low", "medium", "high")


def reserved(key: str) -> bool:
    """Whether a key belongs to the suite alone: one in six does, by its checksum.

    "the form is slow" and "form is slow", "tests/a.py" and "a.py" stand on the same side.
    """
    bare = key.removeprefix("the ").removeprefix("tests/")
    return zlib.crc32(bare.encode()) % 6 == 0


def draw(
    rng: random.Random,
    make: Callable[[random.Random], Value],
    key: Callable[[Value], str],
    held_out: bool,
) -> Value:
    """Draw from `make` until the value lies on the wanted side of the wall."""
    while True:
        value = make(rng)
        if reserved(key(value)) == held_out:
            return value


def open_only(make: Callable[[random.Random], str]) -> Callable[[random.Random], str]:
    """A maker of the same texts, without those that belong to the suite."""
    return lambda rng: draw(rng, make, str, held_out=False)


def file_path(rng: random.Random, suffix: str | None = None) -> str:
    """A path of one or two folders and a file, such as `src/router/cache.py`."""
    folders = [rng.choice(FOLDERS)]
    if rng.random() < 0.5:
        folders.append(rng.choice(MODULES))
    stem = rng.choice(MODULES)
    if rng.random() < 0.4:
        stem += "_" + rng.choice(PARTS)
    return "/".join(folders) + f"/{stem}.{suffix or rng.choice(SUFFIXES)}"


def folder_path(rng: random.Random) -> str:
    """A path of two or three folders, such as `web/upload/token`."""
    names = [rng.choice(FOLDERS), *rng.sample(MODULES, rng.choice((1, 2)))]
    return "/".join(names)


def identifier(rng: random.Random) -> str:
    """A name as it stands in code, such as `session_timeout`."""
    return "_".join((*rng.sample(MODULES, rng.choice((1, 2))), rng.choice(PARTS)))


def clock_time(rng: random.Random) -> str:
    """A time of day on a quarter of an hour, such as `14:30`."""
    return f"{rng.randrange(7, 20):02}:{rng.choice(('00', '15', '30', '45'))}"


def news(rng: random.Random) -> str:
    """A short statement about the work, such as `the login page is ready`."""
    return f"the {rng.choice(MODULES)} {rng.choice(PARTS)} {rng.choice(STATES + FAULTS)}"


def chore(rng: random.Random) -> str:
    """Something to do, such as `review the invoice table`."""
    return f"{rng.choice(VERBS)} the {rng.choice(MODULES)} {rng.choice(PARTS)}"


def fault(rng: random.Random) -> str:
    """Something that is broken, such as `upload form loses data`."""
    return f"{rng.choice(MODULES)} {rng.choice(PARTS)} {rng.choice(FAULTS)}"


def topic(rng: random.Random) -> str:
    """What one looks up, such as `session token rate`."""
    return " ".join((*rng.sample(MODULES, 2), rng.choice(PARTS)))
