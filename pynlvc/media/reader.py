"""`pynlvc.open`: the frames of a video file, with exact times and frame-accurate seeking."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av

from pynlvc.codec import DecoderSettings
from pynlvc.errors import UsageError
from pynlvc.media.source import VideoSource


class Reader:
    """Iterates over the frames of a file's main video track, NLVC or anything that FFmpeg decodes.

    Use it as a context manager, or call `close()`.
    """

    def __init__(self, path: str | os.PathLike[str], *, settings: DecoderSettings | None = None) -> None:
        self._source = VideoSource(Path(path), settings=settings)
        self._frames = self._source.frames()

    @property
    def codec_name(self) -> str:
        """ "nlvc", or FFmpeg's name of the codec."""
        return self._source.codec_name

    @property
    def frame_rate(self) -> Fraction | None:
        """Frames per second as far as the container knows."""
        return self._source.frame_rate

    def __iter__(self) -> Iterator[av.VideoFrame]:
        return self

    def __next__(self) -> av.VideoFrame:
        return next(self._frames)

    def seek(self, seconds: float | Fraction) -> None:
        """Goes on with the frame that is shown at `seconds` (the first frame where none is shown yet).

        Decoding starts at the keyframe before it. After the end, iteration gives the last frame.
        """
        if seconds < 0:
            raise UsageError(f"cannot seek to {seconds} s: times are not negative")
        self._frames = self._source.frames_from(Fraction(seconds))

    def close(self) -> None:
        """Closes the file; frames that were read stay valid."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_video(path: str | os.PathLike[str], *, settings: DecoderSettings | None = None) -> Reader:
    """Opens a video file for reading frames: `for frame in pynlvc.open(path)`."""
    return Reader(path, settings=settings)
