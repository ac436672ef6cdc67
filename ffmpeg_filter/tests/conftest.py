"""Fixtures: the programs under test and three clips, real ones where the material is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from ffmpeg_filter.tests.builds import Ffmpeg, build_ffmpeg, stock_ffmpeg
from tests.clip_files import stock_framemd5, write_clip
from tests.clips import make_clip
from tests.conftest import REAL_CLIPS, model_path
from tests.media_files import words

__all__ = ["model_path"]


@dataclass(frozen=True)
class Source:
    """A clip and the hashes of its frames, by the stock ffmpeg."""

    path: Path
    pix_fmt: str
    hashes: list[str]


# name: real clip, pixel format, size of the generated clip in its place, how the stock ffmpeg makes the source
CLIPS: dict[str, tuple[str, str, tuple[int, int], str, Sequence[str]]] = {
    "sound": (
        "vt2people_320x192.mkv",
        "yuv420p",
        (320, 192),
        "mkv",
        words("-f lavfi -i sine=d=0.4 -map 0:v -map 1:a -c:v ffv1 -c:a pcm_s16le -shortest"),
    ),
    "interlaced": (
        "film_422p10.mkv",
        "yuv422p10le",
        (352, 288),
        "mkv",
        words(
            "-vf setfield=tff -c:v ffv1 -flags +ildct+ilme -color_primaries bt709 -color_trc bt709 -colorspace bt709"
        ),
    ),
    "rgb": ("city_rgb.mkv", "gbrp", (160, 128), "nut", words("-frames:v 4 -pix_fmt gbrp -c:v rawvideo")),
}


def make_source(name: str, folder: Path) -> Source:
    """Writes one of CLIPS into a folder."""
    real, pix_fmt, (width, height), suffix, options = CLIPS[name]
    clip = REAL_CLIPS / real
    if not clip.exists():
        clip = write_clip(
            folder / f"{name}.generated.nut", make_clip(width, height, 6, pix_fmt=pix_fmt), codec="rawvideo"
        )
    path = folder / f"{name}.{suffix}"
    stock_ffmpeg("-i", clip, *options, path)
    return Source(path, pix_fmt, stock_framemd5(path, pix_fmt=pix_fmt))


@pytest.fixture(scope="session")
def ffmpeg() -> Ffmpeg:
    """FFmpeg with NLVC inside."""
    return build_ffmpeg()


@pytest.fixture(scope="session", params=CLIPS)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Each of the three clips."""
    return make_source(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """The clip with sound alone."""
    return make_source("sound", tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="session")
def coded(ffmpeg: Ffmpeg, source: Source) -> Path:
    """The clip as NLVC in Matroska, by FFmpeg."""
    target = source.path.with_name("coded.mkv")
    ffmpeg.run("-i", source.path, *words("-c:v libnlvc -model fast -effort 0 -gop 3 -c:a copy"), target)
    return target


@pytest.fixture(scope="session")
def coded_sound(ffmpeg: Ffmpeg, sound: Source) -> Path:
    """The clip with sound as NLVC in Matroska, a keyframe every third frame."""
    target = sound.path.with_name("coded.mkv")
    ffmpeg.run("-i", sound.path, *words("-c:v libnlvc -model fast -effort 0 -gop 3 -scene_cuts 0 -c:a copy"), target)
    return target
