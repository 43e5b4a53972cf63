"""The conversation pane: messages, calls and results to read, of which only what is visible exists.

Loading runs in a worker and drawing starts with the first page; calls and results are folded.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.worker import get_current_worker

from db.reader import Reader
from studio.commands import Command
from studio.screen_text import screen_text
from studio.widgets.bindings import bind
from studio.widgets.block_search import hit_after, hit_before
from studio.widgets.blocks import PREVIEW, Block, blocks_of
from studio.widgets.code_styles import KINDS, spans_between
from studio.widgets.colouring import Place, Spans, code_on_page, spans_in
from studio.widgets.columns import fitted
from studio.widgets.line_layout import GAP, HEADER, TAB, Layout, Line
from studio.widgets.line_view import LineView

AHEAD = 2_000  # lines laid out in one go while nobody waits


class Conversation(LineView):
    """One interaction, to be read. `blocks` is what is shown of it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "conversation--text", "conversation--header", "conversation--chosen", "conversation--quiet",
        "conversation--code", "conversation--hit",
        *(f"conversation--{kind}" for kind in KINDS),
    }  # fmt: skip

    class Loaded(Message):
        """The blocks of an interaction, and the first page's code, from the worker."""

        def __init__(self, identity: int, blocks: list[Block], spans: Spans) -> None:
            self.identity, self.blocks, self.spans = identity, blocks, spans
            super().__init__()

    class Coloured(Message):
        """More code that was read by the worker."""

        def __init__(self, blocks: list[Block], spans: Spans) -> None:
            self.blocks, self.spans = blocks, spans
            super().__init__()

    def __init__(self, path: Path, commands: Iterable[Command], id: str | None = None) -> None:
        super().__init__(id=id)
        bind(self, commands, "conversation")
        self.path = path
        self.identity: int | None = None
        self.blocks: list[Block] = []
        self.chosen = 0  # the block that keys act on
        self.hits: re.Pattern[str] | None = None
        self._layout = Layout([], 80)
        self._spans: Spans = {}
        self._plain: list[Place] = []  # code that is drawn plain until a worker has read it
        self._hit: tuple[int, int] | None = None  # where the search is: block and offset
        self._ahead: Timer | None = None
        self._opened: dict[str, bool] = {"about": False}  # what the user opened stays open

    # what is shown

    def show(self, identity: int | None) -> None:
        """Show an interaction, or nothing."""
        if identity is None:
            self.workers.cancel_group(self, "body")
            self._set(None, [], {})
            return
        page = (self.scrollable_content_region.width - 1, self.size.height)
        load = partial(self._load, identity, *page)
        self.run_worker(load, thread=True, exclusive=True, group="body")

    def _load(self, identity: int, width: int, height: int) -> None:
        worker = get_current_worker()
        with contextlib.suppress(sqlite3.Error), contextlib.closing(Reader(self.path)) as reader:
            body = reader.body(identity)
            if body is None or worker.is_cancelled:
                return
            blocks = blocks_of(body)
            spans = spans_in(blocks, code_on_page(blocks, width, height))
            if not worker.is_cancelled:
                self.post_message(self.Loaded(identity, blocks, spans))

    def on_conversation_loaded(self, message: Loaded) -> None:
        """Draw what the worker has read."""
        self._set(message.identity, message.blocks, message.spans)

    def _set(self, identity: int | None, blocks: list[Block], spans: Spans) -> None:
        same = identity == self.identity
        for number, block in enumerate(blocks):
            if same and number < len(self.blocks):
                block.folded = self.blocks[number].folded
            elif block.kind in self._opened:
                block.folded = not self._opened[block.kind]
        self.identity, self.blocks, self._spans = identity, blocks, spans
        self._plain.clear()
        if not same:
            self._hit = None
            self.chosen = next((n for n, b in enumerate(blocks) if b.kind == "user"), 0)
        self._lay_out(top=self.scroll_offset.y if same else 0)

    def _lay_out(self, top: int = 0) -> None:
        self._layout = Layout(self.blocks, self.scrollable_content_region.width - 1)
        self._layout.up_to(top + 2 * max(24, self.size.height))
        self._measured()
        self.scroll_to(y=top, animate=False, force=True)
        self.refresh()
        if not self._layout.done and self._ahead is None:
            self._ahead = self.set_interval(0.02, self._further)

    def _further(self) -> None:
        """Lay out more while nobody waits, so that the scrollbar tells the truth soon."""
        self._layout.extend(AHEAD)
        self._measured()
        if self._layout.done and self._ahead is not None:
            self._ahead.stop()
            self._ahead = None

    def _measured(self) -> None:
        self.virtual_size = Size(0, len(self._layout.lines))

    def on_resize(self) -> None:
        """Lay out for the new width, with the same text on top."""
        top = self.scroll_offset.y
        lines = self._layout.lines
        place = lines[top] if top < len(lines) else None
        if self._layout.width == max(8, self.scrollable_content_region.width - 1):
            return
        self._lay_out()
        if place is not None and top:
            self._scroll(self._layout.line_of(place.block, max(place.start, HEADER)))

    # moving

    def _scroll(self, to: int) -> None:
        self._layout.up_to(to + 2 * max(24, self.size.height))
        self._measured()
        self.scroll_to(y=max(0, to), animate=False, force=True)

    def _page(self) -> int:
        return max(1, self.scrollable_content_region.height - 1)

    def action_down(self) -> None:
        """One line down."""
        self._scroll(self.scroll_offset.y + 1)

    def action_up(self) -> None:
        """One line up."""
        self._scroll(self.scroll_offset.y - 1)

    def action_page_down(self) -> None:
        """One page down."""
        self._scroll(self.scroll_offset.y + self._page())

    def action_page_up(self) -> None:
        """One page up."""
        self._scroll(self.scroll_offset.y - self._page())

    def action_first(self) -> None:
        """To the beginning."""
        self.chosen = 0
        self._scroll(0)
        self.refresh()

    def action_last(self) -> None:
        """To the end, which has to be laid out first."""
        self._layout.everything()
        self.chosen = max(0, len(self.blocks) - 1)
        self._scroll(len(self._layout.lines))
        self.refresh()

    def action_next_message(self) -> None:
        """Choose the next message."""
        self._choose(self.chosen + 1)

    def action_previous_message(self) -> None:
        """Choose the message before."""
        self._choose(self.chosen - 1)

    def _choose(self, block: int) -> None:
        if self.blocks:
            self.chosen = max(0, min(block, len(self.blocks) - 1))
            self._scroll(self._layout.line_of(self.chosen))
            self.refresh()

    # folding

    def action_fold(self) -> None:
        """Open or fold the chosen message."""
        if self.blocks:
            block = self.blocks[self.chosen]
            block.folded = not block.folded
            if block.kind == "about":
                self._opened["about"] = not block.folded
            self._refold()

    def action_fold_all(self) -> None:
        """Open all calls and results, or fold them when all are open."""
        those = [block for block in self.blocks if block.kind in ("call", "tool", "tools")]
        fold = not any(block.folded for block in those)
        for block in those:
            block.folded = fold
        self._refold()

    def _refold(self) -> None:
        """Lay out anew with the chosen header where it is on the screen."""
        above = self._layout.line_of(self.chosen) - self.scroll_offset.y
        above = above if 0 <= above < self.size.height else 0
        self._lay_out()
        self._scroll(self._layout.line_of(self.chosen) - above)

    def on_click(self, event: events.Click) -> None:
        """A click on a header opens or folds it."""
        index = event.y + self.scroll_offset.y
        if index < len(self._layout.lines) and self._layout.lines[index].start == HEADER:
            self.chosen = self._layout.lines[index].block
            self.action_fold()

    # searching

    def next_hit(self, step: int) -> bool:
        """Go to the next place of the search, or the one before (`step` -1); False at the end."""
        if self.hits is None or not self.blocks:
            return False
        if step > 0:
            block, offset = self._hit or (0, -1)
            found = hit_after(self.blocks, self.hits, block, offset + 1)
        else:
            place = self._hit or (len(self.blocks) - 1, sys.maxsize)
            found = hit_before(self.blocks, self.hits, *place)
        if found is None:
            return False
        self._hit = found
        self.chosen = found[0]
        if self.blocks[found[0]].folded:
            self.blocks[found[0]].folded = False
            self._lay_out()
        self._scroll(self._layout.line_of(*found))
        self.refresh()
        return True

    # drawing

    def render_line(self, y: int) -> Strip:
        """One line; what is not laid out yet is, as far as it is needed."""
        index = y + self.scroll_offset.y
        width = self.line_width
        self._layout.up_to(index + 1)
        plain = self.get_component_rich_style("conversation--text")
        if index >= len(self._layout.lines):
            return Strip.blank(width, plain)
        line = self._layout.lines[index]
        if line.start == GAP:
            return Strip.blank(width, plain)
        segments = self._header(line, width) if line.start == HEADER else self._text(line)
        return Strip(segments).adjust_cell_length(width, plain)

    def _header(self, line: Line, width: int) -> list[Segment]:
        block = self.blocks[line.block]
        chosen = line.block == self.chosen and self.has_focus
        name = "chosen" if chosen else "header"
        mark = "▸" if block.folded else "▾"
        title = screen_text(f"{mark} {block.title}", one_line=True)
        preview = screen_text(block.preview[: 2 * PREVIEW], one_line=True) if block.folded else ""
        style = self.get_component_rich_style(f"conversation--{name}")
        quiet = self.get_component_rich_style("conversation--quiet")
        title = title[: max(8, width - 2)]
        rest = width - len(title) - 2
        return [
            Segment(title, style),
            Segment("  " + fitted(preview, rest) if preview and rest > 4 else "", quiet),
        ]

    def _text(self, line: Line) -> list[Segment]:
        text = self.blocks[line.block].text[line.start : line.end]
        style = self.get_component_rich_style(
            "conversation--code" if line.code else "conversation--text"
        )
        styles = [style] * len(text)
        if line.code is not None:
            self._paint_code(line, styles)
        if self.hits is not None:
            hit = self.get_component_rich_style("conversation--hit")
            for found in self.hits.finditer(text):
                styles[found.start() : found.end()] = [hit] * (found.end() - found.start())
        indent = [Segment(" ", style)]
        return indent + [
            Segment(screen_text(piece.rstrip("\r")).replace("\t", TAB).replace("\n", " "), each)
            for piece, each in _runs(text, styles)
        ]

    def _paint_code(self, line: Line, styles: list[Style]) -> None:
        assert line.code is not None
        place = (line.block, line.code)
        if place not in self._spans:
            if not self._plain:
                self.call_later(self._colour)
            self._plain.append(place)
        spans = self._spans.setdefault(place, ())
        begin, end = line.start - line.code.start, line.end - line.code.start
        for start, stop, kind in spans_between(spans, begin, end):
            painted = self.get_component_rich_style(f"conversation--{kind}")
            low, high = max(start, begin) - begin, min(stop, end) - begin
            styles[low:high] = [painted] * (high - low)

    def _colour(self) -> None:
        """Let a worker read the code that was drawn plain."""
        blocks, places = self.blocks, self._plain.copy()
        self._plain.clear()

        def read() -> None:
            self.post_message(self.Coloured(blocks, spans_in(blocks, places)))

        self.run_worker(read, thread=True, group="code")

    def on_conversation_coloured(self, message: Coloured) -> None:
        """Draw the code in its colours."""
        if message.blocks is self.blocks:
            self._spans.update(message.spans)
            self.refresh()


def _runs(text: str, styles: list[Style]) -> Iterable[tuple[str, Style]]:
    """Pieces of a text that have the same style."""
    start = 0
    for position in range(1, len(text) + 1):
        if position == len(text) or styles[position] is not styles[start]:
            yield text[start:position], styles[start]
            start = position
