"""Random model files that satisfy every limit of docs/bitstream.md section 5, for tests."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pynlvc.model.modelfile import IntegerLayer, IntegerModel, IntegerNetwork

DELTAS = 3
#: Planes that taps of an I-frame must not read: those of earlier frames.
TEMPORAL_PLANES = frozenset({1, 2, 3, 4, 5, 6, 9, 12})
CUR, ERR, LEVEL = 0, 7, 14


@dataclass(frozen=True, kw_only=True)
class RandomNetwork:
    """Shape of one random network; `extreme` puts the weights at the ends of their ranges."""

    frame_type: int  # 0 I, 1 P
    plane_class: int  # 0..4
    taps: int = 20  # first tap list, 1..255
    errors: int = 12  # second tap list, 0..255
    h1: int = 10  # first hidden layer, 1..255
    h2: int = 7  # second hidden layer, 1..255
    g: int = 9  # layers of the second stage, 1..255
    extreme: bool = False

    def allowed_planes(self) -> list[int]:
        """Context planes that this frame type and plane class may tap."""
        guides = (0, 1, 2, 1, 2)[self.plane_class]
        planes = [*range(8 + 3 * guides), LEVEL]
        return [p for p in planes if self.frame_type == 1 or p not in TEMPORAL_PLANES]


def _taps(rng: np.random.Generator, shape: RandomNetwork, count: int, modes: bool) -> bytes:
    planes = [p for p in shape.allowed_planes() if modes or p != ERR]
    out = bytearray([count])
    for i in range(count):
        plane = planes[i] if i < len(planes) else int(rng.choice(planes))
        dx, dy = (int(v) for v in rng.integers(-3, 4, 2))
        if plane in (CUR, ERR):
            # mostly positions that some slope reveals
            dx, dy = (dx, -abs(dy)) if rng.random() < 0.8 else (dx, dy)
            if (dx, dy) == (0, 0):
                dx = -1
        out += struct.pack("<Bbb", plane, dx, dy)
        if modes:
            out.append(int(rng.integers(0, 2)))
    return bytes(out)


def _layer(
    rng: np.random.Generator,
    shape: RandomNetwork,
    outputs: int,
    *,
    activations: int = 0,  # inputs 0..255, first in a row
    taps: int = 0,  # inputs -127..127
    bias_sets: int = 1,
    output_layer: bool = False,
) -> bytes:
    largest = np.array([255] * activations + [127] * taps)
    if shape.extreme:
        weights = rng.choice(np.array([-64, -63, 0, 63, 64], dtype=np.int8), (outputs, len(largest)))
        if rng.random() < 0.5:
            weights[0] = 64
        room = (1 << 21) - 1 - np.abs(weights.astype(np.int64)) @ largest
        # Rows of 64 over 255 activations alone exceed the bound.
        weights[room < 0] //= 4
        room = (1 << 21) - 1 - np.abs(weights.astype(np.int64)) @ largest
        biases = rng.choice(np.array([-1, 1, 0]), (bias_sets, outputs)) * room
        multipliers = rng.choice(np.array([0, 1, 1022, 1023], dtype=np.uint16), outputs)
        shifts = rng.choice(np.array([1, 2, 12, 14, 21, 22], dtype=np.uint8), outputs)
    else:
        weights = rng.integers(-24, 25, (outputs, len(largest))).astype(np.int8)
        biases = rng.integers(-2000, 2001, (bias_sets, outputs))
        multipliers = rng.integers(200, 1024, outputs).astype(np.uint16)
        shifts = rng.integers(*((19, 22) if output_layer else (12, 15)), outputs).astype(np.uint8)
    parts = (weights, biases.astype("<i4"), multipliers.astype("<u2"), shifts)
    return b"".join(part.tobytes() for part in parts)


def _network(rng: np.random.Generator, shape: RandomNetwork) -> bytes:
    reach = 127 * shape.taps + 255 * shape.h2
    linear_range = min(32512, ((1 << 30) - 100_001) // reach) if shape.extreme else 40
    out = bytes([shape.frame_type, shape.plane_class]) + _taps(rng, shape, shape.taps, modes=False)
    out += bytes([shape.h1, shape.h2]) + _taps(rng, shape, shape.errors, modes=True) + bytes([shape.g])
    out += _layer(rng, shape, shape.h1, taps=shape.taps, bias_sets=DELTAS)
    out += _layer(rng, shape, shape.h2, activations=shape.h1)
    out += rng.integers(-linear_range, linear_range + 1, (DELTAS, shape.taps)).astype("<i2").tobytes()
    out += rng.integers(-linear_range, linear_range + 1, shape.h2).astype("<i2").tobytes()
    out += rng.integers(-1000, 1001, DELTAS).astype("<i4").tobytes()
    out += _layer(rng, shape, shape.g, activations=shape.h2, taps=shape.errors, bias_sets=DELTAS)
    out += _layer(rng, shape, shape.g, activations=shape.g)
    out += _layer(rng, shape, 9, activations=shape.g, output_layer=True)
    return out


def model_file(networks: list[RandomNetwork], *, seed: int = 0, name: str = "random") -> bytes:
    """A model file with the given networks and random weights."""
    rng = np.random.default_rng(seed)
    head = b"NLVM\0" + bytes([len(name)]) + name.encode() + bytes([len(networks)])
    return head + b"".join(_network(rng, shape) for shape in networks)


def random_model(
    *, seed: int = 0, extreme: bool = False, taps: int = 20, errors: int = 12, h1: int = 10, h2: int = 7, g: int = 9
) -> bytes:
    """A model file with all six networks."""
    networks = [
        RandomNetwork(
            frame_type=frame_type, plane_class=plane_class, extreme=extreme, taps=taps, errors=errors, h1=h1, h2=h2, g=g
        )
        for frame_type in (0, 1)
        for plane_class in (0, 1, 2)
    ]
    return model_file(networks, seed=seed)


def moved_model(base: bytes, *, delta: int, seed: int, share: float = 0.3) -> bytes:
    """The model with steps that a difference can hold (docs/bitstream.md section 10.1) on about `share` of the weights
    of slope `delta`, and another name. The first network stays as it is where there are several."""
    rng = np.random.default_rng(seed)
    model = IntegerModel.from_bytes(base)

    def steps(values: NDArray[np.generic], unit: int | NDArray[np.int64], low: int, high: int) -> NDArray[np.int64]:
        change = rng.integers(-9, 10, values.shape) * (rng.random(values.shape) < share) * unit
        aim = values.astype(np.int64) + change
        return np.where((aim >= low) & (aim <= high), aim, values)

    def layer(old: IntegerLayer) -> IntegerLayer:
        bias = old.bias.astype(np.int64)
        unit = 1 << np.maximum(0, old.shift.astype(np.int64) - 10)
        if bias.ndim == 2:
            bias[delta] = steps(bias[delta], unit, -(1 << 15), 1 << 15)
        else:
            bias = steps(bias, unit, -(1 << 15), 1 << 15)
        return replace(
            old,
            weight=steps(old.weight, 1, -64, 64).astype(np.int8),
            bias=bias.astype(np.int32),
            multiplier=steps(old.multiplier, 4, 0, 1023).astype(np.uint16),
        )

    def network(old: IntegerNetwork) -> IntegerNetwork:
        linear, constant = old.linear.astype(np.int64), old.linear_bias.astype(np.int64)
        linear[delta] = steps(linear[delta], 32, -32512, 32512)
        constant[delta] += 32 * int(rng.integers(-3, 4))
        return replace(
            old,
            layer1=layer(old.layer1),
            layer2=layer(old.layer2),
            linear=linear.astype(np.int16),
            hidden_mean=steps(old.hidden_mean, 4, -32512, 32512).astype(np.int16),
            linear_bias=constant.astype(np.int32),
            layer3=layer(old.layer3),
            layer4=layer(old.layer4),
            out=layer(old.out),
        )

    kept = 1 if len(model.networks) > 1 else 0
    networks = (*model.networks[:kept], *(network(n) for n in model.networks[kept:]))
    return replace(model, name="moved", networks=networks).to_bytes()
