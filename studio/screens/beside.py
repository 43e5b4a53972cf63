"""A list above two texts side by side: from pane to pane, and from difference to difference."""

from __future__ import annotations

from textual import on

from studio.screens.reading import ReadingScreen
from studio.widgets.listing import Listing
from studio.widgets.side_by_side import SideBySide


class BesideScreen(ReadingScreen):
    """What Duplicates and Problems share. Its `compose` yields one Listing and a SideBySide."""

    @property
    def listing(self) -> Listing:
        """The list."""
        return self.query_one(Listing)

    @property
    def sides(self) -> SideBySide:
        """The two texts."""
        return self.query_one(SideBySide)

    def places(self) -> list[str]:
        """The places of the command table that have the focus, the innermost first."""
        return ["pane" if self.focused is self.sides else "lines", self.PLACE]

    @on(Listing.Opened)
    def action_read(self) -> None:
        """To the two texts."""
        self.sides.focus()

    def action_switch(self) -> None:
        """To the other pane."""
        (self.listing if self.focused is self.sides else self.sides).focus()

    def action_next_difference(self) -> None:
        """To the next difference."""
        if not self.sides.go_to_difference(1):
            self.say("no difference below")

    def action_previous_difference(self) -> None:
        """To the difference before."""
        if not self.sides.go_to_difference(-1):
            self.say("no difference above")
