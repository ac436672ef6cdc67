"""Nanoseconds per symbol of mixture and range coder together, beside constriction's on distributions like ours."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.metadata import version

import constriction
import numpy as np

from pynlvc import _core

SYMBOLS = 16_000  # a multiple of sixteen; what belongs to them stays in the cache, as in the codec
ROUNDS = 20  # of all symbols in one measurement
DEPTH = 8

Timer = Callable[[Callable[[], object]], float]  # seconds of a call
Result = tuple[str, int, float, float]  # who, bytes, ns per symbol to encode and to decode


def symbols(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Network outputs and means as a codec meets them, scales [n] in samples, and samples drawn accordingly."""
    batches = SYMBOLS // 16
    index = rng.normal(75, 25, (batches, 16)).clip(20, 160).astype(np.int32)  # of SCALE: mostly 0.2 to 4 samples
    scale = np.exp(-3 + 7.5 * index / 255)
    outputs = np.zeros((batches, 9, 16), np.int32)
    outputs[:, 0] = 30  # the first of three components has most of the weight
    outputs[:, 6] = index - 128
    outputs[:, 7] = (index + 30 - 128).clip(-128, 127)
    outputs[:, 8] = (index - 30 - 128).clip(-128, 127)
    mean = rng.integers(40 * 32, 200 * 32, (batches, 16)).astype(np.int32)
    drawn = np.rint(mean / 32 + rng.logistic(0, 1, mean.shape) * scale)
    return outputs, mean, scale.reshape(-1), drawn.clip(0, 255).astype(np.uint16).reshape(-1)


def _rounds(work: Callable[[], object]) -> Callable[[], None]:
    def repeated() -> None:
        for _ in range(ROUNDS):
            work()

    return repeated


def measure(timer: Timer) -> list[Result]:
    """One result for each set of kernels, and constriction's with a quantised Laplace distribution for each symbol."""
    outputs, mean, scale, samples = symbols(np.random.default_rng(1))
    per_symbol = 1e9 / (SYMBOLS * ROUNDS)
    results = []
    for kernels in _core.kernel_names():
        code = partial(_core.encode_samples, outputs, mean, samples, depth=DEPTH, q=0, kernels=kernels)
        data = code()
        read = partial(_core.decode_samples, data, outputs, mean, SYMBOLS, depth=DEPTH, q=0, kernels=kernels)
        encode, decode = timer(_rounds(code)), timer(_rounds(read))
        results.append((f"pynlvc {kernels}", len(data), encode * per_symbol, decode * per_symbol))
    family = constriction.stream.model.QuantizedLaplace(0, (1 << DEPTH) - 1)
    means, widths, wanted = mean.reshape(-1) / 32.0, 1.4 * scale, samples.astype(np.int32)

    def peer_encode() -> np.ndarray:
        encoder = constriction.stream.queue.RangeEncoder()
        encoder.encode(wanted, family, means, widths)
        return encoder.get_compressed()

    words = peer_encode()
    encode = timer(_rounds(peer_encode))
    decode = timer(_rounds(lambda: constriction.stream.queue.RangeDecoder(words).decode(family, means, widths)))
    peer = f"constriction {version('constriction')}, Laplace"
    results.append((peer, words.nbytes, encode * per_symbol, decode * per_symbol))
    return results
