"""Going on with a transcode that was interrupted: what it left behind, and how much of that can be used again."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from pynlvc import _core
from pynlvc.codec import Decoder, DecoderSettings, Encoder, EncoderSettings
from pynlvc.codec.planes import memory_checksum
from pynlvc.codec.side_information import read_side_information
from pynlvc.errors import NlvcError, UsageError
from pynlvc.media.output_file import part_path
from pynlvc.version import __version__


def _former_path(target: Path) -> Path:
    return target.with_name(f".{target.name}.former")


def _record_path(target: Path) -> Path:
    return target.with_name(f".{target.name}.resume")


@contextmanager
def interruption(
    source: Path, target: Path, settings: EncoderSettings, choices: str, *, resume: bool
) -> Iterator[Path | None]:
    """Around a transcode: gives what an earlier run left, if `resume` asks for it, and leaves things so that this one
    can be resumed in its turn: after a kill always, after an error or interruption if `resume` is set.

    `choices`: whatever decides beside `settings` which packets come out.
    """
    run = _Interruption(source, target, settings, choices)
    complete = False
    try:
        run.begin(resume=resume)
        yield run.former
        complete = True
    finally:
        run.end(keep=resume and not complete)


class _Interruption:
    """What lies beside a target from an earlier run: `.NAME.part` and a record of how it was made, `.NAME.resume`.

    While a run goes on, the earlier part is `.NAME.former`.
    """

    def __init__(self, source: Path, target: Path, settings: EncoderSettings, choices: str) -> None:
        """`choices`: whatever else decides which packets come out."""
        self.target = target
        self.former: Path | None = None
        try:
            state = source.stat()
        except OSError as error:
            raise NlvcError(f"cannot read {source}: {error.strerror or error}") from error
        self._record = {
            "pynlvc": __version__,
            "source": [os.fspath(source.resolve()), state.st_size, state.st_mtime_ns],
            "settings": {name: v for name, v in dataclasses.asdict(settings).items() if name != "threads"},
            "choices": choices,
        }

    def begin(self, *, resume: bool) -> None:
        """Puts the earlier part aside if there is one and `resume` says so, and writes the record of this run.

        UsageError when the part was made of another source or with other settings.
        """
        part, former = part_path(self.target), _former_path(self.target)
        left = [path for path in (part, former) if path.is_file()]
        if resume and left:
            if self._former_record() != self._record:
                raise UsageError(
                    f"{left[0]} was made of another source, with other settings or by another release: "
                    "without --resume it is replaced"
                )
            best = max(left, key=lambda path: path.stat().st_size)
            if best == part:
                part.replace(former)
            self.former = former
        try:
            _record_path(self.target).write_text(json.dumps(self._record), encoding="utf-8")
        except OSError as error:
            raise NlvcError(f"cannot write beside {self.target}: {error.strerror or error}") from error

    def _former_record(self) -> object:
        try:
            return json.loads(_record_path(self.target).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def end(self, *, keep: bool) -> None:
        """Removes what nobody needs any more; `keep`: this run was interrupted and may be resumed."""
        if not keep:
            _former_path(self.target).unlink(missing_ok=True)
            _record_path(self.target).unlink(missing_ok=True)


class Leftover:
    """The packets of one NLVC track of a part, as far as complete GOPs reach: those that the next keyframe follows."""

    def __init__(self, path: Path, video_number: int, encoder: Encoder, settings: DecoderSettings) -> None:
        """`video_number`: the track's among the video tracks."""
        self._path = path
        self._number = video_number
        self._encoder = encoder
        self._decoder = Decoder(encoder.extradata, settings=settings)
        self.frames = self._count()
        self._packets = self._read()

    def _read(self) -> Iterator[av.Packet]:
        try:
            with av.open(os.fspath(self._path)) as container:
                stream = container.streams.video[self._number]
                for packet in container.demux(stream):
                    if packet.size:
                        yield packet
        except (av.error.FFmpegError, OSError, IndexError):
            return  # the part ends here

    def _count(self) -> int:
        """Frames before the last keyframe of the packets that are whole and continue each other."""
        keyframe = number = 0
        for number, packet in enumerate(self._read()):
            try:
                header = _core.parse_packet(packet)
            except _core.BitstreamError:
                return keyframe
            if header.number != (number if header.is_keyframe else number - keyframe):
                return keyframe
            if number == 0 and header.sequence_header != self._encoder.extradata:
                return 0
            if header.is_keyframe:
                keyframe = number
        return keyframe

    def take(self, frame: av.VideoFrame) -> list[av.Packet]:
        """The packet of the next frame, proven by decoding; NlvcError when it does not hold this frame."""
        packet = next(self._packets)
        packets = self._encoder.skip(frame, packet)
        (decoded,) = self._decoder.decode(packet)
        same = memory_checksum(decoded) == memory_checksum(frame)
        said = read_side_information(decoded)[0] == read_side_information(frame)[0]
        if not (same and said and (decoded.pts, decoded.duration) == (packets[0].pts, packets[0].duration)):
            raise NlvcError(
                f"{self._path} holds another frame than the source at {frame.time} s: without --resume it is replaced"
            )
        return packets
