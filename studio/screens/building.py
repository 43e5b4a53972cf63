"""The build form: what would come out and what would be left out, while one types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from db.counted import counted
from db.errors import StudioError
from studio.commands import Command
from studio.completion import Completion, complete_filter, complete_word
from studio.screen_text import screen_text
from studio.screens.build_fields import FIELDS, BuildField, arguments_of, check
from studio.screens.dataset_report import dropped_line, report_of
from studio.screens.working import WorkingScreen
from studio.widgets.answer_line import AnswerLine
from studio.widgets.bindings import bind
from studio.widgets.key_line import KeyLine
from studio.widgets.pane import Pane

QUIET = 0.3  # seconds without a key before the fields are looked at
WIDE = 120
LONG = ("name", "where", "base")  # fields that take a whole line where two share one


class BuildScreen(WorkingScreen):
    """Fields on one side, on the other what `studio build` would make of them."""

    PLACE = "build"

    class Judged(Message):
        """What the rows alone tell of the filter, or what is wrong with the fields."""

        def __init__(
            self, matching: int, dropped: Counter[str], error: StudioError | None = None
        ) -> None:
            self.matching, self.dropped, self.error = matching, dropped, error
            super().__init__()

    def __init__(
        self,
        path: Path,
        table: Sequence[Command],
        values: dict[str, str],
        plan: Mapping[str, float],
        built: Callable[[dict[str, Any], str], None],
    ) -> None:
        """`values` are kept by the caller; `built` is called with the answer and the base."""
        super().__init__(path, table)
        self.values, self._plan, self._built = values, plan, built
        self.wrong: StudioError | None = None
        self.building = self._over = False
        self._known: dict[str, list[str]] = {}
        self._timer: Timer | None = None
        self._draft: list[str] | None = None  # what the outcome is of
        self._cycle: tuple[str, Completion, int] | None = None
        for field in FIELDS:
            values.setdefault(field.name, field.first)

    def compose(self) -> ComposeResult:
        """Fields, what comes out, messages, keys."""
        yield Static(" 3 Datasets ─ build", id="status", markup=False)
        with Container(id="build"):
            with Vertical(id="fields"):
                for field in FIELDS:
                    with Horizontal(classes="-long" if field.name in LONG else ""):
                        yield Static(f"{field.label:>10}: ", markup=False)
                        yield AnswerLine(
                            self.values[field.name], compact=True, id=f"field-{field.name}",
                            select_on_focus=False,
                        )  # fmt: skip
                yield Static("", id="field-hint", markup=False)
            yield Pane(self.commands, id="outcome")
        yield Static("", id="message", markup=False)
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Begin with the name, and count at once."""
        bind(self.query_one("#fields", Vertical), self.commands, "form")
        self.query_one("#field-name", Input).focus()
        self._known = {
            "agent": [*self.studio.agents, "none"],
            "status": ["new", "accepted", "dropped"],
            "success": ["true", "false", "none"],
            "verified": ["passed", "failed", "none"],
        }
        self._outcome = self.query_one("#outcome", Pane)
        self._outcome.can_focus = False
        self._judge_soon()

    def on_resize(self) -> None:
        """Put the outcome beside the fields where there is room."""
        self.set_class(self.size.width >= WIDE, "-wide")

    def on_screen_resume(self) -> None:
        """Leave, where the dataset was built while another screen was open."""
        if self._over:
            self.dismiss()

    def places(self) -> list[str]:
        """The places of the command table that have the focus."""
        return ["form"]

    # what comes out

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.values[str(event.input.id).removeprefix("field-")] = event.value
        self._draw_hint()
        if not self.building:
            self._judge_soon()

    def _judge_soon(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(QUIET, lambda: self._judge(dict(self.values)))

    @work(thread=True, exclusive=True, group="judge")
    def _judge(self, values: dict[str, str]) -> None:
        from exports.candidates import count_rows

        store = self.studio.store
        assert store is not None
        try:
            matching, dropped = count_rows(store, check(values).where)
        except StudioError as error:
            self.post_message(self.Judged(0, Counter(), error))
        else:
            self.post_message(self.Judged(matching, dropped))

    def on_build_screen_judged(self, message: Judged) -> None:
        """Show the quick count, and let the command itself say the rest."""
        self.wrong = message.error
        self._draw_hint()
        wanted = None if message.error else arguments_of({**self.values, "name": ""}, draft=True)
        if self.building or wanted == self._draft:
            return
        self.cancel_work()
        self._draft = wanted
        if wanted is None:
            self._outcome.show(Content(""))
            return
        found = f"{counted(message.matching, 'interaction')} match{'es' * (message.matching == 1)}"
        parts = [Content.styled(found, "bold")]
        if not message.matching:
            parts.append(Content("\na in 1 Browse accepts what is good; or take another filter"))
        if message.dropped:
            parts.append(dropped_line(message.dropped))
        if message.matching:
            parts.append(Content.styled("\nreading them …", "$text-muted"))
            self.do("", wanted, self._drafted, self._not_drafted)
        self._outcome.show(Content("\n").join(parts))

    def _drafted(self, answer: dict[str, Any]) -> None:
        title = Content.styled("would come out", "$text-muted")
        report = report_of(answer, self._plan, brief=True)
        self._outcome.show(Content("\n").join([title, report]))

    def _not_drafted(self, error: StudioError) -> None:
        self._outcome.show(Content(screen_text(f"nothing would come out\n\n{error}")))

    # building

    @on(Input.Submitted)
    def action_make(self) -> None:
        """Build the dataset."""
        if self.building:
            return
        if not self.values["name"].strip():
            self.say("error: the dataset needs a name", wrong=True)
            self.query_one("#field-name", Input).focus()
            return
        if self.wrong is not None:
            self.say(f"error: {self.wrong}", wrong=True)
            return
        if self._timer is not None:
            self._timer.stop()
        self.building = True
        self.do(f"building {self.values['name'].strip()}", arguments_of(self.values),
                self._made, self._not_made)  # fmt: skip

    def _made(self, answer: dict[str, Any] | None) -> None:
        if answer is None:
            self._again()
            self.say("cancelled: nothing was built")
            return
        self._built(answer, self.values["base"].strip() or "nano")
        self._over = True
        if self.is_current:
            self.dismiss()

    def _not_made(self, error: StudioError) -> None:
        self._again()
        self.say(f"error: {error}", wrong=True)

    def _again(self) -> None:
        """Back to the fields, with what they would make."""
        self.building, self._draft = False, None
        self._judge_soon()

    def back(self) -> bool:
        """End the building, or leave the form; what was typed is kept."""
        if self.building:
            self.interrupt_work()
        else:
            self.dismiss()
        return True

    def action_leave(self) -> None:
        """End the building, or leave the form."""
        self.back()

    # moving and completing

    def action_next_field(self) -> None:
        """To the field below."""
        self.focus_next(Input)

    def action_previous_field(self) -> None:
        """To the field above."""
        self.focus_previous(Input)

    def on_descendant_focus(self) -> None:
        """Another field's hint."""
        super().on_descendant_focus()
        self._cycle = None
        self._draw_hint()

    def _field(self) -> tuple[BuildField, Input] | None:
        focused = self.focused
        if not isinstance(focused, Input):
            return None
        name = str(focused.id).removeprefix("field-")
        return next(field for field in FIELDS if field.name == name), focused

    def _completion(self) -> Completion | None:
        from db.filters import KEYS

        found = self._field()
        if found is None:
            return None
        field, line = found
        if field.name == "where":
            return complete_filter(line.value, line.cursor_position, KEYS, self._known)
        return complete_word(line.value, line.cursor_position, field.words)

    def action_complete(self) -> None:
        """Complete the word, then go through what is possible."""
        found, at = self._field(), 0
        if found is None:
            return
        line = found[1]
        if self._cycle is not None and self._cycle[0] == line.value:
            _, completion, at = self._cycle
            at = (at + 1) % len(completion.candidates)
        else:
            offered = self._completion()
            if offered is None or not offered.candidates:
                return
            completion = offered
        chosen = completion.candidates[at]
        before = line.value[: completion.start] + chosen
        line.value = before + line.value[completion.end :]
        line.cursor_position = len(before)
        self._cycle = (line.value, completion._replace(end=completion.start + len(chosen)), at)

    def _draw_hint(self) -> None:
        found = self._field()
        if found is None:
            return
        completion = self._completion()
        words = completion.candidates if completion else []
        if found[0].words and found[1].value in found[0].words:
            words = list(found[0].words)
        hint = self.query_one("#field-hint", Static)
        hint.set_class(self.wrong is not None, "-wrong")
        text = f"✗ {self.wrong}" if self.wrong is not None else found[0].hint
        tab = f"Tab: {' '.join(words[:12])}" if words else ""
        lines = [screen_text(f"  {line}", one_line=False) for line in (text, tab)]
        hint.update(Content("\n").join([Content(line.replace("\n", " ")) for line in lines]))
