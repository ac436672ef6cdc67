"""Context planes and the network, a group of samples at a time (docs/bitstream.md §4, §5)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tests.reference_decoder.corrections import Correction
from tests.reference_decoder.model import CUR, ERR, Layer, Network, Tap

Array = NDArray[np.int64]
GUIDE_CUR, GUIDE_REF, GUIDE_ERR, LEVEL = (8, 11), (9, 12), (10, 13), 14
WITHOUT_ANCHOR = (6, 7, 10, 13)


def clip(values: Array, low: int, high: int) -> Array:
    return np.minimum(np.maximum(values, low), high)


def reduce(plane: Array, sx: int, sy: int, rows: int, columns: int) -> Array:
    """A guide's rows of the slice on a coarser grid of rows x columns."""
    if sx == sy == 0:
        return plane
    y, x = np.mgrid[:rows, :columns]
    total = np.zeros((rows, columns), np.int64)
    for j in range(1 << sy):
        for i in range(1 << sx):
            total += plane[np.minimum((y << sy) + j, len(plane) - 1), np.minimum((x << sx) + i, plane.shape[1] - 1)]
    return (total + (1 << (sx + sy) >> 1)) >> (sx + sy)


@dataclass
class PlanePart:
    """The rows of one plane in one slice while they are decoded; row 0 is the first of the slice."""

    depth: int
    q: int
    delta: int
    intra: bool
    top: int  # the slice's first row in the plane
    samples: Array  # [rows, columns], to be filled
    errors: Array  # the same
    # By id: those of earlier frames whole, guides the slice's rows alone, all on the plane's grid.
    context: dict[int, Array] = field(default_factory=dict)
    correction: Correction = field(default_factory=Correction)
    classes: Array | None = None  # the set of each sample

    @property
    def maximum(self) -> int:
        return (1 << self.depth) - 1

    def group(self, g: int) -> tuple[Array, Array]:
        """(y, x) of the samples of group g in ascending y."""
        rows, columns = self.samples.shape
        y = np.arange(rows)
        x = g - self.delta * y
        kept = (x >= 0) & (x < columns)
        return y[kept], x[kept]

    def groups(self) -> int:
        return self.samples.shape[1] + self.delta * (self.samples.shape[0] - 1)

    def inside(self, y: Array, x: Array) -> Array:
        return (y >= 0) & (y < self.samples.shape[0]) & (x >= 0) & (x < self.samples.shape[1])

    def revealed(self, y: Array, x: Array, dy: int, dx: int) -> Array:
        return self.inside(y + dy, x + dx) & (dx + self.delta * dy < 0)

    def read(self, plane: int, y: Array, x: Array) -> Array:
        """A context plane that is not the current one, coordinates clamped."""
        values = self.context[plane]
        first = 0 if plane in (*GUIDE_CUR, *GUIDE_REF, *GUIDE_ERR) else self.top
        return values[clip(y + first, 0, len(values) - 1), clip(x, 0, values.shape[1] - 1)]

    def anchors(self, y: Array, x: Array) -> tuple[Array, dict[int, Array]]:
        """A, and G of each guide's planes by their ids."""
        guides = [k for k in (0, 1) if GUIDE_CUR[k] in self.context]
        own: dict[int, Array] = {}
        if not self.intra:
            for k in guides:
                own[GUIDE_CUR[k]] = own[GUIDE_REF[k]] = self.read(GUIDE_REF[k], y, x)
            return self.read(1, y, x), own
        has_w, has_n = self.revealed(y, x, 0, -1), self.revealed(y, x, -1, 0)

        def at(dy: int, dx: int) -> Array:
            yy, xx = clip(y + dy, 0, len(self.samples) - 1), clip(x + dx, 0, self.samples.shape[1] - 1)
            return self.samples[yy, xx]

        w, n, c = at(0, -1), at(-1, 0), at(-1, -1)
        take_w = has_w & (~has_n | ((c <= np.minimum(w, n)) & (w >= n)) | ((c >= np.maximum(w, n)) & (w <= n)))
        take_n = has_n & ~take_w & (~has_w | (c <= np.minimum(w, n)) | (c >= np.maximum(w, n)))
        take_plane = has_w & has_n & ~take_w & ~take_n

        def chosen(west: Array, north: Array, corner: Array) -> Array:
            middle = np.full(y.shape, 1 << (self.depth - 1))
            both = np.where(take_plane, west + north - corner, middle)
            return np.where(take_w, west, np.where(take_n, north, both))

        for k in guides:
            west, north, corner = (self.read(GUIDE_CUR[k], y + dy, x + dx) for dy, dx in ((0, -1), (-1, 0), (-1, -1)))
            own[GUIDE_CUR[k]] = chosen(west, north, corner)
        return chosen(w, n, c), own

    def tap(self, tap: Tap, y: Array, x: Array, anchor: Array, guides: dict[int, Array]) -> Array:
        """The values of one input."""
        if tap.plane == LEVEL:
            values = np.maximum(-127, (anchor >> (self.depth - 8)) - 128)
        elif tap.plane in (CUR, ERR):
            seen = self.revealed(y, x, tap.dy, tap.dx)
            yy = clip(y + tap.dy, 0, len(self.samples) - 1)
            xx = clip(x + tap.dx, 0, self.samples.shape[1] - 1)
            if tap.plane == CUR:
                values = clip((self.samples[yy, xx] - anchor) >> self.q, -127, 127)
            else:
                values = self.errors[yy, xx]
            values = np.where(seen, values, 0)
        else:
            values = self.read(tap.plane, y + tap.dy, x + tap.dx)
            if tap.plane not in WITHOUT_ANCHOR:
                values = clip((values - guides.get(tap.plane, anchor)) >> self.q, -127, 127)
        return np.abs(values) if tap.absolute else values

    def evaluate(self, network: Network, y: Array, x: Array) -> tuple[Array, Array]:
        """(o [samples, 9], mean [samples]) of the samples of a group."""
        anchor, guides = self.anchors(y, x)
        inputs = np.stack([self.tap(tap, y, x, anchor, guides) for tap in network.inputs], axis=1)
        w1, w2, w3, w4, wo = network.layers
        h1 = act(w1, inputs, self.delta)
        h2 = act(w2, h1, 0)
        lin = network.linear_bias[self.delta] + inputs @ network.linear[self.delta] + h2 @ network.linear_hidden
        lin = lin + self.corrected(network, inputs, y, x)
        mean = clip((anchor << 5) + (((lin + 256) >> 9) << self.q), 0, self.maximum << 5)
        errors = [self.tap(tap, y, x, anchor, guides)[:, None] for tap in network.errors]
        g1 = act(w3, np.concatenate([h2, *errors], axis=1), self.delta)
        g2 = np.minimum(255, g1 + act(w4, g1, 0))
        outputs = (wo.multipliers * (wo.biases[0] + g2 @ wo.weights.T) + (1 << wo.shifts >> 1)) >> wo.shifts
        return outputs, mean

    def corrected(self, network: Network, inputs: Array, y: Array, x: Array) -> Array:
        """`cor` (§5.1)."""
        if not self.correction.sets:
            return np.zeros(len(y), np.int64)
        kept = [i for i, tap in enumerate(network.inputs) if tap.revealed(self.delta)]
        sets = np.array(self.correction.sets, np.int64)
        own = sets[np.zeros(len(y), int) if self.classes is None else self.classes[y, x]]
        return (16 * own[:, -1] + (own[:, :-1] * inputs[:, kept]).sum(axis=1)) << self.correction.shift

    def error(self, value: int, mean: int) -> int:
        """The prediction error of a sample that is known."""
        return min(max(((value << 5) - mean + (4 << self.q)) >> (3 + self.q), -127), 127)


def act(layer: Layer, inputs: Array, delta: int) -> Array:
    """A dense layer with its activation."""
    sums = layer.biases[delta if len(layer.biases) > 1 else 0] + inputs @ layer.weights.T
    return clip((sums * layer.multipliers + (1 << layer.shifts >> 1)) >> layer.shifts, 0, 255)
