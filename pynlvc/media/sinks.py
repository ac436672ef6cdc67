"""Where frames go: an encoder together with the track that it feeds."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol

import av
import av.container
from av.stream import Stream
from av.video.stream import VideoStream

from pynlvc import _avshim
from pynlvc.codec import Encoder, EncoderSettings
from pynlvc.codec.pixel_formats import FULL_RANGE_TWINS
from pynlvc.codec.planes import frame_planes, new_frame
from pynlvc.codec.side_information import read_side_information, write_side_information
from pynlvc.errors import NlvcError
from pynlvc.media.lossless_codecs import lossless_codec
from pynlvc.media.resume import Leftover
from pynlvc.media.tracks import FULL_RANGE, UNSPECIFIED, add_encoder_track, add_nlvc_track
from pynlvc.model.store import Model


class VideoSink(Protocol):
    """Takes frames, gives packets for the track that `add_track` made."""

    codec_name: str
    stored_format: str  # pixel format of the packets' frames

    @property
    def not_kept(self) -> set[str]:
        """Kinds of side data of frames that were lost."""
        ...

    def add_track(self, output: av.container.OutputContainer, template: Stream, time_base: Fraction) -> Stream:
        """Makes the output track, shown like the input track `template`; `time_base`: see add_nlvc_track."""
        ...

    def encode(self, frame: av.VideoFrame | None) -> Sequence[av.Packet]:
        """Packets for the frame; None ends the stream."""
        ...

    def close(self) -> None:
        """Frees the encoder."""
        ...


class NlvcSink:
    """Codes frames like `first` as NLVC."""

    codec_name = "nlvc"

    def __init__(
        self,
        first: av.VideoFrame,
        time_base: Fraction,
        settings: EncoderSettings,
        *,
        model: Model | None = None,
    ) -> None:
        """`model`: see Encoder."""
        self.encoder = Encoder(
            first.width,
            first.height,
            first.format.name,
            time_base=time_base,
            settings=settings,
            like=first,
            model=model,
        )
        self.stored_format = first.format.name
        self._first = first
        self._leftover: Leftover | None = None
        self._to_reuse = 0  # frames
        self._waiting: list[av.VideoFrame] = []  # to be coded at once

    @property
    def reused_frames(self) -> int:
        """Frames whose packets were not coded anew."""
        return self._leftover.frames - self._to_reuse if self._leftover is not None else 0

    def reuse(self, leftover: Leftover) -> None:
        """Takes the first packets from there instead of encoding."""
        self._leftover, self._to_reuse = leftover, leftover.frames

    @property
    def not_kept(self) -> set[str]:
        """What the bitstream has no place for."""
        return self.encoder.not_kept

    def add_track(self, output: av.container.OutputContainer, template: Stream, time_base: Fraction) -> Stream:
        """Makes the NLVC track."""
        size = self.encoder.width, self.encoder.height
        return add_nlvc_track(
            output,
            template,
            self.encoder.extradata,
            size,
            time_base=time_base,
            first=self._first,
        )

    def encode(self, frame: av.VideoFrame | None) -> Sequence[av.Packet]:
        """One packet for each frame, as soon as there are as many as the encoder takes at once; the end of the stream
        gives the rest and frees the encoder's memory."""
        if frame is None:
            packets = self._code_waiting()
            self.encoder.reset()
            return packets
        if self._to_reuse and self._leftover is not None:
            self._to_reuse -= 1
            return self._leftover.take(frame)
        self._waiting.append(frame)
        return self._code_waiting() if len(self._waiting) >= self.encoder.frames_at_once else []

    def _code_waiting(self) -> list[av.Packet]:
        frames, self._waiting = self._waiting, []
        return self.encoder.encode_many(frames)

    def close(self) -> None:
        """Nothing to free."""


class LosslessSink:
    """Codes frames like `first` with one of FFmpeg's lossless encoders, without converting a sample.

    PyAV wants an encoder to belong to a container: this one belongs to a scratch container in memory that only ever
    gets its header, and its packets go elsewhere.
    """

    def __init__(
        self, codec: str | None, first: av.VideoFrame, time_base: Fraction, rate: Fraction | None, template: Stream
    ) -> None:
        choice, self.stored_format = lossless_codec(codec, first.format.name)
        self.codec_name = choice.name
        self._source_format = first.format.name
        self._first = first
        self.not_kept: set[str] = set()
        self._size = first.width, first.height
        self._frames = 0
        self._scratch = av.open(io.BytesIO(), "w", format="null")
        stream = self._scratch.add_stream(
            choice.name,
            rate=rate or 25,
            options=dict(choice.options),
            time_base=time_base,
            width=first.width,
            height=first.height,
        )
        assert isinstance(stream, VideoStream), "all lossless codecs are video codecs"
        context = stream.codec_context
        context.pix_fmt = self.stored_format
        context.thread_type = "AUTO"
        color = _avshim.color(template)
        color_range, primaries, transfer, matrix, _ = _avshim.frame_color(first)
        context.color_range = (
            FULL_RANGE if self._source_format in FULL_RANGE_TWINS else color["color_range"] or color_range
        )
        context.color_primaries = primaries if color["color_primaries"] == UNSPECIFIED else color["color_primaries"]
        context.color_trc = transfer if color["color_trc"] == UNSPECIFIED else color["color_trc"]
        context.colorspace = matrix if color["color_space"] == UNSPECIFIED else color["color_space"]
        context.field_order = color["field_order"]
        ratio = _avshim.sample_aspect_ratio(template)
        if ratio[0] <= 0:
            ratio = _avshim.frame_aspect_ratio(first)
        if ratio[0] > 0:
            context.sample_aspect_ratio = Fraction(*ratio)
        self._stream = stream
        self._scratch.start_encoding()

    def add_track(self, output: av.container.OutputContainer, template: Stream, time_base: Fraction) -> Stream:
        """Makes the track for the encoder's packets."""
        return add_encoder_track(output, template, self._stream, time_base=time_base, first=self._first)

    def encode(self, frame: av.VideoFrame | None) -> Sequence[av.Packet]:
        """Packets as the encoder releases them."""
        if frame is None:
            return self._stream.encode(None)
        # PyAV would convert a frame that differs: refuse it here.
        if (frame.width, frame.height, frame.format.name) != (*self._size, self._source_format):
            raise NlvcError(
                f"frame {self._frames} is {frame.width}x{frame.height} {frame.format.name}, the track "
                f"{self._size[0]}x{self._size[1]} {self._source_format}: neither can change within a track"
            )
        self._frames += 1
        if self.stored_format != self._source_format:
            frame = self._renamed(frame)
        frame.pict_type = 0  # the encoder decides by itself
        return self._stream.encode(frame)

    def _renamed(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The same samples in the layout that the encoder knows."""
        renamed = new_frame(frame_planes(frame), frame.width, frame.height, self.stored_format)
        renamed.pts, renamed.duration, renamed.time_base = frame.pts, frame.duration, frame.time_base
        write_side_information(renamed, read_side_information(frame)[0])
        if self._source_format in FULL_RANGE_TWINS:
            renamed.color_range = FULL_RANGE
        return renamed

    def close(self) -> None:
        """Frees the encoder."""
        self._scratch.close()
