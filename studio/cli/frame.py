"""What all commands share: `--store`, `--json`, `--debug`, answers, tables and progress."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from db.store import Store, open_store
from studio.screen_text import screen_text

WIDEST = 40  # characters that a column may claim before the last one gives way

F = TypeVar("F", bound=Callable[..., Any])


def output_options(command: F) -> F:
    """Add `--json` to a command, and `--debug`, which only `studio.__main__` reads."""
    command = click.option(
        "--debug", is_flag=True, expose_value=False, help="Show where an error comes from."
    )(command)
    return click.option(
        "--json", "as_json", is_flag=True, help="Answer with one JSON document on stdout."
    )(command)


def store_options(command: F) -> F:
    """Add `--store`, `--json` and `--debug` to a command."""
    return click.option(
        "--store",
        "location",
        default=lambda: os.environ.get("STUDIO_STORE") or "./studio.db",
        show_default="$STUDIO_STORE, else ./studio.db",
        help="The store: a path, or sqlite:///PATH.",
    )(output_options(command))


@contextmanager
def opened(location: str, *, create: bool = False) -> Iterator[Store]:
    """The store of a command, closed at its end."""
    store = open_store(location, create=create, tell=note)
    try:
        yield store
    finally:
        store.close()


def answer(value: object, as_json: bool, human: Callable[[], None]) -> None:
    """Print the answer: one JSON document, or what a person reads."""
    if as_json:
        click.echo(json.dumps(value, ensure_ascii=False, allow_nan=False))
    else:
        human()


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], *, right: str = "") -> None:
    """Print rows under headers; where the terminal is narrow the last column is cut.

    `right` names the right-aligned headers.
    """
    from rich.cells import cell_len, set_cell_size

    cells = [[screen_text(_cell(value), one_line=True) for value in row] for row in rows]
    natural = [max(map(cell_len, column)) for column in zip(headers, *cells, strict=True)]
    widths = [min(WIDEST, width) for width in natural[:-1]]
    columns = shutil.get_terminal_size((160, 24)).columns if sys.stdout.isatty() else 160
    widths.append(min(natural[-1], max(8, columns - sum(widths) - 2 * len(widths))))

    def line(row: Sequence[str]) -> str:
        parts = []
        for header, cell, width in zip(headers, row, widths, strict=True):
            if cell_len(cell) > width:
                cell = set_cell_size(cell, width - 1).rstrip() + "…"
            gap = " " * (width - cell_len(cell))
            parts.append(gap + cell if header in right.split() else cell + gap)
        return "  ".join(parts).rstrip()

    click.echo(line(list(headers)))
    click.echo("─" * (sum(widths) + 2 * (len(widths) - 1)))
    for row in cells:
        click.echo(line(row))


def _cell(value: object) -> str:
    if value is None:
        return "·"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)


def say(text: str = "") -> None:
    """A line for a person, on stdout."""
    click.echo(screen_text(text))


def note(text: str) -> None:
    """A line beside the answer, on stderr."""
    click.echo(screen_text(text), err=True)


def percent(value: float | None) -> str:
    """A fraction as a percentage with one decimal."""
    return "·" if value is None else f"{100 * value:.1f}%"


def interval(bounds: Sequence[float]) -> str:
    """An interval of fractions as percentages."""
    return f"{100 * bounds[0]:.1f}–{100 * bounds[1]:.1f}%"


def seconds(milliseconds: int | float | None) -> str:
    """Milliseconds as seconds with one decimal."""
    return "·" if milliseconds is None else f"{milliseconds / 1000:.1f}"
