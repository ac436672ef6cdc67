"""The distribution (docs/bitstream.md §6): constants, bounds against the text in Python, monotony, closeness."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pynlvc import _core

ROOT = Path(__file__).resolve().parent.parent
ONE = 1 << 24


@pytest.fixture(scope="module")
def generator() -> dict[str, Any]:
    """The functions of tools/make_tables.py."""
    return runpy.run_path(str(ROOT / "tools" / "make_tables.py"))


@pytest.fixture(scope="module")
def tables(generator: dict[str, Any]) -> dict[str, NDArray[np.int64]]:
    """EXP, SCALE, INV, TAIL, DELTA, SHIFT."""
    nearest, scale = generator["nearest"], generator["scale"]
    segments = np.array([generator["tail_segment"](i) for i in range(128)], np.int64)
    return {
        "EXP": np.array([nearest(4096 * generator["Decimal"](-i / 32).exp()) for i in range(256)], np.int64),
        "SCALE": np.array([nearest(64 * scale(i)) for i in range(256)], np.int64),
        "INV": np.array([nearest(2048 / scale(i)) for i in range(256)], np.int64),
        "TAIL": segments[:, 0],
        "DELTA": segments[:, 1],
        "SHIFT": segments[:, 2],
    }


def bounds_of_text(
    t: dict[str, NDArray[np.int64]], outputs: NDArray, mean: NDArray, values: NDArray, *, depth: int, q: int
) -> NDArray[np.int64]:
    """C(v) exactly as §6 writes it. outputs [n, 9], mean [n], values [n, m] -> [n, m]."""
    o, mean, v = outputs.astype(np.int64), mean.astype(np.int64)[:, None], values.astype(np.int64)
    offset, index = np.clip(o[:, 3:6], -255, 255), np.clip(o[:, 6:9] + 128, 0, 255)
    e = t["EXP"][np.minimum(255, o[:, :3].max(axis=1, keepdims=True) - o[:, :3])]
    w = 1024 * e // e.sum(axis=1, keepdims=True)
    w[:, 0] = 1024 - w[:, 1] - w[:, 2]
    mu = mean + (((offset * t["SCALE"][index]) >> 6) << q)
    total = np.zeros_like(v)
    for k in range(3):
        d = (v << 5) - 16 - mu[:, k : k + 1]
        u = np.minimum(32767, (np.minimum(np.abs(d) >> q, 24574) * t["INV"][index[:, k : k + 1]]) >> 5)
        i = u >> 8
        tail = ((t["TAIL"][i] << 8) - t["DELTA"][i] * (u & 255)) >> (3 + t["SHIFT"][i])
        total += w[:, k : k + 1] * np.where(d < 0, tail, (1 << 21) - tail)
    bound = (total >> 7) - (total >> 7 >> (24 - depth)) + v
    return np.where(v == 0, 0, np.where(v == 1 << depth, ONE, bound))


def random_case(rng: np.random.Generator, count: int, depth: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Outputs from tame to the ends of 30 bits, means over the whole range."""
    reach = np.array([40, 300, 1 << 20, (1 << 30) - 1])[rng.integers(0, 4, (count, 9))]
    outputs = (rng.uniform(-1, 1, (count, 9)) * reach).astype(np.int32)
    outputs[::7] = np.sign(outputs[::7]) * ((1 << 30) - 1)
    mean = rng.integers(0, ((1 << depth) - 1) * 32 + 1, count).astype(np.int32)
    mean[0], mean[1] = 0, ((1 << depth) - 1) * 32
    return outputs, mean


SHIFTS = [(depth, q) for depth in range(8, 17) for q in {0, depth - 8, (depth - 8) // 2}]


def test_constants_are_what_their_generator_makes(generator: dict[str, Any]) -> None:
    assert (ROOT / "csrc" / "tables.cpp").read_text() == generator["source"]() + "\n"


def test_the_tail_never_steps_up(tables: dict[str, NDArray[np.int64]]) -> None:
    u = np.arange(32768)
    i = u >> 8
    tail = ((tables["TAIL"][i] << 8) - tables["DELTA"][i] * (u & 255)) >> (3 + tables["SHIFT"][i])
    assert tail[0] == 1 << 20
    assert (np.diff(tail) <= 0).all()
    np.testing.assert_allclose(tail / 2**21, 1 / (1 + np.exp(u / 2048)), atol=5e-4)


@pytest.mark.parametrize(("depth", "q"), SHIFTS)
def test_bounds_are_those_of_the_text(tables: dict[str, NDArray[np.int64]], depth: int, q: int) -> None:
    rng = np.random.default_rng(100 * depth + q)
    outputs, mean = random_case(rng, 400, depth)
    values = rng.integers(0, (1 << depth) + 1, (400, 20)).astype(np.int32)
    near = (mean[:, None] >> 5) + rng.integers(-4, 5, (400, 10))
    values[:, :10] = np.clip(near, 0, 1 << depth)
    expected = bounds_of_text(tables, outputs, mean, values, depth=depth, q=q)
    np.testing.assert_array_equal(_core.mixture_bounds(outputs, mean, values, depth=depth, q=q), expected)


@pytest.mark.parametrize(("depth", "q"), SHIFTS)
def test_every_sample_has_an_interval(depth: int, q: int) -> None:
    rng = np.random.default_rng(depth + 50 * q)
    count = 60 if depth <= 12 else 8
    outputs, mean = random_case(rng, count, depth)
    values = np.tile(np.arange((1 << depth) + 1, dtype=np.int32), (count, 1))
    bounds = _core.mixture_bounds(outputs, mean, values, depth=depth, q=q).astype(np.int64)
    assert (bounds[:, 0] == 0).all() and (bounds[:, -1] == ONE).all()
    assert (np.diff(bounds, axis=1) >= 1).all()


def test_probabilities_are_those_of_real_logistics() -> None:
    rng = np.random.default_rng(3)
    count, depth = 200, 8
    outputs = np.concatenate(
        [rng.integers(-40, 40, (count, 3)), rng.integers(-100, 100, (count, 3)), rng.integers(-60, 120, (count, 3))],
        axis=1,
    ).astype(np.int32)
    mean = rng.integers(0, 255 * 32, count).astype(np.int32)
    values = np.tile(np.arange(257, dtype=np.int32), (count, 1))
    bounds = _core.mixture_bounds(outputs, mean, values, depth=depth, q=0) / ONE
    weight = np.exp(outputs[:, :3] / 32)
    weight /= weight.sum(axis=1, keepdims=True)
    scale = np.exp(-3 + 7.5 * (outputs[:, 6:9] + 128) / 255)
    centre = mean[:, None] / 32 + outputs[:, 3:6] * scale / 32
    z = (values[:, None, :] - 0.5 - centre[:, :, None]) / scale[:, :, None]
    real = (weight[:, :, None] / (1 + np.exp(-np.clip(z, -60, 60)))).sum(axis=1)
    assert np.abs(bounds - real)[:, 1:-1].max() < 0.02
    assert np.abs(bounds - real)[:, 1:-1].mean() < 0.001


def test_wrong_arguments_are_refused() -> None:
    outputs, mean, values = np.zeros((1, 9), np.int32), np.zeros(1, np.int32), np.zeros((1, 1), np.int32)
    with pytest.raises(ValueError, match="depth 8 to 16"):
        _core.mixture_bounds(outputs, mean, values, depth=17, q=0)
    with pytest.raises(ValueError, match="q 0 to depth - 8"):
        _core.mixture_bounds(outputs, mean, values, depth=8, q=1)
    with pytest.raises(ValueError, match="mean"):
        _core.mixture_bounds(outputs, mean - 1, values, depth=8, q=0)
