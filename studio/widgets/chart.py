"""The chart of some curves, with the legend above it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from studio.screen_text import screen_text
from studio.widgets.columns import fitted
from studio.widgets.plot import AXIS, Series, plot

STYLES = 6  # series that have a colour of their own


class Chart(Widget):
    """Curves over steps. What it shows is given by `show`; it knows nothing of runs."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chart--axis", *(f"chart--series-{n}" for n in range(STYLES)),
    }  # fmt: skip

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.legend: list[tuple[str, int]] = []
        self.series: list[Series] = []
        self._percent = False
        self._notch: float | None = None
        self._drawn: tuple[Size, list[Strip]] | None = None

    def show(
        self,
        legend: Sequence[tuple[str, int]],
        series: Sequence[Series],
        *,
        percent: bool = False,
        notch: float | None = None,
    ) -> None:
        """Show these series under a legend of (text, number of the style, AXIS for none)."""
        self.legend, self.series = list(legend), list(series)
        self._percent, self._notch, self._drawn = percent, notch, None
        self.refresh()

    def notify_style_update(self) -> None:
        """Colours have changed."""
        self._drawn = None
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """One line of the chart."""
        if self._drawn is None or self._drawn[0] != self.size:
            self._drawn = self.size, self._strips()
        strips = self._drawn[1]
        return strips[y] if y < len(strips) else Strip.blank(self.size.width, self.rich_style)

    def _strips(self) -> list[Strip]:
        width, height = self.size
        lines = plot(self.series, width, height - 1, percent=self._percent, notch=self._notch)
        strips = [self._legend(width)]
        for line in lines:
            segments = [Segment(cell.text, self._style(cell.style)) for cell in line]
            strips.append(Strip(segments).simplify().adjust_cell_length(width, self.rich_style))
        return strips

    def _legend(self, width: int) -> Strip:
        segments = [Segment(" ", self.rich_style)]
        for text, style in self.legend:
            shown = screen_text(text, one_line=True)
            segments.append(Segment(shown, self._style(style)))
            segments.append(Segment("  ", self.rich_style))
        line = Strip(segments)
        if line.cell_length > width:
            return Strip([Segment(fitted(line.text, width), self._style(AXIS))])
        return line.adjust_cell_length(width, self.rich_style)

    def _style(self, number: int) -> Style:
        name = "axis" if number == AXIS else f"series-{number % STYLES}"
        return self.get_component_rich_style(f"chart--{name}")
