"""Slices whose samples repeat others (docs/bitstream.md section 7.1): exact, chosen where they help, small there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pynlvc import _core
from tests.core_frames import assert_equal_planes, decode_all, encode_all, make_format, make_frames
from tests.models import random_model


@pytest.fixture(scope="module")
def model() -> bytes:
    """A model with all networks."""
    return random_model(seed=5)


def modes(packet: bytes) -> list[str]:
    """How the slices of a packet are coded."""
    return _core.parse_packet(packet).slice_modes


@pytest.mark.parametrize("delta", [0, 1, 2])
@pytest.mark.parametrize(
    "options",
    [
        {"layout": "grey", "alpha": True},
        {"layout": "yuv", "sx": 1, "sy": 1},
        {"layout": "yuv", "sx": 2, "sy": 0},
        {"layout": "yuv", "sx": 0, "sy": 0, "alpha": True},
        {"layout": "rgb"},
    ],
    ids=lambda o: "-".join(map(str, o.values())),
)
def test_screens_come_back_and_repeat(model: bytes, options: dict[str, Any], delta: int) -> None:
    for depth, width, height in ((8, 61, 83), (12, 40, 50)):
        form = make_format(width, height, depth=depth, **options)
        frames = make_frames(form, 4, "screen")
        coded = [c.data for c in encode_all(form, model, frames, delta=delta, slices=3)]
        for frame, decoded in zip(frames, decode_all(coded, model), strict=True):
            assert_equal_planes(decoded.planes, frame)
        assert all("repeats" in modes(packet) for packet in coded)


def test_kernels_and_threads_agree(model: bytes) -> None:
    form = make_format(70, 64, layout="yuv", sx=1, sy=1)
    frames = make_frames(form, 3, "screen")
    coded = [
        [c.data for c in encode_all(form, model, frames, slices=4, kernels=kernels, threads=threads)]
        for kernels in _core.kernel_names()
        for threads in (1, 3)
    ]
    assert all(packets == coded[0] for packets in coded)
    for kernels in _core.kernel_names():
        for frame, decoded in zip(frames, decode_all(coded[0], model, kernels=kernels), strict=True):
            assert_equal_planes(decoded.planes, frame)


def test_a_still_screen_costs_next_to_nothing(model: bytes) -> None:
    form = make_format(160, 128, layout="rgb")
    (frame,) = make_frames(form, 1, "screen")
    first, second = (len(c.data) for c in encode_all(form, model, [frame, frame], slices=1))
    assert second < first / 50


def test_camera_pictures_do_not_repeat(model: bytes) -> None:
    form = make_format(64, 64, layout="yuv", sx=1, sy=1)
    for packet in encode_all(form, model, make_frames(form, 3, "moving"), slices=2):
        assert "repeats" not in modes(packet.data)


def test_damaged_flags_end_in_an_error_or_other_samples(model: bytes) -> None:
    form = make_format(48, 48, layout="rgb")
    frames = make_frames(form, 2, "screen")
    packets = [c.data for c in encode_all(form, model, frames, slices=1)]
    rng = np.random.default_rng(3)
    for _ in range(60):
        broken = bytearray(packets[0])
        broken[int(rng.integers(len(broken) // 2, len(broken)))] ^= 1 << int(rng.integers(8))
        with pytest.raises(_core.BitstreamError):
            decode_all([bytes(broken)], model)


@pytest.mark.parametrize("layout", ["rgb", "yuv"])
def test_doubled_chroma_repeats(model: bytes, layout: str) -> None:
    """What a converter makes of 4:2:0: chroma that is the same in 2x2 samples, in RGB as differences to green."""
    form = make_format(96, 64, layout=layout)
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:64, :96]
    luma = np.where((x * x + 3 * y * y) % 11 < 3, 100, 150)
    first, second = (rng.integers(-50, 50, (32, 48)).repeat(2, 0).repeat(2, 1) for _ in range(2))
    base = luma if layout == "rgb" else 128
    frame = [plane.astype(np.uint8) for plane in (luma, base + first, base + second)]
    (packet,) = (c.data for c in encode_all(form, model, [frame], slices=1))
    assert modes(packet) == ["repeats"]
    assert_equal_planes(decode_all([packet], model)[0].planes, frame)
    assert len(packet) < 0.8 * 3 * 64 * 96  # although a random model wastes bits on the quarter that does not repeat
