"""The tests' side of the conversation: it asks, and decides what the code may ask back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType
from typing import Any

from . import failures
from .codec import BUILTIN_TYPES, CodecError, Decoder
from .peer import Channel, Gone, Message, Peer
from .proxies import Awaitable, Class, Function, Instance, Iterable, Lazy, Opaque
from .report import Report

_SHAPES: dict[str, type[Opaque]] = {
    "class": Function, "routine": Function, "callable": Function,
    "awaitable": Awaitable, "iterator": Lazy, "iterable": Iterable,
}  # fmt: skip


# What a test may hand to the code as a function to call. Not eval, open or getattr, through which
# the code would reach the tests; not str.format, whose fields do attribute access.
_HARMLESS = {
    "abs", "all", "any", "ascii", "bin", "chr", "divmod", "hash", "hex", "len", "max", "min",
    "oct", "ord", "pow", "print", "repr", "round", "sorted", "sum",
}  # fmt: skip
_HARMLESS_MODULES = {"math", "cmath", "_operator"}
_FORMATTING = {"format", "format_map"}


class Client(Peer):
    """Asks the code; lets it call and iterate what a test passed as an argument."""

    def __init__(self, channel: Channel, report: Report, with_objects: bool) -> None:
        super().__init__(channel)
        self._report, self._with_objects = report, with_objects
        self._lock = threading.RLock()  # a test may call the code from several threads
        self.answers = 0
        self.gone = ""  # why nothing more can be asked

    def operation(self, name: str) -> Callable[..., Any]:
        """What the code may do to an object of the tests; KeyError for anything else."""
        operations: dict[str, Callable[..., Any]] = {"call": self._call, "next": self._next}
        return operations[name]

    def failure_of(self, reply: Message) -> BaseException:
        """The exception that a reply carries."""
        try:
            return failures.rebuild(reply.get("e"), Decoder(self._resolve))
        except CodecError as problem:
            raise Gone(str(problem)) from None

    def request(self, operation: str, *arguments: Any) -> Any:
        """Ask the code; the time until its answer counts as its own. Raises Gone when it ended."""
        with self._lock:
            self._report.turn(of_code=True)
            try:
                return super().request(operation, *arguments)
            except Gone as gone:
                self.gone = str(gone)
                raise
            finally:
                self.answers += 1
                self._report.turn(of_code=False)

    def _call(self, target: Any, arguments: Any, named: Any) -> Any:
        if not self.exports(target):
            raise TypeError("only what a test passed can be called")
        return target(*arguments, **dict(named))

    def _next(self, target: Any) -> Any:
        if not self.exports(target):
            raise TypeError("only what a test passed can be iterated")
        return next(target)

    def describe(self, value: Any) -> Message:
        """What the code may know of an object that a test passes.

        Raises CodecError for one that is neither plain data nor to be called or iterated.
        """
        if _may_be_called(value):
            return {"kind": "function"}
        if hasattr(type(value), "__next__"):
            return {"kind": "iterator"}
        raise CodecError(f"a test passes a {type(value).__name__} that is not plain data")

    def stand_in(self, number: int, description: Message) -> Any:
        """What stands for an object of the code. Raises CodecError for a malformed description."""
        if not isinstance(number, int) or not isinstance(description, dict):
            raise CodecError("malformed object")
        kind, name = description.get("kind"), str(description.get("name"))[:60]
        if kind == "exception":
            return failures.local_class(name, description.get("base"))
        truth = description.get("truth", True)
        shape = _SHAPES.get(str(kind), Opaque)
        if self._with_objects and kind != "routine":
            shape = Class if kind == "class" else Instance
        return shape(self, number, name, truth if isinstance(truth, bool) else None)


def _may_be_called(value: Any) -> bool:
    kind = type(value)
    if kind is BuiltinFunctionType and value.__module__ == "builtins":
        return value.__name__ in _HARMLESS
    if kind is BuiltinFunctionType and value.__module__ is None:  # a bound method, "abc".index
        return type(value.__self__) in BUILTIN_TYPES.values() and _is_plain(value.__name__)
    if kind is BuiltinFunctionType:
        return value.__module__ in _HARMLESS_MODULES
    if kind is MethodDescriptorType:  # str.upper
        return value.__objclass__ in BUILTIN_TYPES.values() and _is_plain(value.__name__)
    # Of everything else only what the tests define themselves.
    owner = value if isinstance(value, (FunctionType, type)) else kind
    function = getattr(value, "__func__", None)
    return callable(value) and getattr(function or owner, "__module__", None) == "__main__"


def _is_plain(name: str) -> bool:
    return not name.startswith("_") and name not in _FORMATTING
