"""Exceptions across the wall: a builtin one arrives as itself, any other as its builtin base."""

from __future__ import annotations

import builtins
from types import TracebackType
from typing import Any

from .codec import CodecError, Decoder, Encoder

CODE_FILE = "<code>"  # the file name that hostile code is compiled under
_MARK = "__raised_by_the_code__"

_classes: dict[tuple[str, type[BaseException]], type[BaseException]] = {}


def describe(error: BaseException, encoder: Encoder) -> dict[str, Any]:
    """The JSON form of an exception: class, builtin base, plain arguments, text."""
    return {
        "name": type(error).__name__,
        "base": builtin_base(type(error)).__name__,
        "args": [_argument(item, encoder) for item in error.args[:8]],
        "text": last_line(error),
    }


def builtin_base(kind: type[BaseException]) -> type[BaseException]:
    """The nearest class of `kind` that is one of Python's builtin exceptions."""
    for base in kind.__mro__:
        known: object = vars(builtins).get(base.__name__)
        if issubclass(base, BaseException) and base is known:
            return base
    return BaseException


def last_line(error: BaseException) -> str:
    """`line 3: ValueError: why`, at most 300 characters; never raises an Exception."""
    try:
        text = str(error)[:300]
    except Exception:  # noqa: BLE001 - a __str__ of the code's own
        text = "(its text cannot be shown)"
    line = _line_in_code(error.__traceback__)
    name = type(error).__name__
    return (f"line {line}: " if line else "") + (f"{name}: {text}" if text else name)


def _line_in_code(trace: TracebackType | None) -> int:
    line = 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == CODE_FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _argument(value: Any, encoder: Encoder) -> Any:
    try:
        return encoder.encode(value)
    except (CodecError, RecursionError):
        return f"<{type(value).__name__}>"


def rebuild(node: Any, decoder: Decoder) -> BaseException:
    """The exception that a description stands for, marked as raised by the other side.

    Raises CodecError when it is not a description.
    """
    if not isinstance(node, dict) or not isinstance(node.get("args"), list):
        raise CodecError("malformed exception")
    kind = local_class(node.get("name"), node.get("base"))
    arguments = [decoder.decode(item) for item in node["args"]]
    try:
        error = kind(*arguments)
    except (TypeError, ValueError):  # such as UnicodeDecodeError, which wants exactly five
        error = Exception(*arguments)
    setattr(error, _MARK, str(node.get("text"))[:400])
    return error


def local_class(name: Any, base: Any) -> type[BaseException]:
    """The builtin exception called `name`, else a class of that name under builtin `base`."""
    if not isinstance(name, str) or not isinstance(base, str) or not name.isidentifier():
        raise CodecError("malformed exception")
    builtin = getattr(builtins, base, None)
    if not isinstance(builtin, type) or not issubclass(builtin, BaseException):
        raise CodecError("malformed exception")
    if not issubclass(builtin, (Exception, SystemExit)):
        builtin = RuntimeError  # the code does not get to interrupt the tests' own machinery
    if name == builtin.__name__:
        return builtin
    kind = _classes.get((name, builtin))
    if kind is None:
        kind = _classes[(name, builtin)] = type(name, (builtin,), {})
    return kind


def raised_by_code(error: BaseException) -> str | None:
    """The line to show for an exception that came across the wall, None for one of our own."""
    mark = getattr(error, _MARK, None)
    return mark if isinstance(mark, str) else None
