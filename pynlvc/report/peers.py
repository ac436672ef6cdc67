"""The same frames in other lossless codecs, coded by FFmpeg's encoders and proven by decoding."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from pynlvc import _core
from pynlvc.codec import DecoderSettings
from pynlvc.codec.planes import frame_planes, new_frame
from pynlvc.errors import NlvcError, UsageError
from pynlvc.media.lossless_codecs import LosslessCodec
from pynlvc.media.source import VideoSource


@dataclass(frozen=True)
class Peer:
    """An encoder of FFmpeg with the strongest settings that people use."""

    encoders: tuple[str, ...]  # the first that takes the samples as they are: libx264 has a twin for RGB
    decoder: str
    options: dict[str, str]


PEERS: dict[str, Peer] = {
    "ffv1": Peer(
        encoders=("ffv1",), decoder="ffv1", options={"level": "3", "coder": "1", "context": "1", "slicecrc": "1"}
    ),
    "x264": Peer(encoders=("libx264", "libx264rgb"), decoder="h264", options={"preset": "veryslow", "qp": "0"}),
    "x265": Peer(
        encoders=("libx265",),
        decoder="hevc",
        options={"preset": "veryslow", "x265-params": "lossless=1:info=0:log-level=none"},
    ),
    "vp9": Peer(encoders=("libvpx-vp9",), decoder="vp9", options={"lossless": "1", "deadline": "best", "row-mt": "1"}),
}


@dataclass(frozen=True)
class PeerResult:
    """What a peer made of the file's frames."""

    name: str
    settings: str  # as arguments of ffmpeg; why there is no result where coded_bytes is 0
    coded_bytes: int  # packets and header, without container
    seconds: float  # of encoding


def choose_peers(names: Sequence[str]) -> list[str]:
    """The names, checked; UsageError for one that is unknown or that this build of FFmpeg lacks."""
    for name in names:
        if name not in PEERS:
            raise UsageError(f"unknown peer {name!r}: choose from {', '.join(PEERS)}")
        if PEERS[name].encoders[0] not in av.codecs_available:
            raise UsageError(f"the FFmpeg inside PyAV has no encoder {PEERS[name].encoders[0]} for the peer {name}")
    return list(dict.fromkeys(names))


def measure_peer(name: str, path: Path, *, interval: int, settings: DecoderSettings | None = None) -> PeerResult:
    """Codes the frames of a file with a peer, at most `interval` frames from keyframe to keyframe.

    Raises NlvcError where what the peer decodes differs from the frames.
    """
    peer = PEERS[name]
    with VideoSource(path, settings=settings) as source:
        encoding: _Encoding | None = None
        for frame in source.frames():
            if encoding is None:
                choice = _choice(peer, frame.format.name)
                if choice is None:
                    return PeerResult(name, f"takes no {frame.format.name}", 0, 0.0)
                encoding = _Encoding(peer, *choice, frame, source.frame_rate or Fraction(25), interval)
            encoding.add(frame)
    assert encoding is not None, "a file that was analysed has frames"
    encoding.finish()
    if encoding.decoded != encoding.wanted:
        raise NlvcError(f"{name} does not give back the frames of {path} exactly: its size means nothing")
    return PeerResult(name, encoding.settings, encoding.coded_bytes, encoding.seconds)


def _choice(peer: Peer, pix_fmt: str) -> tuple[str, str] | None:
    """(encoder, the format in which it takes these very samples), or None."""
    for encoder in peer.encoders:
        stored = LosslessCodec(encoder).storage_format(pix_fmt)
        if stored is not None:
            return encoder, stored
    return None


class _Encoding:
    """One run of an encoder, with the decoder that proves it."""

    def __init__(
        self, peer: Peer, encoder: str, pix_fmt: str, first: av.VideoFrame, rate: Fraction, interval: int
    ) -> None:
        options = peer.options | {"g": str(interval)}
        if encoder == "libx265":
            options["x265-params"] += f":keyint={options.pop('g')}"
        if encoder == "ffv1" and first.width * first.height <= 352 * 288:
            options["slices"] = "1"  # compresses best; FFmpeg allows it up to this size
        self.settings = " ".join([f"-c:v {encoder}", *(f"-{key} {value}" for key, value in options.items())])
        context = av.CodecContext.create(encoder, "w")
        decoder = av.CodecContext.create(peer.decoder, "r")
        assert isinstance(context, av.VideoCodecContext) and isinstance(decoder, av.VideoCodecContext)
        decoder.width, decoder.height = context.width, context.height = first.width, first.height
        context.pix_fmt, context.options = pix_fmt, options
        context.time_base, context.framerate = 1 / rate, rate
        self._context, self._decoder = context, decoder
        self._rate, self._pix_fmt, self._planes = rate, pix_fmt, len(frame_planes(first))
        self._packets: list[bytes] = []
        self.seconds = 0.0
        self.wanted: list[int] = []  # checksums of the frames
        self.decoded: list[int] = []  # the same after decoding

    @property
    def coded_bytes(self) -> int:
        """Packets and the header beside them."""
        return len(self._context.extradata or b"") + sum(map(len, self._packets))

    def add(self, frame: av.VideoFrame) -> None:
        """Codes one more frame."""
        stored = frame
        if frame.format.name != self._pix_fmt:
            stored = new_frame(frame_planes(frame), frame.width, frame.height, self._pix_fmt)
        stored.pts, stored.time_base = len(self.wanted), 1 / self._rate
        stored.pict_type = av.video.frame.PictureType.NONE
        self.wanted.append(_checksum(stored, self._planes))
        self._encode(stored)

    def finish(self) -> None:
        """Takes what the encoder still holds, and decodes everything."""
        self._encode(None)
        self._decoder.extradata = self._context.extradata
        for data in self._packets:
            packet = av.Packet(len(data))
            packet.update(data)
            self._check(packet)
        self._check(None)

    def _encode(self, frame: av.VideoFrame | None) -> None:
        started = time.monotonic()
        self._packets += [bytes(packet) for packet in self._context.encode(frame)]
        self.seconds += time.monotonic() - started

    def _check(self, packet: av.Packet | None) -> None:
        self.decoded += [_checksum(frame, self._planes) for frame in self._decoder.decode(packet)]


def _checksum(frame: av.VideoFrame, planes: int) -> int:
    """CRC-32C over the first planes: FFmpeg's H.264 decoder adds neutral chroma to grey pictures."""
    checksum = 0
    for plane in frame_planes(frame)[:planes]:
        checksum = _core.crc32c(np.ascontiguousarray(plane).reshape(-1).view(np.uint8), checksum)
    return checksum
