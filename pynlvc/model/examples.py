"""Samples with all that a network knows of them, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pynlvc import _core

NetworkKey = tuple[int, int]  # frame type, plane class


@dataclass(frozen=True)
class ExampleArrays:
    """Examples of one network for one δ."""

    inputs: NDArray[np.int8]  # [n, revealed taps of the first list]
    errors: NDArray[np.int8]  # [n, revealed taps of the second list]
    anchors: NDArray[np.float32]  # [n], samples
    samples: NDArray[np.float32]  # [n]

    @staticmethod
    def joined(parts: list[_core.Examples]) -> ExampleArrays:
        """What an encoder handed out, in this order."""
        return ExampleArrays(
            np.concatenate([part.input_taps for part in parts]),
            np.concatenate([part.error_taps for part in parts]),
            np.concatenate([part.anchors for part in parts]).astype(np.float32),
            np.concatenate([part.samples for part in parts]).astype(np.float32),
        )

    def __len__(self) -> int:
        return len(self.samples)

    def mixed(self, rng: np.random.Generator) -> ExampleArrays:
        """All of them in random order."""
        order = rng.permutation(len(self))
        return ExampleArrays(
            np.take(self.inputs, order, axis=0),
            np.take(self.errors, order, axis=0),
            np.take(self.anchors, order),
            np.take(self.samples, order),
        )

    def part(self, start: int, stop: int) -> ExampleArrays:
        """Those of [start, stop), without a copy."""
        at = slice(start, stop)
        return ExampleArrays(self.inputs[at], self.errors[at], self.anchors[at], self.samples[at])

    def learn(
        self,
        shape: _core.LearnerShape,
        values: NDArray[np.float32],
        *,
        depth: int,
        q: int,
        gradient: NDArray[np.float32] | None = None,
        threads: int = 1,
    ) -> float:
        """`_core.learn` of all of them."""
        own = self.inputs, self.errors, self.anchors, self.samples
        return _core.learn(shape, values, *own, depth=depth, q=q, gradient=gradient, threads=threads)
