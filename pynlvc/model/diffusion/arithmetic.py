"""The exact arithmetic of the transformer: integers held in float32, sums below 2^24 (docs/diffusion.md §3).

Float32 holds every integer up to 2^24, so a product of matrices whose entries are integers and whose partial sums all
stay below that is exact in whatever order, with whatever instructions, on whatever device it is added up. `DEFINITION`
computes the same over 64-bit integers, to compare with; `ANY_DEVICE` is PyTorch alone. The same for processors, in
native code: `pynlvc/model/diffusion/native.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from pynlvc.model.device import exact_products
from pynlvc.model.diffusion.modelfile import LIMIT, DenseLayer
from pynlvc.model.diffusion.shape import LAG, TOKENS

OCTAVE = 32  # steps of a score
SUM_BITS = 17  # weights of a row are scaled to sum below 2^17: times a value of 7 bits stays below 2^24
FARTHEST = 13 * OCTAVE - 1  # steps below the highest score where the weight is 0
HIDDEN = -(1 << 24)  # score of a key outside the picture


@dataclass(frozen=True)
class Keys:
    """What attention weights depend on beside the products of queries and keys."""

    falloff: Tensor  # int32 [H]
    distance: Tensor  # int32 [1024, 1024] by rank, squared samples
    start: int  # rank of the first query
    absent: Tensor | None  # bool [B, 1024] by rank, keys outside the picture; None: there are none


class Dense(Protocol):
    """A dense layer ready to run. Both return int32 [B, n, n_out]; kinds: int64 [B], which bias (None: the first)."""

    def of_activations(self, x: Tensor, kinds: Tensor | None = None) -> Tensor:
        """x: float32 [B, n, n_in] of integers -127..127."""
        ...

    def of_stream(self, r: Tensor, kinds: Tensor | None = None) -> Tensor:
        """r: int32 [B, n, n_in], the residual stream, whose activations are the inputs."""
        ...


class Memory(Protocol):
    """Keys and values of the revealed tokens of a batch of patches, for one attention block."""

    def remember(self, start: int, r: Tensor, content: Tensor) -> None:
        """Tokens of ranks from `start` on are known: r int32 [B, n, width], content float32 [B, n, 4]."""
        ...

    def attend(self, start: int, r: Tensor) -> Tensor:
        """r int32 [B, n, width] of ranks from `start` on, with what attention adds."""
        ...


@dataclass(frozen=True)
class AttentionParts:
    """An attention block ready to run."""

    query: Any  # the four are of the engine's own kind of Dense
    key: Any
    values: Any
    out: Any
    falloff: Tensor  # int32 [heads]
    key_size: int  # of a head


class Engine(Protocol):
    """How the network is computed; all engines give the same integers."""

    @property
    def rows(self) -> int:
        """Tokens of a patch that go through attention at once where all are known."""
        ...

    def dense(self, layer: DenseLayer, device: torch.device) -> Dense:
        """Lays out a layer."""
        ...

    def feed_forward(self, r: Tensor, inner: Any, outer: Any) -> Tensor:
        """The stream int32 [B, n, width] after a feed-forward block."""
        ...

    def memory(self, parts: AttentionParts, batch: int, distance: Tensor, absent: Tensor | None) -> Memory:
        """An empty memory. distance: int32 [1024, 1024]; absent: bool [B, 1024], tokens outside the picture (None:
        none), both by rank."""
        ...


def attention_weight(below: Tensor) -> Tensor:
    """4096 * 2^(-below / 32), linear within an octave; int32, 0 from 13 octaves on."""
    below = below.clamp_max(FARTHEST)
    return ((2 * OCTAVE - (below & (OCTAVE - 1))) << 6) >> (below >> 5)


def weigh(products: Tensor, keys: Keys) -> tuple[Tensor, Tensor]:
    """Integer softmax over the keys that are seen and some sinks of score 0.

    products: float32 [B, H, n, m] of integers. Returns weights as integers in float32 [B, H, n, m], each row with its
    sinks below 2^17, and that sum int32 [B, H, n, 1].
    """
    rows, columns = products.shape[2:]
    ranks = torch.arange(keys.start, keys.start + rows, device=products.device)[:, None]
    seen = torch.arange(columns, device=products.device) <= ranks - LAG
    scores = products.to(torch.int32) >> 5
    scores -= (keys.falloff[:, None, None] * keys.distance[keys.start : keys.start + rows, :columns]) >> 11
    if keys.absent is not None:
        scores = scores.masked_fill(keys.absent[:, None, None, :columns], HIDDEN)
    highest = scores.masked_fill(~seen, HIDDEN).amax(3, keepdim=True).clamp_min_(0)
    weights = attention_weight(highest - scores) * seen
    sink = attention_weight(highest)
    sinks = (ranks + 1).clamp_max(LAG).to(torch.int32)
    total = weights.sum(3, keepdim=True, dtype=torch.int32) + sinks * sink
    shift = (_bit_length(total) - SUM_BITS).clamp_min_(0)
    weights >>= shift
    return weights.float(), weights.sum(3, keepdim=True, dtype=torch.int32) + sinks * (sink >> shift)


def _bit_length(x: Tensor) -> Tensor:
    """Bits of positive int32 numbers below 2^24: exact, as float32 holds them."""
    return torch.frexp(x.float()).exponent


def _multiply_integers(a: Tensor, b: Tensor) -> Tensor:
    return torch.matmul(a.to(torch.int64), b.to(torch.int64)).float()


def _multiply_floats(a: Tensor, b: Tensor) -> Tensor:
    with exact_products:
        return torch.matmul(a, b)


def weighted_mean(
    weights: Tensor, total: Tensor, values: Tensor, multiply: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """The mean of values float32 [B, H, m, d] under weights, rounded: float32 [B, H, n, d] of integers -127..127."""
    sums = multiply(weights, values).to(torch.int32)
    return torch.div(2 * sums + total, 2 * total, rounding_mode="floor").float()


def activation(x: Tensor, low: int = -LIMIT) -> Tensor:
    """int32 -> float32 of integers `low`..127."""
    return x.clamp(low, LIMIT).float()


def stream_activation(r: Tensor) -> Tensor:
    """The residual stream int32, 1/16 of an activation, as activations float32 -127..127."""
    return activation((r + 8) >> 4)


class TorchDense:
    """Implements Dense; multiply: a @ b of integers in float32 as integers in float32."""

    def __init__(self, layer: DenseLayer, device: torch.device, multiply: Callable[[Tensor, Tensor], Tensor]):
        self._weight = torch.from_numpy(layer.weight.T.astype("f4")).to(device)
        self._bias = torch.from_numpy(layer.bias.astype("f4")).to(device)
        self._multiplier = torch.from_numpy(layer.multiplier.astype("i4")).to(device)
        self._shift = torch.from_numpy(layer.shift.astype("i4")).to(device)
        self._half = (1 << self._shift) >> 1
        self._multiply = multiply

    def of_activations(self, x: Tensor, kinds: Tensor | None = None) -> Tensor:
        """See Dense."""
        bias = self._bias[0] if kinds is None else self._bias[kinds][:, None]
        total = (self._multiply(x, self._weight) + bias).to(torch.int32)
        return (total * self._multiplier + self._half) >> self._shift

    def of_stream(self, r: Tensor, kinds: Tensor | None = None) -> Tensor:
        """See Dense."""
        return self.of_activations(stream_activation(r), kinds)


class TorchMemory:
    """Implements Memory."""

    def __init__(
        self,
        parts: AttentionParts,
        batch: int,
        distance: Tensor,
        absent: Tensor | None,
        multiply: Callable[[Tensor, Tensor], Tensor],
    ):
        self._parts, self._distance, self._absent, self._multiply = parts, distance, absent, multiply
        self._keys: Tensor | None = None  # [B, heads, d, 1024]
        self._values: Tensor | None = None  # [B, heads, 1024, d]

    def _split(self, x: Tensor) -> Tensor:
        """[B, n, heads * d] -> [B, heads, n, d]"""
        return activation(x).unflatten(2, (len(self._parts.falloff), -1)).transpose(1, 2)

    def remember(self, start: int, r: Tensor, content: Tensor) -> None:
        """See Memory."""
        known = torch.cat([stream_activation(r), content], 2)
        keys = self._split(self._parts.key.of_activations(known)).transpose(2, 3)
        values = self._split(self._parts.values.of_activations(known))
        if self._keys is None or self._values is None:
            self._keys = keys.new_zeros(*keys.shape[:3], TOKENS)
            self._values = values.new_zeros(*values.shape[:2], TOKENS, values.shape[3])
        stop = start + r.shape[1]
        self._keys[:, :, :, start:stop] = keys
        self._values[:, :, start:stop] = values

    def attend(self, start: int, r: Tensor) -> Tensor:
        """See Memory."""
        batch, n, _ = r.shape
        seen = max(0, start + n - LAG)
        if seen == 0:
            return r + self._parts.out.of_activations(torch.zeros_like(r, dtype=torch.float32))
        assert self._keys is not None and self._values is not None, "earlier tokens are remembered"
        queries = self._split(self._parts.query.of_stream(r))
        products = self._multiply(queries, self._keys[:, :, :, :seen])
        weights, total = weigh(products, Keys(self._parts.falloff, self._distance, start, self._absent))
        mixed = weighted_mean(weights, total, self._values[:, :, :seen], self._multiply)
        return r + self._parts.out.of_activations(mixed.transpose(1, 2).reshape(batch, n, -1))


@dataclass(frozen=True)
class TorchEngine:
    """Implements Engine with products of matrices."""

    multiply: Callable[[Tensor, Tensor], Tensor]
    rows: int = 128

    def dense(self, layer: DenseLayer, device: torch.device) -> TorchDense:
        """See Engine."""
        return TorchDense(layer, device, self.multiply)

    def feed_forward(self, r: Tensor, inner: TorchDense, outer: TorchDense) -> Tensor:
        """See Engine."""
        return r + outer.of_activations(activation(inner.of_stream(r), 0))

    def memory(self, parts: AttentionParts, batch: int, distance: Tensor, absent: Tensor | None) -> TorchMemory:
        """See Engine."""
        return TorchMemory(parts, batch, distance, absent, self.multiply)


DEFINITION = TorchEngine(_multiply_integers)
ANY_DEVICE = TorchEngine(_multiply_floats)
