"""Acts that the app makes: written one after the other by one thread, and put into words.

The screen never waits for the store: another program may hold the writer's lock for a while.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db.counted import counted
from db.errors import StudioError
from db.reader import ActLine
from studio.screen_text import screen_text

if TYPE_CHECKING:
    from db.acts import Done
    from db.store import Store

Act = Callable[["Store"], "Done"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an act: what it did, or why it did nothing. `kind` is act, undo or redo."""

    kind: str
    done: Done | None
    error: StudioError | None


class ActQueue:
    """One thread that writes acts in their order; `tell` is called from it after each."""

    def __init__(self, store: Store, tell: Callable[[Outcome], object]) -> None:
        self._store, self._tell = store, tell
        self.waiting = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="acts")

    def put(self, act: Act, kind: str = "act") -> None:
        """Write an act when those before it are written."""
        self.waiting += 1
        self._thread.submit(self._write, act, kind)

    def close(self) -> None:
        """Wait until everything is written."""
        self._thread.shutdown(wait=True)

    def _write(self, act: Act, kind: str) -> None:
        try:
            outcome = Outcome(kind, act(self._store), None)
        except StudioError as error:
            outcome = Outcome(kind, None, error)
        except Exception as error:  # noqa: BLE001  a thread's error is lost unless it is told
            bug = StudioError(f"this is a bug in studio: {type(error).__name__}: {error}")
            outcome = Outcome(kind, None, bug)
        self._tell(outcome)

    def told(self) -> None:
        """What `tell` was called with has been taken, in the thread that puts acts."""
        self.waiting -= 1


def rows(count: int) -> str:
    """`1 row`, `412 rows`."""
    return counted(count, "row")


def in_words(kind: str, value: Any, count: int) -> str:
    """What an act on so many rows did, in a few words: `412 rows → tester`."""
    what = {
        "label": f"→ {value}",
        "accept": "accepted",
        "drop": "dropped",
        "reset": "reset to new",
        "tag": f"tagged {value}",
        "note": "noted" if value else "without a note",
        "edit": "edited",
        "classify": "classified",
        "dedupe": "clustered",
        "distinct": "kept as distinct",
        "keep": f"dropped, {value['kept']} stays" if kind == "keep" else "",
        "split": "split off as a problem",
        "merge": "merged into one problem",
        "undo": f"as before act {value}",
        "redo": f"as after act {value}",
    }.get(kind, kind)
    return screen_text(f"{rows(count)} {what}", one_line=True)


def report(outcome: Outcome, act: ActLine | None) -> str:
    """The line that tells the user what happened and how to take it back."""
    if outcome.error is not None:
        return f"error: {screen_text(str(outcome.error), one_line=True)}"
    if act is None and outcome.done is not None and outcome.done.acts:
        return "error: it was written, but the store can no longer be read"
    if act is None:
        return {
            "act": "nothing changed, it was so already",
            "undo": "nothing to undo",
            "redo": "nothing to redo",
        }[outcome.kind]
    words = in_words(act.kind, json.loads(act.value_json), act.rows)
    if outcome.kind == "undo":
        return f"undone: {words} · ctrl+r redoes"
    return f"{words} · u undoes" if outcome.kind == "act" else f"redone: {words} · u undoes"
