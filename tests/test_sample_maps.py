"""Sample maps (docs/bitstream.md §1.1) and side information (§9.1): exact, used where they help, refused if wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pynlvc import _core
from tests.core_frames import Planes, assert_equal_planes, make_format, make_frames
from tests.models import random_model
from tests.test_packets import decoder as packet_decoder
from tests.test_packets import packet, sequence, varint

MODEL = random_model(seed=3, taps=6, errors=4, h1=4, h2=4, g=4)
WIDTH, HEIGHT = 64, 48


def base_frames(layout: str, count: int = 3, *, alpha: bool = False) -> list[Planes]:
    """Moving 8-bit pictures."""
    return make_frames(make_format(WIDTH, HEIGHT, layout=layout, alpha=alpha), count, "moving")


def stored(frames: list[Planes], table: NDArray[Any]) -> list[Planes]:
    """The frames with every value replaced by the table's."""
    return [[table[plane] for plane in planes] for planes in frames]


def code(form: _core.Format, frames: list[Planes]) -> list[_core.EncodedFrame]:
    """Encodes, decodes, compares; the coded frames."""
    encoder = _core.Encoder(form, MODEL, scene_cuts=False)
    decoder = _core.Decoder(lambda _hash: MODEL)
    coded = [encoder.encode(planes, pts=t, duration=1) for t, planes in enumerate(frames)]
    for one, planes in zip(coded, frames, strict=True):
        assert_equal_planes(decoder.decode(one.data).planes, planes)
    return coded


def coded_depths(coded: list[_core.EncodedFrame]) -> list[int]:
    decoder = _core.Decoder(lambda _hash: MODEL)
    return [decoder.decode(one.data).coded_depth for one in coded]


TABLES = {
    "low bits unused": np.arange(256, dtype=np.uint16) << 8,
    "replicated": np.arange(256, dtype=np.uint16) * 257,
    "10 bits in 16": (np.arange(256, dtype=np.uint16) * 4 + 1) << 6,
}


@pytest.mark.parametrize("layout", ["grey", "yuv", "rgb"])
@pytest.mark.parametrize(("name", "depth"), [("low bits unused", 8), ("replicated", 8), ("10 bits in 16", 10)])
def test_shifted_content_costs_nothing_extra(layout: str, name: str, depth: int) -> None:
    frames = base_frames(layout, alpha=layout == "rgb")
    wide = make_format(WIDTH, HEIGHT, layout=layout, alpha=layout == "rgb", depth=16)
    coded = code(wide, stored(frames, TABLES[name]))
    assert coded_depths(coded) == [depth] * 3
    if depth == 8:
        narrow = code(make_format(WIDTH, HEIGHT, layout=layout, alpha=layout == "rgb"), frames)
        extra = [len(a.data) - len(b.data) for a, b in zip(coded, narrow, strict=True)]
        assert 0 <= extra[0] <= 16 and extra[1:] == [0, 0]


def test_holes_in_the_histogram_are_closed() -> None:
    frames = make_frames(make_format(320, 256, layout="grey"), 3, "moving")
    comb = np.arange(256, dtype=np.uint16) // 3 * 97 + 5
    form = make_format(320, 256, layout="grey", depth=14)
    coded = code(form, stored(frames, comb))
    assert coded_depths(coded) == [8] * 3 and [one.is_keyframe for one in coded] == [True, False, False]
    assert _core.parse_packet(coded[0].data).side[128][0] == 3


def test_values_that_the_map_lacks_start_keyframes_twice_at_most() -> None:
    frames = stored(base_frames("grey", 9), TABLES["low bits unused"])
    rng = np.random.default_rng(1)
    for planes in frames[2:]:
        planes[0] |= rng.integers(0, 256, planes[0].shape, dtype=np.uint16) * (rng.random(planes[0].shape) < 0.01)
    coded = code(make_format(WIDTH, HEIGHT, layout="grey", depth=16), frames)
    assert [one.is_keyframe for one in coded[:3]] == [True, False, True]
    assert sum(one.is_keyframe for one in coded) <= 3
    assert coded_depths(coded)[:2] == [8, 8] and coded_depths(coded)[-1] == 16


@pytest.mark.parametrize(("depth", "top"), [(16, 2290), (16, 1023), (12, 700), (10, 255)])
@pytest.mark.parametrize("rounding", ["floor", "half up", "half to even"])
def test_stretched_content_is_numbered(depth: int, top: int, rounding: str) -> None:
    """Contrast stretched to the full range, as image tools do it: the gaps cost nothing."""
    exact = [Fraction(n * ((1 << depth) - 1), top) for n in range(top + 1)]
    half = Fraction(1, 2)
    ways: dict[str, Callable[[Fraction], int]] = {
        "floor": math.floor,
        "half up": lambda v: math.floor(v + half),
        "half to even": round,
    }
    table = np.array([ways[rounding](value) for value in exact], np.uint16)
    plain = make_frames(make_format(WIDTH, HEIGHT, layout="grey", depth=13), 3, "moving")
    numbers = [[plane.astype(np.int64) * top // 8191 for plane in planes] for planes in plain]
    coded = code(make_format(WIDTH, HEIGHT, layout="grey", depth=depth), stored(numbers, table))
    assert coded_depths(coded) == [max(8, top.bit_length())] * 3
    assert [one.is_keyframe for one in coded] == [True, False, False]


def test_black_frames_say_nothing_about_the_depth() -> None:
    form = make_format(WIDTH, HEIGHT, layout="yuv", depth=16)
    frames = make_frames(form, 1, "zero") + make_frames(form, 2, "moving")
    coded = code(form, frames)
    assert [one.is_keyframe for one in coded] == [True, False, False]


@pytest.mark.parametrize("depth", [8, 9, 12, 16])
def test_full_histograms_have_no_map(depth: int) -> None:
    form = make_format(WIDTH, HEIGHT, layout="grey", depth=depth)
    coded = code(form, make_frames(form, 2, "noise"))
    assert coded_depths(coded) == [depth] * 2
    assert all(_core.parse_packet(one.data).side == {} for one in coded)


def map_packet(entry: bytes, samples: bytes, *, depth: int = 16) -> bytes:
    """A keyframe of 16x16 raw samples with a sample map."""
    side = b"\x80" + varint(len(entry)) + entry
    return packet(sequence(depth=depth), [samples], mode=1, side=side)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (b"\6", "numbering"),
        (b"\4\0", "greatest number"),
        (b"\5" + varint(65536), "greatest number"),
        (b"\5" + varint(2), "direction of a half"),
        (b"\5" + varint(2) + b"\2", "direction of a half"),
        (b"\1\7", "bits"),
        (b"\1\x10", "bits"),
        (b"\2", "cut off"),
        (b"\3\0", "number of values"),
        (b"\3" + varint(65537), "number of values"),
        (b"\3\2" + varint(65535) + b"\0", "beyond the depth"),
        (b"\3\2\5\5", "lacks"),
        (b"\1\x08\0", "left over"),
    ],
)
def test_wrong_maps_are_refused(entry: bytes, message: str) -> None:
    with pytest.raises(_core.BitstreamError, match=message):
        packet_decoder().decode(map_packet(entry, bytes([2]) * 256))


def test_side_information_holds_until_it_changes() -> None:
    form = make_format(16, 16, layout="grey")
    frames = make_frames(form, 6, "ramp")
    stream = {1: b"colour", 7: b"\1"}
    wanted = [stream, stream, stream | {1: b"other"}, {7: b"\1", 9: b"x" * 300}, {7: b"\1"}, stream]
    encoder = _core.Encoder(form, MODEL, side=stream, scene_cuts=False)
    assert _core.parse_sequence_header(encoder.sequence_header).side == stream
    decoder = _core.Decoder(lambda _hash: MODEL)
    changes = []
    for t, (planes, side) in enumerate(zip(frames, wanted, strict=True)):
        coded = encoder.encode(planes, pts=t, duration=1, side=side, force_keyframe=t == 4)
        assert decoder.decode(coded.data).side == side
        changes.append(_core.parse_packet(coded.data).side)
    assert changes == [{}, {}, {1: b"other"}, {1: b"", 9: b"x" * 300}, {1: b""}, {1: b"colour"}]


def test_unknown_side_information_is_skipped_unless_it_changes_samples() -> None:
    samples = bytes(range(256))
    ancillary = packet(sequence(rest=b"\x7f\2ab"), [samples], mode=1, checksum=_core.crc32c(samples))
    assert packet_decoder().decode(ancillary).side == {127: b"ab"}
    for rest, message in (
        (b"\x81\1a", "does not know"),
        (b"\x80\1\0", "does not know"),
        (b"\2\1a\2\1b", "type of side"),
        (b"\2\5a", "cut off"),
    ):
        with pytest.raises(_core.BitstreamError, match=message):
            packet_decoder().decode(packet(sequence(rest=rest), [samples], mode=1))


def test_wrong_side_information_is_refused_by_the_encoder() -> None:
    form = make_format(16, 16, layout="grey")
    for side in ({128: b"x"}, {-1: b"x"}, {3: b""}):
        with pytest.raises(ValueError, match="side information"):
            _core.Encoder(form, MODEL, side=side)
