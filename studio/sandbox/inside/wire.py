"""What a zygote and its owner tell each other: a few bytes, for a zygote touches little memory.

Every page that it writes to while its child lives is copied, so it does not even parse JSON.
"""

from __future__ import annotations

import array
import socket
import struct

PROGRAM, FUNCTIONS, TESTS, STOP = b"P", b"F", b"T", b"S"  # what to run; to end what runs
ENDED, TIMED_OUT, STOPPED = b"e", b"t", b"s"  # by itself, at its deadline, on request
READY, REFUSED, BROKEN = b"r", b"f", b"b"  # followed by a text

MOST_FILES = 6
_REQUEST = struct.Struct("=cd")  # what to run, seconds
_REPLY = struct.Struct("=cii")  # how it ended, wait status, whether nothing more can be run
_NUMBERS = array.array("i")
_SPACE = socket.CMSG_SPACE(MOST_FILES * _NUMBERS.itemsize)


def request(role: bytes, seconds: float) -> bytes:
    """Ask for one item, whose files are sent along."""
    return _REQUEST.pack(role, seconds)


def receive(control: socket.socket) -> tuple[bytes, float, list[int]]:
    """What is asked for, its seconds and its files; `b""` when the owner is gone."""
    data, ancillary, _, _ = control.recvmsg(_REQUEST.size, _SPACE)
    if len(data) != _REQUEST.size:
        return data[:1], 0.0, []
    numbers = array.array("i")
    for _, _, content in ancillary:
        numbers.frombytes(content)
    role, seconds = _REQUEST.unpack(data)
    return role, seconds, numbers.tolist()


def reply(how: bytes, status: int, spent: bool) -> bytes:
    """Tell how an item ended."""
    return _REPLY.pack(how, status, spent)


def read_reply(data: bytes) -> tuple[bytes, int, bool]:
    """The parts of a reply. Raises struct.error for anything else."""
    how, status, spent = _REPLY.unpack(data)
    return how, status, bool(spent)
