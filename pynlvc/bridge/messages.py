"""Messages between libnlvc and `python -m pynlvc serve`; csrc/c_api/bridge_codec.cpp speaks the other side.

A message is a kind (one byte), the size of its body (u32) and the body, all numbers little-endian. Every request gets
one answer. Requests: "e" open an encoder, "d" open a decoder, "f" encode a frame, "p" decode a packet, "r" reset the
decoder. Answers: "h" header, "p" packet, "f" frame, "k" done, "x" error.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

VERSION = 1  # of these messages; both sides must have the same
MAX_BODY = 1 << 31  # bytes; the largest frame of the largest format is smaller

# What went wrong, as nlvc_status says it (csrc/nlvc.h).
BAD_ARGUMENT, BAD_STREAM, NO_MODEL, FAILED = -1, -2, -3, -4


class ProtocolError(Exception):
    """The other side does not speak these messages."""


def read_message(stream: BinaryIO) -> tuple[bytes, bytes] | None:
    """(kind, body) of the next message, None at the end of the stream."""
    head = stream.read(5)
    if not head:
        return None
    if len(head) < 5:
        raise ProtocolError("a message is cut off")
    size = int.from_bytes(head[1:], "little")
    if size > MAX_BODY:
        raise ProtocolError(f"a message claims {size} bytes")
    body = stream.read(size)
    if len(body) < size:
        raise ProtocolError("a message is cut off")
    return head[:1], body


def write_message(stream: BinaryIO, kind: bytes, *parts: bytes) -> None:
    """Sends one message; its body is given in parts."""
    stream.write(kind + sum(map(len, parts)).to_bytes(4, "little"))
    for part in parts:
        stream.write(part)
    stream.flush()


class Body:
    """Reads the fields of a message from front to back."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def take(self, size: int) -> memoryview:
        """The next `size` bytes."""
        if size > len(self._data) - self._at:
            raise ProtocolError("a field is cut off")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, code: str) -> int:
        """A number; `code` as in struct."""
        return int(struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0])

    def bytes(self) -> bytes:
        """A byte string after its size (u32)."""
        return bytes(self.take(self.number("I")))

    def text(self) -> str:
        """The same as UTF-8 text."""
        return self.bytes().decode("utf-8")

    def rest(self) -> memoryview:
        """All that is left."""
        return self.take(len(self._data) - self._at)


def sized(data: bytes) -> bytes:
    """A byte string after its size (u32)."""
    return len(data).to_bytes(4, "little") + data


@dataclass(frozen=True)
class FrameHead:
    """What precedes the planes of a frame; the planes follow row by row without padding, as they lie in memory."""

    pts: int  # ticks
    duration: int  # ticks
    keyframe: bool
    side: Mapping[int, bytes]  # side information by type, docs/bitstream.md §9.1

    @classmethod
    def read(cls, body: Body) -> FrameHead:
        """Takes the head from a message."""
        pts, duration, keyframe = body.number("q"), body.number("q"), bool(body.number("B"))
        return cls(pts, duration, keyframe, {body.number("B"): body.bytes() for _ in range(body.number("B"))})

    def write(self) -> bytes:
        """The head as bytes."""
        entries = b"".join(bytes([kind]) + sized(data) for kind, data in self.side.items())
        return struct.pack("<qqBB", self.pts, self.duration, self.keyframe, len(self.side)) + entries
