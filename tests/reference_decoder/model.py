"""Model files (docs/bitstream.md §10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.reference_decoder.fields import Reader, require
from tests.reference_decoder.range_decoder import Bit, CountingBit, RangeDecoder, signed

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


Networks = dict[tuple[int, int], Network]  # by frame type and plane class


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


def apply_difference(data: bytes, models: Mapping[bytes, bytes]) -> Networks:
    """The networks that a difference (§10.1) means; `models`: model files by SHA-256."""
    r = Reader(data)
    require(r.take(4) == b"NLVP" and r.u8() == 0, "no model difference of this version")
    r.name()
    base = r.take(32)
    require(base in models, "the model that a difference starts from is unknown")
    networks = read_model(models[base])
    changes = _Changes(r.u8(), RangeDecoder(r.take(r.remaining)))
    changed = CountingBit()
    for key in sorted(networks):
        if changed.decode(changes.coder):
            changes.apply(networks[key])
    return networks


class _Changes:
    """The string of a difference."""

    def __init__(self, delta: int, coder: RangeDecoder) -> None:
        self._delta = delta
        self.coder = coder
        self._zero: defaultdict[object, CountingBit] = defaultdict(CountingBit)
        self._bits: defaultdict[object, Bit] = defaultdict(Bit)
        self._last_zero = True

    def apply(self, network: Network) -> None:
        """Changes all weights that can change."""
        for number, layer in enumerate(network.layers):
            biases = layer.biases[self._delta if len(layer.biases) > 1 else 0]
            self._change(layer.weights, number, 1)
            self._change(biases, "biases", 1 << np.maximum(0, layer.shifts - 10))
            self._change(layer.multipliers, "multipliers", 4)
            if number == 1:
                self._change(network.linear[self._delta], "linear", 32)
                self._change(network.linear_hidden, "hidden", 4)
                self._change(network.linear_bias[self._delta : self._delta + 1], "linear", 32)

    def _change(self, values: Array, kind: object, unit: int | Array) -> None:
        units = np.broadcast_to(unit, values.shape)
        for place in np.ndindex(values.shape):
            d = signed(
                self.coder,
                self._zero[kind, self._last_zero],
                self._bits[kind, "sign"],
                lambda position: self._bits[kind, "prefix", position],
                lambda _, weight: self._bits[kind, "suffix", weight],
                15,
            )
            self._last_zero = d == 0
            values[place] += d * units[place]


def read_model(data: bytes) -> Networks:
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
