"""The decoder as PyAV users expect one: `decode(packet)` gives frames."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from pynlvc import _core
from pynlvc.codec.pixel_formats import pixel_format
from pynlvc.codec.planes import Padding, new_frame
from pynlvc.codec.settings import DecoderSettings
from pynlvc.codec.side_information import TRAILING_LUMA, padding_constant, write_side_information
from pynlvc.errors import BitstreamError, MissingModelError, NlvcError
from pynlvc.model.store import find_model, model_names


@dataclass(frozen=True)
class FrameCosts:
    """What a frame costs in its stream, in bits, without headers and side information."""

    planes: tuple[float, ...]  # by plane in coding order
    motion: float
    blocks: NDArray[np.float32]  # [rows, columns]: all planes together in each block of 16x16 samples of plane 0


class Decoder:
    """Decodes NLVC packets in stream order, one frame for each packet and without delay.

    Every keyframe describes itself, so `extradata` is not needed to decode a stream from its beginning. It is needed to
    begin later in a stream that embeds its model, and it is checked at once.
    """

    def __init__(
        self, extradata: bytes | None = None, *, settings: DecoderSettings | None = None, analysis: bool = False
    ) -> None:
        """`analysis`: find out what each frame costs, see `costs`; decoding then takes longer."""
        self._settings = settings or DecoderSettings()
        self._core = _core.Decoder(self._find_model, threads=self._settings.threads, analysis=analysis)
        self._analysis = analysis
        self.costs: FrameCosts | None = None  # of the frame decoded last; None without analysis
        self._packets = 0
        self._embedded_model = b""  # of the sequence header: packets after the first keyframe do not repeat it
        if extradata:
            try:
                self._embedded_model = _core.parse_sequence_header(extradata).embedded_model
            except _core.BitstreamError as error:
                raise BitstreamError(f"the stream's header is damaged: {error}") from None

    def _find_model(self, digest: bytes) -> bytes | None:
        if self._embedded_model and hashlib.sha256(self._embedded_model).digest() == digest:
            return self._embedded_model
        model = find_model(digest, self._settings.model_files)
        return None if model is None else model.data

    def decode(self, packet: av.Packet | None) -> list[av.VideoFrame]:
        """Decodes one packet; None or an empty packet ends the stream (nothing is ever held back).

        The frame's pts, duration, time base and side data are the ones that were encoded, exactly. Raises
        BitstreamError for damage (all checksums are verified) and MissingModelError; after either, decoding goes on at
        the next keyframe.
        """
        if packet is None or packet.size == 0:
            return []
        number = self._packets
        self._packets += 1
        try:
            decoded = self._core.decode(packet)
        except _core.BitstreamError as error:
            raise BitstreamError(f"packet {number}: {error}") from None
        except _core.MissingModelError as error:
            installed = ", ".join(model_names()) or "none"
            raise MissingModelError(f"packet {number}: {error} (installed models: {installed})") from None
        if self._analysis:
            self.costs = FrameCosts(tuple(decoded.plane_bits), decoded.motion_bits, decoded.block_bits)
        layout = decoded.format
        try:
            frame = _frame(decoded)
        except NlvcError as error:
            raise BitstreamError(f"packet {number}: {error}") from None
        frame.pts = frame.dts = decoded.pts
        frame.duration = decoded.duration
        frame.time_base = Fraction(*layout.time_base)
        frame.key_frame = decoded.is_keyframe  # type: ignore[misc] # settable, whatever the stubs say
        return [frame]


def _frame(decoded: _core.DecodedFrame) -> av.VideoFrame:
    """Samples, padding and side information in a frame of the named pixel format."""
    layout = decoded.format
    size = layout.width, layout.height
    named = pixel_format(layout.format_name)
    planes, padding_plane = decoded.planes, None
    if named.padding is not None and layout == named.core_format(*size, layout.time_base, coded_padding=True):
        *planes, padding_plane = planes
    elif layout != named.core_format(*size, layout.time_base):
        raise BitstreamError(f"the planes do not fit the named format {layout.format_name}")
    padding = Padding(
        constant=padding_constant(decoded.side), plane=padding_plane, trailing=decoded.side.get(TRAILING_LUMA, b"")
    )
    frame = new_frame(planes, *size, layout.format_name, padding)
    write_side_information(frame, decoded.side)
    return frame
