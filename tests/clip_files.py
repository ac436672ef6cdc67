"""Generated clips as PyAV frames and files, and frame hashes by the stock ffmpeg; nothing here is under test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.clips import Clip, Plane


def fill_plane(target: av.video.plane.VideoPlane, samples: Plane) -> None:
    """Copies [rows, columns] samples into a plane of a frame, line by line."""
    line = target.line_size // samples.itemsize
    rows, columns = samples.shape
    view = np.frombuffer(memoryview(target), dtype=samples.dtype)[: rows * line].reshape(rows, line)
    view[:, :columns] = samples


def video_frame(clip: Clip, index: int, *, rate: Fraction = Fraction(25)) -> av.VideoFrame:
    """Frame `index` of a clip with pts = index in units of 1/rate."""
    frame = av.VideoFrame(clip.width, clip.height, clip.pix_fmt)
    for target, samples in zip(frame.planes, clip.frames[index], strict=True):
        fill_plane(target, samples)
    frame.pts, frame.time_base = index, 1 / rate
    return frame


def video_frames(clip: Clip, *, rate: Fraction = Fraction(25)) -> Iterator[av.VideoFrame]:
    """All frames of a clip, see video_frame."""
    return (video_frame(clip, index, rate=rate) for index in range(len(clip.frames)))


def write_clip(
    path: Path, clip: Clip, *, codec: str = "ffv1", rate: Fraction = Fraction(25), audio: bool = False
) -> Path:
    """Writes a clip into the container that the suffix asks for; with audio: a FLAC tone beside it."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, clip.pix_fmt
        stream.time_base = 1 / rate
        tone = container.add_stream("flac", rate=48000, layout="mono") if audio else None
        for frame in video_frames(clip, rate=rate):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            assert isinstance(tone, av.AudioStream)
            for sound in _tone(seconds=float(len(clip.frames) / rate)):
                container.mux(tone.encode(sound))
            container.mux(tone.encode(None))
    return path


def _tone(*, seconds: float) -> Iterator[av.AudioFrame]:
    """440 Hz, 48 kHz, 16 bits, mono."""
    wave = (8000 * np.sin(np.arange(max(1, int(seconds * 48000))) * (2 * np.pi * 440 / 48000))).astype(np.int16)
    for start in range(0, len(wave), 4096):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 4096], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        yield frame


def stock_framemd5(path: Path, *, pix_fmt: str | None = None) -> list[str]:
    """MD5 of every frame of the first video track as the ffmpeg binary decodes it; RuntimeError if it fails.

    pix_fmt: the format to hash in, for formats that hold the same samples in another order.
    """
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough"]
    return _hashes([*command, *(["-pix_fmt", pix_fmt] if pix_fmt else []), "-f", "framemd5", "-"], b"")


def stock_framemd5_of_samples(frames: Iterable[bytes], *, pix_fmt: str, width: int, height: int) -> list[str]:
    """The same of frames given as packed samples without padding."""
    command = ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", pix_fmt, "-video_size", f"{width}x{height}"]
    return _hashes([*command, "-i", "-", "-f", "framemd5", "-"], b"".join(frames))


def _hashes(command: list[str], data: bytes) -> list[str]:
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.decode(errors='replace').strip()}")
    return hashes_of(done.stdout.decode())


def hashes_of(listing: str) -> list[str]:
    """The hashes of a framemd5 listing."""
    return [line.rsplit(",", 1)[1].strip() for line in listing.splitlines() if not line.startswith("#")]
