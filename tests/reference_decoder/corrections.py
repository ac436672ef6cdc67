"""Corrections: sets of weights and which block takes which (docs/bitstream.md §5.1)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tests.reference_decoder.fields import require
from tests.reference_decoder.range_decoder import Bit, RangeDecoder, number, signed

Array = NDArray[np.int64]


@dataclass
class Correction:
    """The sets of one plane; none: the model alone."""

    shift: int = 3
    sets: list[list[int]] = field(default_factory=list)


def read_corrections(data: bytes, before: list[Correction], inputs: list[int]) -> list[Correction]:
    """`inputs`: revealed taps of the planes' networks."""
    coder = RangeDecoder(data)
    changed, kept = Bit(), Bit()
    counts: dict[int, Bit] = {}
    shifts: dict[int, Bit] = {}
    planes = []
    for former, taps in zip(before, inputs, strict=True):
        if not changed.decode(coder):
            planes.append(former)
            continue
        count = number(coder, 4, counts)
        require(count <= 8, "more sets than a plane can have")
        plane = Correction(3 + number(coder, 3, shifts))
        weights: defaultdict[object, Bit] = defaultdict(Bit)
        for i in range(count):
            if i < len(former.sets) and former.shift == plane.shift:
                predicted = former.sets[i]
                if kept.decode(coder):
                    plane.sets.append(predicted)
                    continue
            else:
                predicted = plane.sets[0] if i else [0] * (taps + 1)
            plane.sets.append(_read_set(coder, weights, predicted))
        planes.append(plane)
    return planes


def _read_set(coder: RangeDecoder, bits: defaultdict[object, Bit], predicted: list[int]) -> list[int]:
    values: list[int] = []
    difference = 0
    for wanted in predicted:
        zero = bits["zero", (wanted != 0) + (difference != 0)]
        difference = signed(
            coder, zero, bits["sign"], lambda position: bits["prefix", position], lambda _, w: bits["suffix", w], 7
        )
        values.append(wanted + difference)
    require(max(map(abs, values)) <= 127 and sum(map(abs, values)) <= 4095, "the weights of a set are too large")
    return values


def read_classes(coder: RangeDecoder, sets: int, top: int, bottom: int, before: Array, classes: Array) -> None:
    """The set of each sample in rows [top, bottom); `before`: of the frame before."""
    same = [Bit() for _ in range(3)]
    numbers: dict[int, Bit] = {}
    above: dict[int, int] = {}
    for y in range(top, bottom, 32):
        left = 1
        for x in range(0, classes.shape[1], 32):
            left = same[left + above.get(x, 1)].decode(coder)
            above[x] = left
            chosen = int(before[y, x]) if left else number(coder, 3, numbers)
            require(chosen < sets, "a block takes a set that there is not")
            classes[y : min(y + 32, bottom), x : x + 32] = chosen
