"""The lossless codecs that NLVC is measured against, each with its best practical settings.

All are FFmpeg encoders. Those that PyAV bundles run in this process; the others in the `ffmpeg` binary. Keyframes come
only where the codec wants one: the keyframe interval is the clip's length, for NLVC too; ffv1-gop1 is all keyframes.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np

from benchmarks.harness import SAME_SAMPLES, Codec, Coded, Source, packed_samples
from tests.clip_files import fill_plane

Options = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """An FFmpeg encoder and decoder with fixed settings (implements harness.Codec)."""

    name: str
    encoders: tuple[str, ...]  # the first that takes the samples wins: libx264 has a twin for RGB
    decoder: str
    options: Callable[[Source], Options]
    in_binary: bool = False  # encode with the ffmpeg binary, for encoders that PyAV lacks

    def carrier(self, pix_fmt: str) -> str | None:
        """See harness.Codec."""
        return self._choice(pix_fmt)[1]

    def settings(self, source: Source) -> str:
        """As arguments of ffmpeg."""
        options = " ".join(f"-{key} {value}" for key, value in self.options(source).items())
        return f"-c:v {self._choice(source.pix_fmt)[0]} {options}"

    def version(self) -> str:
        """The program and the library that did the coding."""
        if self.in_binary:
            banner = subprocess.run(["ffmpeg", "-version"], capture_output=True, check=True, text=True).stdout
            return " ".join(banner.split()[:3])
        library = ".".join(map(str, av.library_versions["libavcodec"]))
        return f"PyAV {av.__version__}, libavcodec {library}{_bundled_library(self.encoders[0])}"

    def encode(self, source: Source) -> Coded:
        """All frames to packets; codec parameters that travel out of band are the header."""
        return self._encode_in_binary(source) if self.in_binary else self._encode_here(source)

    def decode(self, coded: Coded, source: Source) -> list[av.VideoFrame]:
        """All packets to frames, in PyAV for every peer."""
        context = av.CodecContext.create(self.decoder, "r")
        assert isinstance(context, av.VideoCodecContext)
        context.width, context.height = source.width, source.height
        context.extradata = coded.header or None
        context.thread_count, context.thread_type = 0, "AUTO"
        frames = [frame for data in coded.packets for frame in context.decode(_packet(data))]
        frames += context.decode(None)
        return [_without_chroma(frame, source.pix_fmt) for frame in frames]

    def _choice(self, pix_fmt: str) -> tuple[str, str | None]:
        """The encoder and the format in which it takes the samples of pix_fmt; None if no encoder does."""
        candidates = (pix_fmt, *SAME_SAMPLES) if pix_fmt in SAME_SAMPLES else (pix_fmt,)
        for encoder in self.encoders:
            known = _binary_formats(encoder) if self.in_binary else _bundled_formats(encoder)
            for candidate in candidates:
                if candidate in known:
                    return encoder, candidate
        return self.encoders[0], None

    def _encode_here(self, source: Source) -> Coded:
        context = av.CodecContext.create(self._choice(source.pix_fmt)[0], "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width, context.height, context.pix_fmt = source.width, source.height, source.pix_fmt
        context.time_base, context.framerate = 1 / source.rate, source.rate
        context.options = self.options(source)
        context.thread_count = 0
        packets = [bytes(packet) for frame in source.frames for packet in context.encode(frame)]
        packets += [bytes(packet) for packet in context.encode(None)]
        return Coded(packets=packets, header=context.extradata or b"")

    def _encode_in_binary(self, source: Source) -> Coded:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder, "coded.ivf")
            size = f"{source.width}x{source.height}"
            command = ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", source.pix_fmt, "-video_size", size]
            command += ["-framerate", str(source.rate), "-i", "-", *self.settings(source).split(), str(target)]
            subprocess.run(command, input=b"".join(map(packed_samples, source.frames)), check=True)
            with av.open(str(target)) as container:
                packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
        return Coded(packets=packets, header=b"")  # every AV1 keyframe packet holds its sequence header


def available(peer: Codec) -> bool:
    """Whether this machine has the encoder: PyAV's wheels bundle all but libaom, which the ffmpeg binary has."""
    if not isinstance(peer, Peer):
        return True
    known = _binary_formats if peer.in_binary else _bundled_formats
    return bool(known(peer.encoders[0]))


@cache
def _bundled_formats(encoder: str) -> frozenset[str]:
    if encoder not in av.codecs_available:
        return frozenset()
    return frozenset(video_format.name for video_format in av.Codec(encoder, "w").video_formats or ())


@cache
def _binary_formats(encoder: str) -> frozenset[str]:
    command = ["ffmpeg", "-v", "error", "-h", f"encoder={encoder}"]
    try:
        text = subprocess.run(command, capture_output=True, check=False, text=True).stdout
    except FileNotFoundError:
        return frozenset()
    line = next((line for line in text.splitlines() if "Supported pixel formats:" in line), ":")
    return frozenset(line.split(":", 1)[1].split())


def _bundled_library(encoder: str) -> str:
    """The version in the name of the encoder's shared library within PyAV's wheel, such as `, libx265 216`."""
    name = encoder.removesuffix("rgb").split("-")[0]
    found = sorted(Path(av.__file__).parent.parent.glob(f"av.libs/{name}-*.so.*"))
    return f", {name} {found[0].name.split('.so.')[1]}" if found else ""


def _packet(data: bytes) -> av.Packet:
    """A packet with memory of FFmpeg's own. One around Python's bytes can deadlock PyAV: a decoder thread that releases
    it waits for the interpreter's lock, while the interpreter waits for that thread to close the decoder."""
    packet = av.Packet(len(data))
    packet.update(data)
    return packet


def _without_chroma(frame: av.VideoFrame, pix_fmt: str) -> av.VideoFrame:
    """Drops the neutral chroma that FFmpeg's H.264 decoder adds to grey pictures; other frames as they are."""
    if not pix_fmt.startswith("gray") or not frame.format.name.startswith("yuv"):
        return frame
    grey = av.VideoFrame(frame.width, frame.height, pix_fmt)
    samples = np.frombuffer(packed_samples(frame), dtype=np.uint16 if frame.format.components[0].bits > 8 else np.uint8)
    fill_plane(grey.planes[0], samples[: frame.width * frame.height].reshape(frame.height, frame.width))
    return grey


def _x265(source: Source) -> Options:
    # info=0 leaves out the two kilobytes of text in which x265 describes itself.
    params = f"lossless=1:keyint={_frames(source)}:info=0:log-level=none"
    # x265 216 is not lossless in grey with weighted prediction in B-frames: a frame decoded differs from its source.
    return {"preset": "veryslow", "x265-params": params + (":weightb=0" if source.pix_fmt.startswith("gray") else "")}


def _ffv1(source: Source, interval: int) -> Options:
    # One slice compresses best; FFmpeg allows it up to CIF only, and four from there.
    slices = "1" if source.width <= 352 and source.height <= 288 else "4"
    return {"level": "3", "coder": "1", "context": "1", "g": str(interval), "slices": slices, "slicecrc": "1"}


def _frames(source: Source) -> str:
    return str(len(source.frames))


PEERS: tuple[Peer, ...] = (
    Peer(name="ffv1-gop1", encoders=("ffv1",), decoder="ffv1", options=lambda source: _ffv1(source, 1)),
    Peer(name="ffv1-gop300", encoders=("ffv1",), decoder="ffv1", options=lambda source: _ffv1(source, 300)),
    Peer(
        name="x264-veryslow",
        encoders=("libx264", "libx264rgb"),
        decoder="h264",
        options=lambda source: {"preset": "veryslow", "qp": "0", "g": _frames(source)},
    ),
    Peer(
        name="x265-veryslow",
        encoders=("libx265",),
        decoder="hevc",
        options=_x265,
    ),
    Peer(
        name="vp9-best",
        encoders=("libvpx-vp9",),
        decoder="vp9",
        options=lambda source: {
            "lossless": "1",
            "deadline": "best",
            "cpu-used": "0",
            "g": _frames(source),
            "row-mt": "1",
        },
    ),
    Peer(
        name="av1-libaom",
        encoders=("libaom-av1",),
        decoder="libdav1d",
        options=lambda source: {
            "aom-params": "lossless=1",
            "cpu-used": "0",
            "g": _frames(source),
            "row-mt": "1",
            "threads": "2",
        },
        in_binary=True,
    ),
)
