"""The terminal handed on, and taken back: to an editor or a pager, and to the shell by ctrl+z."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from db.errors import BadInput

if TYPE_CHECKING:
    from textual.app import App

T = TypeVar("T")


def lent(app: App[object], work: Callable[[], T]) -> T:
    """What `work` answers, which has the terminal meanwhile.

    Raises what `work` raises, SuspendNotSupported where the terminal cannot be lent.
    """
    with app.suspend():  # Textual takes the terminal back only where nothing is raised in here
        try:
            answer: T | BadInput = work()
        except BadInput as error:
            answer = error
    if isinstance(answer, BadInput):
        raise answer
    return answer


def can_return() -> bool:
    """Whether a shell with job control waits for us: without one nobody could bring us back.

    It is an ancestor in our session and outside our process group; `make` or a script that
    started us is within it, and stops and returns with us.
    """
    import psutil

    try:
        for ancestor in psutil.Process().parents():
            if os.getsid(ancestor.pid) != os.getsid(0):
                return False
            if os.getpgid(ancestor.pid) != os.getpgrp():
                return True
    except (OSError, psutil.Error):
        return False
    return False


def stop() -> None:
    """Stop the whole process group, once the terminal was given back; returns after `fg`.

    Not before: a program that touches the terminal from the background is stopped there, and
    would stop once more when it comes back.
    """
    os.kill(0, signal.SIGSTOP)
