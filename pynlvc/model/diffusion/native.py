"""The transformer's arithmetic in native code, for processors: the integers of arithmetic.py (docs/diffusion.md §3).

Tensors must lie on the processor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pynlvc import _core
from pynlvc.model.diffusion.arithmetic import AttentionParts
from pynlvc.model.diffusion.modelfile import DenseLayer
from pynlvc.model.diffusion.shape import TOKENS


class NativeDense:
    """Implements arithmetic.Dense."""

    def __init__(self, layer: DenseLayer, kernels: str):
        self.layer = _core.IntegerDense(
            np.ascontiguousarray(layer.weight),
            np.ascontiguousarray(layer.bias, np.int32),
            layer.multiplier.astype(np.int32),
            layer.shift.astype(np.int32),
            kernels=kernels,
        )

    def of_activations(self, x: Tensor, kinds: Tensor | None = None) -> Tensor:
        """See arithmetic.Dense."""
        chosen = None if kinds is None else kinds.numpy()
        return torch.from_numpy(self.layer.of_activations(x.contiguous().numpy(), chosen))

    def of_stream(self, r: Tensor, kinds: Tensor | None = None) -> Tensor:
        """See arithmetic.Dense."""
        chosen = None if kinds is None else kinds.numpy()
        return torch.from_numpy(self.layer.of_stream(r.contiguous().numpy(), chosen))


class NativeMemory:
    """Implements arithmetic.Memory."""

    def __init__(self, parts: AttentionParts, batch: int, distance: Tensor, absent: Tensor | None, kernels: str):
        self._parts = parts
        self._memory = _core.AttentionMemory(
            batch,
            key=parts.key_size,
            falloff=parts.falloff.numpy(),
            width=parts.out.layer.outputs,
            distance=distance.numpy(),
            absent=None if absent is None else absent.contiguous().numpy(),
            kernels=kernels,
        )

    def remember(self, start: int, r: Tensor, content: Tensor) -> None:
        """See arithmetic.Memory."""
        key, values = self._parts.key.layer, self._parts.values.layer
        self._memory.remember(start, r.contiguous().numpy(), content.contiguous().numpy(), key, values)

    def attend(self, start: int, r: Tensor) -> Tensor:
        """See arithmetic.Memory."""
        query, out = self._parts.query.layer, self._parts.out.layer
        return torch.from_numpy(self._memory.attend(start, r.contiguous().numpy(), query, out))


@dataclass(frozen=True)
class NativeEngine:
    """Implements arithmetic.Engine."""

    kernels: str = ""  # one of _core.kernel_names(); "": the fastest of this processor
    rows: int = TOKENS

    def dense(self, layer: DenseLayer, device: torch.device) -> NativeDense:
        """See arithmetic.Engine."""
        assert device.type == "cpu", "native code runs on the processor"
        return NativeDense(layer, self.kernels)

    def feed_forward(self, r: Tensor, inner: NativeDense, outer: NativeDense) -> Tensor:
        """See arithmetic.Engine."""
        return torch.from_numpy(_core.feed_forward(r.contiguous().numpy(), inner.layer, outer.layer))

    def memory(self, parts: AttentionParts, batch: int, distance: Tensor, absent: Tensor | None) -> NativeMemory:
        """See arithmetic.Engine."""
        return NativeMemory(parts, batch, distance, absent, self.kernels)


PROCESSOR = NativeEngine()
