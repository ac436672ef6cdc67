"""The encoder as PyAV users expect one: `encode(frame)` gives packets, `encode(None)` ends the stream."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING

import av
import numpy as np

from pynlvc import _core
from pynlvc.codec.cores import new_encoder
from pynlvc.codec.pixel_formats import pixel_format
from pynlvc.codec.planes import Plane, check_samples, frame_planes, read_padding
from pynlvc.codec.settings import EncoderSettings
from pynlvc.codec.side_information import PADDING, SideInformation, lasting, padding_information, read_side_information
from pynlvc.errors import NlvcError, UsageError
from pynlvc.model.store import Model, load_model

if TYPE_CHECKING:
    from pynlvc.codec.diffusion_encoder import DiffusionEncoder, PlannedFrame

MAX_SIDE = 16384  # samples, both directions
MAX_TIME_BASE_TERM = 2**31 - 1  # numerator and denominator


class Encoder:
    """Encodes video frames of one size and pixel format, losslessly, one packet for each frame and without delay.

    `time_base` is the unit of the timestamps that the stream keeps exactly, in seconds. Frames with another time base
    are converted to it, rounding to the nearest unit. `like`: a frame that says what most frames say beside their
    samples (colour, aspect ratio, HDR, ...), usually the first one; the stream's header then says so too. `model`:
    stands in for the one that the settings name, as `pynlvc.fit_model` fits it to a video.
    """

    def __init__(
        self,
        width: int,
        height: int,
        pix_fmt: str,
        *,
        time_base: Fraction | None,
        settings: EncoderSettings | None = None,
        like: av.VideoFrame | None = None,
        model: Model | None = None,
    ) -> None:
        settings = settings or EncoderSettings()
        if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
            raise UsageError(f"a frame of {width}x{height} is outside the limits 1x1 to {MAX_SIDE}x{MAX_SIDE}")
        if time_base is None or time_base <= 0 or max(time_base.as_integer_ratio()) > MAX_TIME_BASE_TERM:
            raise UsageError(f"the time base is {time_base}: it must be positive, with terms below 2^31")
        self._width = width
        self._height = height
        self._format = pixel_format(pix_fmt)
        self._time_base = Fraction(time_base)
        self._settings = settings
        self.not_kept: set[str] = set()  # kinds of side data that frames had and the stream cannot hold
        self._model = model or load_model(settings.model)
        self._side: SideInformation = {} if like is None else lasting(self._side_of(like))
        self._codes_padding = like is not None and read_padding(like).plane is not None
        self._frames = 0
        self._core = self._new_core()
        interval = Fraction(settings.gop_seconds).limit_denominator(1_000_000)  # 0.2 s means 1/5 s
        self._keyframe_ticks = None if settings.gop is not None else interval / self._time_base
        self._next_pts = 0  # where the previous frame ended
        self._last_pts: int | None = None
        self._keyframe_pts = 0

    def _new_core(self) -> _core.Encoder | DiffusionEncoder:
        layout = self._format.core_format(
            self._width, self._height, self._time_base.as_integer_ratio(), coded_padding=self._codes_padding
        )
        return new_encoder(layout, self._model, self._settings, self._side, first_number=self._frames)

    @property
    def width(self) -> int:
        """Samples in a row of plane 0."""
        return self._width

    @property
    def height(self) -> int:
        """Rows of plane 0."""
        return self._height

    @property
    def pix_fmt(self) -> str:
        """FFmpeg's name of the pixel format."""
        return self._format.name

    @property
    def time_base(self) -> Fraction:
        """Unit of all timestamps, in seconds."""
        return self._time_base

    @property
    def extradata(self) -> bytes:
        """The sequence header that a container keeps beside the packets (docs/bitstream.md §9)."""
        return bytes(self._core.sequence_header)

    @property
    def model_name(self) -> str:
        """The model's own name."""
        return self._model.name

    @property
    def model_hash(self) -> str:
        """SHA-256 of the model, 64 hexadecimal digits: what the stream demands of its decoder."""
        return self._core.model_hash

    def encode(self, frame: av.VideoFrame | None, *, keyframe: bool = False) -> list[av.Packet]:
        """Encodes one frame and returns its packet; None ends the stream (nothing is ever held back).

        A frame without timestamp follows the previous one without a gap; `keyframe` asks for a keyframe. Raises
        NlvcError when the frame differs in size or format from the encoder's, when a timestamp does not lie after the
        previous one, and when a sample exceeds the declared depth; the encoder can go on with another frame then.
        """
        if frame is None:
            return []
        pts, duration, planes, side = self._taken(frame)
        encoded = self._core.encode(
            planes, pts=pts, duration=duration, force_keyframe=keyframe or self._keyframe_due(pts), side=side
        )
        return [self._packet(encoded.data, pts, duration, encoded.is_keyframe)]

    @property
    def frames_at_once(self) -> int:
        """How many frames encode_many() gains by; 1 where the model codes one after the other anyway."""
        return 1 if isinstance(self._core, _core.Encoder) else self._core.frames_at_once

    def encode_many(self, frames: Sequence[av.VideoFrame]) -> list[av.Packet]:
        """The packets that encode() would give for these frames in turn. The transformer computes `frames_at_once` of
        them side by side. After an error the packets of the frames before it are lost: reset() begins anew."""
        if isinstance(self._core, _core.Encoder):
            return [packet for frame in frames for packet in self.encode(frame)]
        planned: list[tuple[DiffusionEncoder, PlannedFrame, int, int]] = []
        for frame in frames:
            pts, duration, planes, side = self._taken(frame)
            core = self._core  # a plane of padding that turns up begins a new one
            assert not isinstance(core, _core.Encoder), "the model stays what it is"
            due = self._keyframe_due(pts)
            one = core.plan(planes, pts=pts, duration=duration, force_keyframe=due, side=side)
            self._note(pts, duration, one.is_keyframe)
            planned.append((core, one, pts, duration))
        packets: list[av.Packet] = []
        for core, run in groupby(planned, lambda entry: entry[0]):
            alike = list(run)
            for first in range(0, len(alike), core.frames_at_once):
                some = alike[first : first + core.frames_at_once]
                coded = core.code([one for _, one, _, _ in some])
                for found, (_, _, pts, duration) in zip(coded, some, strict=True):
                    packets.append(self._made(found.data, pts, duration, found.is_keyframe))
        return packets

    def _taken(self, frame: av.VideoFrame) -> tuple[int, int, list[Plane], SideInformation]:
        """(pts, duration, planes, side information) of the next frame."""
        self._check_picture(frame)
        pts, duration = self._timestamps(frame)
        try:
            check_samples(frame)
            planes, side = self._planes_and_side(frame)
        except NlvcError as error:
            raise NlvcError(f"frame {self._frames}: {error}") from None
        return pts, duration, planes, side

    def skip(self, frame: av.VideoFrame, packet: av.Packet) -> list[av.Packet]:
        """Takes the packet of an earlier, interrupted run of the same encoder over the same frames instead of encoding.

        Every frame from the first one up to the one before a keyframe can be skipped; what is encoded from that
        keyframe on is what the earlier run would have made. That `packet` holds this very frame is the caller's to
        prove. Returns it with the frame's times.
        """
        self._check_picture(frame)
        pts, duration = self._timestamps(frame)
        planes, _ = self._planes_and_side(frame)
        data = bytes(packet)
        is_keyframe = _core.parse_packet(data).is_keyframe
        self._core.skip(
            planes, pts=pts, duration=duration, force_keyframe=self._keyframe_due(pts), was_keyframe=is_keyframe
        )
        return [self._packet(data, pts, duration, is_keyframe)]

    def _packet(self, data: bytes, pts: int, duration: int, is_keyframe: bool) -> av.Packet:
        self._note(pts, duration, is_keyframe)
        return self._made(data, pts, duration, is_keyframe)

    def _note(self, pts: int, duration: int, is_keyframe: bool) -> None:
        """A frame more."""
        self._frames += 1
        self._last_pts, self._next_pts = pts, pts + duration
        if is_keyframe:
            self._keyframe_pts = pts

    def _made(self, data: bytes, pts: int, duration: int, is_keyframe: bool) -> av.Packet:
        packet = av.Packet(data)
        packet.pts = packet.dts = pts
        packet.duration = duration
        packet.time_base = self._time_base
        packet.is_keyframe = is_keyframe
        return packet

    def reset(self) -> None:
        """Forgets all frames, which frees their memory: the next one becomes a keyframe."""
        self._core = self._new_core()

    def _planes_and_side(self, frame: av.VideoFrame) -> tuple[list[Plane], SideInformation]:
        """What the native encoder codes of a frame. Bits beside the samples are noted where they are equal everywhere;
        where they differ they become a plane of their own, from a keyframe on."""
        padding = read_padding(frame)
        side = self._side_of(frame) | padding_information(padding)
        planes = frame_planes(frame)
        if padding.plane is not None and int(padding.plane.max()) > self._format.maximum:
            raise NlvcError(f"the unused words of {self._format.name} hold different values above its depth")
        if padding.plane is not None and not self._codes_padding:
            self._codes_padding = True
            self._core = self._new_core()
        if self._codes_padding:
            side.pop(PADDING, None)
            constant = np.full((frame.height, frame.width), padding.constant or 0, self._format.dtype)
            planes.append(constant if padding.plane is None else padding.plane)
        return [np.ascontiguousarray(plane, self._format.dtype) for plane in planes], side

    def _side_of(self, frame: av.VideoFrame) -> SideInformation:
        side, lost = read_side_information(frame)
        self.not_kept |= lost
        return side

    def _check_picture(self, frame: av.VideoFrame) -> None:
        if (frame.width, frame.height) != (self._width, self._height):
            raise NlvcError(
                f"frame {self._frames} has {frame.width}x{frame.height} samples, "
                f"the stream {self._width}x{self._height}: the size cannot change within a stream"
            )
        if frame.format.name != self._format.name:
            raise NlvcError(
                f"frame {self._frames} has pixel format {frame.format.name}, the stream {self._format.name}: "
                "the format cannot change within a stream"
            )

    def _timestamps(self, frame: av.VideoFrame) -> tuple[int, int]:
        """(pts, duration) of the frame in the encoder's time base."""
        scale = (frame.time_base or self._time_base) / self._time_base
        pts = self._next_pts if frame.pts is None else round(frame.pts * scale)
        duration = max(0, round((frame.duration or 0) * scale))
        if self._last_pts is not None and pts <= self._last_pts:
            raise NlvcError(
                f"frame {self._frames} is shown at {float(pts * self._time_base):.6f} s, not after the frame before it "
                f"({float(self._last_pts * self._time_base):.6f} s)"
            )
        return pts, duration

    def _keyframe_due(self, pts: int) -> bool:
        """Whether the time since the last keyframe demands another one (where the interval is set in seconds)."""
        return self._keyframe_ticks is not None and pts - self._keyframe_pts >= self._keyframe_ticks
