"""Values across the wall: tagged JSON that can only become exact builtin types.

The side that decodes never runs code that the other side chose: no class is looked up, no
`__eq__`, `__hash__` or `__reduce__` of a stranger exists here. What is not plain data crosses as
an opaque reference, which `peer` turns into a stand-in.

A node is a JSON scalar for None, bool, str, and ordinary int and float, else a list
`[tag, ...]`. Mutable containers carry a number, so that aliases and cycles survive, and so that
a call can send its arguments back and the caller's own objects are changed in place.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from typing import Any

MAX_DEPTH = 100
_PLAIN_INT = 1 << 53

# A subclass crosses as the first of these that it derives from.
_BASES: tuple[type, ...] = (
    int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset
)  # fmt: skip
BUILTIN_TYPES: dict[str, type] = {
    kind.__name__: kind for kind in (*_BASES, bool, range, object, type, type(None))
}

Containers = dict[int, Any]


class CodecError(ValueError):
    """The text is not a value that this codec writes, or the value is too deep."""


class Encoder:
    """Writes values of one message.

    Args:
        refer: gives the node of an object that is not plain data.
        containers: mutable containers that both sides know already, by number.
    """

    def __init__(self, refer: Callable[[Any], Any], containers: Containers | None = None) -> None:
        self.containers: Containers = dict(containers or {})
        self._refer = refer
        self._number_of = {id(value): number for number, value in self.containers.items()}
        self._written: set[int] = set()

    def encode(self, value: Any) -> Any:
        """The node of `value`. Raises CodecError when it is nested too deeply."""
        return self._node(value, 0)

    def settle(self) -> None:
        """From here on, containers that both sides know are written as references only."""
        self._written.update(self.containers)

    def _node(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is int and -_PLAIN_INT < value < _PLAIN_INT:
            return value
        if kind is float and math.isfinite(value):
            return value
        if kind is str:
            return _text(value)
        if depth > MAX_DEPTH:
            raise CodecError(f"nested more than {MAX_DEPTH} levels deep")
        return self._tagged(value, kind, depth + 1)

    def _tagged(self, value: Any, kind: type, depth: int) -> Any:
        base = kind if kind in _BASES else next((b for b in _BASES if b in kind.__mro__), None)
        if base is None:
            return self._other(value, kind, depth)
        if base in (list, dict, set, bytearray):
            return self._container(value, base, depth)
        if base is tuple:
            return ["t", self._nodes(list(tuple.__iter__(value)), depth)]
        if base is frozenset:
            return ["F", self._nodes(list(frozenset.__iter__(value)), depth)]
        if base is str:
            return _text(str.__str__(value))
        if base is bytes:
            return ["y", _base64(bytes(value))]
        if base is int:
            number = int.__pos__(value)
            return number if -_PLAIN_INT < number < _PLAIN_INT else ["i", hex(number)]
        if base is float:
            return _float(float.__pos__(value))
        whole = complex.__pos__(value)
        return ["c", _float(whole.real), _float(whole.imag)]

    def _container(self, value: Any, base: type, depth: int) -> Any:
        number = self._number_of.get(id(value))
        if number is None:
            number = len(self.containers)
            self.containers[number] = value  # held, so that its id stays its own
            self._number_of[id(value)] = number
        if number in self._written:
            return ["b", number]
        self._written.add(number)
        if base is list:
            return ["l", number, self._nodes(list(list.__iter__(value)), depth)]
        if base is set:
            return ["S", number, self._nodes(list(set.__iter__(value)), depth)]
        if base is bytearray:
            return ["Y", number, _base64(bytes(value))]
        flat = [part for pair in dict.items(value) for part in pair]
        return ["d", number, self._nodes(flat, depth)]

    def _nodes(self, items: list[Any], depth: int) -> list[Any]:
        if _all_scalar(items):
            return items
        return [self._node(item, depth) for item in items]

    def _other(self, value: Any, kind: type, depth: int) -> Any:
        if kind is range:
            return [
                "r",
                *(self._node(part, depth) for part in (value.start, value.stop, value.step)),
            ]
        if isinstance(value, type) and BUILTIN_TYPES.get(value.__name__) is value:
            return ["T", value.__name__]
        return self._refer(value)


class Decoder:
    """Reads values of one message.

    Args:
        resolve: makes a stand-in from the node of something that is not plain data.
        containers: what `Encoder.containers` held when the other side was written to; those that
            come back are changed in place.
    """

    def __init__(self, resolve: Callable[[list[Any]], Any], containers: Containers | None = None):
        self.containers: Containers = dict(containers or {})
        self._resolve = resolve
        self._filled: set[int] = set()

    def decode(self, node: Any) -> Any:
        """The value of `node`. Raises CodecError for anything that the encoder cannot write."""
        try:
            return self._value(node, 0)
        except (
            TypeError,
            ValueError,
            IndexError,
            KeyError,
            AttributeError,
            OverflowError,
        ) as error:
            raise CodecError(f"malformed value: {error}") from error

    def _value(self, node: Any, depth: int) -> Any:
        if not isinstance(node, list):
            if isinstance(node, dict):
                raise CodecError("malformed value: an object")
            return node
        if depth > MAX_DEPTH + 2:
            raise CodecError("malformed value: too deep")
        tag, rest, depth = node[0], node[1:], depth + 1
        if tag in ("l", "d", "S", "Y"):
            number, content = rest
            return self._container(tag, number, content, depth)
        if tag == "b":
            return self.containers[rest[0]]
        if tag in ("t", "F"):
            items = self._values(rest[0], depth)
            return tuple(items) if tag == "t" else frozenset(items)
        if tag in ("o", "m"):
            return self._resolve(node)
        return _scalar(tag, [self._value(part, depth) for part in rest])

    def _container(self, tag: str, number: int, content: Any, depth: int) -> Any:
        kind = {"l": list, "d": dict, "S": set, "Y": bytearray}[tag]
        value = self.containers.get(number)
        if number in self._filled or not isinstance(value, kind):
            value = kind()
        self.containers[number] = value
        self._filled.add(number)
        if tag == "Y":
            value[:] = base64.b64decode(content)
            return value
        items = self._values(content, depth)
        if tag == "l":
            value[:] = items
        elif tag == "S":
            fresh = set(items)  # an unhashable item must not leave the set half changed
            value.clear()
            value.update(fresh)
        else:
            pairs = dict(zip(items[::2], items[1::2], strict=True))
            value.clear()
            value.update(pairs)
        return value

    def _values(self, nodes: list[Any], depth: int) -> list[Any]:
        if {dict, list}.isdisjoint(map(type, nodes)):
            return nodes
        return [self._value(node, depth) for node in nodes]


def _all_scalar(items: list[Any]) -> bool:
    """Whether every item is its own node; a list of a million numbers is the usual long value."""
    kinds = set(map(type, items))
    if not kinds <= {int, bool, type(None)}:
        return False
    numbers = [item for item in items if item is not None] if type(None) in kinds else items
    return not numbers or (min(numbers) > -_PLAIN_INT and max(numbers) < _PLAIN_INT)


def _scalar(tag: str, parts: list[Any]) -> Any:
    if tag == "i":
        return int(parts[0], 16)
    if tag == "f":
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[parts[0]]
    if tag == "c":
        return complex(parts[0], parts[1])
    if tag == "s":
        return base64.b64decode(parts[0]).decode("utf-8", "surrogatepass")
    if tag == "y":
        return base64.b64decode(parts[0])
    if tag == "r":
        return range(*parts)
    if tag == "T":
        return BUILTIN_TYPES[parts[0]]
    raise CodecError(f"malformed value: tag {tag!r}")


def _text(value: str) -> Any:
    # JSON would join two lone surrogates that stand side by side into one character.
    return (
        value
        if not _has_surrogate(value)
        else ["s", _base64(value.encode("utf-8", "surrogatepass"))]
    )


def _has_surrogate(value: str) -> bool:
    if value.isascii():
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False


def _float(value: float) -> Any:
    return value if math.isfinite(value) else ["f", repr(value)]


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
