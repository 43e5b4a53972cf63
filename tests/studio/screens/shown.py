"""One numbered screen of the app with its keyboard: what is drawn, and waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from textual.pilot import Pilot

from studio.screens.frame import StudioScreen
from tests.studio.screens.hostile import drawn
from tests.studio.screens.patience import until

S = TypeVar("S", bound=StudioScreen)


class Shown(Generic[S]):
    """A screen that is shown, or lies under a question."""

    def __init__(self, pilot: Pilot[Any], kind: type[S]) -> None:
        self.pilot, self.kind = pilot, kind

    @property
    def screen(self) -> S:
        """The screen, also while something lies over it."""
        return next(s for s in self.pilot.app.screen_stack if isinstance(s, self.kind))

    @property
    def text(self) -> str:
        """All that is drawn."""
        return drawn(self.pilot.app)

    async def go(self, key: str) -> None:
        """To the screen by its key, until it has read the store."""
        await self.pilot.press(key)
        await self.until(lambda: isinstance(self.pilot.app.screen, self.kind))
        await self.until(lambda: "reading" not in self.text)

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait for what a worker brings about."""
        await until(self.pilot, holds, lambda: self.text)
        await self.pilot.pause()

    async def shows(self, *words: str) -> None:
        """Wait until all these words are on the screen."""
        await self.until(lambda: all(word in self.text for word in words))

    async def asks(self, kind: type) -> None:
        """Wait until a question lies over the screen."""
        await self.until(lambda: isinstance(self.pilot.app.screen, kind))

    async def press(self, *keys: str) -> None:
        """Press keys, and let what follows from them happen."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str, *then: str) -> None:
        """Type a text, then press keys."""
        names = {"/": "slash", ".": "full_stop", "-": "minus", "_": "underscore"}
        await self.pilot.press(*(names.get(character, character) for character in text), *then)
