"""What of Browse leaves the app: to the editor, the pager and the clipboard, and comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from db.counted import counted
from db.errors import BadInput, StudioError
from db.reader import Body
from studio import editing, suspending
from studio.screen_text import screen_text
from studio.widgets.blocks import blocks_of

if TYPE_CHECKING:
    from studio.screens.browse import BrowseScreen
    from studio.screens.frame import StudioScreen

OSC_52_MOST = 70_000  # characters; terminals and tmux cut what is longer


def edit(screen: BrowseScreen) -> None:
    """Let the user write a better answer; an unchanged one is no act."""
    body = screen.body("edit")
    if body is None:
        return
    before, identity = _answer(body), body.row.id
    try:
        after = suspending.lent(screen.app, lambda: editing.edited(before))
    except SuspendNotSupported:
        screen.say("error: this terminal cannot be lent to an editor", wrong=True)
        return
    except BadInput as error:
        screen.say(f"error: {error}", wrong=True)
        return
    finally:
        screen.refresh()
    if after == before:
        screen.say("the answer is as it was")
        return
    from studio.curation import named_acts

    screen.studio.act(lambda store: named_acts.edit(store, identity, after))


def _answer(body: Body) -> str:
    """The text that an edit replaces: the last assistant message's."""
    import msgspec

    messages = msgspec.json.decode(body.messages)
    last = next((m for m in reversed(messages) if m["role"] == "assistant"), None)
    return str(last.get("content") or "") if last else ""


def page(screen: BrowseScreen) -> None:
    """Show the whole conversation in the user's pager, made harmless as on the screen."""
    body = screen.body("read")
    if body is None:
        return
    lend(screen, "\n".join(f"── {block.title}\n{block.text}\n" for block in blocks_of(body)))


def lend(screen: StudioScreen, text: str) -> None:
    """Lend the terminal to the user's pager for a text, made harmless as on the screen."""
    try:
        suspending.lent(screen.app, lambda: editing.paged(screen_text(text)))
    except SuspendNotSupported:
        screen.say("error: this terminal cannot be lent to a pager", wrong=True)
    except BadInput as error:
        screen.say(f"error: {error}", wrong=True)
    screen.refresh()


def copy(screen: BrowseScreen) -> None:
    """Copy the chosen message where the conversation has the focus, else the answer."""
    body = screen.body("copy")
    if body is None:
        return
    pane = screen.conversation
    if screen.focused is pane and pane.identity == body.row.id and pane.blocks:
        text = pane.blocks[pane.chosen].text
    else:
        text = _answer(body)
    if not text:
        screen.say("there is no answer here to copy; Tab leads to the messages")
        return
    copy_text(screen, text)


def copy_text(screen: StudioScreen, text: str) -> None:
    """Copy a text by OSC 52, or into a file where it is too long for that."""
    if len(text) <= OSC_52_MOST:
        screen.app.copy_to_clipboard(text)
        screen.say(
            f"{counted(len(text), 'character')} copied (OSC 52; O opens them where that fails)"
        )
        return
    try:
        path = _file(text)
    except StudioError as error:
        screen.say(f"error: {error}", wrong=True)
    else:
        screen.say(f"too long for the clipboard of a terminal; written to {path}")


def _file(text: str) -> str:
    from platformdirs import user_cache_path

    path = user_cache_path("adapter-studio") / "copied.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror}") from error
    return str(path)
