"""What Browse does about imports: asks for paths, follows the process, shows what it answered."""

from __future__ import annotations

from pathlib import Path

from textual import on

from db.errors import StudioError
from studio.screen_text import screen_text
from studio.screens import leaving
from studio.screens.curated import CuratedScreen
from studio.widgets.import_line import ImportLine

USUAL = ("~/.claude/projects", "~/.codex/sessions")  # where agents leave their logs


class ImportingScreen(CuratedScreen):
    """Imports logs by a process of its own. Its `compose` yields an ImportLine."""

    @property
    def import_line(self) -> ImportLine:
        """The line about the import that runs."""
        return self.query_one(ImportLine)

    def action_import(self) -> None:
        """Ask for files and folders."""
        from studio.path_line import complete_path, paths_of

        if self.studio.store is None:
            self.say("the store is still being opened; again in a moment")
            return
        usual = " ".join(path for path in USUAL if Path(path).expanduser().is_dir())
        self.prompt.ask(
            "import",
            usual,
            hint="files or folders with blanks between · Tab completes · any of the log formats",
            check=paths_of,
            complete=complete_path,
            suggested=True,
        )

    def start_import(self, typed: str) -> None:
        """Start the import of the paths that were typed."""
        from studio.collect.import_job import start_import
        from studio.path_line import paths_of

        try:
            start_import(self.path, paths_of(typed))
        except StudioError as error:
            self.say(f"error: {error}", wrong=True)
            return
        self.say("")
        self.import_line.look()

    def action_import_stop(self) -> None:
        """End the import; what it brought stays."""
        from studio.collect.import_job import import_job, stop_import

        job = import_job(self.path)
        if job is None or not stop_import(self.path, job):
            self.say("no import is running")
            return
        self.import_line.look()

    def action_import_report(self) -> None:
        """Read in $PAGER what the last import did, with everything that it rejected."""
        from studio.collect.import_job import answer_of, import_job
        from studio.collect.import_report import details, summary

        job = import_job(self.path)
        if job is None or job.running:
            self.say("i imports logs" if job is None else "the import is still running")
            return
        try:
            answer = answer_of(self.path, job)
        except StudioError as error:
            self.say(f"error: {error}", wrong=True)
            return
        lines = [f"studio import {' '.join(job.paths)}", "", summary(answer), *details(answer)]
        leaving.lend(self, screen_text("\n".join(lines)))

    @on(ImportLine.Ended)
    def _import_ended(self, event: ImportLine.Ended) -> None:
        self.say(event.text, wrong=event.wrong)
