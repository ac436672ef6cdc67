"""Pixel formats against FFmpeg's own tools, and every format through the codec, padding bits included."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pynlvc import Decoder, Encoder, EncoderSettings, NlvcError, UnsupportedFormatError
from pynlvc.codec.pixel_formats import FULL_RANGE_TWINS, PIXEL_FORMATS, PixelFormat, pixel_format
from pynlvc.codec.planes import frame_checksum, frame_planes, memory_checksum, memory_rows, new_frame, read_padding
from tests.media_files import words

WIDTH, HEIGHT = 19, 13  # odd, so that subsampled planes round up
PACKAGE = Path(__file__).resolve().parent.parent / "pynlvc"

LISTED = words(
    """gray gray10le gray12le gray14le gray16le gray10be gray16be ya8 ya16le ya16be
    yuv420p yuv422p yuv444p yuv440p yuv411p yuv410p yuv420p10be yuv422p12le yuv444p16be yuva420p yuva444p16le
    rgb24 bgr24 bgr0 rgb0 0rgb 0bgr rgba bgra argb abgr rgb48le rgb48be bgr48le rgba64le rgba64be bgra64le
    gbrp gbrap gbrp12be gbrap16le nv12 nv21 nv16 nv24 nv42 p010le p010be p012le p016le p210le p216le p410le p416le
    yuyv422 uyvy422 yvyu422 y210le y212le x2rgb10le x2bgr10le vuya vuyx xv30le xv36le ayuv64le"""
)


def noise(layout: PixelFormat, seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    shapes = [layout.plane_shape(index, WIDTH, HEIGHT) for index in range(layout.plane_count)]
    return [rng.integers(0, layout.maximum, shape, np.uint16, endpoint=True).astype(layout.dtype) for shape in shapes]


@pytest.fixture
def codec(model_path: Path) -> Callable[[list[av.VideoFrame]], list[av.VideoFrame]]:
    """Encodes and decodes frames."""
    settings = EncoderSettings(model=str(model_path), embed_model=True, scene_cuts=False)

    def there_and_back(frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        first = frames[0]
        encoder = Encoder(
            first.width, first.height, first.format.name, time_base=Fraction(1, 25), settings=settings, like=first
        )
        decoder = Decoder(encoder.extradata)
        return [decoded for frame in frames for packet in encoder.encode(frame) for decoded in decoder.decode(packet)]

    return there_and_back


def test_all_formats_that_the_project_promises_are_there() -> None:
    assert set(LISTED) <= set(PIXEL_FORMATS)
    assert len(PIXEL_FORMATS) > 150


@pytest.mark.parametrize("layout", PIXEL_FORMATS.values(), ids=PIXEL_FORMATS.keys())
def test_the_table_says_what_pyav_says(layout: PixelFormat) -> None:
    described = av.VideoFormat(layout.name, WIDTH, HEIGHT)
    assert {component.bits for component in described.components} == {layout.depth}
    assert described.is_rgb == (layout.layout == "rgb") or layout.name.startswith("xyz")
    assert any(component.is_alpha for component in described.components) == layout.alpha
    assert described.is_big_endian == layout.big_endian
    frame = av.VideoFrame(WIDTH, HEIGHT, layout.name)
    for rows, plane in zip(memory_rows(frame), frame.planes, strict=True):
        assert rows.shape[1] <= plane.line_size and rows.shape[0] <= plane.height
    if layout.planar:
        sizes = [(plane.height, plane.width) for plane in frame.planes]
        assert sizes == [layout.plane_shape(index, WIDTH, HEIGHT) for index in range(layout.plane_count)]


# Pairs between which FFmpeg only moves samples.
MOVES = {
    **dict.fromkeys(("rgb24", "bgr24", "bgr0", "rgb0", "0rgb", "0bgr"), "gbrp"),
    **dict.fromkeys(("bgra", "argb", "abgr"), "rgba"),
    **dict.fromkeys(("rgb48le", "rgb48be", "bgr48le"), "gbrp16le"),
    **dict.fromkeys(("rgba64le", "rgba64be", "bgra64le"), "gbrap16le"),
    **dict.fromkeys(("nv12", "nv21"), "yuv420p"),
    **dict.fromkeys(("nv24", "nv42"), "yuv444p"),
    **dict.fromkeys(("yuyv422", "uyvy422", "yvyu422"), "yuv422p"),
    **dict.fromkeys(("p010le", "p010be", "yuv420p10be"), "yuv420p10le"),
    **dict.fromkeys(("y210le", "p210le", "yuv422p10be"), "yuv422p10le"),
    **{"gray10be": "gray10le", "gray16be": "gray16le", "ya16be": "ya16le", "gbrp12be": "gbrp12le"},
}


@pytest.mark.parametrize(("name", "planar"), MOVES.items())
def test_samples_lie_where_ffmpeg_finds_them(name: str, planar: str) -> None:
    width, height = 20, 14
    packed, plain = pixel_format(name), pixel_format(planar)
    rng = np.random.default_rng(6)
    planes = [
        rng.integers(0, packed.maximum, packed.plane_shape(index, width, height), np.uint16, endpoint=True)
        for index in range(packed.plane_count)
    ]
    planes = [plane.astype(packed.dtype) for plane in planes]

    def raw(pix_fmt: str) -> bytes:
        rows = memory_rows(new_frame(planes, width, height, pix_fmt))
        return b"".join(np.ascontiguousarray(plane).tobytes() for plane in rows)

    command = words(f"ffmpeg -v error -f rawvideo -pix_fmt {name} -video_size {width}x{height} -i - -f rawvideo")
    done = subprocess.run([*command, "-pix_fmt", planar, "-"], input=raw(name), capture_output=True, check=True)
    assert len(raw(name)) == packed.frame_bytes(width, height)
    assert plain.planar or planar in ("ya16le", "rgba")
    assert done.stdout == raw(planar)


@pytest.mark.parametrize("width", [WIDTH, WIDTH - 1])
@pytest.mark.parametrize("layout", PIXEL_FORMATS.values(), ids=PIXEL_FORMATS.keys())
def test_every_format_comes_back_exactly(
    layout: PixelFormat, width: int, codec: Callable[[list[av.VideoFrame]], list[av.VideoFrame]]
) -> None:
    frames = []
    for number in range(2):
        shapes = [layout.plane_shape(index, width, HEIGHT) for index in range(layout.plane_count)]
        planes = [plane[:rows, :columns] for plane, (rows, columns) in zip(noise(layout, number), shapes, strict=True)]
        frame = new_frame(planes, width, HEIGHT, layout.name)
        frame.pts = number
        frames.append(frame)
    for frame, decoded in zip(frames, codec(frames), strict=True):
        assert decoded.format.name == layout.name
        for mine, theirs in zip(frame_planes(decoded), frame_planes(frame), strict=True):
            np.testing.assert_array_equal(mine, theirs)
        assert memory_checksum(decoded) == memory_checksum(frame)


@pytest.mark.parametrize("name", [name for name, layout in PIXEL_FORMATS.items() if layout.padding])
def test_padding_bits_come_back_too(name: str, codec: Callable[[list[av.VideoFrame]], list[av.VideoFrame]]) -> None:
    """Constant ones are noted; ones that differ from sample to sample are coded, from any frame on."""
    layout = pixel_format(name)
    assert layout.padding is not None
    most = min((1 << layout.padding.depth) - 1, layout.maximum)
    rng = np.random.default_rng(5)
    fills: list[Any] = [0, most, most, rng.integers(0, most + 1, (HEIGHT, WIDTH)), 1]
    frames = []
    for number, fill in enumerate(fills):
        frame = new_frame(noise(layout, number), WIDTH, HEIGHT, name)
        place = layout.padding
        width_bytes = place.step * WIDTH
        group = memory_rows(frame)[0][:, :width_bytes].reshape(HEIGHT, WIDTH, place.step)
        value = np.broadcast_to(np.asarray(fill), (HEIGHT, WIDTH))
        if place.depth <= 8:
            group[..., place.offset] |= (value << place.shift).astype(np.uint8)
        else:
            order = (8, 0) if layout.big_endian else (0, 8)
            for byte, shift in enumerate(order):
                group[..., place.offset + byte] |= (value >> shift & 255).astype(np.uint8)
        found = read_padding(frame)
        assert (found.plane is None) == (np.ndim(fill) == 0) and found.constant == (None if np.ndim(fill) else fill)
        frame.pts = number
        frames.append(frame)
    assert [memory_checksum(frame) for frame in codec(frames)] == [memory_checksum(frame) for frame in frames]
    assert [memory_checksum(frame) for frame in codec(frames[3:])] == [memory_checksum(frame) for frame in frames[3:]]


@pytest.mark.parametrize("name", ["yuyv422", "uyvy422", "yvyu422", "y210le", "y212be", "y216le"])
def test_luma_beyond_an_odd_width_comes_back_too(
    name: str, codec: Callable[[list[av.VideoFrame]], list[av.VideoFrame]]
) -> None:
    layout = pixel_format(name)
    frame = new_frame(noise(layout, 1), WIDTH, HEIGHT, name)
    wide = av.VideoFrame(WIDTH + 1, HEIGHT, name)
    for mine, theirs in zip(memory_rows(wide), memory_rows(frame), strict=True):
        mine[:] = theirs
    last = memory_rows(frame)[0]
    last[:, -layout.components[1].step :] |= last[:, : layout.components[1].step]
    frame.pts = 0
    assert [memory_checksum(decoded) for decoded in codec([frame])] == [memory_checksum(frame)]


@pytest.mark.parametrize(
    ("name", "offset", "bits"), [("gray10le", 0, 0x0400), ("p010le", 0, 0x0001), ("yuv420p12be", 0, 0x1000)]
)
def test_bits_outside_the_depth_are_refused(
    name: str, offset: int, bits: int, codec: Callable[[list[av.VideoFrame]], list[av.VideoFrame]]
) -> None:
    layout = pixel_format(name)
    frame = new_frame([np.zeros_like(plane) for plane in noise(layout, 0)], WIDTH, HEIGHT, name)
    stored = np.array([bits], ">u2" if layout.big_endian else "<u2").view(np.uint8)
    memory_rows(frame)[0][2, 6:8] = stored
    with pytest.raises(NlvcError, match=rf"frame 0: .*column 3, row 2 of plane 0 is {bits}, but {name}"):
        codec([frame])


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le", "gbrap16le", "gray", "rgb24", "nv12", "gray16be"])
def test_planes_are_views_without_padding(name: str) -> None:
    layout = pixel_format(name)
    frame = new_frame(noise(layout, 1), WIDTH, HEIGHT, name)
    before = frame_checksum(frame)
    views = frame_planes(frame)
    assert frame.planes[0].line_size > layout.memory_shape(0, WIDTH, HEIGHT)[1], "the frame has bytes to leave out"
    views[-1][-1, -1] ^= 1
    assert frame_checksum(frame) != before, "a view writes into the frame"
    views[-1][-1, -1] ^= 1
    assert frame_checksum(frame) == before


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pal8", "palette"),
        ("gbrpf32le", "floating-point"),
        ("grayf16be", "floating-point"),
        ("bayer_rggb8", "Bayer"),
        ("vaapi", "memory of a device"),
        ("cuda", "memory of a device"),
        ("monob", "not aligned to bytes"),
        ("rgb565le", "5 and 6 bits"),
        ("rgb8", "2 and 3 bits"),
        ("gray32le", "32 bits"),
        ("uyyvyy411", "uneven distances"),
        ("nonsense", "knows no such format"),
    ],
)
def test_other_formats_are_refused_by_name_and_reason(name: str, reason: str) -> None:
    with pytest.raises(
        UnsupportedFormatError, match=rf"{name} is not supported: .*{reason}.*Supported: grey, YUV and RGB"
    ):
        pixel_format(name)


def test_full_range_twins_hold_the_same_planes() -> None:
    assert FULL_RANGE_TWINS["yuvj420p"] == "yuv420p"
    for full, plain in FULL_RANGE_TWINS.items():
        a, b = pixel_format(full), pixel_format(plain)
        assert (a.layout, a.components, a.sx, a.sy) == (b.layout, b.components, b.sx, b.sy)


def test_no_code_ever_converts_a_frame() -> None:
    converting = re.compile(
        r"\b(reformat|to_ndarray|from_ndarray|to_rgb|to_image|VideoReformatter|swscale|sws_\w+)\b\(?"
    )
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 20
    found = [
        f"{file.name}: {match[0]}"
        for file in files
        if not {"training", "report"} & set(file.parts)  # learning material, and thumbnails for people
        for match in converting.finditer(file.read_text(encoding="utf-8"))
    ]
    assert found == []
