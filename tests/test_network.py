"""Context planes and networks (docs/bitstream.md §2, §4, §5): all kernels against the one-sample definition."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pynlvc import _core
from tests.models import LEVEL, TEMPORAL_PLANES, RandomNetwork, model_file, random_model

ERROR_PLANES = (6, 10, 13)
CAUSAL_ERRORS = 7


def random_context(
    rng: np.random.Generator, height: int, width: int, *, depth: int, content: str
) -> tuple[dict[int, NDArray[np.uint16]], dict[int, NDArray[np.int8]]]:
    """All context planes by id: samples and errors."""
    maximum = (1 << depth) - 1
    samples = {}
    for plane in (0, 1, 2, 3, 4, 5, 8, 9, 11, 12):
        if content == "noise":
            values = rng.integers(0, maximum + 1, (height, width))
        elif content == "extremes":
            values = rng.choice([0, maximum], (height, width))
        else:
            y, x = np.mgrid[:height, :width]
            values = maximum * (0.5 + 0.3 * np.sin((x + 2 * y + plane) / 5)) + rng.normal(
                0, maximum / 100, (height, width)
            )
        samples[plane] = np.clip(values, 0, maximum).astype(np.uint16)
    errors = {plane: rng.integers(-127, 128, (height, width)).astype(np.int8) for plane in ERROR_PLANES}
    return samples, errors


def evaluate(model: bytes, samples: Any, errors: Any, kernels: str, **options: Any) -> dict[str, NDArray]:
    """The arrays of `_core.evaluate_plane`."""
    return dict(_core.evaluate_plane(model, samples, errors, kernels=kernels, **options))  # type: ignore[arg-type]


def assert_kernels_agree(model: bytes, samples: Any, errors: Any, **options: Any) -> dict[str, NDArray]:
    """All kernels give the definition's values; returns them."""
    expected = evaluate(model, samples, errors, "definition", **options)
    for kernels in _core.kernel_names():
        found = evaluate(model, samples, errors, kernels, **options)
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values, err_msg=f"{name} of {kernels}")
    return expected


@pytest.mark.parametrize("delta", [0, 1, 2])
@pytest.mark.parametrize("plane_class", [0, 1, 2])
@pytest.mark.parametrize("frame_type", [0, 1])
def test_kernels_equal_the_definition(frame_type: int, plane_class: int, delta: int) -> None:
    rng = np.random.default_rng(100 * frame_type + 10 * plane_class + delta)
    seed = 0
    for depth, q in ((8, 0), (10, 0), (12, 2), (13, 5), (16, 0), (16, 8)):
        for extreme in (False, True):
            seed += 1
            content = ("smooth", "noise", "extremes")[seed % 3]
            height, width = int(rng.integers(1, 45)), int(rng.integers(1, 45))
            start = int(rng.integers(0, height))
            stop = int(rng.integers(start + 1, height + 1))
            samples, errors = random_context(rng, height, width, depth=depth, content=content)
            taps, second = int(rng.integers(12, 60)), int(rng.integers(12, 40))
            model = random_model(seed=seed, extreme=extreme, taps=taps, errors=second, h1=int(rng.integers(1, 40)))
            assert_kernels_agree(
                model,
                samples,
                errors,
                frame_type=frame_type,
                plane_class=plane_class,
                delta=delta,
                depth=depth,
                q=q,
                rows=(start, stop),
            )


@pytest.mark.parametrize("widths", [(255, 255, 255, 255, 255), (1, 0, 1, 1, 1), (254, 3, 17, 33, 130)])
def test_networks_of_extreme_width(widths: tuple[int, int, int, int, int]) -> None:
    rng = np.random.default_rng(sum(widths))
    samples, errors = random_context(rng, 9, 20, depth=8, content="extremes")
    taps, second, h1, h2, g = widths
    for extreme in (False, True):
        network = RandomNetwork(
            frame_type=1, plane_class=2, taps=taps, errors=second, h1=h1, h2=h2, g=g, extreme=extreme
        )
        values = assert_kernels_agree(
            model_file([network], seed=taps),
            samples,
            errors,
            frame_type=1,
            plane_class=2,
            delta=2,
            depth=8,
            q=0,
            rows=(2, 9),
        )
        assert np.abs(values["outputs"]).max() < 1 << 30


def test_accumulators_at_their_bound() -> None:
    """Rows whose weights and biases use up the bound, with every multiplier and shift at an end of its range."""
    rng = np.random.default_rng(1)
    network = RandomNetwork(frame_type=1, plane_class=0, taps=255, errors=255, h1=128, h2=128, g=128, extreme=True)
    samples, errors = random_context(rng, 20, 40, depth=8, content="extremes")
    values = assert_kernels_agree(
        model_file([network], seed=3), samples, errors, frame_type=1, plane_class=0, delta=1, depth=8, q=0, rows=(0, 20)
    )
    assert np.abs(values["outputs"]).max() > 1 << 27


@pytest.mark.parametrize("delta", [0, 1, 2])
def test_taps_see_only_what_is_revealed(delta: int) -> None:
    """A change of one sample reaches no earlier or equal group, and the taps that section 2 names do see it."""
    rng = np.random.default_rng(delta)
    height, width = 14, 17
    samples, errors = random_context(rng, height, width, depth=8, content="noise")
    model = random_model(seed=4, taps=60, errors=40)
    options = {"frame_type": 1, "plane_class": 0, "delta": delta, "depth": 8, "q": 0, "rows": (0, height)}
    before = evaluate(model, samples, errors, "", **options)
    y0, x0 = 6, 8
    samples[0][y0, x0] ^= 255
    after = evaluate(model, samples, errors, "", **options)
    y, x = np.mgrid[:height, :width]
    not_later = x + delta * y <= x0 + delta * y0
    for name in ("taps", "error_taps", "mean", "outputs"):
        changed = (before[name] != after[name]).reshape(-1, height, width).any(axis=0)
        assert not changed[not_later].any(), name
        assert changed.any(), name


def test_a_slice_sees_nothing_of_its_neighbours_samples() -> None:
    rng = np.random.default_rng(11)
    samples, errors = random_context(rng, 40, 24, depth=8, content="noise")
    model = random_model(seed=8, taps=80, errors=60)
    for frame_type in (0, 1):
        options = {"frame_type": frame_type, "plane_class": 2, "delta": 2, "depth": 8, "q": 0, "rows": (16, 32)}
        before = evaluate(model, samples, errors, "", **options)
        for plane in (0, 8, 9, 11, 12):
            samples[plane][:16] ^= 85
            samples[plane][32:] ^= 170
        for plane in (10, 13):
            errors[plane][:16], errors[plane][32:] = 3, -3
        after = evaluate(model, samples, errors, "", **options)
        for name, values in before.items():
            np.testing.assert_array_equal(values, after[name], err_msg=name)


# What a model file must not hold, as (offset into the first network's fields, bytes, message).


def minimal_network(**changes: Any) -> bytes:
    """A file with one network of one tap, one unit in each layer and no second tap list, with fields replaced."""
    f: dict[str, Any] = {
        "type": 0,
        "plane_class": 0,
        "tap": (0, -1, 0),
        "weight": 1,
        "bias": 0,
        "multiplier": 1,
        "shift": 1,
        "linear": 1,
        "linear_bias": 0,
    } | changes
    scaling = struct.pack("<HB", f["multiplier"], f["shift"])
    out = bytes([f["type"], f["plane_class"], 1]) + struct.pack("<Bbb", *f["tap"]) + bytes([1, 1, 0, 1])
    out += struct.pack("<b3i", f["weight"], f["bias"], 0, 0) + scaling
    out += struct.pack("<bi", f["weight"], f["bias"]) + scaling
    out += struct.pack("<3hh3i", f["linear"], 0, 0, f["linear"], 0, f["linear_bias"], 0)
    out += struct.pack("<b3i", f["weight"], 0, f["bias"], 0) + scaling
    out += struct.pack("<bi", f["weight"], f["bias"]) + scaling
    out += struct.pack("<9b9i9H9B", *[f["weight"]] * 9, *[f["bias"]] * 9, *[f["multiplier"]] * 9, *[f["shift"]] * 9)
    return b"NLVM\0\1x\1" + out


def test_the_minimal_model_is_valid() -> None:
    info = _core.parse_model(minimal_network())
    assert (info.name, info.networks) == ("x", [(0, 0)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"type": 2}, "frame type"),
        ({"plane_class": 5}, "plane class"),
        ({"tap": (15, 0, 0)}, "context plane"),
        ({"tap": (0, 0, 0)}, "sample that is coded"),
        ({"tap": (7, 0, 0)}, "sample that is coded"),
        ({"tap": (7, -1, 0)}, "prediction errors"),
        ({"tap": (0, -4, 0)}, "farther than 3"),
        ({"tap": (LEVEL, 0, 4)}, "farther than 3"),
        ({"tap": (8, 0, 0)}, "guide"),
        ({"tap": (11, 0, 0), "plane_class": 1}, "guide"),
        *[({"tap": (plane, 0, 0), "plane_class": 2}, "earlier frame") for plane in sorted(TEMPORAL_PLANES)],
        ({"weight": 65}, "beyond 64"),
        ({"weight": -128}, "beyond 64"),
        ({"multiplier": 1024}, "1023"),
        ({"shift": 0}, "shift"),
        ({"shift": 23}, "shift"),
        ({"bias": (1 << 21) - 127}, "overflow"),
        ({"bias": -(1 << 31)}, "overflow"),
        ({"linear_bias": 1 << 30}, "overflow"),
    ],
)
def test_models_beyond_their_limits_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(_core.BitstreamError, match=message):
        _core.parse_model(minimal_network(**changes))


def test_damaged_model_files_are_refused() -> None:
    model = random_model(seed=1)
    for size in range(0, len(model), 97):
        with pytest.raises(_core.BitstreamError):
            _core.parse_model(model[:size])
    for wrong in (model + b"\0", b"NLVX" + model[4:], model[:4] + b"\1" + model[5:]):
        with pytest.raises(_core.BitstreamError):
            _core.parse_model(wrong)
    with pytest.raises(_core.BitstreamError, match="stands twice"):
        _core.parse_model(model_file([RandomNetwork(frame_type=0, plane_class=0)] * 2))
