"""The exact arithmetic of the transformer: integers held in float32, sums below 2^24 (docs/diffusion.md §3).

Float32 holds every integer up to 2^24, so a product of matrices whose entries are integers and whose partial sums all
stay below that is exact in whatever order, with whatever instructions, on whatever device it is added up. `DEFINITION`
computes the same over 64-bit integers, to compare with; `ANY_DEVICE` is PyTorch alone; `PROCESSOR` makes attention
weights in native code.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pynlvc import _core
from pynlvc.model.diffusion.modelfile import LIMIT, DenseLayer
from pynlvc.model.diffusion.shape import LAG

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


@dataclass(frozen=True)
class Engine:
    """How the two costly steps are computed; all engines give the same integers."""

    multiply: Callable[[Tensor, Tensor], Tensor]  # a @ b of integers in float32 as integers in float32
    weigh: Callable[[Tensor, Keys], tuple[Tensor, Tensor]]  # as `weigh` below


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


def _weigh_natively(products: Tensor, keys: Keys) -> tuple[Tensor, Tensor]:
    """The same in one pass over each row; on the processor, in place."""
    products = products.contiguous()
    totals = torch.empty(products.shape[:3], dtype=torch.int32)
    absent = None if keys.absent is None else keys.absent.numpy()
    _core.attention_weights(
        products.numpy(), totals.numpy(), keys.falloff.numpy(), keys.distance.numpy(), keys.start, absent
    )
    return products, totals[..., None]


def _multiply_integers(a: Tensor, b: Tensor) -> Tensor:
    return torch.matmul(a.to(torch.int64), b.to(torch.int64)).float()


DEFINITION = Engine(_multiply_integers, weigh)
ANY_DEVICE = Engine(torch.matmul, weigh)
PROCESSOR = Engine(torch.matmul, _weigh_natively)


def weighted_mean(weights: Tensor, total: Tensor, values: Tensor, engine: Engine) -> Tensor:
    """The mean of values float32 [B, H, m, d] under weights, rounded: float32 [B, H, n, d] of integers -127..127."""
    sums = engine.multiply(weights, values).to(torch.int32)
    return torch.div(2 * sums + total, 2 * total, rounding_mode="floor").float()


class Dense:
    """A dense layer ready to run on a device."""

    def __init__(self, layer: DenseLayer, device: torch.device, engine: Engine):
        self._weight = torch.from_numpy(layer.weight.T.astype("f4")).to(device)
        self._bias = torch.from_numpy(layer.bias.astype("f4")).to(device)
        self._multiplier = torch.from_numpy(layer.multiplier.astype("i4")).to(device)
        self._shift = torch.from_numpy(layer.shift.astype("i4")).to(device)
        self._half = (1 << self._shift) >> 1
        self._multiply = engine.multiply

    def __call__(self, x: Tensor, kinds: Tensor | None = None) -> Tensor:
        """x: float32 [B, n, n_in] of integers; kinds: int64 [B], which bias. Returns int32 [B, n, n_out]."""
        bias = self._bias if kinds is None else self._bias[kinds][:, None]
        total = (self._multiply(x, self._weight) + bias).to(torch.int32)
        return (total * self._multiplier + self._half) >> self._shift


def activation(x: Tensor, low: int = -LIMIT) -> Tensor:
    """int32 -> float32 of integers `low`..127."""
    return x.clamp(low, LIMIT).float()


def stream_activation(r: Tensor) -> Tensor:
    """The residual stream int32, 1/16 of an activation, as activations float32 -127..127."""
    return activation((r + 8) >> 4)
