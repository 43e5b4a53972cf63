"""The one table of what the app can do: bindings, footer, help, palette and docs are read from it.

A command's id names it in the settings file, where its keys can be changed. `where` says what has
to have the focus: `everywhere`, a screen (`browse`), or a widget of it (`table`, `conversation`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from db.errors import BadInput

# ctrl+h is backspace, ctrl+i tab, ctrl+j and ctrl+m enter; ctrl+s and ctrl+z are the terminal's.
FORBIDDEN = frozenset(f"ctrl+{letter}" for letter in "hijmsz")
PLACES = {
    "everywhere": "Everywhere",
    "browse": "Browse",
    "table": "In the table",
    "duplicates": "Duplicates",
    "runs": "Runs",
    "compare": "Compare",
    "decide": "Decide",
    "datasets": "Datasets",
    "examples": "Examples of a dataset",
    "checks": "Preflight",
    "plan": "Before a training",
    "question": "A question",
    "conversation": "In the conversation",
    "list": "In a list",
    "lines": "In a list of lines",
    "pane": "In the text",
    "views": "In the list of views",
    "prompt": "While typing",
    "form": "In the form",
}

_NAMESPACES = {
    "app": "app.",
    "browse": "screen.",
    "duplicates": "screen.",
    "compare": "screen.",
    "decide": "screen.",
    "views": "screen.",
    "runs": "screen.",
    "datasets": "screen.",
    "examples": "screen.",
    "checks": "screen.",
    "plan": "screen.",
    "form": "screen.",
    "question": "screen.",
}  # else the widget's own


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that the user can do. `footer` orders the footer, 0 keeps it out of there."""

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    where: str
    footer: int = 0
    argument: str = ""

    @property
    def action(self) -> str:
        """The Textual action: `screen.accept`, `app.help`, or `down` of the widget itself."""
        owner, _, name = self.id.partition(".")
        if owner == "label":
            return f"screen.run_label({self.argument!r})"
        if owner == "go":
            return f"app.go({name!r})"
        return _NAMESPACES.get(owner, "") + name.replace("-", "_")


def _command(
    identity: str, keys: str, label: str, help: str, where: str, footer: int = 0
) -> Command:
    return Command(identity, tuple(keys.split()), label, help, where, footer)


COMMANDS: tuple[Command, ...] = (
    _command("app.help", "question_mark f1", "help", "What the keys do here.", "everywhere", 99),
    _command("app.palette", "ctrl+p", "commands", "Find a command by its name.", "everywhere"),
    _command("app.back", "q escape", "back", "Close, unmark or leave; at the top, quit with q.",
             "everywhere"),
    _command("app.stop", "ctrl+q", "quit", "Leave the app; nothing is lost.", "everywhere"),
    _command("go.browse", "1", "browse", "Interactions.", "everywhere"),
    _command("go.datasets", "3", "datasets", "Datasets: build, check, train.", "everywhere"),
    _command("go.duplicates", "2", "duplicates", "Near-duplicates: which of them stay.",
             "everywhere"),
    _command("go.runs", "4", "runs", "Training: curves, checkpoints, logs.", "everywhere"),
    _command("go.compare", "5", "compare", "Two arms: figures, items, answers.", "everywhere"),
    _command("go.decide", "6", "decide", "What follows, by which rules.", "everywhere"),
    _command("browse.accept", "a", "accept", "Take into datasets.", "browse", 10),
    _command("browse.drop", "x", "drop", "Keep out of datasets.", "browse", 11),
    _command("browse.reset", "X", "reset", "Neither accepted nor dropped.", "browse"),
    _command("browse.undo", "u", "undo", "Take the last act back, also after a restart.", "browse",
             12),
    _command("browse.redo", "ctrl+r", "redo", "Bring back what was undone.", "browse"),
    _command("browse.filter", "f", "filter", "Show only what a filter holds for.", "browse", 13),
    _command("browse.search", "slash", "search", "Search in tasks and answers as you type.",
             "browse", 14),
    _command("browse.mark", "space", "mark", "Mark this row, or take its mark away.", "browse",
             15),
    _command("browse.zoom", "enter", "open", "This conversation in full.", "table", 16),
    _command("browse.tag", "T", "tag", "Add a tag; tag:NAME finds it again.", "browse", 17),
    _command("browse.note", "N", "note", "Write a note; an empty one removes it.", "browse", 18),
    _command("browse.edit", "e", "edit", "Write a better answer in $EDITOR.", "browse", 19),
    _command("browse.sort", "s", "sort", "Choose the order of the rows.", "browse", 20),
    _command("browse.queue", "Q", "queue", "Unreviewed rows, least certain agent first.", "browse",
             21),
    _command("browse.range", "V", "range", "Start a range; moving extends it.", "browse"),
    _command("browse.mark-all", "asterisk", "mark all", "Mark every row that matches, or none.",
             "browse"),
    _command("browse.views", "w", "views", "Open a saved view.", "browse"),
    _command("browse.save-view", "W", "save view", "Save filter, search and order under a name.",
             "browse"),
    _command("browse.refresh", "R f5", "refresh", "Ask again; show rows that arrived.", "browse"),
    _command("browse.next-hit", "n", "next hit", "Next place that the search found.", "browse"),
    _command("browse.previous-hit", "p", "previous hit", "The place before.", "browse"),
    _command("browse.next-row", "J", "next row", "Next row, wherever the focus is.", "browse"),
    _command("browse.previous-row", "K", "previous row", "The row before.", "browse"),
    _command("browse.pane-right", "l right", "conversation", "To the conversation; next row in it.",
             "browse"),
    _command("browse.pane-left", "h left", "table", "To the table; row before in full view.",
             "browse"),
    _command("browse.switch", "tab shift+tab", "other pane", "Between table and conversation.",
             "browse"),
    _command("browse.copy", "y", "copy", "Copy the answer, or the chosen message.", "browse"),
    _command("browse.pager", "O", "pager", "Read it all in $PAGER.", "browse"),
    _command("duplicates.accept", "a", "accept", "The proposed one stays, the others are dropped.",
             "duplicates", 10),
    _command("duplicates.keep", "equals_sign", "keep this", "The one on the right stays, the "
             "others are dropped.", "duplicates", 11),
    _command("duplicates.distinct", "m", "distinct", "Keep all: they are no duplicates, and no "
             "later search says so.", "duplicates", 12),
    _command("duplicates.drop", "x", "drop", "Drop the one on the right.", "duplicates", 13),
    _command("duplicates.drop-all", "D", "drop all", "Drop every member.", "duplicates"),
    _command("duplicates.undo", "u", "undo", "Take the last act back, also after a restart.",
             "duplicates", 14),
    _command("duplicates.redo", "ctrl+r", "redo", "Bring back what was undone.", "duplicates"),
    _command("duplicates.next-member", "right_square_bracket l right", "next one",
             "Compare the next member.", "duplicates", 15),
    _command("duplicates.previous-member", "left_square_bracket h left", "one before",
             "Compare the member before.", "duplicates"),
    _command("duplicates.next-difference", "n", "next diff.", "Next difference.", "duplicates", 16),
    _command("duplicates.previous-difference", "p", "previous", "The difference before.",
             "duplicates"),
    _command("duplicates.filter", "f", "open only", "Only clusters to decide on, or all.",
             "duplicates", 17),
    _command("duplicates.find", "d", "find", "Look for duplicates meanwhile; Esc stops it.",
             "duplicates", 18),
    _command("duplicates.next-cluster", "J", "next cluster", "Next one, wherever the focus is.",
             "duplicates"),
    _command("duplicates.previous-cluster", "K", "cluster before", "The one before.",
             "duplicates"),
    _command("duplicates.read", "enter", "read", "To the two members.", "duplicates"),
    _command("duplicates.switch", "tab shift+tab", "other pane", "Between clusters and members.",
             "duplicates"),
    _command("duplicates.refresh", "R f5", "refresh", "Read everything again.", "duplicates"),
    _command("table.down", "j down", "down", "One row down.", "table"),
    _command("table.up", "k up", "up", "One row up.", "table"),
    _command("table.page-down", "ctrl+d pagedown", "page down", "One page down.", "table"),
    _command("table.page-up", "ctrl+u pageup", "page up", "One page up.", "table"),
    _command("table.first", "g home", "first", "The first row.", "table"),
    _command("table.last", "G end", "last", "The last row.", "table"),
    _command("conversation.down", "j down", "down", "One line down.", "conversation"),
    _command("conversation.up", "k up", "up", "One line up.", "conversation"),
    _command("conversation.page-down", "ctrl+d pagedown", "page down", "One page down.",
             "conversation"),
    _command("conversation.page-up", "ctrl+u pageup", "page up", "One page up.", "conversation"),
    _command("conversation.first", "g home", "top", "The beginning.", "conversation"),
    _command("conversation.last", "G end", "end", "The end.", "conversation"),
    _command("conversation.next-message", "right_square_bracket", "next message",
             "Choose the next message.", "conversation"),
    _command("conversation.previous-message", "left_square_bracket", "previous message",
             "Choose the message before.", "conversation"),
    _command("conversation.fold", "enter", "fold", "Open or fold the chosen message.",
             "conversation", 1),
    _command("conversation.fold-all", "z", "fold all", "Open or fold all calls and results.",
             "conversation", 2),
    _command("datasets.examples", "enter", "examples", "Its examples as tokens.", "datasets", 10),
    _command("datasets.build", "b", "build", "A new one; counts what would come out.", "datasets",
             11),
    _command("datasets.preflight", "p", "preflight", "Check it before it costs anything.",
             "datasets", 12),
    _command("datasets.export", "e", "export", "Write it for another program.", "datasets", 13),
    _command("datasets.train", "t", "train", "Plan a training, then start it.", "datasets", 14),
    _command("datasets.undo", "u", "undo", "Take the last act of curation back.", "datasets"),
    _command("datasets.redo", "ctrl+r", "redo", "Bring back what was undone.", "datasets"),
    _command("datasets.refresh", "R f5", "refresh", "Read again what was built.", "datasets"),
    _command("datasets.cancel", "x", "cancel", "End the export that runs.", "datasets"),
    _command("datasets.switch", "tab shift+tab l h left right", "other pane",
             "Between list and report.", "datasets", 20),
    _command("examples.zoom", "enter", "tokens", "The tokens alone.", "examples", 10),
    _command("examples.next", "J", "next", "The next example, wherever the focus is.", "examples",
             11),
    _command("examples.previous", "K", "previous", "The example before.", "examples", 12),
    _command("examples.trained", "n", "trained", "To the next tokens that are trained on.",
             "examples", 13),
    _command("examples.base", "B", "base", "As another base reads it.", "examples", 14),
    _command("examples.switch", "tab shift+tab l h left right", "other pane",
             "Between list and tokens.", "examples", 15),
    _command("checks.example", "enter", "example", "The example that this check names.", "checks",
             10),
    _command("checks.again", "p R f5", "again", "Check once more.", "checks", 11),
    _command("checks.switch", "tab shift+tab l h left right", "other pane",
             "Between the list and the check in full.", "checks", 12),
    _command("plan.launch", "enter", "start", "Start the training.", "plan", 10),
    _command("plan.force", "F", "force", "Train although preflight blocks; the run is stamped.",
             "plan", 11),
    _command("form.make", "enter", "build", "Build the dataset.", "form", 1),
    _command("form.complete", "tab", "complete", "Complete the word.", "form", 2),
    _command("form.next-field", "down", "next", "The field below.", "form", 3),
    _command("form.leave", "escape", "leave", "End the building, or leave the form.", "form", 5),
    _command("form.previous-field", "up shift+tab", "previous", "The field above.", "form", 4),
    _command("runs.open", "enter", "open", "This run in full, with its options.", "runs", 10),
    _command("runs.mark", "space", "overlay", "Lay this run's curves over those of others.", "runs",
             11),
    _command("runs.metric", "m", "chart", "Loss, validation loss, score, learning rate, gradient.",
             "runs", 12),
    _command("runs.stop", "S", "stop", "Save a checkpoint and end this run; asks first.", "runs",
             12),
    _command("runs.resume", "R", "resume", "Go on from the last checkpoint.", "runs", 13),
    _command("runs.evaluate", "E", "evaluate", "The selected checkpoint and its base on a suite.",
             "runs", 14),
    _command("runs.log", "L O", "log", "Read the log in $PAGER.", "runs", 15),
    _command("runs.copy", "y", "copy path", "Copy the path of the selected checkpoint.", "runs",
             16),
    _command("runs.next-row", "J l right", "next run", "Next run, wherever the focus is.", "runs"),
    _command("runs.previous-row", "K h left", "previous run", "The run before.", "runs"),
    _command("question.yes", "y enter", "yes", "Do it.", "question"),
    _command("question.no", "n", "no", "Leave everything as it is.", "question"),
    _command("compare.open", "enter", "open", "Both answers to this item.", "compare", 9),
    _command("compare.broken", "b", "broken", "Items that only A passes.", "compare", 10),
    _command("compare.fixed", "f", "fixed", "Items that only B passes.", "compare", 11),
    _command("compare.both-wrong", "w", "both wrong", "Items that neither passes.", "compare", 12),
    _command("compare.all", "A", "all", "Every item.", "compare", 13),
    _command("compare.next-difference", "n", "next diff.", "Next difference, here or in the next "
             "item.", "compare", 14),
    _command("compare.previous-difference", "p", "previous", "The difference before.", "compare"),
    _command("compare.choose-a", "less_than_sign", "choose A", "Another arm on the left.",
             "compare", 15),
    _command("compare.choose-b", "greater_than_sign", "choose B", "Another arm on the right.",
             "compare", 16),
    _command("compare.swap", "x", "swap", "A becomes B and B becomes A.", "compare", 17),
    _command("compare.suite", "s", "suite", "Choose the suite.", "compare", 18),
    _command("compare.whole", "r", "request", "All of a long request, or its first lines.",
             "compare", 19),
    _command("compare.copy", "y", "copy", "Copy the figures, or the answers.", "compare", 20),
    _command("compare.pager", "O", "pager", "Read the same in $PAGER.", "compare", 21),
    _command("compare.next-item", "J l right", "next item", "Next item, wherever the focus is.",
             "compare"),
    _command("compare.previous-item", "K h left", "previous item", "The item before.", "compare"),
    _command("compare.switch", "tab", "next pane", "Figures, items, answers.", "compare"),
    _command("compare.switch-back", "shift+tab", "pane before", "The other way round.", "compare"),
    _command("compare.refresh", "R f5", "refresh", "Read again what was evaluated.", "compare"),
    _command("decide.report", "w", "report", "Write the decision as Markdown.", "decide", 10),
    _command("decide.copy", "y", "copy", "Copy a summary with n and intervals.", "decide", 11),
    _command("decide.against", "a", "against", "Choose the arm to beat.", "decide", 12),
    _command("decide.suite", "s", "suite", "Choose the suite.", "decide", 13),
    _command("decide.pager", "O", "pager", "Read the whole report in $PAGER.", "decide", 14),
    _command("decide.next-arm", "J l right", "next arm", "Next arm, wherever the focus is.",
             "decide"),
    _command("decide.previous-arm", "K h left", "previous arm", "The arm before.", "decide"),
    _command("decide.switch", "tab shift+tab", "other pane", "Between arms and rules.", "decide"),
    _command("decide.refresh", "R f5", "refresh", "Read again and decide again.", "decide"),
    _command("pane.scroll-down", "j down", "down", "One line down.", "pane"),
    _command("pane.scroll-up", "k up", "up", "One line up.", "pane"),
    _command("pane.page-down", "ctrl+d pagedown", "page down", "One page down.", "pane"),
    _command("pane.page-up", "ctrl+u pageup", "page up", "One page up.", "pane"),
    _command("pane.scroll-home", "g home", "top", "The beginning.", "pane"),
    _command("pane.scroll-end", "G end", "end", "The end.", "pane"),
    _command("lines.down", "j down", "down", "One line down.", "lines"),
    _command("lines.up", "k up", "up", "One line up.", "lines"),
    _command("lines.page-down", "ctrl+d pagedown", "page down", "One page down.", "lines"),
    _command("lines.page-up", "ctrl+u pageup", "page up", "One page up.", "lines"),
    _command("lines.first", "g home", "first", "The first line.", "lines"),
    _command("lines.last", "G end", "last", "The last line.", "lines"),
    _command("list.cursor-down", "j down", "down", "One line down.", "list"),
    _command("list.cursor-up", "k up", "up", "One line up.", "list"),
    _command("list.page-down", "ctrl+d pagedown", "page down", "One page down.", "list"),
    _command("list.page-up", "ctrl+u pageup", "page up", "One page up.", "list"),
    _command("list.first", "g home", "first", "The first line.", "list"),
    _command("list.last", "G end", "last", "The last line.", "list"),
    _command("list.select", "enter", "choose", "Take this one.", "list"),
    _command("views.remove", "x delete", "remove", "Forget this view.", "views"),
    _command("prompt.complete", "tab", "complete", "Complete the word.", "prompt", 1),
    _command("prompt.cancel", "escape", "cancel", "Leave everything as it was.", "prompt", 3),
)  # fmt: skip


def label_commands(keys: Mapping[str, str]) -> tuple[Command, ...]:
    """One command for each agent, `label.coder` and so on; `keys` gives each agent's own key."""
    return tuple(
        Command(
            f"label.{agent}", (key,) if key else (), agent, f"It is the {agent}'s task.",
            "browse", footer, agent,
        )
        for footer, (agent, key) in enumerate(keys.items(), -len(keys))
    )  # fmt: skip


def with_keys(commands: Iterable[Command], chosen: Mapping[str, str]) -> tuple[Command, ...]:
    """The commands with the keys that the user chose; a key that another had is taken from it.

    `chosen` maps command ids to keys separated by blanks. Raises BadInput for a key that a
    terminal cannot tell from another.
    """
    listed = list(commands)
    for identity, keys in chosen.items():
        for key in keys.split():
            if key in FORBIDDEN:
                raise BadInput(f"keys: {identity}: {key} cannot be used, terminals need it")
        at = next((n for n, command in enumerate(listed) if command.id == identity), None)
        if at is None:
            continue
        mine = replace(listed[at], keys=tuple(keys.split()))
        listed = [
            replace(other, keys=tuple(key for key in other.keys if key not in mine.keys))
            if _same_place(other, mine)
            else other
            for other in listed
        ]
        listed[at] = mine
    return tuple(listed)


def _same_place(one: Command, other: Command) -> bool:
    return one.where == other.where


def check_ids(chosen: Iterable[str], known: Iterable[str]) -> None:
    """Raise BadInput for an id that is no command's."""
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        raise BadInput(f"keys: there is no command {unknown[0]!r}; ? in the app shows them all")


_NAMES = {
    "question_mark": "?", "slash": "/", "asterisk": "*", "space": "Space", "enter": "Enter",
    "escape": "Esc", "tab": "Tab", "down": "↓", "up": "↑", "left": "←", "right": "→",
    "pagedown": "PgDn", "pageup": "PgUp", "home": "Home", "end": "End", "f1": "F1", "f5": "F5",
    "equals_sign": "=", "less_than_sign": "<", "greater_than_sign": ">",
    "right_square_bracket": "]", "left_square_bracket": "[", "shift+tab": "Shift+Tab",
}  # fmt: skip


def key_names(command: Command) -> str:
    """The keys as a person reads them: `j ↓`."""
    return " ".join(_NAMES.get(key, key) for key in command.keys)


def first_key(command: Command) -> str:
    """The key that the footer shows."""
    return _NAMES.get(command.keys[0], command.keys[0]) if command.keys else ""


def footer(commands: Sequence[Command], places: Sequence[str]) -> list[Command]:
    """The commands for the footer, most wanted first; the innermost place comes first."""
    shown = [c for c in commands if c.footer and c.keys and c.where in places]
    return sorted(shown, key=lambda c: (c.footer == 99, c.footer))


def key_list(commands: Iterable[Command] = COMMANDS) -> str:
    """The key list of the docs, as Markdown."""
    lines = ["| keys | command | what it does | id |", "|---|---|---|---|"]
    for command in commands:
        keys = " ".join(f"`{name}`" for name in key_names(command).split())
        lines.append(f"| {keys} | {command.label} | {command.help} | `{command.id}` |")
    return "\n".join(lines)
