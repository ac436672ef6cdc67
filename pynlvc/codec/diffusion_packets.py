"""What encoder and decoder of the transformer's streams share (docs/diffusion.md §4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynlvc import _core

SAMPLES_PER_BYTE = 256  # a model slice has at least one byte for so many samples
MOST_TICKS = 1 << 61  # beyond pts and durations
Side = dict[int, bytes]


def samples_of(layout: _core.Format) -> int:
    """Samples of a frame."""
    return sum(rows * columns for rows, columns in layout.plane_shapes)


def planes_checksum(planes: Sequence[NDArray[Any]]) -> int:
    """CRC-32C over the samples (docs/bitstream.md §9)."""
    checksum = 0
    for plane in planes:
        checksum = _core.crc32c(np.ascontiguousarray(plane).reshape(-1), checksum)
    return checksum
