"""Writes csrc/tables.cpp, the normative constants of docs/bitstream.md section 6.

    python tools/make_tables.py > csrc/tables.cpp

Fifty decimal digits, so that no value depends on a machine's exp().
"""

from collections.abc import Iterable
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, getcontext

getcontext().prec = 50
PER_LINE = 12


def nearest(value: Decimal) -> int:
    """The closest integer."""
    return int(value.to_integral_value(ROUND_HALF_EVEN))


def scale(i: int) -> Decimal:
    """Scale of the logistic with index i, samples."""
    return (Decimal(-3) + Decimal(15) * i / 510).exp()


def tail(i: int) -> Decimal:
    """The logistic tail at i/8 units."""
    return 1 / (1 + (Decimal(i) / 8).exp())


def tail_segment(i: int) -> tuple[int, int, int]:
    """(TAIL, DELTA, SHIFT) for index i."""
    halvings = (-tail(i).ln() / Decimal(2).ln()).to_integral_value(ROUND_FLOOR)
    shift = int(halvings) - 1 if i > 0 else 0
    unit = Decimal(2) ** (16 + shift)
    value = nearest(tail(i) * unit)
    return value, value - nearest(tail(i + 1) * unit), shift


def rows(items: Iterable[str], per_line: int) -> str:
    """Items separated by commas, a fixed number in each line."""
    texts = list(items)
    lines = [", ".join(texts[i : i + per_line]) for i in range(0, len(texts), per_line)]
    return "{\n    " + ",\n    ".join(lines) + "}"


def array(declaration: str, values: Iterable[int]) -> str:
    """A C++ array definition."""
    return f"const {declaration} = {rows(map(str, values), PER_LINE)};\n"


def source() -> str:
    """The whole text of csrc/tables.cpp."""
    segments = (f"{{{t}, {d}, {s}}}" for t, d, s in map(tail_segment, range(128)))
    return "\n".join(
        [
            "// Written by tools/make_tables.py: do not edit.",
            '#include "tables.h"\n',
            "// clang-format off",
            "namespace nlvc {\n",
            array("uint16_t kExp[256]", (nearest(4096 * (Decimal(-i) / 32).exp()) for i in range(256))),
            array("uint16_t kScale[256]", (nearest(64 * scale(i)) for i in range(256))),
            array("uint16_t kInverseScale[256]", (nearest(2048 / scale(i)) for i in range(256))),
            f"const TailSegment kTail[128] = {rows(segments, 5)};\n",
            "}  // namespace nlvc",
        ]
    )


if __name__ == "__main__":
    print(source())
