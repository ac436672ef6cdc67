"""Frames: slices and planes in order, what is remembered between them (docs/bitstream.md §2, §3, §9)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tests.reference_decoder import motion
from tests.reference_decoder.corrections import Correction, read_classes, read_corrections
from tests.reference_decoder.distribution import Mixture
from tests.reference_decoder.fields import crc32c, require
from tests.reference_decoder.model import Network, Networks, apply_difference, read_model
from tests.reference_decoder.network import GUIDE_CUR, GUIDE_ERR, GUIDE_REF, PlanePart, reduce
from tests.reference_decoder.range_decoder import CountingBit, RangeDecoder
from tests.reference_decoder.repeats import Guide, Repeats, read_copied_blocks
from tests.reference_decoder.syntax import CORRECTIONS, MAP, RAW, REPEATS, RGB, Packet, Sequence, read_map, read_packet

Array = NDArray[np.int64]


@dataclass
class Coded:
    """A frame as later ones see it: numbers, not values."""

    planes: list[Array]
    errors: list[Array]
    classes: list[Array]
    motion: Array | None  # 8x8 blocks; None in a keyframe


@dataclass
class Frame:
    """A decoded frame."""

    planes: list[Array]  # values, in coding order
    pts: int
    duration: int
    value_depth: int  # bits


@dataclass
class _References:
    """Earlier frames as one plane sees them."""

    ref1_sub: Array
    ref1: Array
    older: list[Array] = field(default_factory=list)  # ref2, ref3, ref4
    errors: Array = field(default_factory=lambda: np.zeros((0, 0), np.int64))


@dataclass
class _Repeats:
    """What the head of a slice says about the flags of a plane (§7.1)."""

    copied: Array | None  # blocks; None in an I-frame
    flags: bool  # for samples outside them


class Decoder:
    """Decodes packets in order."""

    def __init__(self, models: Mapping[bytes, bytes]) -> None:
        """`models`: model files by SHA-256."""
        self._models = dict(models)
        self._fitted: dict[bytes, Networks] = {}  # what differences mean, by SHA-256 of the model files
        self._sequence: Sequence | None = None
        self._values: list[Array] | None = None
        self._value_depth = 8  # bits of values; those of numbers are in the sequence
        self._networks: dict[tuple[int, int], Network] = {}
        self._history: list[Coded] = []  # newest first
        self._corrections: list[Correction] = []
        self._next_pts = self._next_number = 0

    def decode(self, data: bytes) -> Frame:
        """The next packet's frame; StreamError for what breaks the text."""
        packet = read_packet(data)
        keyframe = packet.sequence is not None
        if packet.sequence is not None:
            self._start(packet, packet.sequence)
        require(self._sequence is not None, "no keyframe yet")
        assert self._sequence is not None
        s = self._sequence
        require(keyframe or packet.number == self._next_number, "frames are missing")
        require(packet.q <= s.depth - 8 and len(packet.slices) <= -(-s.height // 16), "sample shift or slice count")
        frame = self._decode_frame(packet, s)
        planes = frame.planes
        if self._values is not None:
            for plane, values in zip(planes, self._values, strict=True):
                require(int(plane.max()) < len(values), "a number without a value")
            planes = [values[plane] for values, plane in zip(self._values, planes, strict=True)]
        dtype = "<u1" if self._value_depth == 8 else "<u2"
        require(crc32c(b"".join(p.astype(dtype).tobytes() for p in planes)) == packet.checksum, "frame checksum")
        self._history = [frame] if keyframe else [frame, *self._history[:3]]
        pts = packet.pts if keyframe else self._next_pts + packet.pts
        self._next_pts = pts + packet.duration
        self._next_number = 1 if keyframe else packet.number + 1
        return Frame(planes, pts, packet.duration, self._value_depth)

    def _start(self, packet: Packet, sequence: Sequence) -> None:
        if sequence.model[:4] == b"NLVP":
            self._fitted[sequence.model_hash] = apply_difference(sequence.model, self._models)
        elif sequence.model:
            self._models[hashlib.sha256(sequence.model).digest()] = sequence.model
        if sequence.model_hash in self._fitted:
            self._networks = self._fitted[sequence.model_hash]
        else:
            require(sequence.model_hash in self._models, "the model is unknown")
            self._networks = read_model(self._models[sequence.model_hash])
        self._values = read_map(packet.side[MAP], sequence) if MAP in packet.side else None
        self._sequence, self._value_depth = sequence, sequence.depth
        if self._values is not None:
            most = max(len(values) for values in self._values)
            self._sequence = replace(sequence, depth=max(8, (most - 1).bit_length()))
        self._corrections = [Correction() for _ in range(sequence.planes)]

    def _network(self, intra: bool, plane_class: int) -> Network:
        frame_type = 0 if intra else 1
        for wanted in (plane_class, (0, 1, 2, 1, 2)[plane_class]):
            if (frame_type, wanted) in self._networks:
                return self._networks[frame_type, wanted]
        require(False, "the model has no network for a plane")
        raise AssertionError

    def _decode_frame(self, packet: Packet, s: Sequence) -> Coded:
        intra = packet.sequence is not None
        corrections = self._corrections
        if CORRECTIONS in packet.side:
            counts = [
                sum(tap.revealed(s.delta) for tap in self._network(intra, s.plane_class(p)).inputs)
                for p in range(s.planes)
            ]
            corrections = read_corrections(packet.side[CORRECTIONS], self._corrections, counts)
            if not intra:
                self._corrections = corrections
        coders = [RangeDecoder(part.payload) for part in packet.slices]
        blank = [np.zeros(s.shape(p), np.int64) for p in range(s.planes)]
        frame = Coded(blank, [b.copy() for b in blank], [b.copy() for b in blank], None)
        references: list[_References] = []
        if not intra:
            frame.motion = np.zeros((-(-s.height // 8), -(-s.width // 8), 2), np.int64)
            for i, (part, coder) in enumerate(zip(packet.slices, coders, strict=True)):
                top, bottom = s.slice_rows(0, i, len(packet.slices))
                if part.mode != RAW:
                    motion.MotionDecoder(coder, frame.motion, (top // 8, -(-bottom // 8))).run()
            references = self._references(s, frame.motion)
        for i, (part, coder) in enumerate(zip(packet.slices, coders, strict=True)):
            rows = [s.slice_rows(p, i, len(packet.slices)) for p in range(s.planes)]
            if part.mode == RAW:
                self._raw(s, part.payload, rows, frame)
                continue
            repeats: list[_Repeats | None] = [None] * s.planes
            if part.mode == REPEATS:
                copied = None if intra else read_copied_blocks(coder, rows[0][1] - rows[0][0], s.width)
                bit = CountingBit()
                repeats = [_Repeats(copied, bool(bit.decode(coder))) for _ in range(s.planes)]
            for p in range(s.planes):
                self._plane(s, packet, p, rows, frame, references, corrections[p], coder, repeats[p])
        return frame

    def _raw(self, s: Sequence, payload: bytes, rows: list[tuple[int, int]], frame: Coded) -> None:
        dtype, at = np.dtype("<u1" if s.depth == 8 else "<u2"), 0
        for p, (top, bottom) in enumerate(rows):
            columns = s.shape(p)[1]
            count = (bottom - top) * columns
            require(at + count * dtype.itemsize <= len(payload), "a raw slice is too short")
            samples = np.frombuffer(payload, dtype, count, at).astype(np.int64)
            require(count == 0 or int(samples.max()) < 1 << s.depth, "a raw sample is too large")
            frame.planes[p][top:bottom] = samples.reshape(-1, columns)
            at += count * dtype.itemsize
        require(at == len(payload), "a raw slice is too long")

    def _references(self, s: Sequence, vectors: Array) -> list[_References]:
        maximum, before = (1 << s.depth) - 1, self._history[0]
        found = [
            _References(
                motion.displaced(s, p, before.planes[p], vectors, 8, maximum),
                motion.displaced_integer(s, p, before.planes[p], vectors),
                errors=motion.displaced_integer(s, p, before.errors[p], vectors),
            )
            for p in range(s.planes)
        ]
        newer, block = vectors, 8
        for k in (2, 3, 4):
            if k > len(self._history):
                for r in found:
                    r.older.append(r.older[-1] if r.older else r.ref1_sub)
                continue
            passed, old = self._history[k - 2].motion, self._history[k - 1]

            def at(y: int, x: int, newer: Array = newer, block: int = block) -> Array:
                vector: Array = newer[y // block, x // block]
                return vector

            newer = motion.locate(s, found[0].ref1_sub, old.planes[0], vectors, at, passed, maximum)
            block = 16
            for p, r in enumerate(found):
                r.older.append(motion.displaced(s, p, old.planes[p], newer, 16, maximum))
        return found

    def _plane(
        self,
        s: Sequence,
        packet: Packet,
        p: int,
        rows: list[tuple[int, int]],
        frame: Coded,
        references: list[_References],
        correction: Correction,
        coder: RangeDecoder,
        repeats: _Repeats | None,
    ) -> None:
        intra, (top, bottom) = not references, rows[p]
        own = slice(top, bottom)
        part = PlanePart(
            s.depth, packet.q, s.delta, intra, top, frame.planes[p][own], frame.errors[p][own], correction=correction
        )
        if len(correction.sets) > 1:
            before = np.zeros_like(frame.classes[p]) if intra else self._history[0].classes[p]
            read_classes(coder, len(correction.sets), top, bottom, before, frame.classes[p])
        part.classes = frame.classes[p][own]
        if references:
            r = references[p]
            part.context |= dict(enumerate([r.ref1_sub, r.ref1, *r.older, r.errors], 1))
        shape, guides = part.samples.shape, []
        for n in range(s.guides(p)):
            sx, sy = (a - b for a, b in zip(s.shifts(p), s.shifts(n), strict=True))
            there = slice(*rows[n])
            part.context[GUIDE_CUR[n]] = reduce(frame.planes[n][there], sx, sy, *shape)
            part.context[GUIDE_ERR[n]] = reduce(frame.errors[n][there], sx, sy, *shape)
            if references:
                part.context[GUIDE_REF[n]] = reduce(references[n].ref1_sub[there], sx, sy, *shape)
            guides.append(Guide(frame.planes[n][there], references[n].ref1[there] if references else None, sx, sy))
        ref1 = references[p].ref1[own] if references else None
        flags = None
        if repeats is not None:
            differences = s.layout == RGB and p in (1, 2)
            shifts = s.shifts(p)
            flags = Repeats(part, ref1, guides, repeats.copied, shifts, flags=repeats.flags, differences=differences)
        network = self._network(intra, s.plane_class(p))
        for g in range(part.groups()):
            _decode_group(part, network, flags, coder, *part.group(g))


def _decode_group(
    part: PlanePart, network: Network, flags: Repeats | None, coder: RangeDecoder, y: Array, x: Array
) -> None:
    """The samples of one group."""
    if not len(y):
        return
    outputs, means = part.evaluate(network, y, x)
    given = [flags.decode(coder, int(b), int(a)) if flags else (None, []) for b, a in zip(y, x, strict=True)]
    for (value, excluded), b, a, o, mean in zip(given, y, x, outputs.tolist(), means.tolist(), strict=True):
        if value is None:
            value = Mixture(o, mean, part.q, part.depth).decode(coder, excluded)
            part.errors[b, a] = part.error(value, mean)
        part.samples[b, a] = value
    if flags:
        flags.end_group()
