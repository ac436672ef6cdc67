"""Encoder of streams whose model is the masked-diffusion transformer, in the manner of `_core.Encoder`.

It writes the packets of docs/bitstream.md §9; docs/diffusion.md §4 says what differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynlvc import _core
from pynlvc.codec.diffusion_packets import MOST_TICKS, SAMPLES_PER_BYTE, Side, planes_checksum, samples_of
from pynlvc.model.diffusion.frames import FrameCoder, FrameToEncode
from pynlvc.model.diffusion.modelfile import DiffusionModel


@dataclass(frozen=True)
class DiffusionFrame:
    """One coded frame; as `_core.EncodedFrame`."""

    data: bytes
    is_keyframe: bool
    plane_bits: list[float]
    checksum: int
    motion_bits: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PlannedFrame:
    """A frame that has its place in the stream and is not coded yet."""

    frame: FrameToEncode
    header: bytes  # of the sequence, b"" in a P-frame
    number: int
    pts_difference: int
    duration: int
    side: Side  # what changes

    @property
    def is_keyframe(self) -> bool:
        """Whether no other frame is needed to decode it."""
        return self.frame.previous is None


class DiffusionEncoder:
    """Codes the frames of one stream in display order."""

    def __init__(
        self,
        layout: _core.Format,
        model: bytes,
        *,
        delta: int,
        keyframe_interval: int,  # frames, 0: no limit
        threads: int,
        embed_model: bool,
        scene_cuts: bool,
        side: Mapping[int, bytes],
        first_number: int = 0,  # frames of the stream that others coded before
        device: str | None = None,
    ) -> None:
        self._coder = FrameCoder(DiffusionModel.from_bytes(model), layout, delta, threads=threads, device=device)
        self._layout = layout
        self._interval = keyframe_interval
        self._scene_cuts = scene_cuts
        digest = hashlib.sha256(model).digest()
        self.model_hash = digest.hex()
        self._stream_side: Side = dict(side)
        self._later_header, self.sequence_header = (
            _core.write_sequence_header(
                layout, model_hash=digest, delta=delta, embedded_model=embedded, side=self._stream_side
            )
            for embedded in (b"", model if embed_model else b"")
        )
        self._first = True
        self._number = first_number
        self._side: Side = {}
        self._previous: list[NDArray[np.uint8]] | None = None
        self._since_keyframe = 0
        self._next_pts = 0

    def encode(
        self,
        planes: Sequence[NDArray[Any]],
        *,
        pts: int,
        duration: int,
        force_keyframe: bool = False,
        side: Mapping[int, bytes] | None = None,
    ) -> DiffusionFrame:
        """The packet of one frame of uint8 planes."""
        planned = self.plan(planes, pts=pts, duration=duration, force_keyframe=force_keyframe, side=side)
        return self.code([planned])[0]

    @property
    def frames_at_once(self) -> int:
        """How many planned frames are best coded at once."""
        return self._coder.frames_at_once

    def plan(
        self,
        planes: Sequence[NDArray[Any]],
        *,
        pts: int,
        duration: int,
        force_keyframe: bool = False,
        side: Mapping[int, bytes] | None = None,
    ) -> PlannedFrame:
        """Takes the next frame; code() makes its packet."""
        if not -MOST_TICKS < pts < MOST_TICKS or not 0 <= duration < MOST_TICKS:
            raise ValueError("pts or duration is beyond 61 bits")
        current = [np.array(plane) for plane in planes]
        wanted: Side = self._stream_side if side is None else dict(side)
        keyframe = force_keyframe or self._previous is None or 0 < self._interval <= self._since_keyframe
        if not keyframe and self._scene_cuts:
            assert self._previous is not None
            luma, before = (p[0].astype(np.uint16) for p in (current, self._previous))
            keyframe = _core.scene_change(luma, before, 8) > 1
        known = self._stream_side if keyframe else self._side
        planned = PlannedFrame(
            frame=FrameToEncode(current, None if keyframe else self._previous),
            header=(self.sequence_header if self._first else self._later_header) if keyframe else b"",
            number=self._number if keyframe else self._since_keyframe,
            pts_difference=pts if keyframe else pts - self._next_pts,
            duration=duration,
            side={t: b"" for t in known if t not in wanted} | {t: b for t, b in wanted.items() if known.get(t) != b},
        )
        self._side, self._previous = wanted, current
        self._count(keyframe, pts + duration)
        return planned

    def code(self, planned: Sequence[PlannedFrame]) -> list[DiffusionFrame]:
        """The packets of planned frames: the same bytes however many there are."""
        coded = self._coder.encode([one.frame for one in planned])
        return [self._packet(one, *found) for one, found in zip(planned, coded, strict=True)]

    def _packet(self, planned: PlannedFrame, payload: bytes, plane_bits: list[float]) -> DiffusionFrame:
        planes = planned.frame.planes
        payload = payload.ljust(samples_of(self._layout) // SAMPLES_PER_BYTE, b"\0")
        raw = len(payload) > samples_of(self._layout)
        if raw:
            payload = b"".join(plane.tobytes() for plane in planes)
            plane_bits = [8.0 * plane.size for plane in planes]
        checksum = planes_checksum(planes)
        data = _core.write_single_slice(
            planned.header,
            number=planned.number,
            pts_difference=planned.pts_difference,
            duration=planned.duration,
            checksum=checksum,
            side=planned.side,
            raw=raw,
            payload=payload,
        )
        return DiffusionFrame(data, planned.is_keyframe, plane_bits, checksum)

    def skip(
        self, planes: Sequence[NDArray[Any]], *, pts: int, duration: int, force_keyframe: bool, was_keyframe: bool
    ) -> None:
        """Takes note of a frame that was coded before; as `_core.Encoder.skip`."""
        if self._previous is not None:
            raise ValueError("only frames before the first one that is encoded can be skipped")
        self._count(was_keyframe, pts + duration)

    def _count(self, keyframe: bool, next_pts: int) -> None:
        self._first = False
        self._next_pts = next_pts
        self._since_keyframe = 1 if keyframe else self._since_keyframe + 1
        self._number += 1
