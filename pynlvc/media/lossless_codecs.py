"""FFmpeg's encoders that keep every sample: the targets of decoding NLVC into another codec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import av
from av.codec import Codec

from pynlvc.codec.pixel_formats import FULL_RANGE_TWINS, same_samples
from pynlvc.errors import UnsupportedFormatError, UsageError


@dataclass(frozen=True)
class LosslessCodec:
    """One of FFmpeg's encoders with the options that make it lossless."""

    name: str  # FFmpeg's name of the encoder
    options: Mapping[str, str] = field(default_factory=dict)

    def storage_format(self, pix_fmt: str) -> str | None:
        """The pixel format under which the encoder takes these very samples, or None when it has none."""
        offered = Codec(self.name, "w").video_formats
        if not offered:  # rawvideo takes all
            return pix_fmt
        names = {entry.name for entry in offered}
        if pix_fmt in names:
            return pix_fmt
        twin = FULL_RANGE_TWINS.get(pix_fmt)
        if twin in names:
            return twin
        return next((name for name in sorted(names) if same_samples(name, pix_fmt)), None)


# In order of preference where the user names none.
LOSSLESS_CODECS: dict[str, LosslessCodec] = {
    codec.name: codec
    for codec in (
        # Level 3 with a checksum for each slice, range coder, large context, every frame by itself: what archives use.
        LosslessCodec("ffv1", {"level": "3", "coder": "1", "context": "1", "slicecrc": "1", "g": "1"}),
        LosslessCodec("ffvhuff"),
        LosslessCodec("utvideo"),
        LosslessCodec("magicyuv"),
        LosslessCodec("png"),
        LosslessCodec("rawvideo"),
        LosslessCodec("libx264", {"qp": "0", "preset": "medium"}),
        LosslessCodec("libx265", {"preset": "medium", "x265-params": "lossless=1:log-level=error"}),
        LosslessCodec("libvpx-vp9", {"lossless": "1"}),
        LosslessCodec("tiff", {"compression_algo": "deflate"}),
    )
    if codec.name in av.codecs_available
}


def lossless_codec(name: str | None, pix_fmt: str) -> tuple[LosslessCodec, str]:
    """(codec, its pixel format) for frames of `pix_fmt`; without a name the first codec that can hold them.

    Raises UsageError for an unknown name, UnsupportedFormatError when the codec cannot hold the samples as they are.
    """
    if name is not None and name not in LOSSLESS_CODECS:
        raise UsageError(f"unknown codec {name!r}: choose nlvc or one of {', '.join(LOSSLESS_CODECS)}")
    fitting = [codec for codec in LOSSLESS_CODECS.values() if codec.storage_format(pix_fmt)]
    for codec in fitting:
        stored = codec.storage_format(pix_fmt)
        if stored is not None and name in (None, codec.name):
            return codec, stored
    raise UnsupportedFormatError(
        f"{name} cannot hold {pix_fmt} without converting it; these can: {', '.join(codec.name for codec in fitting)}"
    )
