"""Every set of kernels codes the same bytes and decodes those of every other; none leaks into the common code."""

from __future__ import annotations

import platform
import subprocess
import sysconfig
from pathlib import Path

import numpy as np
import pytest

from pynlvc import _core
from tests.models import random_model

KERNELS = _core.kernel_names()
CSRC = Path(__file__).parents[1] / "csrc"


def content(kind: str, depth: int, frames: int, shapes: list[tuple[int, int]]) -> list[list[np.ndarray]]:
    """Frames of planes: noise, the two ends of the range, or a moving gradient."""
    rng = np.random.default_rng(len(kind) + depth)
    maximum = (1 << depth) - 1
    kind_of = np.uint8 if depth == 8 else np.uint16
    out = []
    for t in range(frames):
        planes = []
        for rows, columns in shapes:
            if kind == "noise":
                plane = rng.integers(0, maximum + 1, (rows, columns))
            elif kind == "ends":
                plane = rng.choice([0, maximum], (rows, columns))
            else:
                ramp = (np.arange(columns)[None, :] * 3 + np.arange(rows)[:, None] * 2 + 5 * t) % (maximum + 1)
                plane = np.clip(ramp + rng.normal(0, maximum / 200, (rows, columns)), 0, maximum)
            planes.append(plane.astype(kind_of))
        out.append(planes)
    return out


@pytest.mark.parametrize("extreme", [False, True])
@pytest.mark.parametrize("kind", ["noise", "ends", "gradient"])
@pytest.mark.parametrize(("depth", "delta"), [(8, 2), (8, 1), (8, 0), (10, 2), (16, 2)])
def test_same_bytes_and_samples(kind: str, depth: int, delta: int, extreme: bool) -> None:
    layout = _core.Format(width=61, height=43, layout="yuv", depth=depth, sx=1, sy=1, format_name="test")
    model = random_model(seed=depth + delta, extreme=extreme, taps=23, errors=14, h1=37, h2=18, g=21)
    frames = content(kind, depth, 3, layout.plane_shapes)
    packets = {}
    for kernels in KERNELS:
        encoder = _core.Encoder(layout, model, delta=delta, scene_cuts=False, kernels=kernels)
        packets[kernels] = [encoder.encode(f, pts=i, duration=1).data for i, f in enumerate(frames)]
    for kernels in KERNELS:
        assert packets[kernels] == packets["scalar"]
        decoder = _core.Decoder(lambda _: model, kernels=kernels)
        for packet, planes in zip(packets["scalar"], frames, strict=True):
            for decoded, plane in zip(decoder.decode(packet).planes, planes, strict=True):
                np.testing.assert_array_equal(decoded, plane)


@pytest.mark.parametrize("width", [1, 3, 15, 16, 17, 33])
def test_widths_around_a_batch(width: int) -> None:
    layout = _core.Format(width=width, height=35, layout="grey", format_name="gray")
    model = random_model(seed=width)
    frames = content("noise", 8, 2, layout.plane_shapes)
    for kernels in KERNELS:
        encoder = _core.Encoder(layout, model, scene_cuts=False, kernels=kernels)
        decoder = _core.Decoder(lambda _: model, kernels="scalar")
        for i, planes in enumerate(frames):
            packet = encoder.encode(planes, pts=i, duration=1).data
            np.testing.assert_array_equal(decoder.decode(packet).planes[0], planes[0])


def test_unknown_kernels_are_refused() -> None:
    with pytest.raises(ValueError, match="scalar"):
        _core.Decoder(lambda _: None, kernels="abacus")


@pytest.mark.parametrize(
    ("source", "flags"),
    [
        ("avx2.cpp", ["-mavx2"]),
        ("avx512.cpp", ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512vnni"]),
    ],
)
def test_no_special_instructions_leak(source: str, flags: list[str], tmp_path: Path) -> None:
    """A shared inline function compiled here could replace the baseline's copy when linked: there must be none."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        assert KERNELS == ["scalar"]
        return
    compiler = (sysconfig.get_config_var("CXX") or "g++").split()[0]
    target = tmp_path / "kernels.o"
    command = [
        compiler,
        "-std=c++17",
        "-O3",
        *flags,
        "-w",
        f"-I{CSRC}",
        "-c",
        str(CSRC / "kernels" / source),
        "-o",
        str(target),
    ]
    subprocess.run(command, check=True, capture_output=True)
    symbols = subprocess.run(["nm", "-C", str(target)], check=True, capture_output=True, text=True).stdout
    assert " R " in symbols or " D " in symbols, "the table itself must be there"
    leaks = [line for line in symbols.splitlines() if line[17:18] in "WVu"]
    assert leaks == []


def distributions(rng: np.random.Generator, batches: int, depth: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outputs and means from tame to the ends of their ranges, and samples near the mean or anywhere."""
    reach = np.array([20, 60, 300, (1 << 30) - 1])[rng.integers(0, 4, (batches, 9, 16))]
    outputs = (rng.uniform(-1, 1, reach.shape) * reach).astype(np.int32)
    outputs[::2] = np.clip(outputs[::2], -40, 40)
    maximum = (1 << depth) - 1
    mean = rng.integers(0, 32 * maximum + 1, (batches, 16)).astype(np.int32)
    mean[0, :8], mean[0, 8:] = 0, 32 * maximum
    near = np.clip((mean >> 5) + rng.integers(-9, 10, mean.shape), 0, maximum)
    samples = np.where(rng.random(mean.shape) < 0.8, near, rng.integers(0, maximum + 1, mean.shape))
    return outputs, mean, samples.astype(np.uint16).reshape(-1)


@pytest.mark.parametrize(("depth", "q"), [(8, 0), (10, 0), (10, 2), (12, 1), (16, 0), (16, 8)])
def test_coding_of_samples(depth: int, q: int) -> None:
    """Bytes, samples and the state of the range decoder, for coded data and for noise."""
    rng = np.random.default_rng(depth + q)
    outputs, mean, samples = distributions(rng, 60, depth)
    count = samples.size - 3
    coded = _core.encode_samples(outputs, mean, samples[:count], depth=depth, q=q, kernels="scalar")
    noise = rng.bytes(4000)
    of_noise = _core.decode_samples(noise, outputs, mean, count, depth=depth, q=q, kernels="scalar")
    expected_state = _core.decode_samples(coded, outputs, mean, count, depth=depth, q=q, kernels="scalar")[1]
    for kernels in KERNELS:
        assert _core.encode_samples(outputs, mean, samples[:count], depth=depth, q=q, kernels=kernels) == coded
        decoded, state = _core.decode_samples(coded, outputs, mean, count, depth=depth, q=q, kernels=kernels)
        np.testing.assert_array_equal(decoded, samples[:count])
        assert state == expected_state
        decoded, state = _core.decode_samples(noise, outputs, mean, count, depth=depth, q=q, kernels=kernels)
        np.testing.assert_array_equal(decoded, of_noise[0])
        assert state == of_noise[1]


@pytest.mark.parametrize("block", [8, 16])
@pytest.mark.parametrize(("depth", "sx", "sy"), [(8, 0, 0), (8, 1, 1), (8, 2, 1), (10, 0, 0), (16, 1, 0)])
def test_displacement(depth: int, sx: int, sy: int, block: int) -> None:
    """Every phase of the filters, inside and across the border, on noise and on the ends of the range."""
    rng = np.random.default_rng(depth + sx)
    width, height = 93, 61
    shape = -(-height >> sy), -(-width >> sx)
    fields = rng.integers(-60, 61, (3, -(-height // block), -(-width // block), 2)).astype(np.int16)
    for field in fields:
        for plane in (rng.integers(0, 1 << depth, shape), rng.choice([0, (1 << depth) - 1], shape)):
            arguments = plane.astype(np.uint16), field, block, width, height, sx, sy, depth
            expected = _core.compensate_subsample(*arguments, kernels="scalar")
            for kernels in KERNELS:
                np.testing.assert_array_equal(_core.compensate_subsample(*arguments, kernels=kernels), expected)


@pytest.mark.parametrize("depth", [8, 10, 16])
def test_motion_search_and_older_references(depth: int) -> None:
    rng = np.random.default_rng(depth)
    whole = np.kron(rng.integers(0, 1 << depth, (25, 32)), np.ones((4, 4), int))
    current, reference = (whole[y : y + 75, x : x + 101].astype(np.uint16) for y, x in ((4, 6), (7, 3)))
    current = np.clip(current + rng.integers(0, 4, current.shape), 0, (1 << depth) - 1).astype(np.uint16)
    field = _core.search_motion(current, reference, None, depth, kernels="scalar")
    older = _core.locate_older(current, reference, depth, field, field, 8, field, kernels="scalar")
    assert np.any(field) and np.any(older)
    for kernels in KERNELS:
        np.testing.assert_array_equal(_core.search_motion(current, reference, None, depth, kernels=kernels), field)
        found = _core.locate_older(current, reference, depth, field, field, 8, field, kernels=kernels)
        np.testing.assert_array_equal(found, older)
