"""The distribution of a sample (docs/bitstream.md §6)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.reference_decoder.range_decoder import ONE, RangeDecoder


def _round(value: float) -> int:
    return math.floor(value + 0.5)


def _logistic(i: int) -> float:
    return 1 / (1 + math.exp(i / 8))


EXP = [_round(4096 * math.exp(-i / 32)) for i in range(256)]
SCALE = [_round(64 * math.exp(-3 + 7.5 * i / 255)) for i in range(256)]
INVERSE = [_round(2048 / math.exp(-3 + 7.5 * i / 255)) for i in range(256)]
SHIFT = [0] + [math.floor(-math.log2(_logistic(i))) - 1 for i in range(1, 128)]
TAIL = [_round(_logistic(i) * 2 ** (16 + SHIFT[i])) for i in range(128)]
DELTA = [TAIL[i] - _round(_logistic(i + 1) * 2 ** (16 + SHIFT[i])) for i in range(128)]


class Mixture:
    """Three logistics around a mean."""

    def __init__(self, outputs: Sequence[int], mean: int, q: int, depth: int) -> None:
        """`outputs`: o[0..8]; `mean`: 1/32 sample."""
        self._q, self._depth, self.maximum = q, depth, (1 << depth) - 1
        top = max(outputs[:3])
        e = [EXP[min(255, top - value)] for value in outputs[:3]]
        w1, w2 = 1024 * e[1] // sum(e), 1024 * e[2] // sum(e)
        self._parts = []
        for k, weight in enumerate((1024 - w1 - w2, w1, w2)):
            r = min(max(outputs[3 + k], -255), 255)
            i = min(max(outputs[6 + k] + 128, 0), 255)
            self._parts.append((weight, mean + ((r * SCALE[i] >> 6) << q), INVERSE[i]))

    def bound(self, v: int) -> int:
        """C(v)."""
        if v == 0 or v > self.maximum:
            return 0 if v == 0 else ONE
        total = 0
        for weight, mu, inverse in self._parts:
            d = (v << 5) - 16 - mu
            u = min(32767, min(abs(d) >> self._q, 24574) * inverse >> 5)
            t = ((TAIL[u >> 8] << 8) - DELTA[u >> 8] * (u & 255)) >> (3 + SHIFT[u >> 8])
            total += weight * (t if d < 0 else (1 << 21) - t)
        f = total >> 7
        return f - (f >> (24 - self._depth)) + v

    def decode(self, coder: RangeDecoder, excluded: Sequence[int] = ()) -> int:
        """The sample; `excluded`: values that flags have ruled out (§7.1)."""
        gaps = [(self.bound(v), self.bound(v + 1)) for v in sorted(set(excluded))]
        total = ONE - sum(b - a for a, b in gaps)

        def reduced(v: int) -> int:
            bound = self.bound(v)
            return bound - sum(b - a for a, b in gaps if a < bound)

        low, high = 0, self.maximum
        while low < high:  # the last value whose lower bound the code reaches
            middle = (low + high + 1) // 2
            if coder.reaches(reduced(middle), total):
                low = middle
            else:
                high = middle - 1
        while low in excluded:
            low -= 1
        coder.consume(reduced(low), reduced(low + 1), total)
        return low
