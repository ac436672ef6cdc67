"""What a decoder says that a frame cost is what its encoder spent, and asking for it changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from pynlvc import _core
from pynlvc.model.store import load_model
from tests.core_frames import assert_equal_planes, decode_all, encode_all, make_format, make_frames

MODEL = load_model("fast").data


@pytest.mark.parametrize("content", ["moving", "noise", "screen"])
@pytest.mark.parametrize("effort", [0, 3])
def test_costs_are_those_of_the_encoder(content: str, effort: int) -> None:
    form = make_format(70, 54, sx=1, sy=1)
    frames = make_frames(form, 3, content)
    encoded = encode_all(form, MODEL, frames, slices=2, effort=effort)
    packets = [frame.data for frame in encoded]
    for kernels in ("", "scalar"):
        decoded = decode_all(packets, MODEL, analysis=True, kernels=kernels)
        for found, wanted, planes in zip(decoded, encoded, frames, strict=True):
            assert_equal_planes(found.planes, planes)
            assert found.plane_bits == pytest.approx(wanted.plane_bits, abs=0.01)
            assert found.motion_bits == pytest.approx(wanted.motion_bits, abs=0.01)
            assert found.block_bits.shape == (4, 5)  # blocks of 16x16
            # The choice of corrections is coded by plane, not by block.
            assert found.block_bits.sum() == pytest.approx(sum(found.plane_bits), rel=0.02, abs=20)
            payload = sum(_core.parse_packet(wanted.data).slice_sizes)
            rest = 8 * payload - sum(found.plane_bits) - found.motion_bits
            assert -0.01 <= rest <= 2 * 24, "two slices, rounded up"


def test_blocks_tell_where_the_noise_is() -> None:
    form = make_format(64, 48, layout="grey")
    still = np.full((48, 64), 90, np.uint8)
    noisy = still.copy()
    noisy[16:32, 32:48] = np.random.default_rng(1).integers(0, 256, (16, 16))
    packets = [frame.data for frame in encode_all(form, MODEL, [[still], [noisy]], scene_cuts=False)]
    bits = decode_all(packets, MODEL, analysis=True)[1].block_bits
    assert np.unravel_index(bits.argmax(), bits.shape) == (1, 2)
    assert bits[1, 2] > bits.sum() / 2


def test_without_analysis_nothing_is_recorded_by_block() -> None:
    form = make_format(64, 48)
    packets = [frame.data for frame in encode_all(form, MODEL, make_frames(form, 2, "moving"))]
    for frame in decode_all(packets, MODEL):
        assert frame.block_bits.size == 0
        assert min(frame.plane_bits) > 0


def test_a_change_of_scene_is_told_from_a_still_picture() -> None:
    form = make_format(64, 48, layout="grey")
    still, noise = (make_frames(form, 1, content)[0][0].astype(np.uint16) for content in ("ramp", "extremes"))
    assert _core.scene_change(still, still, 8) == 0
    assert _core.scene_change(still, noise, 8) > 1
    with pytest.raises(ValueError, match="same size"):
        _core.scene_change(still, noise[:, :32].copy(), 8)
