"""What an import did, in words: one line, and everything that was left out, with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from db.counted import counted
from studio.collect.overview import fitting, overview_lines

if TYPE_CHECKING:
    from studio.collect.importing import Progress

Answer = Mapping[str, Any]  # as `studio import --json` answers


def summary(answer: Answer) -> str:
    """What became of the interactions and files, in one line."""
    parts = [f"{answer['imported']:,} imported"]
    if answer["updated"]:
        parts.append(f"{answer['updated']:,} grew")
    parts.append(f"{counted(answer['already_present'], 'was', 'were')} there already")
    if answer["rejected"]:
        parts.append(f"{len(answer['rejected']):,} rejected")
    if answer["unknown"]:
        parts.append(f"{len(answer['unknown']):,} of no known format")
    return ", ".join(parts)


def progress_line(at: Progress) -> str:
    """How far an import is, and how fast it goes."""
    rate = f", {at.bytes_done / 1e6 / at.seconds:.0f} MB/s" if at.seconds > 1 else ""
    return (
        f"{at.files_done:,} of {counted(at.files_total, 'file')}, {counted(at.rows, 'row')}{rate}"
    )


def details(answer: Answer, most: int | None = None) -> list[str]:
    """What came, then what was rejected and not recognised; at most `most` of each, else all."""
    by_format = Counter({name: n for name, n in answer["by_format"].items() if n}).most_common()
    formats = fitting([f"{name} {n:,}" for name, n in by_format])
    rejected = [
        f"rejected {one['path']}:{one['line']}: {one['reason']}" for one in answer["rejected"]
    ]
    unknown = [f"of no known format: {path}" for path in answer["unknown"]]
    return [
        *([f"  {'formats':<9}{formats}"] if formats else []),
        *overview_lines(answer["overview"]),
        *_first(rejected, most),
        *_first(unknown, most),
        *(f"stopped in {path}; import it again to complete it" for path in answer["interrupted"]),
    ]


def _first(lines: Sequence[str], most: int | None) -> list[str]:
    shown = [f"  {line}" for line in lines[:most]]
    if most is not None and len(lines) > most:
        shown.append(f"  … and {len(lines) - most:,} more (--json lists them all)")
    return ["; ".join([shown[0], shown[1][4:]])] if most == 1 and len(shown) > 1 else shown
