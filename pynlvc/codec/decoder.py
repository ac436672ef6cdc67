"""The decoder as PyAV users expect one: `decode(packet)` gives frames."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from numpy.typing import NDArray

from pynlvc import _avshim, _core
from pynlvc.codec.cores import DecoderCore
from pynlvc.codec.damage import Damage, DamageKind, Decoded
from pynlvc.codec.gathering import Gathering
from pynlvc.codec.pixel_formats import pixel_format
from pynlvc.codec.planes import Padding, new_frame
from pynlvc.codec.settings import DecoderSettings
from pynlvc.codec.side_information import TRAILING_LUMA, padding_constant, write_side_information
from pynlvc.errors import BitstreamError, MissingModelError, ModelError, NlvcError
from pynlvc.model.store import find_model, model_names, parse_model

if TYPE_CHECKING:
    from pynlvc.codec.diffusion_decoder import DecodedDiffusionFrame


@dataclass(frozen=True)
class FrameCosts:
    """What a frame costs in its stream, in bits, without headers and side information."""

    planes: tuple[float, ...]  # by plane in coding order
    motion: float
    blocks: NDArray[np.float32]  # [rows, columns]: all planes together in each block of 16x16 samples of plane 0


class _ModelFinder:
    """Finds models by their SHA-256. The native decoder holds it, so it must not hold the Decoder: a circle."""

    def __init__(self, embedded: bytes, settings: DecoderSettings) -> None:
        """`embedded`: of the sequence header; packets after the first keyframe do not repeat it."""
        self._embedded = embedded
        self._whole: bytes | None = None  # what `embedded` means
        self._model_files = settings.model_files

    def __call__(self, digest: bytes) -> bytes | None:
        if self._embedded and self._whole is None:
            try:
                self._whole = parse_model(self._embedded, "the model in the stream's header").data
            except ModelError:
                self._embedded = b""  # damaged: what the packets embed is what counts
        if self._whole is not None and hashlib.sha256(self._whole).digest() == digest:
            return self._whole
        model = find_model(digest, self._model_files)
        return None if model is None else model.data


class Decoder:
    """Decodes NLVC packets in stream order, one frame for each packet and without delay.

    Every keyframe describes itself, so `extradata` is not needed to decode a stream from its beginning. It is needed to
    begin later in a stream that embeds its model, and it is checked at once.
    """

    def __init__(
        self,
        extradata: bytes | None = None,
        *,
        settings: DecoderSettings | None = None,
        analysis: bool = False,
        gathering: Gathering | None = None,
    ) -> None:
        """`analysis`: find out what each frame costs, see `costs`; decoding then takes longer. `gathering`: of decoders
        of other GOPs, see `decode_gops`."""
        self._settings = settings or DecoderSettings()
        embedded = b""
        if extradata:
            try:
                embedded = _core.parse_sequence_header(extradata).embedded_model
            except _core.BitstreamError as error:
                raise BitstreamError(f"the stream's header is damaged: {error}") from None
        self._core = DecoderCore(
            _ModelFinder(embedded, self._settings),
            threads=self._settings.threads,
            analysis=analysis,
            device=self._settings.device,
            gathering=gathering,
        )
        self._analysis = analysis
        self.costs: FrameCosts | None = None  # of the frame decoded last; None without analysis
        self._conceals = self._settings.on_error == "conceal"
        self._packets = 0
        self.damage: tuple[Damage, ...] = ()  # of the packet that decode() was given last
        self.decoded: Decoded | None = None  # what its header said, None where it is damaged

    def decode(self, packet: av.Packet | None) -> list[av.VideoFrame]:
        """Decodes one packet; None or an empty packet ends the stream (nothing is ever held back).

        The frame's pts, duration, time base and side data are the ones that were encoded, exactly. Raises
        BitstreamError for damage (all checksums are verified) and MissingModelError; after either, decoding goes on at
        the next keyframe.

        With `on_error="conceal"` damage does not raise: a frame that is not proven right has `is_corrupt` set and shows
        the frame before it where slices are wrong (see `damage`). Where its own time is unknown it has the packet's.
        Before the first keyframe there is nothing to show, and no frame.
        """
        if packet is None or packet.size == 0:
            return []
        number = self._packets
        self._packets += 1
        self.damage, self.decoded = (), None
        try:
            decoded = self._core.conceal(packet) if self._conceals else self._core.decode(packet)
        except _core.BitstreamError as error:
            if not self._conceals:
                raise BitstreamError(f"packet {number}: {error}") from None
            self.damage = (Damage(kind="damaged", frame=number, slice=None, offset=0, what=str(error)),)
            return []
        except _core.MissingModelError as error:
            installed = ", ".join(model_names()) or "none"
            raise MissingModelError(f"packet {number}: {error} (installed models: {installed})") from None
        if self._analysis:
            self.costs = FrameCosts(tuple(decoded.plane_bits), decoded.motion_bits, decoded.block_bits)
        try:
            frame = _frame(decoded)
        except NlvcError as error:
            raise BitstreamError(f"packet {number}: {error}") from None
        self._note(decoded, number)
        time_base = Fraction(*decoded.format.time_base)
        pts = decoded.pts
        if not decoded.timed and packet.pts is not None and packet.time_base is not None:
            pts = round(packet.pts * packet.time_base / time_base)
        frame.pts = frame.dts = pts
        frame.duration = decoded.duration
        frame.time_base = time_base
        frame.key_frame = decoded.is_keyframe  # type: ignore[misc] # settable, whatever the stubs say
        if not decoded.exact:
            _avshim.mark_corrupt(frame)
        return [frame]

    def _note(self, decoded: _core.DecodedFrame | DecodedDiffusionFrame, packet: int) -> None:
        """Remembers what is asked for after decode()."""
        self.damage = tuple(
            Damage(
                kind=cast(DamageKind, found.kind),
                frame=packet,
                slice=None if found.slice < 0 else found.slice,
                offset=found.offset,
                what=found.what.removeprefix("packet, ").removeprefix("packet: "),
            )
            for found in decoded.damage
        )
        time_base = Fraction(*decoded.format.time_base)
        if decoded.number >= 0:
            self.decoded = Decoded(
                is_keyframe=decoded.is_keyframe,
                number=decoded.number,
                seconds=decoded.pts * time_base if decoded.timed else None,
                duration_seconds=decoded.duration * time_base,
            )


def _frame(decoded: _core.DecodedFrame | DecodedDiffusionFrame) -> av.VideoFrame:
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
