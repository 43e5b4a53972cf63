"""Hand a text to the user's own editor or pager, and take what comes back."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from db.errors import BadInput

EDITORS = ("nano", "vim", "vi")
PAGERS = ("less", "more")


def edited(text: str, suffix: str = ".md") -> str:
    """The text as the user left it in $VISUAL or $EDITOR. Raises BadInput when that failed."""
    command = _program(("VISUAL", "EDITOR"), EDITORS, "editor")
    with tempfile.TemporaryDirectory(prefix="studio-") as folder:
        path = Path(folder) / f"answer{suffix}"
        path.write_text(text, encoding="utf-8", newline="")
        _run(command, path)
        try:
            new = path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"what the editor left cannot be read: {error}") from error
    if new.endswith("\n") and not text.endswith("\n"):  # editors end the last line
        new = new[:-1]
    return new


def paged(text: str) -> None:
    """Show a text in $PAGER. Raises BadInput when that failed."""
    command = _program(("PAGER",), PAGERS, "pager")
    with tempfile.TemporaryDirectory(prefix="studio-") as folder:
        path = Path(folder) / "conversation.txt"
        path.write_text(text, encoding="utf-8")
        _run(command, path)


def _program(variables: tuple[str, ...], known: tuple[str, ...], what: str) -> list[str]:
    for variable in variables:
        if chosen := os.environ.get(variable):
            try:
                return shlex.split(chosen)
            except ValueError as error:
                raise BadInput(f"${variable} cannot be read: {error}") from error
    found = next((name for name in known if shutil.which(name)), None)
    if found is None:
        raise BadInput(f"there is no {what}; set ${variables[-1]}")
    return [found]


def _run(command: list[str], path: Path) -> None:
    try:
        done = subprocess.run([*command, str(path)], check=False)
    except OSError as error:
        raise BadInput(f"{command[0]} cannot be started: {error.strerror}") from error
    if done.returncode:
        raise BadInput(f"{command[0]} ended with exit code {done.returncode}; nothing was changed")
