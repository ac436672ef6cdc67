"""Motion: vectors as bits (docs/bitstream.md §8), displaced planes and the vectors of older frames (§3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tests.reference_decoder.fields import require
from tests.reference_decoder.range_decoder import Bit, RangeDecoder, signed
from tests.reference_decoder.syntax import Sequence

Array = NDArray[np.int64]
FILTERS = np.array(
    [[0, 64, 0, 0], [-3, 62, 6, -1], [-5, 56, 15, -2], [-5, 47, 25, -3], [-4, 36, 36, -4]]
    + [[-3, 25, 47, -5], [-2, 15, 56, -5], [-1, 6, 62, -3]]
)
MOST = 4 * 64 + 3  # quarter samples


class MotionDecoder:
    """Decodes the vectors of one slice into the frame's field."""

    def __init__(self, coder: RangeDecoder, field: Array, rows: tuple[int, int]) -> None:
        """`field`: [block rows, block columns, (x, y)] in 8x8 blocks; `rows`: those of the slice, [top, bottom)."""
        self._coder, self._field, self._rows = coder, field, rows
        self._split_bits = [Bit() for _ in range(3)]
        self._bits: list[defaultdict[object, Bit]] = [defaultdict(Bit), defaultdict(Bit)]
        self._done = np.zeros(field.shape[:2], bool)

    def run(self) -> None:
        top, bottom = self._rows
        columns = self._field.shape[1]
        split: dict[tuple[int, int], int] = {}
        for by in range(top, bottom, 2):
            for bx in range(0, columns, 2):
                context = split.get((by, bx - 2), 0) + split.get((by - 2, bx), 0)
                split[by, bx] = self._split_bits[context].decode(self._coder)
                if split[by, bx]:
                    for y, x in ((by, bx), (by, bx + 1), (by + 1, bx), (by + 1, bx + 1)):
                        if y < bottom and x < columns:
                            self._set(y, x, 1, self._vector(y, x, 1))
                else:
                    self._set(by, bx, 2, self._vector(by, bx, 2))

    def _set(self, by: int, bx: int, size: int, vector: Array) -> None:
        area = slice(by, min(by + size, self._rows[1])), slice(bx, bx + size)
        self._field[area] = vector
        self._done[area] = True

    def _at(self, by: int, bx: int) -> Array:
        inside = self._rows[0] <= by < self._rows[1] and 0 <= bx < self._field.shape[1]
        return self._field[by, bx] if inside else np.zeros(2, np.int64)

    def _vector(self, by: int, bx: int, width: int) -> Array:
        left = self._at(by, bx - 1)
        predicted = left
        if by > self._rows[0]:
            known = bx + width < self._field.shape[1] and self._done[by - 1, bx + width]
            third = self._at(by - 1, bx + width if known else bx - 1)
            predicted = np.sort(np.stack([left, self._at(by - 1, bx), third]), axis=0)[1]
        elif bx == 0:
            predicted = np.zeros(2, np.int64)
        vector = predicted + np.array([self._difference(bits) for bits in self._bits])
        require(int(np.abs(vector).max()) <= MOST, "a vector is out of range")
        return vector

    def _difference(self, bits: defaultdict[object, Bit]) -> int:
        def suffix(length: int, weight: int) -> Bit:
            place = length - 1 - weight  # 0: the topmost
            return bits["suffix", length, place] if place < 2 else bits["rest"]

        return signed(
            self._coder, bits["zero"], bits["sign"], lambda position: bits["prefix", min(position, 11)], suffix, 9
        )


def positions(sequence: Sequence, p: int, block: int) -> tuple[Array, Array]:
    """(block rows, block columns) of the samples of plane p."""
    rows, columns = sequence.shape(p)
    sx, sy = sequence.shifts(p)
    y = np.minimum(np.arange(rows) << sy, sequence.height - 1) // block
    x = np.minimum(np.arange(columns) << sx, sequence.width - 1) // block
    return y[:, None], x[None, :]


def displaced_integer(sequence: Sequence, p: int, plane: Array, field: Array) -> Array:
    """A plane of the previous frame, or its errors, by full samples; `field`: quarter samples in 8x8 blocks."""
    full = (field + 2) >> 2
    vectors = full[positions(sequence, p, 8)]
    rows, columns = plane.shape
    shifts = sequence.shifts(p)
    dx, dy = ((vectors[..., i] + (1 << shifts[i] >> 1)) >> shifts[i] for i in (0, 1))
    y, x = np.mgrid[:rows, :columns]
    return plane[np.clip(y + dy, 0, rows - 1), np.clip(x + dx, 0, columns - 1)]


def interpolate(plane: Array, y: Array, x: Array, ey: Array, ex: Array, maximum: int) -> Array:
    """Samples at (x, y) displaced by eighths (ex, ey)."""
    rows, columns = plane.shape
    total = np.zeros(np.broadcast(y, x, ey, ex).shape, np.int64)
    for j in range(4):
        yy = np.clip(y + (ey >> 3) + j - 1, 0, rows - 1)
        line = np.zeros_like(total)
        for i in range(4):
            line += FILTERS[ex & 7, i] * plane[yy, np.clip(x + (ex >> 3) + i - 1, 0, columns - 1)]
        total += FILTERS[ey & 7, j] * line
    return np.clip((total + 2048) >> 12, 0, maximum)


def eighths(vector: Array, shift: int) -> Array:
    """Quarter samples of plane 0 in eighths of a plane subsampled by `shift`."""
    return (vector * 2, vector, (vector + 1) >> 1)[shift]


def displaced(sequence: Sequence, p: int, plane: Array, field: Array, block: int, maximum: int) -> Array:
    """A plane displaced with interpolation; `field`: quarter samples in blocks of `block`."""
    vectors = field[positions(sequence, p, block)]
    sx, sy = sequence.shifts(p)
    y, x = np.mgrid[: plane.shape[0], : plane.shape[1]]
    return interpolate(plane, y, x, eighths(vectors[..., 1], sy), eighths(vectors[..., 0], sx), maximum)


def locate(
    sequence: Sequence,
    prediction: Array,
    reference: Array,
    current: Array,
    newer: Callable[[int, int], Array],
    passed: Array | None,
    maximum: int,
) -> Array:
    """Vectors of frame t-k in 16x16 blocks.

    `prediction`: plane 0 of ref1_sub; `current`: the frame's 8x8 field; `newer`: v_{k-1} at a luma position;
    `passed`: M_{k-1}, the 8x8 field of frame t-k+1, None for a keyframe.
    """
    height, width = sequence.height, sequence.width
    field = np.zeros((-(-height // 16), -(-width // 16), 2), np.int64)
    for by, bx in np.ndindex(*field.shape[:2]):
        y0, x0 = 16 * by, 16 * bx
        y, x = np.mgrid[y0 : min(y0 + 16, height), x0 : min(x0 + 16, width)]

        def cost(vector: Array, y: Array = y, x: Array = x) -> int:
            ex, ey = (np.full(y.shape, int(eighths(vector, 0)[i])) for i in (0, 1))
            return int(np.abs(prediction[y, x] - interpolate(reference, y, x, ey, ex, maximum)).sum())

        cy, cx = min(y0 + 8, height - 1), min(x0 + 8, width - 1)
        v, v1 = newer(cy, cx), current[cy // 8, cx // 8]
        chained = v
        if passed is not None:
            fx, fy = (int(value) for value in (v + 2) >> 2)
            chained = v + passed[int(np.clip(cy + fy, 0, height - 1)) // 8, int(np.clip(cx + fx, 0, width - 1)) // 8]
        candidates = [np.clip((c + 2) & ~3, -512, 512) for c in (chained, v, np.zeros(2, np.int64), v + v1)]
        best = min(candidates, key=cost)  # the first of least cost
        least = cost(best)
        for step in (4, 4, 2, 1):
            around = [best + step * np.array([dx, dy]) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dx or dy]
            costs = [cost(vector) for vector in around]
            if min(costs) < least:
                least = min(costs)
                best = around[costs.index(least)]
        field[by, bx] = best
    return field
