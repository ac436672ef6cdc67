"""What the whole-file operations tell: small immutable reports, and progress while they run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pynlvc.codec.damage import Damage


@dataclass(frozen=True)
class Progress:
    """A moment of a running operation."""

    stage: str  # "looking", "fitting" (both with a model that is fitted), "coding" or "verifying"
    frames: int  # done so far
    expected_frames: int | None  # None: unknown
    pixels: int  # in the frames done: width * height each
    raw_bytes: int  # the frames done, uncoded
    coded_bytes: int  # the video packets written so far; 0 while verifying
    seconds: float  # since the stage began


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True)
class TranscodeReport:
    """What `transcode` did."""

    source: Path
    target: Path
    codec: str  # of the new video track: "nlvc" or FFmpeg's name
    model: str | None  # name of the NLVC model, None for other codecs
    model_hash: str | None  # its SHA-256
    frames: int  # of all coded tracks
    width: int  # samples, of the main track
    height: int  # samples
    pix_fmt: str
    pixels: int  # in all frames of all coded tracks: width * height each
    raw_bytes: int  # samples as they lie in memory
    coded_bytes: int  # video packets, without the container
    seconds: float  # coding and writing; NLVC is decoded and compared beside it
    verified: bool  # every written frame was decoded again and found equal
    verify_seconds: float  # that verification took afterwards
    warnings: tuple[str, ...]  # what could not be kept or is worth knowing
    problems: tuple[str, ...] = ()  # damage that was found in the source and copied or mended
    sha256: str | None = None  # of the target, None for standard output and sequences of pictures
    reused_frames: int = 0  # taken from an interrupted run
    fit_seconds: float = 0.0  # spent on fitting the model

    @property
    def bits_per_pixel(self) -> float:
        """Coded bits of all planes for each pixel of the picture."""
        return 8 * self.coded_bytes / self.pixels

    @property
    def ratio(self) -> float:
        """Raw bytes for each coded byte."""
        return self.raw_bytes / self.coded_bytes


@dataclass(frozen=True)
class VerifyReport:
    """What `verify` found; `ok` is True only when nothing at all is wrong."""

    path: Path
    against: Path | None  # the source that all samples were compared with
    codec: str
    frames: int  # decoded, and proven right where the format can
    problems: tuple[str, ...]  # each names its frame
    seconds: float
    damage: tuple[Damage, ...] = ()  # all of an NLVC track, slice by slice; `problems` sums it up
    remarks: tuple[str, ...] = ()  # what is worth knowing and no damage: pieces that somebody joined
    sha256: str | None = None  # of the file, None for standard input and sequences of pictures

    @property
    def ok(self) -> bool:
        """Whether everything is right."""
        return not self.problems
