"""Calls between the tests and the code, over one socket: the same few lines serve both sides.

Each message is a length and JSON. A request has an `op` and is answered by a reply: `v` (a value)
or `e` (an exception), and `a` when the arguments were changed. While one side waits for a reply it
answers the other's requests, so a test may pass a callback that the code calls.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable
from typing import Any

from . import failures
from .codec import CodecError, Containers, Decoder, Encoder

Message = dict[str, Any]
_HEADER = struct.Struct("!I")


class Gone(BaseException):
    """The other side ended, closed the channel or wrote nonsense into it.

    Not an Exception, so that a test's `except Exception` does not swallow it.
    """


class Channel:
    """Whole JSON messages of at most `largest` bytes over a stream socket."""

    def __init__(self, link: socket.socket, largest: int) -> None:
        self._link, self._largest = link, largest

    def send(self, message: Message) -> None:
        """Write one message. Raises Gone when nobody reads, CodecError when it is too large."""
        text = json.dumps(message, separators=(",", ":")).encode("ascii")
        if len(text) > self._largest:
            raise CodecError(f"larger than {self._largest} bytes")
        try:
            self._link.sendall(_HEADER.pack(len(text)) + text)
        except OSError as error:
            raise Gone(f"write: {error.strerror}") from None

    def receive(self) -> Message:
        """Read one message. Raises Gone at the end, and for anything that is not one."""
        (length,) = _HEADER.unpack(self._exactly(_HEADER.size))
        if length > self._largest:
            raise Gone("a message that is too large")
        try:
            message = json.loads(self._exactly(length))
        except (ValueError, RecursionError):
            raise Gone("a message that is not JSON") from None
        if not isinstance(message, dict):
            raise Gone("a message that is not an object")
        return message

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            try:
                part = self._link.recv(min(size - len(data), 1 << 20))
            except OSError as error:
                raise Gone(f"read: {error.strerror}") from None
            if not part:
                raise Gone("end of the channel")
            data += part
        return bytes(data)


class StandIn:
    """An object that lives on the other side; all that is here is its number."""

    __slots__ = ("_number", "_peer")
    _number: int
    _peer: Peer

    def __init__(self, peer: Peer, number: int) -> None:
        object.__setattr__(self, "_peer", peer)
        object.__setattr__(self, "_number", number)


class Peer:
    """One side of the conversation; each side says what the other may ask for.

    `operation` finds the function that the other side asks for by name. `describe` says what it
    may know of an object of ours that is not plain data (or raises CodecError), `stand_in` makes
    something of such a description.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._exported: list[Any] = []
        self._number_of: dict[int, int] = {}

    def operation(self, name: str) -> Callable[..., Any]:
        """What the other side may ask for under this name. Raises KeyError."""
        raise NotImplementedError

    def describe(self, value: Any) -> Message:
        """What the other side may know of `value`."""
        raise NotImplementedError

    def stand_in(self, number: int, description: Message) -> Any:
        """Our picture of the other side's object."""
        raise NotImplementedError

    def exports(self, value: Any) -> bool:
        """Whether the other side was handed this very object."""
        return id(value) in self._number_of

    def request(self, operation: str, *arguments: Any) -> Any:
        """Ask the other side; returns its value or raises its exception."""
        encoder = Encoder(self._refer)
        self._channel.send({"op": operation, "a": encoder.encode(arguments)})
        while True:
            message = self._channel.receive()
            if "op" not in message:
                return self._take(message, encoder.containers)
            self.answer(message)

    def failure(self, error: BaseException) -> Message:
        """How an exception of ours crosses."""
        return failures.describe(error, Encoder(self._refer))

    def serve(self) -> None:
        """Answer requests until Gone."""
        while True:
            self.answer(self._channel.receive())

    def answer(self, message: Message) -> None:
        """Do what a request asks for and send the reply."""
        decoder = Decoder(self._resolve)
        value, arguments, reply = None, (), Message()
        try:
            operation = self.operation(message["op"])
            arguments = decoder.decode(message["a"])
            value = operation(*arguments)
        except Gone:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever the code raises is its answer
            reply["e"] = self.failure(error)
        encoder = Encoder(self._refer, decoder.containers)
        if decoder.containers:
            try:
                now = encoder.encode(arguments)
                # As text: 1, 1.0 and True are equal and are different arguments.
                if json.dumps(now) != json.dumps(message["a"]):
                    reply["a"] = now
            except (CodecError, RecursionError, MemoryError):
                # They no longer fit through the channel and stay unchanged on the other side.
                encoder = Encoder(self._refer, decoder.containers)
            encoder.settle()
        if "e" not in reply:
            reply["v"] = self._node(encoder, value)
        self._send_reply(reply, value)

    def _node(self, encoder: Encoder, value: Any) -> Any:
        try:
            return encoder.encode(value)
        except (CodecError, RecursionError, MemoryError):
            return self._refer(value)

    def _send_reply(self, reply: Message, value: Any) -> None:
        try:
            self._channel.send(reply)
        except (CodecError, MemoryError):
            self._channel.send({"e": reply["e"]} if "e" in reply else {"v": self._refer(value)})

    def _take(self, reply: Message, containers: Containers) -> Any:
        decoder = Decoder(self._resolve, containers)
        try:
            if "a" in reply:
                decoder.decode(reply["a"])
            if "e" not in reply:
                return decoder.decode(reply["v"])
            error = failures.rebuild(reply["e"], Decoder(self._resolve))
        except (KeyError, CodecError) as problem:
            raise Gone(f"a reply that cannot be read: {problem}") from None
        raise error

    def _refer(self, value: Any) -> Any:
        if StandIn in type(value).__mro__:
            return ["m", object.__getattribute__(value, "_number")]
        number = self._number_of.get(id(value))
        description = self.describe(value)
        if number is None:
            number = len(self._exported)
            self._exported.append(value)  # held, so that its id stays its own
            self._number_of[id(value)] = number
        return ["o", number, description]

    def _resolve(self, node: list[Any]) -> Any:
        if node[0] == "m":
            return self._exported[node[1]]
        return self.stand_in(node[1], node[2])
