"""Screen 6, Decide: what follows from the evaluations, by which rules, and who serves whom."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from db.counted import counted
from db.errors import BadInput, StudioError
from db.evaluations import StoredEvaluation
from studio.commands import Command
from studio.decisions import report
from studio.evals.compare import sentence
from studio.evals.statistics import p_in_words
from studio.evals.stored import Board
from studio.screen_text import screen_text
from studio.screens import leaving
from studio.screens.evaluated import EvaluatedScreen
from studio.widgets.facts import Facts
from studio.widgets.hanging import hanging
from studio.widgets.key_line import KeyLine
from studio.widgets.listing import ListColumn, Listing
from studio.widgets.prompt import Prompt

ARM_COLUMNS = (
    ListColumn("arm", 16),
    ListColumn("n", 5, right=True),
    ListColumn("rate %", 6, right=True),
    ListColumn("95%", 11, right=True),
    ListColumn("difference (95%)", 22, right=True),
    ListColumn("", 10, rank=1),
    ListColumn("fixed", 5, rank=2, right=True),
    ListColumn("broken", 6, rank=2, right=True),
    ListColumn("p", 8, rank=2, right=True),
    ListColumn("items needed", 12, rank=3, right=True),
    ListColumn("decision"),
)
NAME_SHARE = 3  # of so many parts of a line the names take one; longer ones stand above their text
HOLDS = {True: "✓ holds  ", False: "✗ no     ", None: "? unknown"}

Decision = Mapping[str, Any]


class DecideScreen(EvaluatedScreen):
    """The verdict, the arms that were judged, and the rules and routes behind it."""

    PLACE = "decide"
    CSS_PATH = "decide.tcss"

    class Decided(Message):
        """What the rules say."""

        def __init__(self, against: StoredEvaluation, value: Decision) -> None:
            self.against, self.value = against, value
            super().__init__()

    class Written(Message):
        """The report was written and the decision kept."""

        def __init__(self, path: Path, decision: int) -> None:
            self.path, self.decision = path, decision
            super().__init__()

    def __init__(self, path: Path, table: Sequence[Command]) -> None:
        super().__init__(path, table)
        self.against: StoredEvaluation | None = None
        self.value: Decision | None = None

    def compose(self) -> ComposeResult:
        """Status, verdict, arms, rules and routes, a line for messages, the prompt, the keys."""
        yield Static("", id="status", markup=False)
        yield Static(" reading …", id="nothing", markup=False)
        yield Static("", id="verdict", markup=False)
        yield Listing(ARM_COLUMNS, self.commands, id="arms")
        yield Facts(self.commands, id="rules")
        yield Static("", id="message", markup=False)
        yield Prompt(self.commands, id="prompt")
        yield KeyLine(id="keys")

    @property
    def arms(self) -> Listing:
        """The arms that were judged, the one that gets furthest first."""
        return self.query_one("#arms", Listing)

    @property
    def rules(self) -> Facts:
        """The rules on the arm under the cursor, and the routes."""
        return self.query_one("#rules", Facts)

    @property
    def prompt(self) -> Prompt:
        """The line that asks."""
        return self.query_one("#prompt", Prompt)

    def on_mount(self) -> None:
        """Begin with the arms."""
        self.prompt.display = False
        self.add_class("-nothing")
        self.arms.focus()
        self._draw_status()
        self.draw_keys()

    def on_resize(self) -> None:
        """Draw the status anew."""
        self._draw_status()

    # deciding

    def draw_board(self) -> None:
        """Decide beside the arm that was to be beaten, else the base of the newest adapter."""
        self._draw_status()
        if self.alone or self.board is None:
            return
        pair = self.board.pair()
        kept = self.against is not None and self.against.id in {arm.id for arm in self.board.arms}
        against = self.against if kept else pair[0] if pair else None
        if against is not None:
            self.decide(self.board, against)

    @work(thread=True, exclusive=True, group="decide", description="decide")
    def decide(self, board: Board, against: StoredEvaluation) -> None:
        """Apply the rules to what is stored."""
        from studio.decisions.stored import decide_board

        try:
            value = decide_board(self.path, board, against)
        except (sqlite3.Error, StudioError) as error:
            self.post_message(self.Failed(str(error)))
            return
        self.post_message(self.Decided(against, value))

    def on_decide_screen_decided(self, message: Decided) -> None:
        """Draw the decision."""
        self.against, self.value = message.against, message.value
        value, arms = message.value, message.value["arms"]
        verdict = value["verdict"].upper().replace("_", " ")
        self.query_one("#verdict", Static).update(
            Content.assemble(
                Content.styled(f" {screen_text(verdict)}  ", "bold"),
                screen_text(value["scenario"], one_line=True),
            )
        )
        self.arms.show(len(arms), lambda n: _arm_cells(arms[n]))
        self.arms.styles.height = min(len(arms), 8) + 1
        self._draw_status()

    @on(Listing.Moved)
    def _arm_chosen(self) -> None:
        if (value := self.value) is not None and value["arms"]:
            arm = value["arms"][self.arms.cursor]
            self.rules.show(lambda width, _: _evidence(value, arm, width))
            self.rules.action_first()

    def _draw_status(self) -> None:
        parts = [f"6 Decide ─ {self.path.name}"]
        counts: list[str] = []
        if self.value is not None and not self.alone:
            parts.append(f"against {self.value['against']}")
            counts.append(f"{counted(len(self.value['arms']), 'arm')} judged")
        if self.board is not None:
            parts.append(Path(self.board.suite).name)
            counts.append(counted(self.board.n, "item"))
        self.draw_status(parts, counts)

    def places(self) -> list[str]:
        """The places of the command table that have the focus, the innermost first."""
        if self.prompt.display:
            return ["prompt"]
        return ["lines", "decide"]

    # moving about

    def back(self) -> bool:
        """Back to the arms; False when nothing is open."""
        if self.focused is self.rules:
            self.arms.focus()
            return True
        return False

    def action_switch(self) -> None:
        """To the other pane."""
        if not self.alone:
            (self.arms if self.focused is self.rules else self.rules).focus()

    def action_next_arm(self) -> None:
        """One arm down, wherever the focus is."""
        self.arms.move_to(self.arms.cursor + 1)

    def action_previous_arm(self) -> None:
        """One arm up, wherever the focus is."""
        self.arms.move_to(self.arms.cursor - 1)

    def action_against(self) -> None:
        """Let the user choose the arm to beat."""
        if self.alone or self.board is None or self.against is None:
            self.say("there are no two arms to choose from")
            return
        board = self.board

        def chosen(arm: StoredEvaluation) -> None:
            self.against = arm
            self.decide(board, arm)

        self.choose_arm("The arm to beat", board.arms, self.against, chosen)

    # leaving

    def action_copy(self) -> None:
        """Copy a summary."""
        if self._decided() is not None:
            leaving.copy_text(self, screen_text(report.summary(self._decided() or {})))

    def action_pager(self) -> None:
        """Read the report in $PAGER."""
        if (value := self._decided()) is not None:
            leaving.lend(self, report.markdown(value, _now()))

    def action_report(self) -> None:
        """Ask where the report is to be written."""
        if (value := self._decided()) is not None:
            date = time.strftime("%Y-%m-%d", time.gmtime())
            name = f"report-{Path(value['suite']).stem}-{date}.md"
            hint = "a file is written whole or not at all; one of that name is replaced"
            self.prompt.ask(
                "write the report to", name, hint=hint, check=_check_path, suggested=True
            )
            self.draw_keys()

    def _decided(self) -> Decision | None:
        """The decision; says so where there is none."""
        if self.value is None or self.alone:
            self.say("there is no decision yet")
            return None
        return self.value

    @on(Prompt.Answered)
    def _answered(self, event: Prompt.Answered) -> None:
        self.arms.focus()
        value = self._decided()
        if value is not None and event.value.strip():
            self._write(value, Path(event.value.strip()).expanduser())

    @on(Prompt.Cancelled)
    def _cancelled(self) -> None:
        self.arms.focus()

    @work(thread=True, group="report", description="report")
    def _write(self, value: Decision, path: Path) -> None:
        """Write the report, and keep the decision that it tells of."""
        from exports.atomic import atomic
        from studio.decisions.decide import keep

        store = self.studio.store
        try:
            if store is None:
                raise BadInput("the store is still being opened; again in a moment")
            with atomic(path) as file:
                file.write(report.markdown(value, _now()))
            decision = keep(store, value)
        except StudioError as error:
            self.post_message(self.Failed(str(error)))
            return
        self.post_message(self.Written(path.absolute(), decision))

    def on_decide_screen_written(self, message: Written) -> None:
        """Say where it is."""
        self.say(f"written to {message.path}; kept as decision {message.decision}")


def _now() -> int:
    return time.time_ns() // 1_000_000


def _check_path(text: str) -> None:
    """Raises BadInput for a path that cannot be a new file."""
    path = Path(text.strip()).expanduser()
    if not text.strip():
        raise BadInput("give a path, or Esc")
    if path.is_dir():
        raise BadInput(f"{path} is a folder; give the name of a file in it")
    if not path.parent.is_dir():
        raise BadInput(f"{path.parent} does not exist")


def _arm_cells(arm: Mapping[str, Any]) -> list[str]:
    figures = arm["overall"]
    own, needed = figures["b"], figures["n_needed"]
    (low, high), (least, most) = own["ci95"], figures["delta_ci95"]
    return [
        arm["arm"],
        f"{own['n']:,}",
        f"{100 * own['rate']:.1f}",
        f"{100 * low:.1f}–{100 * high:.1f}",
        f"{100 * figures['delta']:+.1f} ({100 * least:+.1f} to {100 * most:+.1f})",
        figures["verdict"],
        str(figures["fixed"]),
        str(figures["broken"]),
        p_in_words(figures["p_adjusted"]),
        "·" if needed is None else f"{needed:,}",
        arm["verdict"].replace("_", " "),
    ]


def _evidence(value: Decision, arm: Mapping[str, Any], width: int) -> Content:
    """Each rule with its evidence on one arm, the routes, then the differences by group."""

    def lines(rows: Sequence[tuple[str, str]], sign: str) -> list[Content]:
        longest = max((_line(name).cell_length for name, _ in rows), default=0)
        name_width = min(longest, width // NAME_SHARE)
        indent = 1 + name_width + len(sign)
        return [
            hanging(_beside(name, name_width, sign), _line(text), width, indent)
            for name, text in rows
        ]

    parts: list[Content] = [_heading(f"rules on {arm['arm']}: {arm['scenario']}")]
    for rule in arm["rules"]:
        holds = Content.styled(f" {HOLDS[rule['holds']]} ", "bold")
        parts.append(hanging(holds + f"{rule['id']:<19}", _line(rule["evidence"]), width))
    parts += [Content(""), _heading(f"routes: who serves whom after {value['verdict']}")]
    parts += lines([*value["routes"].items()], " → ")
    groups = [
        *arm["by_category"].items(),
        *((f"agent {name}", figures) for name, figures in arm["by_agent"].items()),
    ]
    parts += [Content(""), _heading("differences by category and by agent")]
    parts += lines([(name, sentence(figures, value["margin"])) for name, figures in groups], "  ")
    return Content("\n").join(parts)


def _beside(name: str, name_width: int, sign: str) -> Content:
    """A name with blanks up to what stands beside it; a longer one as it is."""
    label = Content(" ") + _line(name)
    return label + " " * (1 + name_width - label.cell_length) + sign


def _line(text: str) -> Content:
    return Content(screen_text(text.replace("\n", " ")))


def _heading(text: str) -> Content:
    return Content.styled(f"── {screen_text(text, one_line=True)}", "bold $text-primary")
