"""Flags that tell which samples repeat others (docs/bitstream.md §7.1)."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from tests.reference_decoder.network import PlanePart
from tests.reference_decoder.range_decoder import CountingBit, RangeDecoder

Array = NDArray[np.int64]
NEIGHBOURS = ((-1, 0), (0, -1), (-1, -1), (1, -1))  # (dx, dy)
FARTHER = (*NEIGHBOURS, (-2, 0), (0, -2), (1, -2))
AROUND = ((0, 0), (-1, 0), (0, -1), (1, 0), (0, 1))
MASK = (1 << 64) - 1


class Guide:
    """The slice's part of a guide, and of its ref1, on its own grid."""

    def __init__(self, samples: Array, ref1: Array | None, sx: int, sy: int) -> None:
        """`sx`, `sy`: how much finer than the plane that it guides, log2."""
        self._samples, self._ref1, self._sx, self._sy = samples, ref1, sx, sy

    def place(self, y: int, x: int) -> tuple[int, int]:
        return min(y << self._sy, len(self._samples) - 1), min(x << self._sx, self._samples.shape[1] - 1)

    def sample(self, y: int, x: int) -> int:
        return int(self._samples[self.place(y, x)])

    def matches(self, y: int, x: int) -> int:
        at = self.place(y, x)
        return int(self._ref1 is not None and self._samples[at] == self._ref1[at])


def read_copied_blocks(coder: RangeDecoder, rows: int, columns: int) -> Array:
    """Which blocks of 16x16 samples of plane 0 equal ref1; `rows`, `columns`: of the slice, samples."""
    blocks = np.zeros((-(-rows // 16), -(-columns // 16)), np.int64)
    bits = [CountingBit() for _ in range(4)]
    for y, x in np.ndindex(*blocks.shape):
        left, above = (blocks[y, x - 1] if x else 0), (blocks[y - 1, x] if y else 0)
        blocks[y, x] = bits[left + 2 * above].decode(coder)
    return blocks


class Repeats:
    """The flags of one plane of one slice."""

    def __init__(
        self,
        part: PlanePart,
        ref1: Array | None,
        guides: list[Guide],
        copied: Array | None,
        shifts: tuple[int, int],
        *,
        flags: bool,
        differences: bool,
    ) -> None:
        """`ref1`: the slice's rows of it, None in an I-frame; `copied`: its blocks; `shifts`: (sx, sy) of the plane;
        `flags`: whether samples outside copied blocks have any; `differences`: a plane that RGB's first one guides."""
        self._part, self._ref1, self._guides = part, ref1, guides
        self._copied, (self._sx, self._sy) = copied, shifts
        self._flags, self._differences = flags, differences
        self._west_marks = np.zeros(part.samples.shape, int)
        self._north_marks = np.zeros(part.samples.shape, int)
        self._matched = np.zeros(part.samples.shape, int)
        self._flagged = np.zeros(part.samples.shape, int)
        self._match_bits: defaultdict[int, CountingBit] = defaultdict(CountingBit)
        self._repeat_bits: defaultdict[int, CountingBit] = defaultdict(CountingBit)
        self._tables: list[dict[int, tuple[int, int, int]]] = [{}, {}]  # slot: check, sample, confidence
        self._pending: list[tuple[int, int, list[tuple[int, int]]]] = []

    def _inside(self, y: int, x: int) -> bool:
        rows, columns = self._part.samples.shape
        return 0 <= y < rows and 0 <= x < columns

    def _n(self, y: int, x: int, dx: int, dy: int) -> int:
        if not self._inside(y + dy, x + dx) or dx + self._part.delta * dy >= 0:
            return -1
        return int(self._part.samples[y + dy, x + dx])

    def _g(self, k: int, y: int, x: int, dx: int, dy: int) -> int:
        return self._guides[k].sample(y + dy, x + dx) if self._inside(y + dy, x + dx) else -1

    def _e(self, k: int, y: int, x: int, dx: int, dy: int) -> int:
        return self._guides[k].matches(y + dy, x + dx) if self._inside(y + dy, x + dx) else 0

    def _flag(self, plane: NDArray[np.int_], y: int, x: int, dx: int, dy: int) -> int:
        return int(plane[y + dy, x + dx]) if self._inside(y + dy, x + dx) else 0

    def _lists(self, y: int, x: int) -> tuple[list[int], list[int]]:
        if not self._guides:
            return [self._n(y, x, *at) for at in NEIGHBOURS], [self._n(y, x, *at) for at in FARTHER]
        second = [self._n(y, x, -1, 0), self._n(y, x, 0, -1), self._g(0, y, x, 0, 0), self._g(0, y, x, -1, 0)]
        second += [self._g(0, y, x, *at) for at in ((0, -1), (1, 0), (0, 1))]
        if len(self._guides) == 1:
            return [self._g(0, y, x, 0, 0), self._n(y, x, -1, 0), self._g(0, y, x, -1, 0)], second
        second += [self._g(1, y, x, *at) for at in ((0, 0), (-1, 0), (0, -1))]
        return [self._g(0, y, x, 0, 0), self._g(1, y, x, 0, 0)], second

    def decode(self, coder: RangeDecoder, y: int, x: int) -> tuple[int | None, list[int]]:
        """(the sample, None where no flag gives it; the values that its flags have ruled out)."""
        excluded: list[int] = []
        if self._ref1 is not None:
            value = int(self._ref1[y, x])
            whole = self._copied is not None and self._copied[y << self._sy >> 4, x << self._sx >> 4]
            if whole or (self._flags and self._match_bits[self._match_context(y, x)].decode(coder)):
                self._matched[y, x] = self._flagged[y, x] = 1
                return value, []
            excluded.append(value)
        if not self._flags:
            return None, []
        keys = [_key(numbers) for numbers in self._lists(y, x)]
        self._pending.append((y, x, keys))
        kept = [found for found in self._candidates(y, x, keys) if found[0] not in excluded]
        if not kept:
            return None, excluded
        candidate, context = min(kept, key=lambda found: self._repeat_bits[found[1]].zero)  # the first of equals
        if self._repeat_bits[context].decode(coder):
            self._flagged[y, x] = 1
            return candidate, []
        return None, [*excluded, candidate]

    def _match_context(self, y: int, x: int) -> int:
        context = sum(self._flag(self._matched, y, x, *at) << i for i, at in enumerate(NEIGHBOURS))
        if self._guides:
            context += sum(self._e(0, y, x, *at) << 4 + i for i, at in enumerate(((0, 0), (1, 0), (0, 1))))
        if len(self._guides) == 2:
            context += self._e(1, y, x, 0, 0) << 7
        return context

    def _near(self, y: int, x: int, dx: int, dy: int) -> int:
        """w and u: what a neighbour gives, -1 where it does not exist."""
        value = self._n(y, x, dx, dy)
        if value < 0 or not self._differences:
            return value
        return min(max(value + self._g(0, y, x, 0, 0) - self._g(0, y, x, dx, dy), 0), self._part.maximum)

    def _candidates(self, y: int, x: int, keys: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """(sample, context of its flag) in the order of the text."""
        west, north = self._n(y, x, -1, 0), self._n(y, x, 0, -1)
        around = sum(self._flag(self._flagged, y, x, *at) << 5 + i for i, at in enumerate(((-1, 0), (0, -1), (1, -1))))
        found = []
        given: dict[int, int] = {}  # by table
        for kind in (2, 1):
            slot, check = keys[kind - 1]
            found_check, sample, confidence = self._tables[kind - 1].get(slot, (0, 0, 0))
            if confidence and found_check == check:
                given[kind] = sample
                found.append(
                    (sample, confidence + 8 * kind + around + 256 * (sample == west) + 512 * (sample == north))
                )
        w, u = self._near(y, x, -1, 0), self._near(y, x, 0, -1)
        column, row = self._flag(self._west_marks, y, x, 0, -1), self._flag(self._north_marks, y, x, -1, 0)
        flat = bool(self._guides) and self._g(0, y, x, -1, 0) == self._g(0, y, x, 0, 0)
        value = max(w, u) if min(w, u) < 0 else u if row and not column else w
        if value >= 0:
            context = column + 2 * row + 4 * flat + around + 24 * (w == u)
            context += 256 * (given.get(1, value) != value) + 512 * (given.get(2, value) != value)
            found.append((value, context))
        return found

    def end_group(self) -> None:
        """All samples of the group are known: the tables learn."""
        for y, x, keys in self._pending:
            sample = int(self._part.samples[y, x])
            self._west_marks[y, x] = self._near(y, x, -1, 0) == sample
            self._north_marks[y, x] = self._near(y, x, 0, -1) == sample
            for table, (slot, check) in zip(self._tables, keys, strict=True):
                former = table.get(slot, (0, 0, 0))
                same = former[2] and former[:2] == (check, sample)
                table[slot] = (check, sample, min(former[2] + 1, 7) if same else 1)
        self._pending.clear()


def _key(numbers: list[int]) -> tuple[int, int]:
    """(slot, check)."""
    key = 0
    for value in numbers:
        key = (key ^ (value + 1)) * 0x9E3779B97F4A7C15 & MASK
        key ^= key >> 29
    return key >> 48, key >> 8 & 0xFFFFFFFF
