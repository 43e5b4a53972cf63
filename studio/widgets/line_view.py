"""A view that is drawn line by line."""

from __future__ import annotations

from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.strip import Strip


class LineView(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines of `line_width` cells, of which Textual asks for those on the screen."""

    line_width = 0

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a part of the screen; their width is worked out once for all of them."""
        self.line_width = self.scrollable_content_region.width
        return super().render_lines(crop)
