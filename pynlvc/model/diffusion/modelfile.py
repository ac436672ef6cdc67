"""The integer form of the masked-diffusion transformer and its file (docs/diffusion.md §3 and §5)."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from pynlvc.errors import ModelError
from pynlvc.model.byte_reader import ByteReader
from pynlvc.model.diffusion.shape import CLASSES, CONTENT, EXPERTS, NEIGHBOURS, OUTPUTS, DiffusionShape

MAGIC = b"NLVD"
VERSION = 0
LIMIT = 127  # of weights and activations
SUM_LIMIT = 1 << 22  # of a dense row: products with a multiplier then fit 32 bits, and sums are exact in float32
MULTIPLIER_LIMIT = 511
LARGEST_SHIFT = 22
FALLOFF_LIMIT = 1 << 19
LINEAR_LIMIT = 1 << 30  # of the linear part, 2^14 is one sample
SLOPES = 3


@dataclass(frozen=True, kw_only=True)
class DenseLayer:
    """`(multiplier * (bias + weight @ x) + half) >> shift`, row by row."""

    weight: NDArray[np.int8]  # [n_out, n_in], -127..127
    bias: NDArray[np.int32]  # [biases, n_out]
    multiplier: NDArray[np.uint16]  # [n_out], 0..511
    shift: NDArray[np.uint8]  # [n_out], 1..22


@dataclass(frozen=True, kw_only=True)
class FeedForwardLayers:
    """A feed-forward block."""

    inner: DenseLayer  # [hidden, width], to activations
    outer: DenseLayer  # [width, hidden], to the stream


@dataclass(frozen=True, kw_only=True)
class AttentionLayers:
    """An attention block."""

    query: DenseLayer  # [heads * key, width], to activations
    key: DenseLayer  # [heads * key, width + CONTENT], to activations
    values: DenseLayer  # [width, width + CONTENT], to activations
    out: DenseLayer  # [width, width], to the stream
    falloff: NDArray[np.int32]  # [heads], 0..2^19: loss of score by squared distance, 2^-16 octaves


@dataclass(frozen=True, kw_only=True)
class IntegerNetwork:
    """The network of one frame type, in the order of the file."""

    shape: DiffusionShape
    embed: DenseLayer  # [width, inputs], a bias for each kind of plane, to the stream
    before: FeedForwardLayers
    attention1: AttentionLayers
    between: FeedForwardLayers
    gate: DenseLayer  # [experts, width], a bias for each kind of plane, to 1/32 octave
    linear: NDArray[np.int16]  # [3 slopes, experts, neighbours + references], 2^14 is one sample per sample
    hidden_mean: NDArray[np.int16]  # [width], 2^14 is one sample per activation
    errors: DenseLayer  # [width, neighbours], to the stream
    attention2: AttentionLayers
    after: FeedForwardLayers
    out: DenseLayer  # [9, width], a bias for each kind of plane
    temperature: NDArray[np.int8]  # [3 slopes, 3 kinds], added to the three scale outputs


@dataclass(frozen=True, kw_only=True)
class DiffusionModel:
    """A model as it is shipped."""

    name: str  # printable ASCII
    networks: tuple[IntegerNetwork, IntegerNetwork]  # of I- and P-frames

    def to_bytes(self) -> bytes:
        """The model file."""
        name = self.name.encode("ascii")
        parts = [MAGIC, bytes([VERSION, len(name)]), name]
        for net in self.networks:
            s = net.shape
            parts.append(bytes([s.width, s.hidden, s.heads, s.key]))
            parts += [_array_bytes(array) for array in _arrays(net)]
        return b"".join(parts)

    @staticmethod
    def from_bytes(data: bytes) -> "DiffusionModel":
        """Parses a model file and proves its limits. Raises ModelError."""
        reader = _Reader(data, "diffusion model file")
        if reader.take(4) != MAGIC or reader.byte() != VERSION:
            raise ModelError("not a diffusion model file of version 0")
        name = reader.take(reader.byte()).decode("ascii", "replace")
        networks = (_read_network(reader, 0), _read_network(reader, 1))
        reader.expect_end()
        return DiffusionModel(name=name, networks=networks)


def _arrays(layers: object) -> list[NDArray]:
    """All arrays of a network, in the order of its fields."""
    found: list[NDArray] = []
    for entry in fields(layers):  # type: ignore[arg-type] # all of these are dataclasses
        value = getattr(layers, entry.name)
        if isinstance(value, np.ndarray):
            found.append(value)
        elif not isinstance(value, DiffusionShape):
            found += _arrays(value)
    return found


def _array_bytes(array: NDArray) -> bytes:
    return array.astype(array.dtype.newbyteorder("<")).tobytes()


class _Reader(ByteReader):
    def dense(self, n_out: int, n_in: int, biases: int = 1) -> DenseLayer:
        layer = DenseLayer(
            weight=self.array("i1", n_out, n_in),
            bias=self.array("<i4", biases, n_out),
            multiplier=self.array("<u2", n_out),
            shift=self.array("u1", n_out),
        )
        _check_dense(layer)
        return layer

    def feed_forward(self, s: DiffusionShape) -> FeedForwardLayers:
        return FeedForwardLayers(inner=self.dense(s.hidden, s.width), outer=self.dense(s.width, s.hidden))

    def attention(self, s: DiffusionShape) -> AttentionLayers:
        layers = AttentionLayers(
            query=self.dense(s.heads * s.key, s.width),
            key=self.dense(s.heads * s.key, s.width + CONTENT),
            values=self.dense(s.width, s.width + CONTENT),
            out=self.dense(s.width, s.width),
            falloff=self.array("<i4", s.heads),
        )
        if (layers.falloff < 0).any() or (layers.falloff > FALLOFF_LIMIT).any():
            raise ModelError("diffusion model file: a falloff is not in 0 to 2^19")
        return layers


def _check_dense(layer: DenseLayer) -> None:
    weight = np.abs(layer.weight.astype(np.int64))
    largest = weight.sum(1) * LIMIT + np.abs(layer.bias.astype(np.int64)).max(0)
    within = weight.max() <= LIMIT and largest.max() < SUM_LIMIT and layer.multiplier.max() <= MULTIPLIER_LIMIT
    if not within or layer.shift.min() < 1 or layer.shift.max() > LARGEST_SHIFT:
        raise ModelError("diffusion model file: a layer breaks the limits of docs/diffusion.md §5")


def _read_network(r: _Reader, frame_type: int) -> IntegerNetwork:
    width, hidden, heads, key = (r.byte() for _ in range(4))
    if not (8 <= width <= 120 and 8 <= hidden <= 128 and 1 <= heads <= 8 and 4 <= key <= 124 and width % heads == 0):
        raise ModelError("diffusion model file: the sizes of a network break the limits of docs/diffusion.md §5")
    s = DiffusionShape(frame_type=frame_type, width=width, hidden=hidden, heads=heads, key=key)
    net = IntegerNetwork(
        shape=s,
        embed=r.dense(s.width, s.inputs, CLASSES),
        before=r.feed_forward(s),
        attention1=r.attention(s),
        between=r.feed_forward(s),
        gate=r.dense(EXPERTS, s.width, CLASSES),
        linear=r.array("<i2", SLOPES, EXPERTS, len(NEIGHBOURS) + s.references),
        hidden_mean=r.array("<i2", s.width),
        errors=r.dense(s.width, len(NEIGHBOURS)),
        attention2=r.attention(s),
        after=r.feed_forward(s),
        out=r.dense(OUTPUTS, s.width, CLASSES),
        temperature=r.array("i1", SLOPES, CLASSES),
    )
    linear = np.abs(net.linear.astype(np.int64)).sum(2).max() + np.abs(net.hidden_mean.astype(np.int64)).sum()
    if linear * LIMIT >= LINEAR_LIMIT:
        raise ModelError("diffusion model file: the linear part breaks the limits of docs/diffusion.md §5")
    return net
