"""What an encoder and a decoder can be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pynlvc.errors import UsageError

MAX_EFFORT = 9
MAX_SLICES = 8
MAX_THREADS = 256
OnError = Literal["fail", "conceal"]
NATIVE = "native"  # the processor's own kernels


def _check_threads(threads: int) -> None:
    if not 0 <= threads <= MAX_THREADS:
        raise UsageError(f"threads is {threads}: it must be 0 (all cores) to {MAX_THREADS}")


@dataclass(frozen=True, kw_only=True)
class EncoderSettings:
    """How to encode. Every combination is lossless; settings trade size, speed and the cost of seeking."""

    model: str = "standard"  # name of an installed model, or the path of an .nlvm file
    # how much is fitted to the content, 0..9; 0 encodes fastest, decoding is the same for all; from 4 on transcode()
    # also fits the model to the whole video, while an Encoder by itself, which cannot look ahead, does as with 3
    effort: int = 3
    delta: int = 2  # slope of the sample groups, 0..2: 2 compresses best, 0 has the most samples per group
    gop: int | None = (
        None  # frames from keyframe to keyframe, >= 0; 1: keyframes only; 0: no limit; None: see gop_seconds
    )
    gop_seconds: float = 2.0  # seconds from keyframe to keyframe where gop is None, > 0
    scene_cuts: bool = True  # start a keyframe where the picture changes altogether
    slices: int = 0  # independent parts of a frame, 1..8; 0: chosen by the picture's height
    threads: int = 0  # processor threads, 1..256; 0: one per core; the coded bytes do not depend on it
    # put the model into the first keyframe and the header: the stream then needs no installed model; None: where the
    # length is known and it will cost less than 0.1 % (see pynlvc.media.transcode), otherwise not
    device: str = NATIVE  # what evaluates the networks; or PyTorch's name of a device: "cuda", "cuda:1", "cpu"
    embed_model: bool | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.effort <= MAX_EFFORT:
            raise UsageError(f"effort is {self.effort}: it must be 0 to {MAX_EFFORT}")
        if self.delta not in (0, 1, 2):
            raise UsageError(f"delta is {self.delta}: it must be 0, 1 or 2")
        if self.gop is not None and self.gop < 0:
            raise UsageError(f"gop is {self.gop} frames: it must be 0 (no limit) or more")
        if not self.gop_seconds > 0:
            raise UsageError(f"gop_seconds is {self.gop_seconds}: it must be positive")
        if not 0 <= self.slices <= MAX_SLICES:
            raise UsageError(f"slices is {self.slices}: it must be 0 (automatic) to {MAX_SLICES}")
        _check_threads(self.threads)


@dataclass(frozen=True, kw_only=True)
class DecoderSettings:
    """How to decode; no setting changes a sample of an undamaged stream."""

    threads: int = 0  # processor threads, 1..256; 0: one per core
    model_files: tuple[Path, ...] = ()  # .nlvm files to look into besides the installed models
    device: str = NATIVE  # as in EncoderSettings
    on_error: OnError = "fail"  # at damage: "fail" raises; "conceal" hides, says what was hidden and goes on

    def __post_init__(self) -> None:
        if self.on_error not in get_args(OnError):
            raise UsageError(f"on_error is {self.on_error!r}: it must be {' or '.join(get_args(OnError))}")
        _check_threads(self.threads)
