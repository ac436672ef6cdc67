"""The table of pixel formats against FFmpeg's own description, and every format through the codec."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pynlvc import Decoder, Encoder, EncoderSettings, UnsupportedFormatError
from pynlvc.codec.pixel_formats import FULL_RANGE_TWINS, PIXEL_FORMATS, PixelFormat, pixel_format
from pynlvc.codec.planes import frame_checksum, frame_planes, new_frame

WIDTH, HEIGHT = 19, 13  # odd, so that subsampled planes round up
PACKAGE = Path(__file__).resolve().parent.parent / "pynlvc"


def noise(layout: PixelFormat, seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    shapes = [layout.plane_shape(index, WIDTH, HEIGHT) for index in range(layout.plane_count)]
    return [rng.integers(0, layout.maximum, shape, np.uint16, endpoint=True).astype(layout.dtype) for shape in shapes]


@pytest.mark.parametrize("layout", PIXEL_FORMATS.values(), ids=PIXEL_FORMATS.keys())
def test_the_table_says_what_ffmpeg_says(layout: PixelFormat) -> None:
    described = av.VideoFormat(layout.name, WIDTH, HEIGHT)
    assert {component.bits for component in described.components} == {layout.depth}
    assert described.is_rgb == (layout.layout == "rgb")
    assert any(component.is_alpha for component in described.components) == layout.alpha
    assert not described.is_big_endian
    planes = av.VideoFrame(WIDTH, HEIGHT, layout.name).planes
    sizes = [(plane.height, plane.width) for plane in planes]
    assert sizes == [layout.plane_shape(index, WIDTH, HEIGHT) for index in range(layout.plane_count)]


@pytest.mark.parametrize("layout", PIXEL_FORMATS.values(), ids=PIXEL_FORMATS.keys())
def test_every_format_comes_back_exactly(layout: PixelFormat, model_path: Path) -> None:
    settings = EncoderSettings(model=str(model_path), embed_model=True, scene_cuts=False)
    encoder = Encoder(WIDTH, HEIGHT, layout.name, time_base=Fraction(1, 25), settings=settings)
    decoder = Decoder(encoder.extradata)
    for number in range(2):
        planes = noise(layout, number)
        frame = new_frame(planes, WIDTH, HEIGHT, layout.name)
        frame.pts = number
        (packet,) = encoder.encode(frame)
        (decoded,) = decoder.decode(packet)
        assert decoded.format.name == layout.name
        for mine, theirs in zip(frame_planes(decoded), planes, strict=True):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le", "gbrap16le", "gray"])
def test_planes_are_views_without_padding(name: str) -> None:
    layout = pixel_format(name)
    frame = new_frame(noise(layout, 1), WIDTH, HEIGHT, name)
    before = frame_checksum(frame)
    views = frame_planes(frame)
    assert frame.planes[0].line_size > WIDTH * layout.dtype.itemsize, "the frame has padding to leave out"
    views[-1][-1, -1] ^= 1
    assert frame_checksum(frame) != before, "a view writes into the frame"
    views[-1][-1, -1] ^= 1
    assert frame_checksum(frame) == before


@pytest.mark.parametrize(
    "name",
    ["nv12", "p010le", "rgb24", "bgr0", "pal8", "yuyv422", "yuv420p10be", "gray16be", "gbrpf32le", "bayer_rggb8"],
)
def test_other_formats_are_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedFormatError, match=rf"{name} is not supported.*yuv420p \(8 to 16 bit\).*gbrp"):
        pixel_format(name)


def test_full_range_twins_hold_the_same_planes() -> None:
    assert FULL_RANGE_TWINS["yuvj420p"] == "yuv420p"
    for full, plain in FULL_RANGE_TWINS.items():
        a, b = pixel_format(full), pixel_format(plain)
        assert (a.layout, a.depth, a.sx, a.sy, a.alpha) == (b.layout, b.depth, b.sx, b.sy, b.alpha)


def test_no_code_ever_converts_a_frame() -> None:
    converting = re.compile(
        r"\b(reformat|to_ndarray|from_ndarray|to_rgb|to_image|VideoReformatter|swscale|sws_\w+)\b\(?"
    )
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 20
    found = [
        f"{file.name}: {match[0]}"
        for file in files
        if "training" not in file.parts
        for match in converting.finditer(file.read_text(encoding="utf-8"))
    ]
    assert found == []
