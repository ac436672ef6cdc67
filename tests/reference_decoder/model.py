"""Model files (docs/bitstream.md §10)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.reference_decoder.fields import Reader, require

Array = NDArray[np.int64]
CUR, ERR = 0, 7


@dataclass(frozen=True)
class Tap:
    """One input: a context plane at an offset."""

    plane: int
    dx: int
    dy: int
    absolute: bool = False

    def revealed(self, delta: int) -> bool:
        return self.plane not in (CUR, ERR) or self.dx + delta * self.dy < 0


@dataclass
class Layer:
    """A dense layer with its requantisation."""

    weights: Array  # [outputs, inputs]
    biases: Array  # [1 or 3 (by δ), outputs]
    multipliers: Array
    shifts: Array


@dataclass
class Network:
    """The network of a frame type and plane class."""

    inputs: list[Tap]
    errors: list[Tap]
    layers: list[Layer]  # w1, w2, w3, w4, wo
    linear: Array  # wl [3, inputs]
    linear_hidden: Array  # wm
    linear_bias: Array  # bl [3]


def _numbers(r: Reader, kind: str, *shape: int) -> Array:
    dtype = np.dtype(kind).newbyteorder("<")
    count = int(np.prod(shape))
    return np.frombuffer(r.take(count * dtype.itemsize), dtype).astype(np.int64).reshape(shape)


def _layer(r: Reader, outputs: int, inputs: int, biases: int) -> Layer:
    return Layer(
        _numbers(r, "i1", outputs, inputs),
        _numbers(r, "i4", biases, outputs),
        _numbers(r, "u2", outputs),
        _numbers(r, "u1", outputs),
    )


def _taps(r: Reader, modes: bool) -> list[Tap]:
    taps = []
    for _ in range(r.u8()):
        plane, dx, dy = r.u8(), r.signed(1), r.signed(1)
        taps.append(Tap(plane, dx, dy, modes and r.u8() == 1))
    return taps


def _network(r: Reader) -> Network:
    inputs = _taps(r, modes=False)
    h1, h2 = r.u8(), r.u8()
    errors = _taps(r, modes=True)
    g = r.u8()
    w1 = _layer(r, h1, len(inputs), 3)
    w2 = _layer(r, h2, h1, 1)
    linear, hidden, bias = _numbers(r, "i2", 3, len(inputs)), _numbers(r, "i2", h2), _numbers(r, "i4", 3)
    rest = [_layer(r, g, h2 + len(errors), 3), _layer(r, g, g, 1), _layer(r, 9, g, 1)]
    return Network(inputs, errors, [w1, w2, *rest], linear, hidden, bias)


def read_model(data: bytes) -> dict[tuple[int, int], Network]:
    """The networks by (frame type, plane class); limits are for decoders of strangers' models to check."""
    r = Reader(data)
    require(r.take(4) == b"NLVM" and r.u8() == 0, "no model file of this version")
    r.name()
    networks = {}
    for _ in range(r.u8()):
        key = r.u8(), r.u8()
        networks[key] = _network(r)
    require(r.remaining == 0, "bytes are left over in a model file")
    return networks
