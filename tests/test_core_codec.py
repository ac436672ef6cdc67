"""Whole frames through the native Encoder and Decoder with random models: exact for every format and setting."""

from __future__ import annotations

import gc
import threading
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynlvc import _core
from tests.core_frames import CONTENTS, assert_equal_planes, decode_all, encode_all, make_format, make_frames
from tests.models import RandomNetwork, model_file, random_model

FORMATS: list[dict[str, Any]] = [
    {"layout": "grey"},
    {"layout": "grey", "alpha": True},
    {"layout": "yuv", "sx": 1, "sy": 1},
    {"layout": "yuv", "sx": 1, "sy": 0},
    {"layout": "yuv", "sx": 0, "sy": 1},
    {"layout": "yuv", "sx": 2, "sy": 0},
    {"layout": "yuv", "sx": 2, "sy": 2},
    {"layout": "yuv", "alpha": True, "sx": 1, "sy": 1},
    {"layout": "rgb"},
    {"layout": "rgb", "alpha": True},
]


@pytest.fixture(scope="module")
def model() -> bytes:
    """A model with all networks."""
    return random_model(seed=2)


def round_trip(form: _core.Format, model: bytes, frames: list[Any], **options: Any) -> list[_core.EncodedFrame]:
    """Encodes, decodes, compares everything; returns the packets."""
    coded = encode_all(form, model, frames, **options)
    for t, (frame, decoded) in enumerate(zip(frames, decode_all([c.data for c in coded], model), strict=True)):
        assert_equal_planes(decoded.planes, frame)
        assert (decoded.pts, decoded.duration, decoded.format) == (t, 1, form)
        assert (decoded.is_keyframe, decoded.checksum) == (coded[t].is_keyframe, coded[t].checksum)
        assert decoded.model_hash == _core.parse_model(model).hash
    return coded


@pytest.mark.parametrize("delta", [0, 1, 2])
@pytest.mark.parametrize("options", FORMATS, ids=lambda o: "-".join(map(str, o.values())))
def test_every_layout(model: bytes, options: dict[str, Any], delta: int) -> None:
    for depth in (8, 10, 16):
        form = make_format(37, 35, depth=depth, **options)
        coded = round_trip(form, model, make_frames(form, 3, "moving"), delta=delta, slices=2)
        assert [c.is_keyframe for c in coded] == [True, False, False]
        assert all(len(c.plane_bits) == len(form.plane_shapes) for c in coded)


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("depth", [8, 9, 12, 16])
def test_every_content(model: bytes, content: str, depth: int) -> None:
    form = make_format(40, 50, depth=depth, sx=1, sy=1)
    coded = round_trip(form, model, make_frames(form, 6, content), slices=3)
    raw = sum(rows * columns for rows, columns in form.plane_shapes) * (1 if depth == 8 else 2)
    assert all(len(c.data) <= raw + 150 for c in coded)


def test_a_long_p_chain_uses_all_references(model: bytes) -> None:
    form = make_format(64, 48, sx=1, sy=1)
    coded = round_trip(form, model, make_frames(form, 9, "moving"), scene_cuts=False)
    assert sum(c.is_keyframe for c in coded) == 1
    assert sum(c.motion_bits for c in coded) > 0


@settings(max_examples=60)
@given(
    width=st.integers(1, 50),
    height=st.integers(1, 70),
    options=st.sampled_from(FORMATS),
    depth=st.integers(8, 16),
    delta=st.integers(0, 2),
    slices=st.integers(0, 5),
    content=st.sampled_from(CONTENTS),
    seed=st.integers(0, 5),
)
def test_any_size_and_setting(
    width: int, height: int, options: dict[str, Any], depth: int, delta: int, slices: int, content: str, seed: int
) -> None:
    form = make_format(width, height, depth=depth, **options)
    model = random_model(seed=seed, extreme=seed == 0, taps=30)
    round_trip(form, model, make_frames(form, 3, content, seed=seed), delta=delta, slices=slices, threads=1)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (3, 5), (17, 33), (2, 90), (90, 2)])
@pytest.mark.parametrize("delta", [0, 1, 2])
def test_tiny_and_odd_sizes(model: bytes, size: tuple[int, int], delta: int) -> None:
    for options in FORMATS:
        form = make_format(*size, **options)
        round_trip(form, model, make_frames(form, 3, "noise"), delta=delta, slices=5, scene_cuts=False, threads=1)


def test_bytes_do_not_depend_on_threads(model: bytes) -> None:
    form = make_format(70, 100, sx=1, sy=1)
    frames = make_frames(form, 4, "moving") + make_frames(form, 2, "noise")
    coded = [[c.data for c in encode_all(form, model, frames, slices=5, threads=n)] for n in (1, 2, 3, 4)]
    assert coded[0] == coded[1] == coded[2] == coded[3]
    for threads in (1, 2, 3, 4):
        for frame, decoded in zip(frames, decode_all(coded[0], model, threads=threads), strict=True):
            assert_equal_planes(decoded.planes, frame)


def test_number_of_slices(model: bytes) -> None:
    automatic = ((215, 1), (216, 2), (288, 2), (431, 2), (480, 4), (576, 4), (720, 6), (1007, 6), (1080, 8), (2160, 8))
    cases = [(33, 5, 3), (16, 4, 1), (100, 8, 7), *((height, 0, used) for height, used in automatic)]
    for height, asked, used in cases:
        form = make_format(8, height, layout="grey")
        packet = encode_all(form, model, make_frames(form, 1, "flat"), slices=asked)[0].data
        assert len(_core.parse_packet(packet).slice_sizes) == used


def test_slice_rows_cover_every_plane() -> None:
    for height in (1, 15, 16, 17, 33, 100, 271):
        for sy in (0, 1, 2):
            form = make_format(5, height, sx=0, sy=sy)
            for count in range(1, (height + 15) // 16 + 1):
                for plane, (rows, _columns) in enumerate(form.plane_shapes):
                    cuts = [form.slice_rows(plane, i, count) for i in range(count)]
                    assert cuts[0][0] == 0 and cuts[-1][1] == rows
                    assert all(a[1] == b[0] for a, b in pairwise(cuts))
                    assert all(start < stop for start, stop in cuts)


def test_stored_slices_beside_coded_ones(model: bytes) -> None:
    """Noise in one slice of a moving picture is stored, in I- and P-frames, and its neighbours stay exact."""
    form = make_format(48, 96, sx=1, sy=1)
    frames = make_frames(form, 6, "moving")
    noise = make_frames(form, 6, "noise")
    for t in (0, 2, 3):
        for p in range(3):
            start, stop = form.slice_rows(p, 1, 3)
            frames[t][p][start:stop] = noise[t][p][start:stop]
    coded = round_trip(form, model, frames, slices=3, scene_cuts=False)
    modes = [_core.parse_packet(c.data).slice_modes for c in coded]
    assert modes[0] == modes[2] == ["model", "raw", "model"]
    assert not coded[2].is_keyframe


def test_keyframes(model: bytes) -> None:
    form = make_format(32, 32, sx=1, sy=1)
    frames = make_frames(form, 7, "moving")
    coded = round_trip(form, model, frames, keyframe_interval=3)
    assert [c.is_keyframe for c in coded] == [True, False, False, True, False, False, True]
    cut = [[p // 4 for p in planes] for planes in frames[:4]] + [
        [255 - p // 4 for p in planes] for planes in frames[4:]
    ]
    assert [c.is_keyframe for c in round_trip(form, model, cut)] == [True, False, False, False, True, False, False]
    assert [c.is_keyframe for c in round_trip(form, model, cut, scene_cuts=False)] == [True] + [False] * 6
    encoder = _core.Encoder(form, model)
    forced = [encoder.encode(f, pts=t, duration=1, force_keyframe=t == 2).is_keyframe for t, f in enumerate(frames)]
    assert forced == [True, False, True, False, False, False, False]


def test_decoding_starts_at_any_keyframe(model: bytes) -> None:
    form = make_format(32, 32, sx=1, sy=1)
    frames = make_frames(form, 8, "moving")
    packets = [c.data for c in encode_all(form, model, frames, keyframe_interval=4)]
    decoder = _core.Decoder(lambda _hash: model)
    with pytest.raises(_core.BitstreamError, match="next keyframe"):
        decoder.decode(packets[3])
    for t in (4, 5, 0, 1, 2, 4):
        assert_equal_planes(decoder.decode(packets[t]).planes, frames[t])
    with pytest.raises(_core.BitstreamError):  # a lost packet is noticed
        decoder.decode(packets[6])
    with pytest.raises(_core.BitstreamError, match="next keyframe"):
        decoder.decode(packets[7])
    assert_equal_planes(decoder.decode(packets[0]).planes, frames[0])


def test_timestamps(model: bytes) -> None:
    form = make_format(16, 16, layout="grey", time_base=(1001, 30000))
    encoder, decoder = _core.Encoder(form, model), _core.Decoder(lambda _hash: model)
    planes = make_frames(form, 1, "flat")[0]
    most = (1 << 61) - 1
    for pts, duration in ((-7, 3), (0, 0), (0, 5), (-most, most), (most, most), (3, 1)):
        decoded = decoder.decode(encoder.encode(planes, pts=pts, duration=duration).data)
        assert (decoded.pts, decoded.duration) == (pts, duration)
        assert decoded.format.time_base == (1001, 30000)
    for pts, duration in ((1 << 61, 1), (-(1 << 61), 1), (0, -1), (0, 1 << 61)):
        with pytest.raises(ValueError, match="61 bits"):
            encoder.encode(planes, pts=pts, duration=duration)


def test_embedded_model(model: bytes) -> None:
    form = make_format(16, 16, layout="grey")
    frames = make_frames(form, 3, "moving")
    encoder = _core.Encoder(form, model, embed_model=True, keyframe_interval=2)
    packets = [encoder.encode(f, pts=t, duration=1).data for t, f in enumerate(frames)]
    assert _core.parse_sequence_header(encoder.sequence_header).embedded_model == model
    assert [_core.parse_packet(p).embedded_model for p in packets] == [model, b"", b""]

    def unknown(_hash: bytes) -> None:
        raise AssertionError("asked for a model that is embedded")

    decoder = _core.Decoder(unknown)
    for packet, frame in zip(packets, frames, strict=True):
        assert_equal_planes(decoder.decode(packet).planes, frame)


def test_models_are_found_by_hash(model: bytes) -> None:
    form = make_format(16, 16, layout="grey")
    packet = encode_all(form, model, make_frames(form, 1, "flat"))[0].data
    name = _core.parse_model(model).hash
    asked = []

    def nothing(hash_: bytes) -> None:
        asked.append(hash_.hex())

    with pytest.raises(_core.MissingModelError, match=name):
        _core.Decoder(nothing).decode(packet)
    assert asked == [name]
    with pytest.raises(_core.BitstreamError, match="SHA-256"):
        _core.Decoder(lambda _hash: random_model(seed=99)).decode(packet)
    with pytest.raises(ZeroDivisionError):
        _core.Decoder(lambda _hash: bytes(1 // 0)).decode(packet)
    with pytest.raises(TypeError, match="bytes or None"):
        _core.Decoder(lambda _hash: 5).decode(packet)  # type: ignore[arg-type, return-value]


def test_sequences_may_change_at_a_keyframe(model: bytes) -> None:
    decoder = _core.Decoder(lambda hash_: model if hash_.hex() == _core.parse_model(model).hash else other)
    other = random_model(seed=77)
    for form, file in ((make_format(20, 20, layout="grey"), model), (make_format(33, 18, depth=12), other)):
        frames = make_frames(form, 2, "moving")
        for coded, frame in zip(encode_all(form, file, frames, delta=1), frames, strict=True):
            assert_equal_planes(decoder.decode(coded.data).planes, frame)


def test_planes_may_have_padding(model: bytes) -> None:
    for depth in (8, 12):
        form = make_format(21, 19, sx=1, sy=1, depth=depth)
        frame = make_frames(form, 1, "noise")[0]
        padded = [np.pad(p, ((0, 2), (3, 8)), constant_values=7)[: p.shape[0], 3 : 3 + p.shape[1]] for p in frame]
        coded = _core.Encoder(form, model).encode(padded, pts=0, duration=1)
        assert_equal_planes(decode_all([coded.data], model)[0].planes, frame)


def test_wrong_planes_are_refused(model: bytes) -> None:
    form = make_format(16, 16, sx=1, sy=1, depth=10)
    good = make_frames(form, 1, "flat")[0]
    cases: list[tuple[Any, type[Exception], str]] = [
        (good[:2], ValueError, "expected 3 planes, got 2"),
        ([good[0], good[1], good[2][:7]], ValueError, "plane 2 is 8x7, expected 8x8"),
        ([good[0].astype(np.uint8), *good[1:]], ValueError, "plane 0: expected uint16"),
        ([good[0].astype(np.int16), *good[1:]], ValueError, "plane 0: expected uint16"),
        ([good[0].T.copy().T, *good[1:]], ValueError, "plane 0: samples of a row"),
        ([good[0][0], *good[1:]], ValueError, "plane 0: expected two dimensions"),
        ([good[0], good[1] + 1023, good[2]], ValueError, "plane 1 has a sample of .* more than 10 bits"),
        ([good[0], None, good[2]], TypeError, "plane 1 has no buffer"),
    ]
    encoder = _core.Encoder(form, model)
    for planes, error, message in cases:
        with pytest.raises(error, match=message):
            encoder.encode(planes, pts=0, duration=1)
    coded = encoder.encode(good, pts=0, duration=1)
    assert_equal_planes(decode_all([coded.data], model)[0].planes, good)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0}, "width"),
        ({"height": 16385}, "height"),
        ({"depth": 7}, "depth"),
        ({"depth": 17}, "depth"),
        ({"layout": "cmyk"}, "layout"),
        ({"sx": 3}, "subsampling"),
        ({"layout": "rgb", "sx": 1}, "subsampling"),
        ({"layout": "grey", "sy": 1}, "subsampling"),
        ({"time_base": (0, 1)}, "time base"),
        ({"time_base": (1, 1 << 31)}, "time base"),
        ({"format_name": "x" * 256}, "format name"),
        ({"format_name": "\n"}, "format name"),
    ],
)
def test_wrong_formats_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_format(**({"width": 8, "height": 8} | options))


def test_wrong_settings_are_refused(model: bytes) -> None:
    form = make_format(16, 16, layout="grey")
    wrong: list[dict[str, Any]] = [
        {"delta": 3},
        {"keyframe_interval": -1},
        {"slices": 9},
        {"threads": -1},
        {"threads": 257},
    ]
    for options in wrong:
        with pytest.raises(ValueError, match=next(iter(options))):
            _core.Encoder(form, model, **options)
    with pytest.raises(ValueError, match="threads"):
        _core.Decoder(lambda _hash: None, threads=-1)
    with pytest.raises(_core.BitstreamError, match="model file"):
        _core.Encoder(form, b"not a model")
    with pytest.raises(ValueError, match="no network for plane class 0 in P-frames"):
        _core.Encoder(form, model_file([RandomNetwork(frame_type=0, plane_class=0)]))


def test_formats_compare_by_value() -> None:
    a, b = make_format(8, 9, sx=1), make_format(8, 9, sx=1)
    assert a == b and hash(a) == hash(b)
    assert a != make_format(8, 9, sx=1, sy=1)
    assert "8x9" in repr(a)


def test_several_codecs_at_once(model: bytes) -> None:
    """The GIL is released: objects in different threads do not disturb each other."""
    form = make_format(40, 40, sx=1, sy=1)
    finished: list[int] = []

    def work(seed: int) -> None:
        frames = make_frames(form, 3, "moving", seed=seed)
        packets = [c.data for c in encode_all(form, model, frames, threads=2)]
        for found, frame in zip(decode_all(packets, model, threads=2), frames, strict=True):
            assert_equal_planes(found.planes, frame)
        finished.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gc.collect()
    assert sorted(finished) == [0, 1, 2, 3]


def test_one_codec_serves_one_call_at_a_time(model: bytes) -> None:
    form = make_format(16, 16, layout="grey")
    packet = encode_all(form, model, make_frames(form, 1, "flat"))[0].data

    def again(_hash: bytes) -> bytes:
        with pytest.raises(ValueError, match="busy"):
            decoder.decode(packet)
        return model

    decoder = _core.Decoder(again)
    assert decoder.decode(packet).is_keyframe
