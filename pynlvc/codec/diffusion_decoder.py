"""Decoder of streams whose model is the masked-diffusion transformer, in the manner of `_core.Decoder`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynlvc import _core
from pynlvc.codec.diffusion_packets import MOST_TICKS, SAMPLES_PER_BYTE, Side, planes_checksum, samples_of
from pynlvc.codec.gathering import Gathering
from pynlvc.model.diffusion.frames import Decoded, FrameCoder, FrameToDecode
from pynlvc.model.diffusion.modelfile import DiffusionModel

MOST_SUM = 2 * MOST_TICKS  # beyond sums of pts and durations


@dataclass(frozen=True)
class DiffusionDamage:
    """What conceal() could not decode; as `_core.Damage`."""

    kind: str
    what: str
    slice: int = -1
    offset: int = 0


@dataclass(frozen=True)
class DecodedDiffusionFrame:
    """One decoded frame; as `_core.DecodedFrame`."""

    planes: list[NDArray[Any]]
    pts: int
    duration: int
    is_keyframe: bool
    number: int
    format: _core.Format
    checksum: int
    model_hash: str
    delta: int
    side: Side
    plane_bits: list[float]  # empty without analysis
    block_bits: NDArray[np.float32]  # [rows, columns], empty without analysis
    damage: list[DiffusionDamage] = field(default_factory=list)
    exact: bool = True
    timed: bool = True
    motion_bits: float = 0.0
    slices: int = 1
    coded_depth: int = 8


class DiffusionDecoder:
    """Decodes the packets of one stream in order, from a keyframe on."""

    def __init__(
        self,
        model: bytes,
        *,
        threads: int,
        analysis: bool = False,
        device: str | None = None,
        gathering: Gathering | None = None,
    ) -> None:
        """`gathering`: with whose other decoders it works side by side; without analysis."""
        self._model = DiffusionModel.from_bytes(model)
        self._hash = hashlib.sha256(model).hexdigest()
        self._analysis = analysis
        self._threads, self._device = threads, device
        self._gathering = None if analysis else gathering
        self._layout: _core.Format | None = None
        self._delta = -1
        self._coder: FrameCoder | None = None
        self._previous: list[NDArray[np.uint8]] | None = None  # what a P-frame refers to, None: only a keyframe goes on
        self._side: Side = {}
        self._next_pts = 0
        self._next_number = 0
        self._shown: DecodedDiffusionFrame | None = None  # the last frame, for concealment

    def decode(self, packet: Any) -> DecodedDiffusionFrame:
        """Decodes one packet (bytes or an object with the buffer protocol); after an error only a keyframe goes on."""
        previous, self._previous = self._previous, None  # unless all goes well
        header = _core.parse_packet(packet)
        if header.is_keyframe:
            self._start(header)
            previous = None
        elif previous is None:
            raise _core.BitstreamError(
                "packet: a P-frame without the frames before it; decoding can start at the next keyframe"
            )
        elif header.number != self._next_number:
            raise _core.BitstreamError(
                f"packet: frame {header.number} after its keyframe follows frame {self._next_number - 1}: "
                "frames are missing or in the wrong order"
            )
        assert self._layout is not None
        payload = self._payload(packet, header, self._layout)
        pts = header.pts_difference + (0 if header.is_keyframe else self._next_pts)
        if not -MOST_SUM < pts < MOST_SUM or header.duration >= MOST_SUM:
            raise _core.BitstreamError("packet: pts does not fit 62 bits")
        bits: list[NDArray[np.float64]] = []
        if header.slice_modes[0] == "raw":
            planes = _raw_planes(payload, self._layout)
            bits = [np.full(plane.shape, 8.0) for plane in planes]
        else:
            planes, bits = self._decode(FrameToDecode(payload, previous), self._layout)
        if planes_checksum(planes) != header.checksum:
            raise _core.BitstreamError("packet: the decoded samples do not have the frame's checksum")
        self._side = {kind: content for kind, content in (self._side | header.side).items() if content}
        self._previous, self._next_pts = planes, pts + header.duration
        self._next_number = 1 if header.is_keyframe else header.number + 1
        self._shown = DecodedDiffusionFrame(
            planes=planes,
            pts=pts,
            duration=header.duration,
            is_keyframe=header.is_keyframe,
            number=header.number,
            format=self._layout,
            checksum=header.checksum,
            model_hash=self._hash,
            delta=self._delta,
            side=dict(self._side),
            plane_bits=[float(plane.sum()) for plane in bits] if self._analysis else [],
            block_bits=_block_bits(bits, self._layout) if self._analysis else np.zeros((0, 0), np.float32),
        )
        return self._shown

    def conceal(self, packet: Any) -> DecodedDiffusionFrame:
        """The same, but shows the last frame again for what cannot be decoded; raises only where there is none."""
        expected = self._previous is not None
        try:
            return self.decode(packet)
        except _core.BitstreamError as error:
            if self._shown is None:
                raise _core.BitstreamError(f"{error}; there is no frame before it to show") from None
            missing = "frames are missing" in str(error)
            kind = "missing" if missing else "damaged" if expected else "dependent"
            duration = self._shown.duration
            self._shown = replace(
                self._shown,
                pts=self._next_pts,
                is_keyframe=False,
                number=-1,
                exact=False,
                timed=False,
                damage=[DiffusionDamage(kind, str(error))],
            )
            self._next_pts += duration
            return self._shown

    def _decode(self, frame: FrameToDecode, layout: _core.Format) -> Decoded:
        if self._coder is None:
            self._coder = self._shared_coder(layout)
        if self._gathering is not None:
            return self._gathering.decode(self._coder, frame)
        (found,) = self._coder.decode([frame], analysis=self._analysis)
        return found

    def _shared_coder(self, layout: _core.Format) -> FrameCoder:
        def make() -> FrameCoder:
            return FrameCoder(self._model, layout, self._delta, threads=self._threads, device=self._device)

        key = self._hash, layout, self._delta, self._threads, self._device
        return make() if self._gathering is None else self._gathering.coder(key, make)

    def _start(self, header: _core.PacketInfo) -> None:
        """A keyframe begins a sequence."""
        assert header.format is not None and header.delta is not None, "a keyframe has them"
        self._side = dict(header.sequence_side or {})
        if (header.format, header.delta) != (self._layout, self._delta):
            self._coder = None
        self._layout, self._delta = header.format, header.delta

    @staticmethod
    def _payload(packet: Any, header: _core.PacketInfo, layout: _core.Format) -> bytes:
        """The payload of the only slice. Checks what this model demands before anything is allocated."""
        if layout.depth != 8:
            raise _core.BitstreamError(f"packet: the diffusion model codes 8 bits, not {layout.depth}")
        if len(header.slice_modes) != 1 or header.q != 0 or any(kind >= 128 for kind in header.side):
            raise _core.BitstreamError(
                "packet: the diffusion model has one slice and no sample shift, map or corrections"
            )
        (payload,) = _core.slice_payloads(packet)
        samples, raw = samples_of(layout), header.slice_modes[0] == "raw"
        if raw and len(payload) != samples:
            raise _core.BitstreamError("packet, slice 0: the raw payload is not as long as its samples")
        if not raw and len(payload) < samples // SAMPLES_PER_BYTE:
            raise _core.BitstreamError(f"packet, slice 0: the payload is too short for {samples} samples")
        return payload


def _raw_planes(payload: bytes, layout: _core.Format) -> list[NDArray[np.uint8]]:
    planes, first = [], 0
    for rows, columns in layout.plane_shapes:
        size = rows * columns
        planes.append(np.frombuffer(payload, np.uint8, size, first).reshape(rows, columns).copy())
        first += size
    return planes


def _block_bits(bits: list[NDArray[np.float64]], layout: _core.Format) -> NDArray[np.float32]:
    """Bits of all planes in each block of 16x16 samples of plane 0."""
    blocks = np.zeros((-(-layout.height // 16), -(-layout.width // 16)))
    for p, plane in enumerate(bits):
        sx, sy = (layout.sx, layout.sy) if p in (1, 2) else (0, 0)
        rows, columns = ((np.arange(n) << s) // 16 for n, s in zip(plane.shape, (sy, sx), strict=True))
        np.add.at(blocks, (rows[:, None], columns), plane)
    return blocks.astype(np.float32)
