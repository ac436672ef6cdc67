"""The encoder as PyAV users expect one: `encode(frame)` gives packets, `encode(None)` ends the stream."""

from __future__ import annotations

from fractions import Fraction

import av

from pynlvc import _core
from pynlvc.codec.pixel_formats import pixel_format
from pynlvc.codec.planes import check_depth, frame_planes
from pynlvc.codec.settings import EncoderSettings
from pynlvc.errors import ModelError, NlvcError, UsageError
from pynlvc.model.store import load_model

MAX_SIDE = 16384  # samples, both directions
MAX_TIME_BASE_TERM = 2**31 - 1  # numerator and denominator


class Encoder:
    """Encodes video frames of one size and pixel format, losslessly, one packet for each frame and without delay.

    `time_base` is the unit of the timestamps that the stream keeps exactly, in seconds. Frames with another time base
    are converted to it, rounding to the nearest unit.
    """

    def __init__(
        self,
        width: int,
        height: int,
        pix_fmt: str,
        *,
        time_base: Fraction | None,
        settings: EncoderSettings | None = None,
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
        self._model = load_model(settings.model)
        interval = Fraction(settings.gop_seconds).limit_denominator(1_000_000)  # 0.2 s means 1/5 s
        self._keyframe_ticks = None if settings.gop is not None else interval / self._time_base
        try:
            self._core = _core.Encoder(
                self._format.core_format(width, height, (self._time_base.numerator, self._time_base.denominator)),
                self._model.data,
                delta=settings.delta,
                keyframe_interval=settings.gop or 0,
                slices=settings.slices,
                threads=settings.threads,
                embed_model=settings.embed_model,
                scene_cuts=settings.scene_cuts,
            )
        except _core.BitstreamError as error:
            raise ModelError(f"model {settings.model}: {error}") from None
        self._frames = 0
        self._next_pts = 0  # where the previous frame ended
        self._last_pts: int | None = None
        self._keyframe_pts = 0

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

    def encode(self, frame: av.VideoFrame | None) -> list[av.Packet]:
        """Encodes one frame and returns its packet; None ends the stream (nothing is ever held back).

        A frame without timestamp follows the previous one without a gap. Raises NlvcError when the frame differs in
        size or format from the encoder's, when a timestamp does not lie after the previous one, and when a sample
        exceeds the declared depth; the encoder can go on with another frame then.
        """
        if frame is None:
            return []
        self._check_picture(frame)
        pts, duration = self._timestamps(frame)
        planes = frame_planes(frame)
        try:
            check_depth(planes, self._format)
        except NlvcError as error:
            raise NlvcError(f"frame {self._frames}: {error}") from None
        encoded = self._core.encode(planes, pts=pts, duration=duration, force_keyframe=self._keyframe_due(pts))
        self._frames += 1
        self._last_pts, self._next_pts = pts, pts + duration
        if encoded.is_keyframe:
            self._keyframe_pts = pts
        packet = av.Packet(encoded.data)
        packet.pts = packet.dts = pts
        packet.duration = duration
        packet.time_base = self._time_base
        packet.is_keyframe = encoded.is_keyframe
        return [packet]

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
