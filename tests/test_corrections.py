"""Corrections of the linear part (docs/bitstream.md section 5.1): their syntax, kernels and what they are worth."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynlvc import _core
from pynlvc.model.store import load_model
from tests.core_frames import assert_equal_planes, decode_all, encode_all, make_format, make_frames
from tests.models import random_model

KERNELS = _core.kernel_names()
FORM = make_format(96, 80, sx=1, sy=1)
MODEL = load_model("standard").data
TYPE = 129


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("extreme", [False, True])
def test_kernels_add_what_is_defined(kernels: str, extreme: bool) -> None:
    rng = np.random.default_rng(3)
    for count in (1, 3, 4, 31, 81, 200):
        for shift in (3, 10):
            sets = rng.integers(-20, 21, (int(rng.integers(1, 9)), count + 1))
            taps = rng.integers(-127, 128, (count, 16))
            if extreme:
                sets = np.zeros_like(sets)
                sets[:, : min(count, 32)] = rng.choice([-127, 127], sets[:, : min(count, 32)].shape)
                taps = rng.choice([-127, 127], (count, 16))
            classes = rng.integers(0, len(sets), 16).tolist()
            arguments = (sets.tolist(), shift, classes, taps.astype(np.int8))
            expected = ((sets[classes, :-1] * taps.T).sum(1) + 16 * sets[classes, -1]) << shift
            assert _core.apply_correction(*arguments, kernels="definition") == expected.tolist()
            assert _core.apply_correction(*arguments, kernels=kernels) == expected.tolist()


@pytest.mark.parametrize("kernels", KERNELS)
def test_products(kernels: str) -> None:
    rng = np.random.default_rng(1)
    for count, limit in ((1, 2047), (2, 2047), (7, 300), (84, 2047)):
        rows = rng.integers(-limit, limit + 1, (count, 512)).astype(np.int16)
        rows[:1] = limit
        expected = rows.astype(np.int64) @ rows.astype(np.int64).T
        np.testing.assert_array_equal(_core.products(rows, kernels=kernels), expected[np.tril_indices(count)])


def test_solutions_solve() -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=(40, 30))
    matrix, right = a.T @ a, rng.normal(size=30)
    found = _core.solve(30, matrix[np.tril_indices(30)].tolist(), right.tolist())
    np.testing.assert_allclose(matrix @ found, right, atol=1e-9)


weights = st.lists(st.integers(-40, 40), min_size=6, max_size=6)
plane = st.tuples(st.integers(3, 10), st.lists(weights, max_size=8))


@given(st.tuples(plane, plane), st.tuples(plane, plane))
def test_sets_come_back(previous: tuple, planes: tuple) -> None:
    data = _core.write_corrections([5, 5], previous, planes)
    found = _core.read_corrections([5, 5], previous, data)
    for (shift, sets), (wanted_shift, wanted) in zip(found, planes, strict=True):
        assert sets == wanted
        assert shift == wanted_shift


@given(st.binary(max_size=80))
def test_any_bytes_are_sets_or_an_error(data: bytes) -> None:
    try:
        planes = _core.read_corrections([30, 30, 30], [(3, [])] * 3, data)
    except _core.BitstreamError as error:
        assert "corrections" in str(error)
        return
    for shift, sets in planes:
        assert 3 <= shift <= 10
        assert len(sets) <= 8
        assert all(len(s) == 31 and sum(map(abs, s)) <= 4095 for s in sets)


def side_of(packet: bytes) -> set[int]:
    """Types of the side information of a packet."""
    return set(_core.parse_packet(packet).side)


def fade(form: _core.Format, count: int) -> list:
    """A picture that turns darker by a factor: what a linear correction can follow and the trained model cannot."""
    rng = np.random.default_rng(0)
    planes = []
    for rows, columns in form.plane_shapes:
        y, x = np.mgrid[:rows, :columns]
        planes.append(120 + 60 * np.sin(x / 5) * np.cos(y / 6) + rng.normal(0, 9, (rows, columns)))
    return [[np.clip(p * (1 - 0.06 * t), 0, 255).astype(np.uint8) for p in planes] for t in range(count)]


@pytest.mark.parametrize("slices", [1, 3])
def test_fitting_pays_and_is_lossless(slices: int) -> None:
    form = make_format(192, 160, sx=1, sy=1)
    frames = fade(form, 6)
    plain = encode_all(form, MODEL, frames, slices=slices, effort=0)
    fitted = encode_all(form, MODEL, frames, slices=slices, effort=3)
    assert any(TYPE in side_of(p.data) for p in fitted[1:])
    assert not any(TYPE in side_of(p.data) for p in plain[1:])
    assert sum(len(p.data) for p in fitted) < 0.97 * sum(len(p.data) for p in plain)
    for threads in (1, 4):
        again = encode_all(form, MODEL, frames, slices=slices, effort=3, threads=threads)
        assert [p.data for p in again] == [p.data for p in fitted]
    for kernels in KERNELS:
        for found, planes in zip(decode_all([p.data for p in fitted], MODEL, kernels=kernels), frames, strict=True):
            assert_equal_planes(found.planes, planes)


@pytest.mark.parametrize("effort", [1, 2, 9])
@pytest.mark.parametrize(("depth", "delta"), [(8, 0), (8, 1), (12, 2), (16, 2)])
def test_every_kernel_fits_the_same(depth: int, delta: int, effort: int) -> None:
    form = make_format(70, 50, sx=1, sy=0, depth=depth)
    model = random_model(seed=depth + delta, taps=23, errors=14)
    frames = make_frames(form, 3, "moving")
    packets = {
        k: [p.data for p in encode_all(form, model, frames, delta=delta, effort=effort, kernels=k)] for k in KERNELS
    }
    for kernels in KERNELS:
        assert packets[kernels] == packets["scalar"]
        for found, planes in zip(decode_all(packets["scalar"], model, kernels=kernels), frames, strict=True):
            assert_equal_planes(found.planes, planes)


def with_side(packet: bytes, side: bytes) -> bytes:
    """A P-frame's packet (one slice, short fields, no side information) with side information put in."""
    assert packet[3] == 0
    entry = bytes([TYPE, len(side)]) + side
    at = 6 + 6 + 1  # after magic .. duration, then q, count and the frame's checksum, then the slice's mode
    while packet[at] & 128:
        at += 1
    at += 1 + 4
    head = packet[:3] + b"\2" + packet[4:6] + bytes([len(entry)]) + entry + packet[6:at]
    return head + struct.pack("<I", _core.crc32c(head)) + packet[at + 4 :]


@settings(deadline=None, max_examples=60)
@given(st.binary(min_size=1, max_size=60))
def test_wrong_sets_are_an_error_and_nothing_worse(side: bytes) -> None:
    frames = make_frames(FORM, 2, "moving")
    packets = [p.data for p in encode_all(FORM, MODEL, frames, slices=1, effort=0)]
    decoder = _core.Decoder(lambda _hash: MODEL)
    decoder.decode(packets[0])
    changed = with_side(packets[1], side)
    try:
        found = decoder.decode(changed)
    except _core.BitstreamError:
        return
    assert_equal_planes(found.planes, frames[1])


def test_a_damaged_header_is_found() -> None:
    frames = make_frames(FORM, 2, "moving")
    packets = [p.data for p in encode_all(FORM, MODEL, frames, slices=1)]
    damaged = bytearray(packets[1])
    damaged[5] ^= 1  # the duration
    decoder = _core.Decoder(lambda _hash: MODEL)
    decoder.decode(packets[0])
    with pytest.raises(_core.BitstreamError, match="header"):
        decoder.decode(bytes(damaged))
