"""Two texts beside each other in one pane, so that they can only be scrolled together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.worker import get_current_worker

from studio.commands import Command
from studio.screen_text import screen_text
from studio.widgets.bindings import bind
from studio.widgets.differences import Aligned, Piece, Spans, aligned, clipped
from studio.widgets.line_layout import TAB, wrapped
from studio.widgets.line_view import LineView

SHOWN = 100_000  # characters of a text that are laid out; $PAGER shows all of it


@dataclass(frozen=True, slots=True)
class Section:
    """A title with a text over the whole width, or with two texts (`right`) beside each other.

    `most` lines are shown of it, all without; `marked` looks for what differs.
    """

    title: str
    left: str
    right: str | None = None
    marked: bool = False
    most: int | None = None


class PairLine(NamedTuple):
    """One line on the screen. `right` is None where `left` has the whole width."""

    kind: str  # title, text, more
    left: Piece
    right: Piece | None = None
    differs: bool = False


class Laid(NamedTuple):
    """Lines of a width, and the first line of every difference."""

    width: int
    lines: list[PairLine]
    differences: list[int]


_NOTHING = Piece("", [])


def lay_out(sections: Iterable[Section], width: int) -> Laid:
    """The lines of sections in `width` cells."""
    lines: list[PairLine] = []
    differences: list[int] = []
    for section in sections:
        lines.append(PairLine("title", Piece(section.title, [])))
        if section.right is None:
            whole = Piece(_shown(section.left), [])
            own = [PairLine("text", piece) for piece in _wrap(whole, width)]
        else:
            own = []
            last: int | None = None
            for row in _rows(section):
                if row.block is not None and row.block != last:
                    differences.append(len(lines) + len(own))
                last = row.block
                own += _pair(row, column(width))
        if section.most is not None and len(own) > section.most + 1:
            more = f"… {len(own) - section.most:,} more lines"
            own = [*own[: section.most], PairLine("more", Piece(more, []))]
        lines += own
    return Laid(width, lines, differences)


def column(width: int) -> int:
    """The cells of each side: what the gutter of three leaves, halved."""
    return max(8, (width - 3) // 2)


def _rows(section: Section) -> list[Aligned]:
    left, right = _shown(section.left), _shown(section.right or "")
    if section.marked:
        return aligned(left, right)
    return [Aligned(Piece(left, []), Piece(right, []), None)]


def _shown(text: str) -> str:
    """The text made harmless, as much of it as is laid out."""
    if len(text) > SHOWN:
        text = f"{text[:SHOWN]}\n… {len(text) - SHOWN:,} more characters"
    return screen_text(text).replace("\t", TAB)


def _wrap(piece: Piece, width: int) -> Iterator[Piece]:
    start = 0
    for line in piece.text.split("\n"):
        end = start + len(line)
        for low, high in wrapped(piece.text, start, end, width, words=True):
            yield Piece(piece.text[low:high], clipped(piece.spans, low, high))
        start = end + 1


def _pair(row: Aligned, width: int) -> list[PairLine]:
    left = list(_wrap(row.left, width)) if row.left else []
    right = list(_wrap(row.right, width)) if row.right else []
    differs = row.block is not None
    return [
        PairLine(
            "text",
            left[n] if n < len(left) else _NOTHING,
            right[n] if n < len(right) else _NOTHING,
            differs,
        )
        for n in range(max(len(left), len(right)))
    ]


class SideBySide(LineView):
    """Sections to read; words that differ are marked, lines that hold them have a ≠ between."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "side-by-side--text", "side-by-side--title", "side-by-side--quiet", "side-by-side--marked",
        "side-by-side--gutter",
    }  # fmt: skip

    class LaidOut(Message):
        """The lines, from the worker."""

        def __init__(self, laid: Laid, *, anew: bool) -> None:
            self.laid, self.anew = laid, anew
            super().__init__()

    def __init__(self, commands: Iterable[Command], id: str | None = None) -> None:
        super().__init__(id=id)
        bind(self, commands, "pane")
        self._sections: Sequence[Section] = ()
        self.laid = Laid(0, [], [])
        self.at: int | None = None  # the difference that was gone to

    def show(self, sections: Sequence[Section], *, anew: bool = True) -> None:
        """Show these sections from the top, or (`anew` False) from where one is."""
        self._sections = sections
        self._start(anew=anew)

    def _start(self, *, anew: bool) -> None:
        width = self.scrollable_content_region.width
        if width:
            job = partial(self._lay_out, self._sections, width, anew=anew)
            # with a description of its own, else Textual makes one of all that is to be laid out
            self.run_worker(job, thread=True, exclusive=True, group="layout", description="layout")

    def _lay_out(self, sections: Sequence[Section], width: int, *, anew: bool) -> None:
        laid = lay_out(sections, width)
        if not get_current_worker().is_cancelled:
            self.post_message(self.LaidOut(laid, anew=anew))

    def on_side_by_side_laid_out(self, message: LaidOut) -> None:
        """Draw what the worker laid out."""
        self.laid = message.laid
        self.virtual_size = Size(0, len(self.laid.lines))
        if message.anew:
            self.at = None
            self._scroll(0)
        self.refresh()

    def on_resize(self) -> None:
        """Lay out for the new width."""
        if self.scrollable_content_region.width != self.laid.width:
            self._start(anew=False)

    # moving

    def _scroll(self, to: int) -> None:
        self.scroll_to(y=max(0, to), animate=False, force=True)

    def _page(self) -> int:
        return max(1, self.scrollable_content_region.height - 1)

    def action_scroll_down(self) -> None:
        """One line down."""
        self._scroll(self.scroll_offset.y + 1)

    def action_scroll_up(self) -> None:
        """One line up."""
        self._scroll(self.scroll_offset.y - 1)

    def action_page_down(self) -> None:
        """One page down."""
        self._scroll(self.scroll_offset.y + self._page())

    def action_page_up(self) -> None:
        """One page up."""
        self._scroll(self.scroll_offset.y - self._page())

    def action_scroll_home(self) -> None:
        """To the beginning."""
        self._scroll(0)

    def action_scroll_end(self) -> None:
        """To the end."""
        self._scroll(len(self.laid.lines))

    def go_to_difference(self, step: int) -> bool:
        """To the next difference, or the one before (`step` -1); False when there is none."""
        at = (-1 if step > 0 else len(self.laid.differences)) if self.at is None else self.at
        if not 0 <= at + step < len(self.laid.differences):
            return False
        self.at = at + step
        self._scroll(self.laid.differences[self.at] - 2)
        self.refresh()
        return True

    # drawing

    def render_line(self, y: int) -> Strip:
        """One line of both sides."""
        index = y + self.scroll_offset.y
        width = self.line_width
        plain = self.get_component_rich_style("side-by-side--text")
        if index >= len(self.laid.lines):
            return Strip.blank(width, plain)
        line = self.laid.lines[index]
        return Strip(list(self._segments(line, index))).adjust_cell_length(width, plain)

    def _segments(self, line: PairLine, index: int) -> Iterator[Segment]:
        if line.kind == "title":
            rest = "─" * max(0, self.laid.width - cell_len(line.left.text) - 4)
            style = self.get_component_rich_style("side-by-side--title")
            yield Segment(f"── {line.left.text} {rest}", style)
            return
        yield from self._side(line.left, "quiet" if line.kind == "more" else "text")
        if line.right is None:
            return
        gap = column(self.laid.width) - cell_len(line.left.text)
        here = self.at is not None and self.laid.differences[self.at] == index
        gutter = "▸" if here else "≠" if line.differs else "│"
        yield Segment(" " * max(0, gap), self.get_component_rich_style("side-by-side--text"))
        yield Segment(f" {gutter} ", self.get_component_rich_style("side-by-side--gutter"))
        yield from self._side(line.right, "text")

    def _side(self, piece: Piece, name: str) -> Iterator[Segment]:
        style = self.get_component_rich_style(f"side-by-side--{name}")
        marked = self.get_component_rich_style("side-by-side--marked")
        for start, end, differs in _runs(len(piece.text), piece.spans):
            yield Segment(piece.text[start:end], marked if differs else style)


def _runs(length: int, spans: Spans) -> Iterator[tuple[int, int, bool]]:
    """(start, end, marked) from the beginning to the end."""
    at = 0
    for start, end in spans:
        if at < start:
            yield at, start, False
        yield start, end, True
        at = end
    if at < length:
        yield at, length, False
