"""`studio`: run a command, turn errors into one line and an exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from db.errors import Refused, StudioError
from studio.opening import in_terminal, open_app

if TYPE_CHECKING:
    import click


def main(arguments: list[str] | None = None) -> int:
    """Run one command. 0 done, 1 done and the answer is no, 2 cannot be done as asked."""
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    try:
        result = _run(arguments)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except BrokenPipeError:  # the reader has seen enough: `studio list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _say("interrupted", 130, debug)
    except Refused as error:
        return _say(str(error), 1, debug)
    except StudioError as error:
        return _say(str(error), 2, debug)
    except Exception as error:  # noqa: BLE001  the user gets one line, --debug the rest
        return _failed(error, debug)


def _run(arguments: list[str]) -> object:
    """The app at once, else a command by click: its import is a tenth of the app's first frame."""
    if (not arguments or arguments[:-1] == ["--store"]) and in_terminal():
        return open_app(arguments[-1] if arguments else None)
    from studio.cli import studio

    return studio.main(args=arguments, prog_name="studio", standalone_mode=False)


def _failed(error: Exception, debug: bool) -> int:
    import click

    if isinstance(error, click.Abort):
        return _say("aborted", 130, debug)
    if isinstance(error, click.ClickException):
        return _say(_usage_line(error), 2, debug)
    name = type(error).__name__
    return _say(f"this is a bug in studio: {name}: {error} (--debug shows where)", 2, debug)


def _usage_line(error: click.ClickException) -> str:
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{message} (see: {context.command_path} --help)" if context else message


def _say(message: str, code: int, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    print(f"studio: {' '.join(message.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
