"""libnlvc: the C ABI (csrc/nlvc.h) through ctypes, and what `make install` gives a C programmer."""

from __future__ import annotations

import ctypes as c
import itertools
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import pynlvc
from pynlvc import _core
from pynlvc.codec.pixel_formats import PIXEL_FORMATS
from pynlvc.codec.planes import Padding, memory_rows, new_frame
from pynlvc.model.store import load_model, model_names
from tests.core_frames import make_format, make_frames
from tests.libnlvc import (
    AGAIN,
    BAD_ARGUMENT,
    BAD_STREAM,
    HEADER,
    NO_MODEL,
    OK,
    Analysis,
    Format,
    Frame,
    Packet,
    Side,
    frame_of,
    make_c_format,
    option_list,
)
from tests.media_files import PROJECT, run_tool, words
from tests.models import moved_model
from tools.make_pixel_formats import TARGET, table

LAYOUTS = {"grey": 0, "yuv": 1, "rgb": 2}


@pytest.fixture
def handles(libnlvc: c.CDLL) -> Iterator[Callable[..., c.c_void_p]]:
    """Opens codecs that are closed after the test: handles("encoder", format, options) and ("decoder", options)."""
    opened: list[tuple[Any, c.c_void_p]] = []

    def open_codec(kind: str, *arguments: Any) -> c.c_void_p:
        handle = c.c_void_p()
        assert getattr(libnlvc, f"nlvc_{kind}_open")(*arguments, c.byref(handle)) == OK, libnlvc.nlvc_error()
        opened.append((getattr(libnlvc, f"nlvc_{kind}_close"), handle))
        return handle

    yield open_codec
    for close, handle in opened:
        close(handle)


def names(listing: Any) -> list[str]:
    """All strings of one of the library's lists."""
    return [
        name.decode() for name in itertools.takewhile(lambda item: item is not None, map(listing, itertools.count()))
    ]


def encode(libnlvc: c.CDLL, encoder: c.c_void_p, planes: Sequence[np.ndarray], pts: int, duration: int = 2) -> bytes:
    """The packet of one frame."""
    packet = Packet()
    assert libnlvc.nlvc_encoder_send(encoder, c.byref(frame_of(planes, pts, duration))) == OK, libnlvc.nlvc_error()
    assert libnlvc.nlvc_encoder_receive(encoder, c.byref(packet)) == OK
    return packet.bytes


def test_the_header_is_c_and_cpp() -> None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler is not None
    for language, standard in (("c", "c99"), ("c++", "c++17")):
        command = [compiler, "-x", language, f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
        subprocess.run([*command, str(HEADER)], check=True)


def test_library_and_package_belong_together(libnlvc: c.CDLL) -> None:
    assert libnlvc.nlvc_version().decode() == pynlvc.__version__
    assert f"#define NLVC_ABI {libnlvc.nlvc_abi()}\n" in HEADER.read_text(encoding="utf-8")
    assert names(libnlvc.nlvc_model) == model_names()


def test_the_shared_library_shows_nothing_but_the_abi(libnlvc_prefix: Path) -> None:
    listing = run_tool(*words("nm --dynamic --defined-only --format=posix"), libnlvc_prefix / "lib" / "libnlvc.so")
    shown = {line.split()[0] for line in listing.splitlines()}
    declared = set(HEADER.read_text(encoding="utf-8").replace("(", " ").split())
    assert "nlvc_encoder_open" in shown
    assert shown <= declared


def test_pixel_formats_are_those_of_the_package(libnlvc: c.CDLL) -> None:
    assert names(libnlvc.nlvc_pixel_format) == list(PIXEL_FORMATS)
    assert TARGET.read_text(encoding="utf-8") == table(), "run: python -m tools.make_pixel_formats"
    for name, expected in PIXEL_FORMATS.items():
        form = make_c_format(libnlvc, name, 21, 9)
        found = (form.layout, form.alpha, form.depth, form.sx, form.sy)
        assert found == (LAYOUTS[expected.layout], expected.alpha, expected.depth, expected.sx, expected.sy), name
        row_bytes, rows = c.c_size_t(), c.c_int()
        for plane in range(len(expected.memory_planes)):
            assert libnlvc.nlvc_plane_size(c.byref(form), plane, c.byref(row_bytes), c.byref(rows)) == OK
            assert (rows.value, row_bytes.value) == expected.memory_shape(plane, 21, 9)
        beyond = len(expected.memory_planes)
        assert libnlvc.nlvc_plane_size(c.byref(form), beyond, c.byref(row_bytes), c.byref(rows)) == BAD_ARGUMENT


def random_frame(name: str, rng: np.random.Generator, padding: str) -> av.VideoFrame:
    """A frame of 21x9 samples; `padding`: what its unused bits are, "zero", "equal" or "differing"."""
    layout = PIXEL_FORMATS[name]
    shapes = [layout.plane_shape(index, 21, 9) for index in range(layout.plane_count)]
    planes = [rng.integers(0, layout.maximum + 1, shape).astype(layout.dtype) for shape in shapes]
    unused = 0 if layout.padding is None else min((1 << layout.padding.depth) - 1, layout.maximum)
    trailing = bytes(9 * layout.components[0].word_bytes)
    if padding != "zero" and layout.trailing_luma(21):
        words = rng.integers(0, layout.maximum + 1, 9) << layout.components[0].shift
        trailing = words.astype(f"<u{layout.components[0].word_bytes}").tobytes()
    plane = rng.integers(0, unused + 1, (9, 21)) if padding == "differing" and unused else None
    return new_frame(
        planes, 21, 9, name, Padding(constant=unused if padding == "equal" else 0, plane=plane, trailing=trailing)
    )


@pytest.mark.parametrize("name", PIXEL_FORMATS)
def test_every_format_in_memory_gives_the_packets_of_the_package_and_comes_back(
    libnlvc: c.CDLL, handles: Callable[..., c.c_void_p], name: str
) -> None:
    rng = np.random.default_rng(3)
    form = make_c_format(libnlvc, name, 21, 9)
    encoder = handles("encoder", c.byref(form), option_list("model=fast"))
    decoder = handles("decoder", None, 0, None)
    settings = pynlvc.EncoderSettings(model="fast")
    reference = pynlvc.Encoder(21, 9, name, time_base=Fraction(1, 25), settings=settings)
    for t, padding in enumerate(("zero", "equal", "differing", "equal")):
        frame = random_frame(name, rng, padding)
        frame.pts, frame.time_base, frame.duration = t, Fraction(1, 25), 1
        rows = memory_rows(frame)
        data = encode(libnlvc, encoder, rows, t, duration=1)
        assert data == bytes(reference.encode(frame)[0])
        assert libnlvc.nlvc_decoder_send(decoder, data, len(data)) == OK
        targets = [np.full(memory.shape, 0xA5, np.uint8) for memory in rows]
        assert libnlvc.nlvc_decoder_receive_into(decoder, c.byref(frame_of(targets, 0))) == OK, libnlvc.nlvc_error()
        for target, memory in zip(targets, rows, strict=True):
            np.testing.assert_array_equal(target, memory)


def test_bits_that_would_be_lost_are_refused(libnlvc: c.CDLL, handles: Callable[..., c.c_void_p]) -> None:
    for name, word in (("gray10le", 1024), ("p010le", 1)):
        encoder = handles("encoder", c.byref(make_c_format(libnlvc, name, 8, 2)), option_list("effort=0"))
        planes = [np.full((2, 8), word, np.uint16), np.full((1, 8), 0, np.uint16)]
        assert libnlvc.nlvc_encoder_send(encoder, c.byref(frame_of(planes, 0))) == BAD_ARGUMENT
        assert b"would be lost" in libnlvc.nlvc_error()


def test_side_information_travels(libnlvc: c.CDLL, handles: Callable[..., c.c_void_p]) -> None:
    encoder = handles("encoder", c.byref(make_c_format(libnlvc, "gray", 8, 8)), option_list("effort=0"))
    decoder = handles("decoder", None, 0, None)
    plane = np.zeros((8, 8), np.uint8)
    for t, entries in enumerate([{1: b"\1\2", 46: b"12345678"}, {1: b"\1\2"}, {3: b"\1\0", 127: b"x"}, {}]):
        side = (Side * len(entries))(*(Side(kind, data, len(data)) for kind, data in entries.items()))
        frame = frame_of([plane], t)
        frame.side, frame.side_count = side, len(entries)
        packet, out = Packet(), Frame()
        assert libnlvc.nlvc_encoder_send(encoder, c.byref(frame)) == OK, libnlvc.nlvc_error()
        assert libnlvc.nlvc_encoder_receive(encoder, c.byref(packet)) == OK
        assert libnlvc.nlvc_decoder_send(decoder, packet.bytes, packet.size) == OK
        assert libnlvc.nlvc_decoder_receive(decoder, c.byref(out)) == OK
        found = {entry.type: c.string_at(entry.data, entry.size) for entry in out.side[: out.side_count]}
        assert found == entries
    for kind, data in ((4, b"x"), (128, b"x"), (0, b"x"), (2, b"")):
        frame = frame_of([plane], 9)
        frame.side, frame.side_count = (Side * 1)(Side(kind, data, len(data))), 1
        assert libnlvc.nlvc_encoder_send(encoder, c.byref(frame)) == BAD_ARGUMENT
        assert b"side information" in libnlvc.nlvc_error()


def test_options_explain_themselves(libnlvc: c.CDLL) -> None:
    for listing, known in (
        (libnlvc.nlvc_encoder_option, {"effort", "model", "delta", "gop", "slices", "threads", "embed_model"}),
        (libnlvc.nlvc_decoder_option, {"model_path", "threads"}),
    ):
        options = [item.contents for item in itertools.takewhile(bool, map(listing, itertools.count()))]
        assert known <= {option.name.decode() for option in options}
        assert all(option.help for option in options)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "gray12le", "gbrap16le", "yuva422p10le", "yuv410p"])
def test_round_trip(libnlvc: c.CDLL, handles: Callable[..., c.c_void_p], model_path: Path, pixel_format: str) -> None:
    layout = PIXEL_FORMATS[pixel_format]
    model = model_path.read_bytes()
    encoder = handles(
        "encoder",
        c.byref(make_c_format(libnlvc, pixel_format, 20, 18)),
        option_list(f"model={model_path}", "embed_model=1", "delta=1"),
    )
    decoder = handles("decoder", None, 0, None)
    packet, out = Packet(), Frame()
    assert libnlvc.nlvc_encoder_receive(encoder, c.byref(packet)) == AGAIN
    assert libnlvc.nlvc_decoder_receive(decoder, c.byref(out)) == AGAIN
    assert libnlvc.nlvc_decoder_format(decoder, c.byref(out.format)) == AGAIN
    form = layout.core_format(20, 18, (1, 25))
    reference = _core.Encoder(form, model, delta=1, embed_model=True, effort=3)
    for t, planes in enumerate(make_frames(form, 3, "moving")):
        frame = frame_of(planes, 2 * t)
        assert libnlvc.nlvc_encoder_send(encoder, c.byref(frame)) == OK
        assert libnlvc.nlvc_encoder_send(encoder, c.byref(frame)) == AGAIN
        assert libnlvc.nlvc_encoder_receive(encoder, c.byref(packet)) == OK
        assert packet.bytes == reference.encode(planes, pts=2 * t, duration=2).data
        assert (packet.pts, packet.duration, packet.keyframe) == (2 * t, 2, int(t == 0))
        assert libnlvc.nlvc_decoder_send(decoder, packet.bytes, packet.size) == OK
        assert libnlvc.nlvc_decoder_send(decoder, packet.bytes, packet.size) == AGAIN
        assert libnlvc.nlvc_decoder_receive(decoder, c.byref(out)) == OK
        assert (out.pts, out.duration, out.keyframe) == (2 * t, 2, int(t == 0))
        assert out.format.name.decode() == pixel_format
        for i, plane in enumerate(planes):
            assert out.strides[i] == plane.strides[0]
            assert c.string_at(out.planes[i], plane.nbytes) == plane.tobytes()
    extradata, size = c.POINTER(c.c_uint8)(), c.c_size_t()
    assert libnlvc.nlvc_encoder_extradata(encoder, c.byref(extradata), c.byref(size)) == OK
    assert c.string_at(extradata, size.value) == reference.sequence_header


def test_frames_of_any_stride_on_both_sides(libnlvc: c.CDLL, handles: Callable[..., c.c_void_p]) -> None:
    form = make_c_format(libnlvc, "gray", 40, 12)
    encoder = handles("encoder", c.byref(form), option_list("model=fast"))
    decoder = handles("decoder", None, 0, None)
    memory = np.random.default_rng(1).integers(0, 256, (12, 64), dtype=np.uint8)
    upside_down = memory[::-1, 7:47]
    data = encode(libnlvc, encoder, [upside_down], 0)
    assert libnlvc.nlvc_decoder_send(decoder, data, len(data)) == OK
    target = np.full((12, 55), 9, dtype=np.uint8)
    assert libnlvc.nlvc_decoder_receive_into(decoder, c.byref(frame_of([target], 0))) == OK
    np.testing.assert_array_equal(target[:, :40], upside_down)
    assert (target[:, 40:] == 9).all(), "nothing is written beyond a row"


def test_the_carried_models_code_like_the_package(libnlvc: c.CDLL, handles: Callable[..., c.c_void_p]) -> None:
    form = make_format(48, 32, sx=1, sy=1, format_name="yuv420p")
    planes = make_frames(form, 1, "moving")[0]
    for effort, name in enumerate(("fast", "standard")):
        c_format = c.byref(make_c_format(libnlvc, "yuv420p", 48, 32))
        for options in ((f"effort={effort}", f"model={name}"),):
            encoder = handles("encoder", c_format, option_list(*options))
            expected = _core.Encoder(form, load_model(name).data, effort=effort).encode(planes, pts=0, duration=2).data
            data = encode(libnlvc, encoder, planes, 0)
            assert data == expected
            decoder = handles("decoder", None, 0, option_list("threads=2"))
            assert libnlvc.nlvc_decoder_send(decoder, data, len(data)) == OK


@pytest.mark.parametrize(
    ("options", "expected"),
    [((), {0, 50, 100}), (("gop=7",), set(range(0, 101, 7))), (("gop_seconds=1.2",), {0, 30, 60, 90})],
)
def test_keyframes_come_by_time_or_by_count(
    libnlvc: c.CDLL, handles: Callable[..., c.c_void_p], options: tuple[str, ...], expected: set[int]
) -> None:
    encoder = handles(
        "encoder", c.byref(make_c_format(libnlvc, "gray", 8, 8)), option_list("model=fast", "scene_cuts=0", *options)
    )
    plane = np.zeros((8, 8), dtype=np.uint8)
    flags = [encode(libnlvc, encoder, [plane], t)[3] for t in range(101)]
    assert {t for t, flag in enumerate(flags) if flag & 1} == expected


def test_models_are_found_in_folders(libnlvc: c.CDLL, handles: Callable[..., c.c_void_p], model_path: Path) -> None:
    folder = f"model_path={model_path.parent}"
    encoder = handles("encoder", c.byref(make_c_format(libnlvc, "gray", 8, 8)), option_list("model=random", folder))
    data = encode(libnlvc, encoder, [np.zeros((8, 8), dtype=np.uint8)], 0)
    stranger = handles("decoder", None, 0, None)
    assert libnlvc.nlvc_decoder_send(stranger, data, len(data)) == NO_MODEL
    digest = _core.parse_model(model_path.read_bytes()).hash
    assert digest.encode() in libnlvc.nlvc_error()
    friend = handles("decoder", None, 0, option_list(folder))
    assert libnlvc.nlvc_decoder_send(friend, data, len(data)) == OK


@pytest.mark.parametrize("fitted", [False, True])
def test_a_model_of_the_extradata_serves_later_packets(
    libnlvc: c.CDLL, handles: Callable[..., c.c_void_p], model_path: Path, tmp_path: Path, fitted: bool
) -> None:
    options = [f"model={model_path}", "embed_model=1"]
    if fitted:
        base = load_model("standard").data
        path = tmp_path / "fitted.nlvm"
        path.write_bytes(_core.write_model_difference(base, moved_model(base, delta=2, seed=1), delta=2))
        options = [f"model={path}"]
    encoder = handles("encoder", c.byref(make_c_format(libnlvc, "gray", 8, 8)), option_list(*options, "gop=1"))
    plane = np.zeros((8, 8), dtype=np.uint8)
    encode(libnlvc, encoder, [plane], 0)
    later = encode(libnlvc, encoder, [plane], 1)
    extradata, size = c.POINTER(c.c_uint8)(), c.c_size_t()
    assert libnlvc.nlvc_encoder_extradata(encoder, c.byref(extradata), c.byref(size)) == OK
    decoder = handles("decoder", extradata, size, None)
    form = Format()
    assert libnlvc.nlvc_decoder_format(decoder, c.byref(form)) == OK
    assert (form.name, form.width, form.height) == (b"gray", 8, 8)
    assert (
        _core.is_model_difference(_core.parse_sequence_header(c.string_at(extradata, size.value)).embedded_model)
        == fitted
    )
    assert libnlvc.nlvc_decoder_send(decoder, later, len(later)) == OK


def test_reset_and_damage_wait_for_a_keyframe(libnlvc: c.CDLL, handles: Callable[..., c.c_void_p]) -> None:
    encoder = handles("encoder", c.byref(make_c_format(libnlvc, "gray", 16, 16)), option_list("model=fast", "gop=3"))
    rng = np.random.default_rng(2)
    planes = [rng.integers(0, 256, (16, 16), dtype=np.uint8) for _ in range(7)]
    packets = [encode(libnlvc, encoder, [plane], t) for t, plane in enumerate(planes)]
    decoder = handles("decoder", None, 0, None)
    out = Frame()

    def send(data: bytes) -> int:
        status: int = libnlvc.nlvc_decoder_send(decoder, data, len(data))
        return status

    assert send(packets[0]) == OK
    assert libnlvc.nlvc_decoder_reset(decoder) == OK
    assert libnlvc.nlvc_decoder_receive(decoder, c.byref(out)) == AGAIN
    assert send(packets[1]) == BAD_STREAM
    assert b"keyframe" in libnlvc.nlvc_error()
    assert send(packets[3]) == OK
    assert libnlvc.nlvc_decoder_receive(decoder, c.byref(out)) == OK
    damaged = bytearray(packets[4])
    damaged[-1] ^= 1
    assert send(bytes(damaged)) == BAD_STREAM
    assert send(packets[5]) == BAD_STREAM
    assert send(packets[6]) == OK
    assert libnlvc.nlvc_decoder_receive(decoder, c.byref(out)) == OK
    assert c.string_at(out.planes[0], 256) == planes[6].tobytes()


def test_errors_have_a_status_and_a_text(libnlvc: c.CDLL, handles: Callable[..., c.c_void_p]) -> None:
    handle = c.c_void_p()
    form = make_c_format(libnlvc, "yuv420p", 20, 18)

    def open_encoder(*options: str) -> tuple[int, bytes]:
        status = libnlvc.nlvc_encoder_open(c.byref(form), option_list(*options), c.byref(handle))
        return status, libnlvc.nlvc_error()

    assert libnlvc.nlvc_encoder_open(None, None, c.byref(handle)) == BAD_ARGUMENT
    assert libnlvc.nlvc_error() == b"a pointer is null"
    for option, told in (
        ("delta=7", b"option delta is '7': it must be a whole number from 0 to 2"),
        ("gop=-1", b"option gop"),
        ("gop_seconds=nan", b"option gop_seconds"),
        ("effort=2x", b"option effort"),
        ("embed_model=yes", b"option embed_model"),
        ("colour=1", b"there is no option 'colour' (known: effort,"),
        ("slices", b"is not name=value"),
    ):
        status, text = open_encoder(option)
        assert (status, told in text) == (BAD_ARGUMENT, True), text
    for option, told in (
        ("model=none", b"known: diffusion, fast-1, fast, large, standard-1, standard"),
        ("model=/none.nlvm", b"/none.nlvm"),
    ):
        status, text = open_encoder(option)
        assert (status, told in text) == (NO_MODEL, True), text
    status, text = open_encoder(f"model={PROJECT / 'README.md'}")
    assert status == NO_MODEL
    form.depth = 10
    assert open_encoder()[0] == BAD_ARGUMENT
    assert b"nlvc_format_init" in libnlvc.nlvc_error()
    one, fps = c.c_int64(1), c.c_int64(25)
    assert libnlvc.nlvc_format_init(c.byref(form), b"yuv420p", 0, 18, one, fps) == BAD_ARGUMENT
    assert b"width" in libnlvc.nlvc_error()
    assert libnlvc.nlvc_format_init(c.byref(form), b"pal8", 8, 8, one, fps) == BAD_ARGUMENT
    assert b"pal8" in libnlvc.nlvc_error()
    encoder = handles("encoder", c.byref(make_c_format(libnlvc, "yuv420p", 20, 18)), None)
    assert libnlvc.nlvc_encoder_send(encoder, c.byref(Frame())) == BAD_ARGUMENT
    assert b"plane is null" in libnlvc.nlvc_error()
    planes = [np.zeros((18, 20), np.uint8), np.zeros((9, 10), np.uint8), np.zeros((9, 10), np.uint8)]
    encode(libnlvc, encoder, planes, 5)
    assert libnlvc.nlvc_encoder_send(encoder, c.byref(frame_of(planes, 5))) == BAD_ARGUMENT
    assert b"pts" in libnlvc.nlvc_error()
    decoder = handles("decoder", None, 0, None)
    assert libnlvc.nlvc_decoder_send(decoder, b"NLxx", 4) == BAD_STREAM
    assert b"version" in libnlvc.nlvc_error()
    assert libnlvc.nlvc_decoder_open(b"xx", 2, None, c.byref(handle)) == BAD_STREAM
    strange = make_format(8, 8, layout="grey", format_name="mauve")
    data = _core.Encoder(strange, load_model("fast").data).encode(make_frames(strange, 1, "flat")[0], pts=0, duration=0)
    assert libnlvc.nlvc_decoder_send(decoder, data.data, len(data.data)) == BAD_STREAM
    assert b"mauve" in libnlvc.nlvc_error()
    libnlvc.nlvc_decoder_close(None)
    libnlvc.nlvc_encoder_close(None)


@pytest.mark.parametrize("content", ["moving", "noise", "screen"])
def test_analysis_says_where_the_bits_go(libnlvc: c.CDLL, handles: Callable[..., c.c_void_p], content: str) -> None:
    form = make_format(70, 50, sx=1, sy=1, format_name="yuv420p")
    encoder = handles(
        "encoder", c.byref(make_c_format(libnlvc, "yuv420p", 70, 50)), option_list("effort=0", "analysis=1", "slices=2")
    )
    analysis = Analysis()
    assert libnlvc.nlvc_encoder_analysis(encoder, c.byref(analysis)) == AGAIN
    for t, planes in enumerate(make_frames(form, 3, content)):
        data = encode(libnlvc, encoder, planes, t)
        assert libnlvc.nlvc_encoder_analysis(encoder, c.byref(analysis)) == OK
        assert analysis.bits == 8 * len(data)
        planes_bits = sum(analysis.plane_bits)
        assert planes_bits + analysis.motion_bits == pytest.approx(analysis.bits, abs=1500)
        assert (analysis.block_size, analysis.columns, analysis.rows) == (16, 5, 4)
        assert sum(analysis.block_bits[: 5 * 4]) == pytest.approx(planes_bits, abs=200)
        assert min(analysis.block_bits[: 5 * 4]) >= (content != "screen")  # a copied block costs nothing


def test_instances_work_side_by_side(libnlvc: c.CDLL, handles: Callable[..., c.c_void_p]) -> None:
    form = make_format(40, 24, layout="grey", format_name="gray")
    results: dict[int, list[bytes]] = {}

    def work(seed: int, encoder: c.c_void_p) -> None:
        frames = make_frames(form, 6, "moving", seed=seed)
        results[seed] = [encode(libnlvc, encoder, planes, t) for t, planes in enumerate(frames)]

    c_format = c.byref(make_c_format(libnlvc, "gray", 40, 24))
    threads = [
        threading.Thread(target=work, args=(seed, handles("encoder", c_format, option_list("model=fast", "gop=0"))))
        for seed in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(4):
        reference = _core.Encoder(form, load_model("fast").data, effort=3)
        frames = make_frames(form, 6, "moving", seed=seed)
        assert results[seed] == [reference.encode(p, pts=t, duration=2).data for t, p in enumerate(frames)]


@pytest.mark.parametrize("linking", ["shared", "static"])
def test_the_c_example_builds_with_pkg_config_and_runs(libnlvc_prefix: Path, tmp_path: Path, linking: str) -> None:
    source = PROJECT / "examples" / "c" / "round_trip.c"
    query = words("pkg-config --cflags --libs nlvc" + (" --static" if linking == "static" else ""))
    environment = {"PKG_CONFIG_PATH": str(libnlvc_prefix / "lib" / "pkgconfig"), "PATH": "/usr/bin:/bin"}
    flags = subprocess.run(query, env=environment, capture_output=True, text=True, check=True).stdout.split()
    if linking == "static":
        flags = [str(libnlvc_prefix / "lib" / "libnlvc.a") if flag == "-lnlvc" else flag for flag in flags]
    program = tmp_path / "round_trip"
    run_tool(*words("cc -std=c99 -Wall -Wextra -Werror"), source, *flags, "-o", program)
    done = subprocess.run(
        [program],
        env={"LD_LIBRARY_PATH": str(libnlvc_prefix / "lib") if linking == "shared" else ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "5 frames came back exactly" in done.stdout
