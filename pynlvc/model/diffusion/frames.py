"""The payload of a frame that the masked-diffusion transformer codes (docs/diffusion.md §4)."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from pynlvc import _core
from pynlvc.model.diffusion.arithmetic import ANY_DEVICE
from pynlvc.model.diffusion.integers import NetworkRunner, PatchBatch, PatchCoder, slope_tables
from pynlvc.model.diffusion.modelfile import DiffusionModel
from pynlvc.model.diffusion.native import PROCESSOR
from pynlvc.model.diffusion.patch_grid import PatchGrid, Planes

BATCH = 256  # patches whose tokens are revealed side by side
TOGETHER = 4  # patches that a processor's thread computes at once in an encoder: what they need stays in its cache
TOGETHER_ON_DEVICE = 64  # the same of a device that wants many
LANES = 16  # distributions that the range coder takes at once
OUTPUTS = 9
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


def _lengths(outputs: NDArray[np.int32], mean: NDArray[np.int32], values: NDArray[np.int32]) -> NDArray[np.float64]:
    """Bits of samples [n] under their distributions."""
    bounds = _core.mixture_bounds(outputs, mean, np.stack([values, values + 1], 1), depth=8, q=0)
    return np.log2(1 << 24) - np.log2((bounds[:, 1] - bounds[:, 0]).astype(np.float64))


class _SharedPatches:
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


class FrameCoder:
    """Codes frames of one layout with one model and slope."""

    def __init__(
        self, model: DiffusionModel, layout: _core.Format, delta: int, *, threads: int = 1, device: str | None = None
    ) -> None:
        """threads: of the processor, 0: all; device: PyTorch's name of what evaluates the
        networks, None: the processor in native code."""
        native = device is None
        place = torch.device(device or "cpu")
        engine = PROCESSOR if native else ANY_DEVICE
        self._grid = PatchGrid.of(layout)
        self._kinds = self._grid.kinds
        self._present = self._grid.present()
        self._networks = [NetworkRunner(network, place, engine) for network in model.networks]
        self._delta = delta
        self._device = place
        self._workers = Workers(threads if native else 1)
        self._together = TOGETHER if place.type == "cpu" else TOGETHER_ON_DEVICE
        tables = slope_tables(delta, place)
        self._tokens = tables.tokens.cpu().numpy()
        self._groups = tables.groups

    def encode(self, planes: Planes, previous: Planes | None) -> tuple[bytes, list[float]]:
        """(payload, bits of each plane). previous: the frame before, None in a keyframe."""
        samples = self._grid.cut(planes)[:, self._tokens]  # by rank
        outputs = np.empty((*samples.shape, OUTPUTS), np.int32)
        mean = np.empty(samples.shape, np.int32)
        references = self._references(previous)

        def predict(index: int) -> None:
            part = slice(index * self._together, min((index + 1) * self._together, len(samples)))
            o, m = self._coder(part, references).predict_all(torch.from_numpy(samples[part]).to(self._device))
            outputs[part], mean[part] = o.cpu().numpy(), m.cpu().numpy()

        self._workers.map(predict, -(-len(samples) // self._together))
        order = self._coding_order()
        flat = samples.reshape(-1)[order].astype(np.uint16)
        flat_outputs, flat_mean = outputs.reshape(-1, OUTPUTS)[order], mean.reshape(-1)[order]
        spare = -len(order) % LANES
        lanes = np.pad(flat_outputs, ((0, spare), (0, 0))).reshape(-1, LANES, OUTPUTS).transpose(0, 2, 1)
        means = np.pad(flat_mean, (0, spare)).reshape(-1, LANES)
        payload = _core.encode_samples(np.ascontiguousarray(lanes), means, flat, depth=8, q=0)
        values = flat.astype(np.int32)
        bits = _lengths(flat_outputs, flat_mean, values)
        ends = np.cumsum([0] + [-(-h // 32) * -(-w // 32) for h, w in self._grid.shapes])
        plane_of = np.searchsorted(ends, order // samples.shape[1], side="right") - 1
        return payload, np.bincount(plane_of, bits, minlength=len(self._grid.shapes)).tolist()

    def decode(
        self, payload: bytes, previous: Planes | None, *, analysis: bool = False
    ) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.float64]]]:
        """(planes, bits of each sample of each plane; none without analysis). Damage gives wrong samples, never an
        error."""
        decoder = _core.SampleDecoder(payload)
        tokens = np.zeros(self._present.shape, np.uint8)
        bits = np.zeros(self._present.shape if analysis else (0, 0))
        references = self._references(previous)
        for first in range(0, len(self._kinds), BATCH):
            batch = slice(first, min(first + BATCH, len(self._kinds)))
            patches = self._shared(batch, references)
            for start, stop in self._groups:
                outputs, mean = patches.predict(start, stop)
                inside = self._present[batch][:, self._tokens[start:stop]]
                samples = np.zeros(inside.shape, np.float32)
                values = decoder.decode(outputs[inside], mean[inside])
                samples[inside] = values
                if analysis:
                    patch, rank = np.nonzero(inside)
                    lengths = _lengths(outputs[inside], mean[inside], values.astype(np.int32))
                    bits[batch.start + patch, self._tokens[start + rank]] = lengths
                patches.reveal(start, stop, samples)
                tokens[batch, self._tokens[start:stop]] = samples
        return self._grid.join(tokens), self._grid.join(bits) if analysis else []

    def _references(self, previous: Planes | None) -> NDArray[np.float32] | None:
        return None if previous is None else self._grid.references(previous)

    def _coder(self, part: slice, references: NDArray[np.float32] | None) -> PatchCoder:
        """Of some patches, of which nothing is revealed."""
        reference = None if references is None else references[part]
        batch = PatchBatch(self._kinds[part], reference, self._present[part])
        return PatchCoder(self._networks[references is not None], batch, self._delta)

    def _shared(self, batch: slice, references: NDArray[np.float32] | None) -> _SharedPatches:
        """Some patches in equal parts, one for each worker."""
        count = batch.stop - batch.start
        shares = max(1, min(self._workers.count, count // TOGETHER))
        ends = [count * i // shares for i in range(shares + 1)]
        parts = [slice(*ends[i : i + 2]) for i in range(shares)]

        def coder(i: int) -> PatchCoder:
            return self._coder(slice(batch.start + parts[i].start, batch.start + parts[i].stop), references)

        return _SharedPatches(self._workers, self._workers.map(coder, shares), parts, self._device)

    def _coding_order(self) -> NDArray[np.int64]:
        """Indices into [patches * 1024] (by rank) of all tokens inside the picture, in coding order."""
        count, tokens = self._present.shape
        inside = self._present[:, self._tokens]
        parts = []
        for first in range(0, count, BATCH):
            last = min(first + BATCH, count)
            for start, stop in self._groups:
                index = np.arange(first, last)[:, None] * tokens + np.arange(start, stop)
                parts.append(index[inside[first:last, start:stop]])
        return np.concatenate(parts)
