"""Model differences (docs/bitstream.md section 10.1): what they say, what they refuse, and streams that bring them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pynlvc import _core
from pynlvc.errors import MissingModelError, ModelError
from pynlvc.model.modelfile import IntegerModel
from pynlvc.model.store import load_model, parse_model
from tests.core_frames import assert_equal_planes, make_format, make_frames
from tests.models import RandomNetwork, model_file, moved_model

STANDARD = load_model("standard").data
SHAPES = [RandomNetwork(frame_type=t, plane_class=c, taps=15, errors=4) for t in (0, 1) for c in (0, 1, 2)]
SMALL = model_file(SHAPES, seed=5, name="small")
FORM = make_format(48, 32, sx=1, sy=1)


@pytest.mark.parametrize("delta", [0, 1, 2])
@pytest.mark.parametrize("base", [STANDARD, SMALL], ids=["standard", "small"])
@pytest.mark.parametrize("share", [0.0, 0.02, 1.0])
def test_a_difference_means_the_model_that_it_was_made_of(base: bytes, delta: int, share: float) -> None:
    moved = moved_model(base, delta=delta, seed=delta, share=share)
    difference = _core.write_model_difference(base, moved, delta=delta)
    assert _core.is_model_difference(difference) and not _core.is_model_difference(base)
    assert _core.model_difference_base(difference) == hashlib.sha256(base).digest()
    assert _core.apply_model_difference(difference, base) == moved
    parameters = len(moved)
    assert len(difference) < (200 if share == 0 else parameters * share + 200)


def test_a_model_without_changes_is_the_base_with_another_name() -> None:
    renamed = replace(IntegerModel.from_bytes(SMALL), name="other").to_bytes()
    difference = _core.write_model_difference(SMALL, renamed, delta=2)
    assert _core.apply_model_difference(difference, SMALL) == renamed
    assert len(difference) < 60


def test_what_a_difference_cannot_say_is_refused() -> None:
    model = IntegerModel.from_bytes(SMALL)
    network = model.networks[1]

    def changed(**fields: Any) -> bytes:
        return replace(model, networks=(model.networks[0], replace(network, **fields), *model.networks[2:])).to_bytes()

    other_slope, odd = network.linear.copy(), network.linear.copy()
    other_slope[0, 0] += 32
    odd[2, 0] += 33
    shift = replace(network.layer2, shift=network.layer2.shift + 1)
    for fitted in (
        changed(linear=other_slope),
        changed(linear=odd),
        changed(layer2=shift),
        changed(inputs=(*network.inputs[:-1], replace(network.inputs[-1], dx=-1, dy=-1))),
        replace(model, networks=model.networks[:-1]).to_bytes(),
    ):
        with pytest.raises(ValueError, match="a difference cannot hold"):
            _core.write_model_difference(SMALL, fitted, delta=2)
    with pytest.raises(ValueError, match="delta"):
        _core.write_model_difference(SMALL, SMALL, delta=3)


def test_damaged_differences_are_refused_or_mean_another_model() -> None:
    rng = np.random.default_rng(2)
    moved = moved_model(SMALL, delta=2, seed=4)
    difference = _core.write_model_difference(SMALL, moved, delta=2)
    refused = same = 0
    for _ in range(1500):
        damaged = bytearray(difference)
        if rng.random() < 0.3:
            del damaged[int(rng.integers(len(damaged))) :]
        else:
            damaged[int(rng.integers(len(damaged)))] ^= 1 << int(rng.integers(8))
        try:
            meant = _core.apply_model_difference(bytes(damaged), SMALL)
        except _core.BitstreamError:
            refused += 1
            continue
        same += meant == moved
    assert refused > 100 and same < 15  # the last byte of a string of the range coder has bits to spare
    with pytest.raises(_core.BitstreamError, match="another model"):
        _core.apply_model_difference(difference, STANDARD)
    nested = difference.replace(hashlib.sha256(SMALL).digest(), hashlib.sha256(difference).digest())
    with pytest.raises(_core.BitstreamError, match="NLVM"):
        _core.apply_model_difference(nested, difference)


def stream(delta: int = 2) -> tuple[list[bytes], bytes, list[list[np.ndarray]]]:
    """Packets that bring a difference to SMALL, their header, and the frames."""
    moved = moved_model(SMALL, delta=delta, seed=6)
    difference = _core.write_model_difference(SMALL, moved, delta=delta)
    encoder = _core.Encoder(FORM, moved, delta=delta, difference=difference, keyframe_interval=2)
    frames = make_frames(FORM, 5, "moving")
    packets = [encoder.encode(planes, pts=i, duration=1).data for i, planes in enumerate(frames)]
    assert encoder.model_hash == hashlib.sha256(moved).hexdigest()
    return packets, encoder.sequence_header, frames


def known(digest: bytes) -> bytes | None:
    return SMALL if digest == hashlib.sha256(SMALL).digest() else None


@pytest.mark.parametrize("kernels", _core.kernel_names())
def test_a_stream_brings_its_difference_once(kernels: str) -> None:
    packets, header, frames = stream()
    infos = [_core.parse_packet(packet) for packet in packets]
    assert [bool(info.embedded_model) for info in infos] == [True, False, False, False, False]
    assert _core.is_model_difference(_core.parse_sequence_header(header).embedded_model)
    decoder = _core.Decoder(known, kernels=kernels)
    for packet, planes in zip(packets, frames, strict=True):
        assert_equal_planes(decoder.decode(packet).planes, planes)


def test_a_decoder_without_the_base_names_it() -> None:
    packets, _, _ = stream()
    with pytest.raises(_core.MissingModelError, match=hashlib.sha256(SMALL).hexdigest()):
        _core.Decoder(lambda _hash: None).decode(packets[0])


def test_a_difference_that_means_another_model_is_refused() -> None:
    moved = moved_model(SMALL, delta=2, seed=6)
    wrong = _core.write_model_difference(SMALL, moved_model(SMALL, delta=2, seed=7), delta=2)
    encoder = _core.Encoder(FORM, moved, difference=wrong)
    packet = encoder.encode(make_frames(FORM, 1, "moving")[0], pts=0, duration=1).data
    with pytest.raises(_core.BitstreamError, match="does not have the SHA-256"):
        _core.Decoder(known).decode(packet)


def test_files_with_differences_are_models() -> None:
    moved = moved_model(STANDARD, delta=2, seed=1)
    difference = _core.write_model_difference(STANDARD, moved, delta=2)
    model = parse_model(difference, "a file")
    assert (model.name, model.data, model.difference) == ("moved", moved, difference)
    with pytest.raises(MissingModelError, match="not installed"):
        parse_model(_core.write_model_difference(SMALL, moved_model(SMALL, delta=2, seed=1), delta=2), "a file")
    with pytest.raises(ModelError, match="a file"):
        parse_model(difference[:20], "a file")
