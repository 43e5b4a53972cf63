"""Progress of long work on stderr: a bar in a terminal, a line now and then elsewhere.

`$STUDIO_PROGRESS_SECONDS` says how often "now and then" is.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Show = Callable[[float, float, str], None]


@contextmanager
def bar(what: str) -> Iterator[Show]:
    """A function `(done, total, detail)` that keeps the user informed while work goes on."""
    if not sys.stderr.isatty():
        yield _lines(what)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[detail]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task(what, total=None, detail="")

        def show(done: float, total: float, detail: str) -> None:
            progress.update(task, completed=done, total=total or None, detail=detail)

        yield show


def _lines(what: str) -> Show:
    every = float(os.environ.get("STUDIO_PROGRESS_SECONDS") or 10.0)
    last = time.monotonic()

    def show(done: float, total: float, detail: str) -> None:
        nonlocal last
        if time.monotonic() - last >= every:
            last = time.monotonic()
            share = f"{100 * done / total:.0f}% " if total else ""
            print(f"{what}: {share}{detail}", file=sys.stderr, flush=True)

    return show
