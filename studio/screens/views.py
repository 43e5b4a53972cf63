"""Choose a saved view, or forget one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList

from studio.commands import Command
from studio.preferences import View
from studio.screen_text import screen_text
from studio.widgets.bindings import bind


class ViewList(OptionList, inherit_bindings=False):
    """The names, each with what it shows."""


class ViewsScreen(ModalScreen[str | None]):
    """The views by name; answers with the name that was chosen."""

    def __init__(
        self,
        table: Sequence[Command],
        views: dict[str, View],
        keep: Callable[[dict[str, View]], bool],
    ) -> None:
        """`keep` writes the views that are left, and says what it did; False where it could not."""
        super().__init__()
        bind(self, table, "views", "everywhere")
        self._table, self.views, self._keep = table, dict(views), keep

    def compose(self) -> ComposeResult:
        """One line a view."""
        listed = ViewList(
            *(_line(name, view) for name, view in self.views.items()), id="views", markup=False
        )
        listed.border_title = "Views"
        listed.border_subtitle = "Enter shows · x removes · Esc closes"
        bind(listed, self._table, "list")
        yield listed

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(list(self.views)[event.option_index])

    def action_remove(self) -> None:
        """Forget the view under the cursor."""
        listed = self.query_one(ViewList)
        if listed.highlighted is None:
            return
        name = list(self.views)[listed.highlighted]
        kept = {other: view for other, view in self.views.items() if other != name}
        if not self._keep(kept):
            return
        self.views = kept
        listed.remove_option_at_index(listed.highlighted)
        if not self.views:
            self.dismiss(None)


def _line(name: str, view: View) -> Content:
    parts = [view.filter, f"/{view.search}" if view.search else "", f"by {view.sort}"]
    shown = " ".join(part for part in parts if part)
    return Content.assemble(
        Content.styled(screen_text(f"{name:<20} ", one_line=True), "bold"),
        screen_text(shown, one_line=True),
    )
