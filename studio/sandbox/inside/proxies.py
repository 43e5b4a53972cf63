"""The tests' pictures of the code's objects.

Plain data arrives as itself; these stand for the rest. The rule that keeps a verdict honest: **a
value that a test expects is never handed to an object that the code chose to return.** Such an
object has its truth, may be called or iterated, and equals nothing but itself.

Where the entry point is a class (see `cases`), objects are what the item is about, and more is
passed on: attributes, methods, comparison with another object of the code. Three things are not:

- Methods with the names of str's, list's, dict's, set's and the numbers', with arguments, unless
  the test itself constructed the object: `page.title().startswith("a")` must ask a real str.
- Operators with plain values, unless the test constructed the object: a returned one is no number.
- What is left of a subtraction of plain data is no number either: `abs(Foo(2) - 3.5) < 1e-6` is
  how a test compares numbers, and an object could always answer 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .codec import BUILTIN_TYPES
from .operators import ARITHMETIC, COMPARISONS, CONTENT, UNARY
from .peer import StandIn

_DATA_METHODS = frozenset(name for kind in BUILTIN_TYPES.values() for name in dir(kind))


class Opaque(StandIn):
    """Any object of the code: it has a truth value and equals only itself."""

    __slots__ = ("_name", "_truth")

    def __init__(self, peer: Any, number: int, name: str, truth: bool | None) -> None:
        super().__init__(peer, number)
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_truth", truth)

    def __bool__(self) -> bool:
        truth: bool | None = object.__getattribute__(self, "_truth")
        if truth is None:
            raise TypeError(f"{self!r} has no truth value")
        return truth

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Opaque) and _number(self) == _number(other)

    def __hash__(self) -> int:
        return hash(_number(self))

    def __repr__(self) -> str:
        return f"<{object.__getattribute__(self, '_name')} object>"


class Function(Opaque):
    """A function of the code, the entry point above all."""

    __slots__ = ()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return _ask(self, "call", arguments, tuple(named.items()))

    @property
    def __name__(self) -> str:
        return str(object.__getattribute__(self, "_name"))


class Iterable(Opaque):
    """Something that can be iterated and is not plain data, such as a deque or dict_keys."""

    __slots__ = ()

    def __iter__(self) -> Any:
        return _ask(self, "do iter")

    def __len__(self) -> int:
        return int(_ask(self, "do len"))


class Lazy(Opaque):
    """An iterator of the code, such as a generator."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return _ask(self, "next")


class Awaitable(Opaque):
    """A coroutine of the code; it runs over there, from beginning to end, when it is awaited."""

    __slots__ = ()

    def __await__(self) -> Iterator[Any]:
        return self

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, _: Any) -> Any:
        """Run it; a coroutine gives its value by ending."""
        raise StopIteration(_ask(self, "do await"))

    def throw(self, *failure: Any) -> Any:
        """An exception from outside ends it before it starts."""
        raise failure[0]

    def close(self) -> None:
        """Nothing has been started here."""


class Instance(Opaque):
    """An object of the code, for an item whose entry point is a class."""

    __slots__ = ("_made", "_told")  # by the test; the difference from a plain value

    def __init__(self, peer: Any, number: int, name: str, truth: bool | None) -> None:
        super().__init__(peer, number, name, truth)
        object.__setattr__(self, "_made", False)
        object.__setattr__(self, "_told", False)

    def __getattr__(self, name: str) -> Any:
        value = _ask(self, "do getattr", name)
        if isinstance(value, Function) and name in _DATA_METHODS and not _made(self):
            return _WithoutArguments(value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        _ask(self, "do setattr", name, value)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return _ask(self, "call", arguments, tuple(named.items()))

    def __bool__(self) -> bool:
        _must_not_be_told(self)
        return bool(_ask(self, "do bool"))

    def __repr__(self) -> str:
        return str(_ask(self, "do repr"))

    def __str__(self) -> str:
        return str(_ask(self, "do str"))

    def __iter__(self) -> Any:
        return _ask(self, "do iter")

    def __hash__(self) -> int:
        return int(_ask(self, "do hash"))

    def __enter__(self) -> Any:
        return _ask(self, "do enter")

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Any:
        return _ask(self, "do exit", None, None, None)


class Class(Instance):
    """A class of the code; what it constructs is marked as made by the test."""

    __slots__ = ()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return _mark_made(_ask(self, "call", arguments, tuple(named.items())))

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Instance) and bool(_ask(value, "do isinstance", self))

    def __getattr__(self, name: str) -> Any:
        return _ask(self, "do getattr", name)


class _WithoutArguments:
    """A method that bears the name of a data type's method: it may be called, but told nothing."""

    def __init__(self, method: Function) -> None:
        self._method = method

    def __call__(self) -> Any:
        return self._method()


def _number(value: Any) -> int:
    number: int = object.__getattribute__(value, "_number")
    return number


def _made(value: Any) -> bool:
    return isinstance(value, Class) or bool(object.__getattribute__(value, "_made"))


def _mark_made(value: Any) -> Any:
    if isinstance(value, Instance):
        object.__setattr__(value, "_made", True)
    return value


def _ask(value: Any, operation: str, *arguments: Any) -> Any:
    return object.__getattribute__(value, "_peer").request(operation, value, *arguments)


def _compared(name: str) -> Callable[[Any, Any], Any]:
    def compare(self: Instance, other: Any) -> Any:
        if not isinstance(other, Instance):
            return NotImplemented
        return _ask(self, f"do {name}", other)

    return compare


def _computed(name: str, reflected: bool) -> Callable[..., Any]:
    def compute(self: Instance, *others: Any) -> Any:
        if not _made(self) and not all(isinstance(other, Instance) for other in others):
            return NotImplemented
        if not others:
            _must_not_be_told(self)
        peer = object.__getattribute__(self, "_peer")
        operands = (*others, self) if reflected else (self, *others)
        result = _mark_made(peer.request(f"do {name}", *operands))
        if name == "sub" and not isinstance(others[0], Instance):
            if not isinstance(result, Instance):
                raise TypeError("the difference of an object and plain data is no plain data")
            object.__setattr__(result, "_told", True)
        return result

    return compute


def _must_not_be_told(value: Any) -> None:
    if object.__getattribute__(value, "_told"):
        raise TypeError("the difference of an object and plain data has no number")


def _asked_with(name: str) -> Callable[..., Any]:
    def ask(self: Instance, *arguments: Any) -> Any:
        if not _made(self):
            raise TypeError(f"{self!r} is not plain data and was not made by the test")
        return _ask(self, f"do {name}", *arguments)

    return ask


def _add_operators() -> None:
    for name in COMPARISONS:
        setattr(Instance, f"__{name}__", _compared(name))
    for name in ARITHMETIC:
        bare = name.rstrip("_")
        setattr(Instance, f"__{bare}__", _computed(name, reflected=False))
        setattr(Instance, f"__r{bare}__", _computed(name, reflected=True))
    for name in (*UNARY, "int", "float", "len", "next"):
        setattr(Instance, f"__{name}__", _computed(name, reflected=False))
    for name in CONTENT:
        setattr(Instance, f"__{name}__", _asked_with(name))


_add_operators()
