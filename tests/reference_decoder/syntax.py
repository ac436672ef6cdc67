"""Packets and headers (docs/bitstream.md §1.1, §2, §9)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tests.reference_decoder.fields import Reader, crc32c, require

VERSIONS = (1,)
GREY, YUV, RGB = range(3)
MODEL, RAW, REPEATS = range(3)
MAP, CORRECTIONS = 128, 129


@dataclass
class Sequence:
    """What a keyframe says about the stream."""

    width: int
    height: int
    layout: int
    alpha: int
    depth: int  # the coded one, where a sample map makes it smaller
    sx: int
    sy: int
    time_base: tuple[int, int]
    model_hash: bytes
    delta: int
    name: str
    model: bytes
    side: dict[int, bytes] = field(default_factory=dict)

    @property
    def planes(self) -> int:
        return (1 if self.layout == GREY else 3) + self.alpha

    def shifts(self, p: int) -> tuple[int, int]:
        """(sx, sy) of a plane."""
        return (self.sx, self.sy) if p in (1, 2) else (0, 0)

    def shape(self, p: int) -> tuple[int, int]:
        """(rows, columns) of a plane."""
        sx, sy = self.shifts(p)
        return -(-self.height >> sy), -(-self.width >> sx)

    def plane_class(self, p: int) -> int:
        if self.layout == GREY or p in (0, 3):
            return 0
        return p + 2 if self.layout == RGB else p

    def guides(self, p: int) -> int:
        return (0, 1, 2, 1, 2)[self.plane_class(p)]

    def slice_rows(self, p: int, i: int, n: int) -> tuple[int, int]:
        """Rows [top, bottom) of plane p in slice i of n (§2)."""
        units = -(-self.height // 16)
        sy = self.shifts(p)[1]
        top, bottom = (j * units // n * 16 >> sy for j in (i, i + 1))
        return top, self.shape(p)[0] if i + 1 == n else bottom


@dataclass
class Slice:
    """A part of a frame as it stands in a packet."""

    mode: int
    payload: bytes


@dataclass
class Packet:
    """One frame's packet."""

    sequence: Sequence | None
    number: int
    pts: int
    duration: int
    side: dict[int, bytes]
    q: int
    checksum: int
    slices: list[Slice]


def read_side(reader: Reader, known: tuple[int, ...]) -> dict[int, bytes]:
    """§9.1: entries up to the end."""
    entries: dict[int, bytes] = {}
    while reader.remaining:
        kind = reader.u8()
        require(not entries or kind > max(entries), "side information is out of order")
        require(kind < 128 or kind in known, f"side information of type {kind} changes the samples")
        entries[kind] = reader.take(reader.varint())
    return entries


def read_sequence(data: bytes) -> Sequence:
    """The fields within a sequence header."""
    r = Reader(data)
    require(r.u8() in VERSIONS, "another version")
    width, height = r.varint(), r.varint()
    layout, alpha, depth, sx, sy = (r.u8() for _ in range(5))
    time_base = r.varint(), r.varint()
    model_hash, delta, name = r.take(32), r.u8(), r.name()
    model = r.take(r.varint())
    require(1 <= width <= 16384 and 1 <= height <= 16384, "size")
    require(layout <= 2 and alpha <= 1 and 8 <= depth <= 16 and delta <= 2, "layout")
    require(max(sx, sy) <= (2 if layout == YUV else 0), "subsampling")
    require(all(1 <= term < 1 << 31 for term in time_base), "time base")
    return Sequence(
        width, height, layout, alpha, depth, sx, sy, time_base, model_hash, delta, name, model, read_side(r, ())
    )


def read_packet(data: bytes) -> Packet:
    """A packet whose checksums of header and slices are right."""
    r = Reader(data)
    require(r.take(2) == b"NL" and r.u8() in VERSIONS, "no packet of this version")
    flags = r.u8()
    require(flags <= 3, "reserved flags")
    keyframe = flags & 1
    sequence = read_sequence(r.take(r.varint())) if keyframe else None
    count, pts, duration = r.varint(), r.svarint(), r.varint()
    known = (MAP, CORRECTIONS) if keyframe else (CORRECTIONS,)
    side = read_side(Reader(r.take(r.varint())), known) if flags & 2 else {}
    q, slices, checksum = r.u8(), r.u8(), r.unsigned(4)
    require(slices > 0, "no slices")
    heads = []
    for _ in range(slices):
        mode, size, crc = r.u8(), r.varint(), r.unsigned(4)
        require(mode <= 2, "slice mode")
        if slices > 1:
            r.unsigned(2)  # sample check, for damaged streams
        heads.append((mode, size, crc))
    found = crc32c(data[: r.at])
    require(r.unsigned(4) == found, "the header is damaged")
    packet = Packet(sequence, count, pts, duration, side, q, checksum, [])
    for mode, size, crc in heads:
        payload = r.take(size)
        require(crc32c(bytes([mode]) + payload) == crc, "a slice is damaged")
        packet.slices.append(Slice(mode, payload))
    require(r.remaining == 0, "bytes are left over")
    return packet


def read_map(data: bytes, sequence: Sequence) -> list[NDArray[np.int64]]:
    """§1.1: the values of the numbers of each plane."""
    r, depth = Reader(data), sequence.depth
    planes = []
    for _ in range(sequence.planes):
        kind = r.u8()
        top = (1 << depth) - 1
        if kind == 0:
            values = np.arange(1 << depth)
        elif kind in (1, 2):
            bits = r.varint()
            require(8 <= bits < depth, "bits of a sample map")
            n = np.arange(1 << bits)
            values = n << (depth - bits)
            if kind == 2:
                values |= n >> (2 * bits - depth) if 2 * bits >= depth else n << (depth - 2 * bits)
        elif kind == 3:
            count = r.varint()
            require(1 <= count <= 1 << depth, "count of a sample map")
            steps = [r.varint() for _ in range(count)]
            values = np.cumsum(np.array(steps, np.int64) + 1) - 1
        elif kind in (4, 5):
            last = r.varint()
            require(1 <= last <= top, "top of a sample map")
            n = np.arange(last + 1)
            values = n * top // last
            if kind == 5:
                values = (2 * n * top + last) // (2 * last)
                for i in n[(2 * n * top + last) % (2 * last) == 0]:
                    values[i] -= 1 - r.u8()
        else:
            require(False, "numbering of a sample map")
        require(int(values.max()) <= top, "a value is beyond the depth")
        planes.append(values.astype(np.int64))
    require(r.remaining == 0, "bytes are left over in a sample map")
    return planes
