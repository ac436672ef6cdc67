"""The range decoder with its adaptive bits, and signed numbers made of them (docs/bitstream.md §5.1, §7, §8)."""

from __future__ import annotations

from collections.abc import Callable

from tests.reference_decoder.fields import StreamError

ONE = 1 << 24


class RangeDecoder:
    """§7."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._range = (1 << 48) - 1
        self._code = 0
        for _ in range(3):
            self._code = self._code << 16 | self._word()

    def _word(self) -> int:
        word = self._data[self._at : self._at + 2]
        self._at += 2
        return int.from_bytes(word + bytes(2 - len(word)), "big")

    def reaches(self, bound: int, total: int = ONE) -> bool:
        """Whether the coded symbol lies at or above a lower bound."""
        return self._range // total * bound <= self._code

    def consume(self, low: int, high: int, total: int = ONE) -> None:
        """Takes the symbol [low, high)."""
        unit = self._range // total
        self._code -= unit * low
        self._range = self._range - unit * low if high == total else unit * (high - low)
        while self._range < 1 << 32:
            self._code = self._code << 16 | self._word()
            self._range <<= 16


class Bit:
    """An adaptive bit: a 16-bit probability of zero."""

    def __init__(self) -> None:
        self._zero = 32768

    def decode(self, coder: RangeDecoder) -> int:
        split = self._zero << 8
        bit = int(coder.reaches(split))
        coder.consume(*((split, ONE) if bit else (0, split)))
        self._zero += -(self._zero >> 4) if bit else 65536 - self._zero >> 4
        self._zero = min(max(self._zero, 64), 65472)
        return bit


class CountingBit:
    """A bit that learns fast at first (§7.1): a 24-bit probability of zero and a count."""

    def __init__(self) -> None:
        self.zero, self._count = 1 << 23, 0

    def decode(self, coder: RangeDecoder) -> int:
        bit = int(coder.reaches(self.zero))
        coder.consume(*((self.zero, ONE) if bit else (0, self.zero)))
        divisor = 2 * self._count + 3
        self.zero += -(2 * self.zero // divisor) if bit else 2 * (ONE - self.zero) // divisor
        self.zero = min(max(self.zero, 1024), ONE - 1024)
        self._count = min(self._count + 1, 62)
        return bit


def number(coder: RangeDecoder, bits: int, tree: dict[int, Bit]) -> int:
    """A number below 2^bits from its top bit, each with the context that those before it select."""
    node = 1
    for _ in range(bits):
        node = node * 2 + tree.setdefault(node, Bit()).decode(coder)
    return node - (1 << bits)


def signed(
    coder: RangeDecoder,
    zero: Bit | CountingBit,
    sign: Bit,
    prefix: Callable[[int], Bit],
    suffix: Callable[[int, int], Bit],
    most: int,
) -> int:
    """Zero?, sign, then the magnitude less 1 in Exp-Golomb code of order 0.

    `prefix(position)`, `suffix(length, weight of the bit)`: contexts; `most`: longest suffix.
    """
    if zero.decode(coder):
        return 0
    negative = sign.decode(coder)
    length = 0
    while prefix(length).decode(coder):
        length += 1
        if length > most:
            raise StreamError("a number is too large")
    value = 1
    for weight in reversed(range(length)):
        value = value * 2 + suffix(length, weight).decode(coder)
    return -value if negative else value
