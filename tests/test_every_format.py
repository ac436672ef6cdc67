"""Exactness: every listed format through files, judged by the stock ffmpeg; and drawn sizes, formats, settings, ..."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pynlvc
from pynlvc import EncoderSettings
from pynlvc.codec.pixel_formats import PIXEL_FORMATS, PixelFormat, pixel_format
from pynlvc.codec.planes import frame_planes, memory_checksum, memory_rows, new_frame
from tests.clip_files import stock_framemd5, stock_framemd5_of_samples
from tests.media_files import run_tool, words, write_nlvc
from tests.test_pixel_formats import LISTED

CONTENT = ("noise", "flat", "extremes", "ramp", "moving", "shifted", "sparse")
FRAMES = 3


def planes(layout: PixelFormat, width: int, height: int, content: str, t: int) -> list[Any]:
    """Samples of frame `t`."""
    made = []
    rng = np.random.default_rng(7 * t + width + height)
    for index in range(layout.plane_count):
        rows, columns = layout.plane_shape(index, width, height)
        y, x = np.mgrid[:rows, :columns]
        wave = (0.5 + 0.4 * np.sin((x + 2 * t) / 5 + index) * np.cos(y / 6)) * layout.maximum
        values = {
            "noise": rng.integers(0, layout.maximum, (rows, columns), endpoint=True),
            "flat": np.full((rows, columns), layout.maximum // (t + 2)),
            "extremes": rng.choice([0, layout.maximum], (rows, columns)),
            "ramp": (x * 3 + y * 5 + t * 7) % (layout.maximum + 1),
            "moving": wave,
            "shifted": (wave.astype(np.int64) >> (layout.depth - 8)) << (layout.depth - 8),
            "sparse": wave.astype(np.int64) // 5 * 5,
        }[content]
        made.append(np.clip(values, 0, layout.maximum).astype(layout.dtype))
    return made


def raw_frame(layout: PixelFormat, width: int, height: int, content: str, t: int) -> bytes:
    """The same as FFmpeg's rawvideo."""
    rows = memory_rows(new_frame(planes(layout, width, height, content, t), width, height, layout.name))
    return b"".join(np.ascontiguousarray(plane).tobytes() for plane in rows)


@pytest.fixture(scope="module")
def known_to_stock_ffmpeg() -> set[str]:
    return {
        line.split()[1] for line in run_tool(*words("ffmpeg -v error -pix_fmts")).splitlines() if len(line.split()) > 3
    }


@pytest.mark.parametrize("name", LISTED)
def test_what_we_decode_has_the_md5_that_ffmpeg_finds(
    name: str, tmp_path: Path, model_path: Path, known_to_stock_ffmpeg: set[str]
) -> None:
    """Raw frames -> NLVC -> what we decode -> `ffmpeg -f framemd5`; and by way of FFV1 where it has the samples."""
    width, height = 35, 23
    layout = pixel_format(name)
    contents = ("moving", "noise", "ramp")
    frames = [raw_frame(layout, width, height, content, t) for t, content in enumerate(contents)]
    sources = []
    for t, content in enumerate(contents):
        frame = new_frame(planes(layout, width, height, content, t), width, height, name)
        frame.pts, frame.time_base, frame.duration = t, Fraction(1, 25), 1
        sources.append(frame)
    chosen = EncoderSettings(model=str(model_path), embed_model=True)
    coded = write_nlvc(tmp_path / "coded.mkv", sources, chosen)
    with pynlvc.open(coded) as reader:
        decoded = list(reader)
    assert {frame.format.name for frame in decoded} == {name}
    raw = [b"".join(np.ascontiguousarray(plane).tobytes() for plane in memory_rows(frame)) for frame in decoded]
    assert raw == frames
    if name in known_to_stock_ffmpeg:
        wanted = stock_framemd5_of_samples(frames, pix_fmt=name, width=width, height=height)
        ours = [line.rsplit(",", 1)[1].strip() for line in pynlvc.framemd5(coded) if not line.startswith("#")]
        assert ours == wanted
    report = pynlvc.transcode(coded, tmp_path / "back.mkv")
    assert report.verified and report.frames == FRAMES
    assert report.codec == ("png" if name.startswith("ya16") else "ffv1")
    assert pynlvc.verify(tmp_path / "back.mkv", against=coded).ok
    if name in known_to_stock_ffmpeg:
        with pynlvc.open(tmp_path / "back.mkv") as reader:
            kept = next(reader).format.name
        same = [
            new_frame([plane.astype(layout.dtype) for plane in frame_planes(one)], width, height, kept)
            for one in decoded
        ]
        raw = [b"".join(np.ascontiguousarray(plane).tobytes() for plane in memory_rows(frame)) for frame in same]
        wanted = stock_framemd5_of_samples(raw, pix_fmt=kept, width=width, height=height)
        assert stock_framemd5(tmp_path / "back.mkv", pix_fmt=kept) == wanted


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    width=st.integers(1, 70),
    height=st.integers(1, 70),
    name=st.sampled_from(sorted(PIXEL_FORMATS)),
    gop=st.integers(0, 4),
    slices=st.integers(0, 5),
    delta=st.integers(0, 2),
    contents=st.lists(st.sampled_from(CONTENT), min_size=1, max_size=5),
    scene_cuts=st.booleans(),
)
def test_any_size_format_setting_and_content(
    model_path: Path,
    width: int,
    height: int,
    name: str,
    gop: int,
    slices: int,
    delta: int,
    contents: list[str],
    scene_cuts: bool,
) -> None:
    layout = pixel_format(name)
    chosen = EncoderSettings(
        model=str(model_path), embed_model=True, gop=gop, slices=slices, delta=delta, scene_cuts=scene_cuts
    )
    encoder = pynlvc.Encoder(width, height, name, time_base=Fraction(1, 25), settings=chosen)
    decoder = pynlvc.Decoder(encoder.extradata)
    for t, content in enumerate(contents):
        frame = new_frame(planes(layout, width, height, content, t), width, height, name)
        frame.pts = t
        (packet,) = encoder.encode(frame)
        (decoded,) = decoder.decode(packet)
        assert decoded.format.name == name and decoded.pts == t
        assert memory_checksum(decoded) == memory_checksum(frame)


@pytest.mark.parametrize("name", ["yuv410p", "nv12", "yuyv422", "gbrp10le"])
@pytest.mark.parametrize(("width", "height"), [(16384, 1), (1, 16384), (16383, 5), (7, 16381)])
def test_the_largest_sides(model_path: Path, width: int, height: int, name: str) -> None:
    layout = pixel_format(name)
    chosen = EncoderSettings(model=str(model_path), embed_model=True)
    encoder = pynlvc.Encoder(width, height, name, time_base=Fraction(1, 25), settings=chosen)
    decoder = pynlvc.Decoder()
    for t, content in enumerate(("moving", "moving", "noise")):
        frame = new_frame(planes(layout, width, height, content, t), width, height, name)
        frame.pts = t
        (decoded,) = decoder.decode(encoder.encode(frame)[0])
        assert memory_checksum(decoded) == memory_checksum(frame)
