"""Real-valued layers -> the integers of a model file (docs/bitstream.md sections 5 and 10)."""

import numpy as np
from numpy.typing import NDArray

from pynlvc.model.modelfile import ACCUMULATOR_LIMIT, WEIGHT_LIMIT, IntegerLayer

LARGEST_INPUT = 255
LINEAR_ONE = 1 << 14  # one sample in the linear part
LINEAR_LIMIT = 127 * 256  # section 5: kernels split a linear weight into two signed bytes
LEAST_SCALE = 2.0**-13


def row_scales(real: NDArray[np.floating], offset: NDArray[np.floating]) -> NDArray[np.floating]:
    """The value of weight 1 of each row, so that its weights and sums stay inside their limits.

    real: weights [n_out, n_in]; offset: biases [n_out] or [sets, n_out]; both in output units.
    """
    largest = np.abs(offset).reshape(-1, len(real)).max(0)
    size = np.abs(real)
    scale = np.maximum(size.max(1) / WEIGHT_LIMIT, largest / (ACCUMULATOR_LIMIT / 4))
    # The sum of a row must stay inside the accumulator whatever the inputs are.
    scale = np.maximum(scale, (size.sum(1) * LARGEST_INPUT + largest) / (ACCUMULATOR_LIMIT * 0.98))
    return np.maximum(scale, LEAST_SCALE)


def _multipliers(scales: NDArray[np.float64]) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Ten-bit multipliers and shifts with multiplier / 2^shift nearest to each scale in [2^-13, 512)."""
    exponent = np.clip(np.floor(np.log2(scales)), -13, 8).astype(int)
    shift = 9 - exponent
    multiplier = np.rint(scales * 2.0**shift)
    over = multiplier > 1023
    multiplier[over] = 512
    shift[over] -= 1
    return multiplier.astype(np.uint16), shift.astype(np.uint8)


def integer_layer(real: NDArray[np.float64], offset: NDArray[np.float64]) -> IntegerLayer:
    """Rounds a layer; arguments as in `row_scales`."""
    multiplier, shift = _multipliers(row_scales(real, offset).astype(np.float64))
    scale = multiplier / 2.0**shift
    weight = np.clip(np.rint(real / scale[:, None]), -WEIGHT_LIMIT, WEIGHT_LIMIT).astype(np.int8)
    return IntegerLayer(
        weight=weight, bias=np.rint(offset / scale).astype(np.int32), multiplier=multiplier, shift=shift
    )


def fixed_point(samples: NDArray[np.float64], kind: type) -> NDArray:
    """Numbers of the linear part, in samples, as integers of a kind: np.int16 for weights, np.int32 for constants."""
    limit = LINEAR_LIMIT if kind is np.int16 else np.iinfo(kind).max
    return np.clip(np.rint(samples * LINEAR_ONE), -limit, limit).astype(kind)
