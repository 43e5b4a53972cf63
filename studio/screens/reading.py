"""A screen that reads its store in workers, which send what they read as messages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.message import Message
from textual.worker import get_current_worker

from db.errors import StudioError
from studio.screens.working import WorkingScreen

if TYPE_CHECKING:
    from db.store import Store


class Unread(Message):
    """The store could not be read."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__()


class ReadingScreen(WorkingScreen):
    """Never reads in the thread that draws."""

    def read(self, group: str, read: Callable[[Store], Message]) -> None:
        """Let a worker read in place of what it reads now; nothing while the store is not open."""
        if self.studio.store is not None:
            job = partial(self._post, partial(read, self.studio.store))
            self.run_worker(job, thread=True, exclusive=True, group=group, description=group)

    def _post(self, read: Callable[[], Message]) -> None:
        from sqlalchemy.exc import DatabaseError

        worker = get_current_worker()
        try:
            message = read()
        except (StudioError, DatabaseError) as error:
            message = Unread(str(getattr(error, "orig", error)))
        if not worker.is_cancelled:
            self.post_message(message)

    @on(Unread)
    def _unread(self, message: Unread) -> None:
        self.say(f"error: {self.path.name}: {message.reason}", wrong=True)
