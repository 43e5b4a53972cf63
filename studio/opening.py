"""Open the app on a store."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from db.reader import is_current
from studio import pauses

FRAMES = "120"  # a second, at most: Textual's 60 draw an act's outcome up to 33 ms late


def in_terminal() -> bool:
    """Whether there is a terminal to draw on and to read keys from."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def open_app(location: str | None) -> int:
    """Run the app to its end on a store: this one, $STUDIO_STORE, else ./studio.db.

    A store that was not named is made. Raises the StudioError that ended the app.
    """
    pauses.begin()
    os.environ.setdefault("TEXTUAL_FPS", FRAMES)  # read when Textual is imported
    named = location or os.environ.get("STUDIO_STORE")
    path = named or "./studio.db"
    if not Path(path).is_file() or not is_current(Path(path)):
        from db.store import open_store
        from studio.cli.frame import note

        # what is wrong is said, and an older store upgraded, before anything is drawn
        open_store(path, create=named is None, tell=note).close()
    from studio.app import AdapterStudio

    error = AdapterStudio(path).run()
    if error is not None:
        raise error
    return 0
