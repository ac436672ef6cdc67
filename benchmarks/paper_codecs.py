"""The codecs of the paper's table: its peers as it has them, and every model of ours that is installed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import SAME_SAMPLES, Codec, Coded, Source
from benchmarks.nlvc import Nlvc
from benchmarks.peers import PEERS, Peer
from pynlvc.codec import EncoderSettings
from pynlvc.codec.planes import frame_planes, new_frame
from pynlvc.model.store import model_names

SLOPES = (0, 1, 2)
OWN_SLOPES = {"diffusion": SLOPES, "standard": SLOPES}
"""Models that are measured at other slopes than the default too."""
EFFORT = EncoderSettings().effort
EFFORTS = {"fast": 0}
"""As the README's table has it."""


@dataclass(frozen=True)
class PngPlanes:
    """Each plane of each frame as a grey PNG: how a codec of pictures stores 4:2:0 (implements harness.Codec)."""

    name: str = "png"

    def carrier(self, pix_fmt: str) -> str | None:
        """See harness.Codec."""
        return pix_fmt if av.VideoFormat(pix_fmt).components[0].bits == 8 and pix_fmt not in SAME_SAMPLES else None

    def settings(self, source: Source) -> str:
        """As arguments of ffmpeg, for each plane."""
        return "-c:v png -pix_fmt gray -compression_level 9 -pred mixed"

    def version(self) -> str:
        """The library."""
        return f"PyAV {av.__version__}, libavcodec {'.'.join(map(str, av.library_versions['libavcodec']))}"

    def encode(self, source: Source) -> Coded:
        """One packet for each plane of each frame."""
        packets = [self._picture(plane) for frame in source.frames for plane in frame_planes(frame)]
        return Coded(packets=packets, header=b"")

    def decode(self, coded: Coded, source: Source) -> list[av.VideoFrame]:
        """All packets to frames."""
        count = len(frame_planes(source.frames[0]))
        planes = [_read_png(data) for data in coded.packets]
        return [
            new_frame(planes[start : start + count], source.width, source.height, source.pix_fmt)
            for start in range(0, len(planes), count)
        ]

    def _picture(self, plane: NDArray[np.uint8]) -> bytes:
        rows, columns = plane.shape
        context = av.CodecContext.create("png", "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width, context.height, context.pix_fmt, context.time_base = columns, rows, "gray", Fraction(1)
        context.options = {"compression_level": "9", "pred": "mixed"}
        picture = new_frame([plane], columns, rows, "gray")
        return b"".join(bytes(packet) for frame in (picture, None) for packet in context.encode(frame))


def _read_png(data: bytes) -> NDArray[np.uint8]:
    """The samples of a grey PNG. Each has a decoder of its own: one whose pictures change in size keeps old samples."""
    context = av.CodecContext.create("png", "r")
    assert isinstance(context, av.VideoCodecContext)
    (picture,) = [*context.decode(av.Packet(data)), *context.decode(None)]
    return frame_planes(picture)[0].copy()


def _intra(peer: Peer) -> Peer:
    """The same encoder with keyframes alone."""

    def options(source: Source) -> dict[str, str]:
        chosen = dict(peer.options(source))
        return chosen | {"x265-params": chosen["x265-params"].replace(f"keyint={len(source.frames)}", "keyint=1")}

    return replace(peer, name="x265-intra", options=options)


def paper_codecs() -> list[Codec]:
    """In the order of the paper's table, ours last. A model that is not installed has no column."""
    peers = {peer.name: peer for peer in PEERS}
    chosen: list[Codec] = [
        PngPlanes(),
        _intra(peers["x265-veryslow"]),
        peers["ffv1-gop300"],
        peers["x264-veryslow"],
        peers["x265-veryslow"],
    ]
    # The smallest first; whatever else is installed comes last.
    known = ("diffusion", "fast", "standard", "large")
    installed = model_names()
    for model in [*(name for name in known if name in installed), *(name for name in installed if name not in known)]:
        for delta in OWN_SLOPES.get(model, (2,)):
            settings = EncoderSettings(gop=0, model=model, delta=delta, effort=EFFORTS.get(model, EFFORT))
            chosen.append(Nlvc(name=f"{model}-d{delta}", encoder_settings=settings))
    return chosen
