"""The integer transformer: distributions of tokens, group by group or all at once (docs/diffusion.md §3).

Equal on every device, for every batch size and however the tokens are split into calls.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pynlvc.model.diffusion.arithmetic import (
    ANY_DEVICE,
    AttentionParts,
    Dense,
    Engine,
    activation,
    attention_weight,
    stream_activation,
)
from pynlvc.model.diffusion.modelfile import LIMIT, AttentionLayers, DenseLayer, FeedForwardLayers, IntegerNetwork
from pynlvc.model.diffusion.native import PROCESSOR
from pynlvc.model.diffusion.order import slope_order
from pynlvc.model.diffusion.shape import NEIGHBOURS, PATCH, PLACE, REFERENCE_REACH, REFERENCE_TAPS, TOKENS

MAXIMUM = 255
MASK_INPUT = 32
SCALE_OUTPUTS = 6  # the first of the three scales


@dataclass(frozen=True)
class SlopeTables:
    """What depends on the slope alone, by rank."""

    tokens: Tensor  # int64 [1024]
    neighbours: Tensor  # int64 [1024, 48]
    shown: Tensor  # float32 [1024, 48], 0 or 1
    beside: Tensor  # int64 [1024, 3]
    beside_shown: Tensor  # bool [1024, 3]
    place: Tensor  # float32 [1024, 2], inputs
    distance: Tensor  # int32 [1024, 1024], squared samples
    reference: Tensor  # int64 [1024, 24], into [36 * 36]
    centre: Tensor  # int64 [1024], the same
    groups: tuple[tuple[int, int], ...]  # ranks [start, stop) of each group


@lru_cache(maxsize=6)
def slope_tables(delta: int, device: torch.device) -> SlopeTables:
    """The tables of one slope."""
    order = slope_order(delta)
    neighbours, shown = order.neighbours()
    beside, beside_shown = order.beside()
    y, x = np.divmod(order.tokens, PATCH)
    distance = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    wide = PATCH + 2 * REFERENCE_REACH
    centre = (y + REFERENCE_REACH) * wide + x + REFERENCE_REACH
    around = centre[:, None] + np.array([dy * wide + dx for dx, dy in REFERENCE_TAPS])
    starts = [0, *(np.flatnonzero(np.diff(order.groups)) + 1).tolist(), TOKENS]

    def moved(array: NDArray, kind: str | None = None) -> Tensor:
        return torch.from_numpy(array if kind is None else array.astype(kind)).to(device)

    return SlopeTables(
        tokens=moved(order.tokens),
        neighbours=moved(neighbours),
        shown=moved(shown, "f4"),
        beside=moved(beside),
        beside_shown=moved(beside_shown),
        place=moved(8 * np.stack([x, y], 1) - 124, "f4"),
        distance=moved(distance, "i4"),
        reference=moved(around),
        centre=moved(centre),
        groups=tuple(itertools.pairwise(starts)),
    )


class NetworkRunner:
    """One network on a device."""

    def __init__(self, net: IntegerNetwork, device: torch.device, engine: Engine | None = None):
        self.shape = net.shape
        self.device = device
        chosen: Engine = engine or (PROCESSOR if device.type == "cpu" else ANY_DEVICE)
        self.engine = chosen

        def dense(layer: DenseLayer) -> Dense:
            return chosen.dense(layer, device)

        def attention(layers: AttentionLayers) -> AttentionParts:
            query, key, values, out = map(dense, (layers.query, layers.key, layers.values, layers.out))
            falloff = torch.from_numpy(layers.falloff.astype("i4")).to(device)
            return AttentionParts(query, key, values, out, falloff, net.shape.key)

        def feed_forward(layers: FeedForwardLayers) -> Callable[[Tensor], Tensor]:
            return partial(chosen.feed_forward, inner=dense(layers.inner), outer=dense(layers.outer))

        self.embed = dense(net.embed)
        self.before = feed_forward(net.before)
        self.attention = (attention(net.attention1), attention(net.attention2))
        self.between = feed_forward(net.between)
        self.errors = dense(net.errors)
        self.after = feed_forward(net.after)
        self.out = dense(net.out)
        self.gate = dense(net.gate)
        # Sums of the linear part stay below 2^30, times weights of 12 bits below 2^53: exact in float64 in any order.
        self.linear = torch.from_numpy(net.linear.astype("f8")).to(device)
        self.hidden_mean = torch.from_numpy(net.hidden_mean.astype("f8")).to(device)
        self.temperature = torch.from_numpy(net.temperature.astype("i4")).to(device)


@dataclass(frozen=True)
class PatchBatch:
    """Patches of one frame type; they may be of any planes of any frames."""

    kinds: NDArray[np.int64]  # [B] kind of plane
    reference: NDArray[np.float32] | None  # [B, 36, 36] the previous frame there and 2 samples around
    present: NDArray[np.bool_]  # [B, 1024] by token: inside the picture


class PatchCoder:
    """The state of a batch of patches while its tokens are revealed."""

    def __init__(self, net: NetworkRunner, batch: PatchBatch, delta: int):
        device = net.device
        self._net = net
        self._tables = t = slope_tables(delta, device)
        self._kinds = torch.from_numpy(batch.kinds).to(device)
        self._linear = net.linear[delta].T
        self._temperature = net.temperature[delta][self._kinds][:, None, None]
        count = len(batch.kinds)
        present = torch.from_numpy(batch.present).to(device)
        self._present = present.float()
        self._samples = torch.zeros(count, TOKENS, device=device)  # by token; 0 where not yet revealed
        self._errors = torch.zeros(count, TOKENS, device=device)
        self._here = self._around = None
        if batch.reference is not None:
            flat = torch.from_numpy(batch.reference).to(device).flatten(1)
            self._anchors = flat[:, t.centre]
            self._here = torch.empty_like(self._anchors)
            self._here[:, t.tokens] = self._anchors
            self._around = (flat[:, t.reference] - self._anchors[:, :, None]).clamp_(-LIMIT, LIMIT)
        else:
            self._anchors = torch.zeros(count, TOKENS, device=device)  # by rank, known with the tokens around
        absent = None if batch.present.all() else ~present[:, t.tokens]
        self._memory = [net.engine.memory(parts, count, t.distance, absent) for parts in net.attention]
        self._pending: tuple[Tensor, Tensor] | None = None

    def predict(self, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """(outputs int32 [B, n, 9], mean int32 [B, n] in 1/32 sample) of ranks [start, stop), all of one group."""
        first = self._embed(start, stop)
        r, mean = self._stage1(first, start, stop)
        second, outputs = self._stage2(r, start, stop)
        self._pending = first, second
        self._mean = mean
        return outputs, mean

    def reveal(self, start: int, stop: int, samples: Tensor) -> None:
        """The samples of the ranks that were predicted last, float32 [B, n]."""
        assert self._pending is not None
        first, second = self._pending
        self._place_samples(start, stop, samples)
        self._remember1(first, start, stop)
        self._place_errors(start, stop, self._mean)
        self._remember2(second, start, stop)

    def predict_all(self, samples: Tensor, rows: int | None = None) -> tuple[Tensor, Tensor]:
        """The same as predict and reveal for every group, with all samples [B, 1024] (by rank) known: for encoders.
        rows: ranks that go through attention at once (None: as the engine likes it)."""
        rows = rows or self._net.engine.rows
        spans = [(start, min(TOKENS, start + rows)) for start in range(0, TOKENS, rows)]
        self._place_samples(0, TOKENS, samples)
        first = self._embed(0, TOKENS)
        self._remember1(first, 0, TOKENS)
        parts = [self._stage1(first[:, a:b], a, b) for a, b in spans]
        mean = torch.cat([m for _, m in parts], 1)
        self._place_errors(0, TOKENS, mean)
        stream = torch.cat([r for r, _ in parts], 1) + self._error_stream(0, TOKENS)
        self._remember2(stream, 0, TOKENS)
        return torch.cat([self._finish(stream[:, a:b], a, b) for a, b in spans], 1), mean

    def _embed(self, start: int, stop: int) -> Tensor:
        """The stream before attention 1; fixes the anchors."""
        t = self._tables
        index, shown = t.neighbours[start:stop], t.shown[start:stop]
        if self._here is None:
            self._anchors[:, start:stop] = self._median_edge(start, stop)
        anchors = self._anchors[:, start:stop]
        shown = shown * self._present[:, index]
        if self._here is None:
            differences = self._samples[:, index] - anchors[:, :, None]
        else:
            differences = (self._samples - self._here)[:, index]
        self._differences = differences.clamp_(-LIMIT, LIMIT) * shown
        place = torch.empty(*anchors.shape, PLACE, device=anchors.device)
        place[:, :, 0] = (anchors - (MAXIMUM + 1) // 2).clamp_min(-LIMIT)
        place[:, :, 1:] = t.place[start:stop]
        inputs = [self._differences, shown * MASK_INPUT, place]
        if self._around is not None:
            inputs.append(self._around[:, start:stop])
        return self._net.before(self._net.embed.of_activations(torch.cat(inputs, 2), self._kinds))

    def _median_edge(self, start: int, stop: int) -> Tensor:
        index = self._tables.beside[start:stop]
        shown = self._tables.beside_shown[start:stop] & (self._present[:, index] > 0)
        west, north, corner = self._samples[:, index].unbind(2)
        has_west, has_north, has_corner = shown.unbind(2)
        low, high = torch.minimum(west, north), torch.maximum(west, north)
        edge = torch.where(corner <= low, high, torch.where(corner >= high, low, west + north - corner))
        both = torch.where(has_corner, edge, torch.floor((west + north + 1) / 2))
        middle = torch.full_like(west, (MAXIMUM + 1) // 2)
        single = torch.where(has_west, west, torch.where(has_north, north, middle))
        return torch.where(has_west & has_north, both, single)

    def _stage1(self, r: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """(stream, mean)"""
        net = self._net
        r = net.between(self._memory[0].attend(start, r))
        taps = len(NEIGHBOURS)
        offset = stop - start - self._differences.shape[1]
        differences = self._differences if offset == 0 else self._differences[:, start:stop]
        lines = differences.double() @ self._linear[:taps]
        if self._around is not None:
            lines += self._around[:, start:stop].double() @ self._linear[taps:]
        a = stream_activation(r)
        scores = net.gate.of_activations(a, self._kinds)
        weights = attention_weight(scores.amax(2, keepdim=True) - scores)
        blended = (weights * lines).sum(2).to(torch.int64)
        change = torch.div(blended, weights.sum(2), rounding_mode="floor").to(torch.int32)
        change += (a.double() @ net.hidden_mean).to(torch.int32)
        mean = self._anchors[:, start:stop].to(torch.int32) * 32 + ((change + 256) >> 9)
        return r, mean.clamp_(0, MAXIMUM * 32)

    def _error_stream(self, start: int, stop: int) -> Tensor:
        t = self._tables
        return self._net.errors.of_activations(self._errors[:, t.neighbours[start:stop]] * t.shown[start:stop])

    def _stage2(self, r: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """(stream before attention 2, outputs)"""
        r = r + self._error_stream(start, stop)
        return r, self._finish(r, start, stop)

    def _finish(self, r: Tensor, start: int, stop: int) -> Tensor:
        net = self._net
        r = net.after(self._memory[1].attend(start, r))
        outputs = net.out.of_stream(r, self._kinds)
        outputs[:, :, SCALE_OUTPUTS:] += self._temperature
        return outputs

    def _place_samples(self, start: int, stop: int, samples: Tensor) -> None:
        tokens = self._tables.tokens[start:stop]
        self._samples[:, tokens] = samples * self._present[:, tokens]

    def _place_errors(self, start: int, stop: int, mean: Tensor) -> None:
        tokens = self._tables.tokens[start:stop]
        errors = (self._samples[:, tokens].to(torch.int32) * 32 - mean + 4) >> 3
        self._errors[:, tokens] = activation(errors) * self._present[:, tokens]

    def _remember1(self, r: Tensor, start: int, stop: int) -> None:
        samples = self._samples[:, self._tables.tokens[start:stop]]
        d = samples - self._anchors[:, start:stop]
        level = torch.floor(samples / 2) - 64
        wide = (8 * d).clamp(-LIMIT, LIMIT)
        content = torch.stack([d.clamp(-LIMIT, LIMIT), wide, wide.abs(), level], 2)
        self._memory[0].remember(start, r, content)

    def _remember2(self, r: Tensor, start: int, stop: int) -> None:
        e = self._errors[:, self._tables.tokens[start:stop]]
        wide = (8 * e).clamp(-LIMIT, LIMIT)
        content = torch.stack([e, wide, (2 * e).abs().clamp_max(LIMIT), wide.abs()], 2)
        self._memory[1].remember(start, r, content)
