"""Planes of many kinds for tests of the native core, and encoding and decoding of lists of frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynlvc import _core

CONTENTS = ("moving", "noise", "flat", "extremes", "zero", "ramp", "screen")
Planes = list[NDArray]


def make_format(width: int, height: int, **options: Any) -> _core.Format:
    """A format with a usual time base."""
    options = {"layout": "yuv", "time_base": (1, 25), "format_name": "test"} | options
    return _core.Format(width=width, height=height, **options)


def _screen(x: NDArray, y: NDArray, t: int, p: int, maximum: int, rng: np.random.Generator) -> NDArray:
    """A window with a pattern like text, a smaller window that moves, and a noisy picture in a corner."""
    text = ((x * x + 3 * y * y) % 11 < 3) & (y % 8 < 6)
    values = np.where(text, maximum // 8 * (p + 1), maximum - 5 * p)
    values = np.where((x > 5 * t + 3) & (x < 5 * t + 15) & (y > 4) & (y < 20), maximum // 2 + p, values)
    return np.where((x > 20) & (y > 22), rng.integers(0, maximum + 1, x.shape), values)


def make_frames(form: _core.Format, count: int, content: str, *, seed: int = 0) -> list[Planes]:
    """`count` frames of planes in coding order."""
    rng = np.random.default_rng(seed)
    maximum = (1 << form.depth) - 1
    dtype = np.uint8 if form.depth == 8 else np.uint16
    frames = []
    for t in range(count):
        planes = []
        for p, (rows, columns) in enumerate(form.plane_shapes):
            y, x = np.mgrid[:rows, :columns]
            if content == "noise":
                values = rng.integers(0, maximum + 1, (rows, columns))
            elif content == "extremes":
                values = rng.choice([0, maximum], (rows, columns))
            elif content in ("flat", "zero"):
                values = np.full((rows, columns), 0 if content == "zero" else maximum // 3)
            elif content == "screen":
                values = _screen(x, y, t, p, maximum, rng)
            elif content == "ramp":
                values = (x * 3 + y * 5 + t * 7 + p) % (maximum + 1)
            else:
                wave = np.sin((x + 3 * t) / (7 + p)) + np.cos((y - 2 * t) / (9 + p))
                values = maximum * (0.5 + 0.2 * wave) + rng.normal(0, maximum / 120, (rows, columns))
            planes.append(np.clip(values, 0, maximum).astype(dtype))
        frames.append(planes)
    return frames


def encode_all(form: _core.Format, model: bytes, frames: list[Planes], **settings: Any) -> list[_core.EncodedFrame]:
    """The packets of all frames, one tick apart."""
    encoder = _core.Encoder(form, model, **settings)
    return [encoder.encode(planes, pts=t, duration=1) for t, planes in enumerate(frames)]


def decode_all(packets: list[bytes], model: bytes, **settings: Any) -> list[_core.DecodedFrame]:
    """The frames of all packets."""
    decoder = _core.Decoder(lambda _hash: model, **settings)
    return [decoder.decode(packet) for packet in packets]


def assert_equal_planes(found: list[Any], expected: Planes) -> None:
    """Same samples, types and shapes."""
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
