"""The integer form of a model and its file (docs/bitstream.md sections 5 and 10)."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pynlvc.errors import ModelError
from pynlvc.model.architecture import OUTPUTS
from pynlvc.model.byte_reader import ByteReader
from pynlvc.model.taps import DELTAS, ContextPlane, Tap

MAGIC = b"NLVM"
VERSION = 0
ACCUMULATOR_LIMIT = 1 << 21
WEIGHT_LIMIT = 64


@dataclass(frozen=True, kw_only=True)
class IntegerLayer:
    """A dense layer: `(multiplier * (bias + weight @ x) + half) >> shift`, row by row."""

    weight: NDArray[np.int8]  # [n_out, n_in], -64..64
    bias: NDArray[np.int32]  # [n_out], or [3, n_out] for δ = 0, 1, 2
    multiplier: NDArray[np.uint16]  # [n_out], 0..1023
    shift: NDArray[np.uint8]  # [n_out], 1..30


@dataclass(frozen=True, kw_only=True)
class IntegerNetwork:
    """The network of one frame type and plane class."""

    frame_type: int  # 0 I, 1 P
    plane_class: int  # 0..4
    inputs: tuple[Tap, ...]
    errors: tuple[Tap, ...]
    layer1: IntegerLayer  # bias [3, h1]
    layer2: IntegerLayer
    linear: NDArray[np.int16]  # [3, n_in], 2^14 is one sample per sample
    hidden_mean: NDArray[np.int16]  # [h2], 2^14 is one sample per activation
    linear_bias: NDArray[np.int32]  # [3], 2^14 is one sample
    layer3: IntegerLayer  # bias [3, g]
    layer4: IntegerLayer
    out: IntegerLayer  # [9, g]


@dataclass(frozen=True, kw_only=True)
class IntegerModel:
    """A model as it is shipped: a name and one network for each frame type and plane class."""

    name: str
    networks: tuple[IntegerNetwork, ...]

    def to_bytes(self) -> bytes:
        """The model file."""
        name = self.name.encode()
        parts = [MAGIC, bytes([VERSION, len(name)]), name, bytes([len(self.networks)])]
        for n in self.networks:
            parts.append(bytes([n.frame_type, n.plane_class, len(n.inputs)]))
            parts += [struct.pack("<Bbb", t.plane, t.dx, t.dy) for t in n.inputs]
            parts.append(bytes([len(n.layer1.weight), len(n.layer2.weight), len(n.errors)]))
            parts += [struct.pack("<BbbB", t.plane, t.dx, t.dy, t.absolute) for t in n.errors]
            parts.append(bytes([len(n.layer3.weight)]))
            parts += _layer_bytes(n.layer1) + _layer_bytes(n.layer2)
            parts += [n.linear.astype("<i2").tobytes(), n.hidden_mean.astype("<i2").tobytes()]
            parts.append(n.linear_bias.astype("<i4").tobytes())
            parts += _layer_bytes(n.layer3) + _layer_bytes(n.layer4) + _layer_bytes(n.out)
        return b"".join(parts)

    @staticmethod
    def from_bytes(data: bytes) -> "IntegerModel":
        """Parses a model file. Raises ModelError when it is not one; the decoder checks the limits of section 5."""
        reader = _Reader(data, "model file")
        if reader.take(4) != MAGIC or reader.byte() != VERSION:
            raise ModelError("not an NLVC model file of version 0")
        name = reader.take(reader.byte()).decode()
        networks = tuple(_read_network(reader) for _ in range(reader.byte()))
        reader.expect_end()
        return IntegerModel(name=name, networks=networks)


def _layer_bytes(layer: IntegerLayer) -> list[bytes]:
    return [
        layer.weight.astype(np.int8).tobytes(),
        layer.bias.astype("<i4").tobytes(),
        layer.multiplier.astype("<u2").tobytes(),
        layer.shift.astype(np.uint8).tobytes(),
    ]


class _Reader(ByteReader):
    def layer(self, n_out: int, n_in: int, biases: int = 0) -> IntegerLayer:
        return IntegerLayer(
            weight=self.array("i1", n_out, n_in),
            bias=self.array("<i4", *((biases, n_out) if biases else (n_out,))),
            multiplier=self.array("<u2", n_out),
            shift=self.array("u1", n_out),
        )


def _read_network(r: _Reader) -> IntegerNetwork:
    frame_type, plane_class = r.byte(), r.byte()
    inputs = []
    for _ in range(r.byte()):
        plane, dx, dy = struct.unpack("<Bbb", r.take(3))
        inputs.append(Tap(plane=ContextPlane(plane), dx=dx, dy=dy))
    h1, h2 = r.byte(), r.byte()
    errors = []
    for _ in range(r.byte()):
        plane, dx, dy, mode = struct.unpack("<BbbB", r.take(4))
        errors.append(Tap(plane=ContextPlane(plane), dx=dx, dy=dy, absolute=bool(mode)))
    g = r.byte()
    sets = len(DELTAS)
    return IntegerNetwork(
        frame_type=frame_type,
        plane_class=plane_class,
        inputs=tuple(inputs),
        errors=tuple(errors),
        layer1=r.layer(h1, len(inputs), sets),
        layer2=r.layer(h2, h1),
        linear=r.array("<i2", sets, len(inputs)),
        hidden_mean=r.array("<i2", h2),
        linear_bias=r.array("<i4", sets),
        layer3=r.layer(g, h2 + len(errors), sets),
        layer4=r.layer(g, g),
        out=r.layer(OUTPUTS, g),
    )
