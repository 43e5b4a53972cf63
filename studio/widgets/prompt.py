"""The line in which the user types: a filter, a search, a tag. What is wrong stands below it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich.cells import cell_len
from textual import on
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static
from textual.widgets.input import Selection

from db.errors import StudioError, WordError
from studio.commands import Command
from studio.completion import Completion
from studio.screen_text import screen_text
from studio.widgets.answer_line import AnswerLine
from studio.widgets.bindings import bind
from studio.widgets.hanging import lines_at_most

WRONG_LINES = 4  # that say what is wrong with an answer

Check = Callable[[str], object]  # raises a StudioError for what cannot be used
Complete = Callable[[str, int], Completion]


class Prompt(Container):
    """One question with its answer line. It is shown while it is asked and hidden otherwise."""

    class Changed(Message):
        """Something was typed, and it is not wrong."""

        def __init__(self, kind: str, value: str) -> None:
            self.kind, self.value = kind, value
            super().__init__()

    class Answered(Message):
        """Enter was pressed on an answer that is not wrong."""

        def __init__(self, kind: str, value: str) -> None:
            self.kind, self.value = kind, value
            super().__init__()

    class Cancelled(Message):
        """The user left without an answer; `value` is what stood there at first."""

        def __init__(self, kind: str, value: str) -> None:
            self.kind, self.value = kind, value
            super().__init__()

    def __init__(self, commands: Iterable[Command], id: str | None = None) -> None:
        super().__init__(id=id)
        bind(self, commands, "prompt")
        self.kind = ""
        self._at_first = ""
        self._check: Check | None = None
        self._complete: Complete | None = None
        self._cycle: tuple[str, Completion, int] | None = None
        self._hint = ""

    @property
    def input(self) -> Input:
        """The line that is typed into."""
        return self.query_one("#prompt-input", Input)

    def ask(
        self,
        kind: str,
        value: str = "",
        *,
        hint: str = "",
        check: Check | None = None,
        complete: Complete | None = None,
        suggested: bool = False,
    ) -> None:
        """Show the question `kind` with a first answer, and give it the focus.

        A first answer that is only `suggested` gives way to what is typed.
        """
        self.kind, self._at_first, self._hint = kind, value, hint
        self._check, self._complete, self._cycle = check, complete, None
        if not self.children:  # the first frame of a screen does not wait for them
            self.mount(
                Static("", id="prompt-label", markup=False),
                AnswerLine(compact=True, id="prompt-input", select_on_focus=False),
                Static("", id="prompt-hint", markup=False),
            )
        self.query_one("#prompt-label", Static).update(Content(f" {kind}: "))
        with self.input.prevent(Input.Changed):
            self.input.value = value
        self.input.selection = Selection(0 if suggested else len(value), len(value))
        self.display = True
        self.screen.set_focus(self.input)  # at once: what is typed next is the answer
        self.input.focus()  # and after a focus that was asked for before
        self._judge()

    def close(self) -> None:
        """Hide the question."""
        self.display = False

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display and self._judge():
            self.post_message(self.Changed(self.kind, self.input.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._judge(submitted=True):
            self.close()
            self.post_message(self.Answered(self.kind, self.input.value))

    def action_cancel(self) -> None:
        """Leave everything as it was."""
        self.close()
        self.post_message(self.Cancelled(self.kind, self._at_first))

    def _judge(self, *, submitted: bool = False) -> bool:
        """Say below the line what is wrong with it, else how it could go on.

        A word that is only begun is not yet wrong: it is completed first.
        """
        if self._check is not None:
            try:
                self._check(self.input.value)
            except StudioError as error:
                if submitted or not self._begun(error):
                    self._say_wrong(error)
                else:
                    self._say_hint()
                return False
        self._say_hint()
        return True

    def _begun(self, error: StudioError) -> bool:
        """Whether what is wrong is the word that is being typed, and it could become right."""
        value, cursor = self.input.value, self.input.cursor_position
        if not value:
            return True
        here = not isinstance(error, WordError) or error.start <= cursor <= error.end
        return here and bool(self._complete and self._complete(value, cursor).candidates)

    def _say_wrong(self, error: StudioError) -> None:
        """Mark the wrong word, and say below it what is wrong."""
        start, end = (error.start, error.end) if isinstance(error, WordError) else (0, 0)
        before = cell_len(self.input.value[:start])
        if cell_len(self.input.value) >= self.input.size.width:  # else it cannot be scrolled
            before = max(0, before - self.input.scroll_offset.x)
        before += cell_len(f" {self.kind}: ")
        marks = "^" * max(1, cell_len(self.input.value[start:end]))
        self._show_hint(f"{' ' * before}{marks}", str(error), wrong=True)

    def _say_hint(self) -> None:
        shown = self._hint
        if self._complete is not None:
            found = self._complete(self.input.value, self.input.cursor_position)
            if found.candidates and not (self._hint and found.candidates == [self._word(found)]):
                shown = "Tab: " + " ".join(found.candidates[:40])
        self._show_hint("", shown, wrong=False)

    def _word(self, found: Completion) -> str:
        return self.input.value[found.start : found.end]

    def _show_hint(self, marks: str, text: str, *, wrong: bool) -> None:
        """A hint has one line; what is wrong has as many as it needs, for its end says the way."""
        said = Content(screen_text(text, one_line=True))
        lines = lines_at_most(said, self.screen.size.width - 3, WRONG_LINES) if wrong else [said]
        hint = self.query_one("#prompt-hint", Static)
        hint.set_class(wrong, "-wrong")
        hint.update(Content("\n ").join([Content(marks), *lines]), layout=False)
        self.styles.height = 2 + max(1, len(lines))

    def action_complete(self) -> None:
        """Complete the word as far as it is clear, then go through what is possible."""
        if self._complete is None:
            return
        value = self.input.value
        if self._cycle is not None and self._cycle[0] == value:
            _, found, at = self._cycle
            at = (at + 1) % len(found.candidates)
        else:
            found = self._complete(value, self.input.cursor_position)
            if not found.candidates:
                return
            common = found.common()
            if len(found.candidates) > 1 and len(common) > found.end - found.start:
                self._put(value[: found.start] + common, value[found.end :])
                return
            at = 0
        chosen = found.candidates[at]
        new = self._put(value[: found.start] + chosen, value[found.end :])
        end = found.start + len(chosen)
        many = len(found.candidates) > 1  # else Tab goes on from here: into the folder, say
        self._cycle = (new, found._replace(end=end), at) if many else None

    def _put(self, before: str, after: str) -> str:
        self.input.value = before + after
        self.input.cursor_position = len(before)
        return before + after
