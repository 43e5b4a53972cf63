"""ctrl+z, as every terminal program takes it: stop, give the shell its prompt, return by `fg`."""

from __future__ import annotations

import os
import signal


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
