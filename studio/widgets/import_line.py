"""A line about the import that runs; it is not there while none does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from studio.screen_text import screen_text

if TYPE_CHECKING:
    from studio.collect.import_job import ImportJob

LOOK = 0.5  # seconds between looks at what the import says


class ImportLine(Static):
    """Follows the import of a store that the app started, whoever started it and when."""

    class Ended(Message):
        """The import came to its end, while one looked on or before the app was opened."""

        def __init__(self, text: str, *, wrong: bool) -> None:
            self.text, self.wrong = text, wrong
            super().__init__()

    def __init__(self, path: Path, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self.path = path

    def on_mount(self) -> None:
        """Nothing runs as far as one knows."""
        self.display = False

    def follow(self) -> None:
        """Look now and from time to time, once the store is there."""
        self.set_interval(LOOK, self.look)
        self.look()

    def look(self) -> None:
        """Show how far the import is, or that it has ended."""
        from studio.collect import import_job

        job = import_job.import_job(self.path)
        if job is None or job.told:
            self.display = False
        elif job.running:
            said = import_job.progress_of(self.path) or "looking for files"
            keys = "stopping …" if job.stopped else "S stops it"
            line = screen_text(f" importing: {said} · {keys}", one_line=True)
            self.update(Content(f" {line}"), layout=False)
            self.display = True
        else:
            self.display = False
            import_job.mark_told(self.path, job)
            self.post_message(_end(self.path, job))


def _end(path: Path, job: ImportJob) -> ImportLine.Ended:
    from db.errors import Refused, StudioError
    from studio.collect.import_job import answer_of
    from studio.collect.import_report import summary

    how = "import stopped, i goes on with it" if job.stopped else "import"
    try:
        return ImportLine.Ended(
            f"{how}: {summary(answer_of(path, job))} · L reads it all", wrong=False
        )
    except StudioError as error:
        return ImportLine.Ended(f"{how}: {error}", wrong=not isinstance(error, Refused))
