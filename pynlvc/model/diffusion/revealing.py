"""Patches whose tokens are revealed side by side, group by group, by the threads of a processor."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from pynlvc import _core
from pynlvc.model.diffusion.integers import PatchCoder

Result = TypeVar("Result")


class Workers:
    """Threads that work on different patches: results do not depend on their number."""

    def __init__(self, threads: int) -> None:
        """threads: 0: one for each processor."""
        self.count = threads or os.cpu_count() or 1
        # Products of one patch are small: PyTorch's own threads would wait for each other more than they help.
        self._pool = ThreadPoolExecutor(self.count, "pynlvc-patches", torch.set_num_threads, (1,))

    def map(self, function: Callable[[int], Result], count: int) -> list[Result]:
        """function(0) .. function(count - 1)."""
        return list(self._pool.map(function, range(count)))


def code_lengths(outputs: NDArray[np.int32], mean: NDArray[np.int32], values: NDArray[np.int32]) -> NDArray[np.float64]:
    """Bits of samples [n] under their distributions."""
    bounds = _core.mixture_bounds(outputs, mean, np.stack([values, values + 1], 1), depth=8, q=0)
    return np.log2(1 << 24) - np.log2((bounds[:, 1] - bounds[:, 0]).astype(np.float64))


@dataclass(frozen=True)
class Group:
    """Where the tokens of a group lie in a batch of patches that is the same in all frames."""

    patches: NDArray[np.int64]  # [B] numbers of the patches in their frame
    tokens: NDArray[np.int64]  # [n]
    inside: NDArray[np.bool_]  # [B, n]: inside the picture


class OpenFrame:
    """A frame that is being decoded."""

    def __init__(self, payload: bytes, patches: int, tokens: int, *, analysis: bool) -> None:
        self._decoder = _core.SampleDecoder(payload)
        self.tokens = np.zeros((patches, tokens), np.uint8)
        self.bits = np.zeros((patches, tokens)) if analysis else None

    def take(self, group: Group, outputs: NDArray[np.int32], mean: NDArray[np.int32]) -> NDArray[np.float32]:
        """The samples [B, n] of a group, outside of the picture 0, from their distributions [B, n, 9] and [B, n]."""
        wanted, means = outputs[group.inside], mean[group.inside]
        values = self._decoder.decode(wanted, means)
        samples = np.zeros(group.inside.shape, np.float32)
        samples[group.inside] = values
        self.tokens[group.patches[:, None], group.tokens] = samples
        if self.bits is not None:
            patch, rank = np.nonzero(group.inside)
            self.bits[group.patches[patch], group.tokens[rank]] = code_lengths(wanted, means, values.astype(np.int32))
        return samples


class SharedPatches:
    """Patches whose tokens are revealed by several workers at once, group by group."""

    def __init__(self, workers: Workers, coders: list[PatchCoder], parts: list[slice], device: torch.device) -> None:
        self._workers, self._coders, self._parts, self._device = workers, coders, parts, device
        self._revealed: tuple[int, int, NDArray[np.float32]] | None = None  # not yet told to the coders

    def predict(self, start: int, stop: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """As PatchCoder.predict, in NumPy."""

        def predict(i: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
            if self._revealed is not None:
                first, last, samples = self._revealed
                self._coders[i].reveal(first, last, torch.from_numpy(samples[self._parts[i]]).to(self._device))
            outputs, mean = self._coders[i].predict(start, stop)
            return outputs.cpu().numpy(), mean.cpu().numpy()

        outputs, means = zip(*self._workers.map(predict, len(self._coders)), strict=True)
        return np.concatenate(outputs), np.concatenate(means)

    def reveal(self, start: int, stop: int, samples: NDArray[np.float32]) -> None:
        """As PatchCoder.reveal; the coders get to know it with the next prediction."""
        self._revealed = start, stop, samples
