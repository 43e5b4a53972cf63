"""The process that runs the code under test. It never holds a test or an expected value.

What it says about itself is not believed: all that it can do is to answer calls with plain data,
or to print. Everything else that decides a verdict happens in other processes.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import operator
import os
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NoReturn

from . import failures, wire
from .operators import ARITHMETIC, COMPARISONS, CONTENT, UNARY
from .peer import Channel, Gone, Message, Peer, StandIn


def run(source: str, role: bytes, link: int, report: int, largest: int) -> NoReturn:
    """Run `source` in its role, as a program or as functions to be called, and exit.

    Where it does not compile, the open file `report` says why. A message on the `link` has at most
    `largest` bytes.
    """
    if role == wire.PROGRAM:
        module = _module("__main__")
        _run_program(_compiled(source, report), module)
    module = _module("solution")
    code = _compiled(source, report)
    _serve_functions(code, module, Channel(socket.socket(fileno=link), largest))


def _run_program(code: CodeType, module: ModuleType) -> NoReturn:
    """Run as `__main__` on descriptors 0, 1 and 2; exit as Python would."""
    sys.argv = ["main.py"]
    status = 0
    try:
        exec(code, module.__dict__)
        if "threading" in sys.modules:
            sys.modules["threading"]._shutdown()  # waits for threads, as at any exit
    except SystemExit as leaving:
        status = _exit_status(leaving)
    except BaseException:  # noqa: BLE001 - the program's own failure, which it shows on stderr
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: BLE001 - the program may have closed or replaced it
            status = status or 1
    os._exit(status)


def _serve_functions(code: CodeType, module: ModuleType, channel: Channel) -> NoReturn:
    """Load the module and answer calls to what it defines until the channel ends."""
    peer = Server(channel, module)
    failure: Message = {}
    try:
        exec(code, module.__dict__)
    except BaseException as error:  # noqa: BLE001 - SystemExit too is a way not to load
        failure = peer.failure(error)
    with contextlib.suppress(Gone):
        channel.send({"loaded": not failure, "e": failure})
        peer.serve()
    os._exit(0)


def _compiled(source: str, report: int) -> CodeType:
    """`source` as code; from then on nothing of this process can reach `report`."""
    try:
        code = compile(source.removeprefix("\ufeff"), failures.CODE_FILE, "exec", dont_inherit=True)
    except SyntaxError as error:
        verdict, detail = "syntax_error", f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, OverflowError) as error:
        verdict, detail = "syntax_error", f"{type(error).__name__}: {error}"
    except MemoryError:
        verdict, detail = "memory", "MemoryError while compiling"
    else:
        os.close(report)
        return code
    os.write(report, json.dumps({"verdict": verdict, "detail": detail}).encode("ascii"))
    os._exit(1)


def _module(name: str) -> ModuleType:
    module = ModuleType(name)
    sys.modules[name] = module  # dataclasses and pickle look a class's module up
    return module


def _exit_status(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    print(leaving.code, file=sys.stderr)
    return 1


class Callback(StandIn):
    """A function that a test passed as an argument."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._peer.request("call", self, arguments, tuple(named.items()))


class Lazy(StandIn):
    """An iterator that a test passed as an argument."""

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._peer.request("next", self)


def _call(target: Any, arguments: Any, named: Any) -> Any:
    return target(*arguments, **dict(named))


def _run_coroutine(coroutine: Any) -> Any:
    import asyncio  # it takes as long to load as all else together, and is seldom needed

    return asyncio.run(coroutine)


# What the tests may ask for, besides names.
_OPERATIONS: dict[str, Callable[..., Any]] = {"call": _call, "next": next} | {
    f"do {name}": getattr(operator, name) for name in (*COMPARISONS, *ARITHMETIC, *UNARY, *CONTENT)
} | {
    f"do {function.__name__}": function
    for function in (len, iter, next, str, repr, hash, bool, int, float)
} | {
    "do await": _run_coroutine, "do isinstance": isinstance,
    "do getattr": getattr, "do setattr": setattr,
    "do enter": lambda value: type(value).__enter__(value),
    "do exit": lambda value, *failure: type(value).__exit__(value, *failure),
}  # fmt: skip

_ROUTINES = (FunctionType, BuiltinFunctionType, MethodType, functools.partial)
_TRAITS = {
    "__await__": "awaitable",
    "__call__": "callable",
    "__next__": "iterator",
    "__iter__": "iterable",
}


class Server(Peer):
    """What the tests may do with the code's objects."""

    def __init__(self, channel: Channel, module: ModuleType) -> None:
        super().__init__(channel)
        self._module = module

    def operation(self, name: str) -> Callable[..., Any]:
        """What does that to an object of the code; KeyError where nothing does."""
        return self._look_up if name == "look_up" else _OPERATIONS[name]

    def _look_up(self, path: str) -> tuple[bool, Any]:
        value: Any = self._module
        for name in path.split("."):
            try:
                value = getattr(value, name)
            except AttributeError:
                return False, None
        return True, value

    def describe(self, value: Any) -> Message:
        """What the tests may know of an object: its kind, its name, whether it is true."""
        kind = type(value)
        if issubclass(kind, type):
            if issubclass(value, BaseException):
                base = failures.builtin_base(value).__name__
                return {"kind": "exception", "name": value.__name__, "base": base}
            return {"kind": "class", "name": value.__name__}
        what = "routine" if issubclass(kind, _ROUTINES) else "object"
        if what == "object":
            # Not hasattr, which would find type's own __call__ on every class.
            known = {name for base in kind.__mro__ for name in vars(base)}
            what = next((_TRAITS[trait] for trait in _TRAITS if trait in known), what)
        return {"kind": what, "name": _name(value), "truth": _truth(value)}

    def stand_in(self, number: int, description: Message) -> Any:
        """What stands for an object of the tests: something to call or to iterate."""
        return (Lazy if description["kind"] == "iterator" else Callback)(self, number)


def _name(value: Any) -> str:
    return str(getattr(value, "__name__", None) or type(value).__name__)


def _truth(value: Any) -> bool | None:
    try:
        return bool(value)
    except Exception:  # noqa: BLE001 - an array, say, has no truth value
        return None
