"""The payload of a frame that the masked-diffusion transformer codes (docs/diffusion.md §4)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from pynlvc import _core
from pynlvc.model.diffusion.integers import NetworkRunner, PatchBatch, PatchCoder, slope_tables
from pynlvc.model.diffusion.modelfile import DiffusionModel
from pynlvc.model.diffusion.patch_grid import PatchGrid, Planes

BATCH = 256  # patches whose tokens are revealed side by side
TOGETHER = 4  # patches that an encoder computes at once: what they need stays in a processor's cache
LANES = 16  # distributions that the range coder takes at once
OUTPUTS = 9


def set_threads(threads: int) -> None:
    """How many processor threads PyTorch uses; 0: one. No sample depends on it.

    The products are small: threads wait for each other more than they help, and where something else runs on the
    processor, they wait by far the longest.
    """
    torch.set_num_threads(max(1, threads))


def _lengths(outputs: NDArray[np.int32], mean: NDArray[np.int32], values: NDArray[np.int32]) -> NDArray[np.float64]:
    """Bits of samples [n] under their distributions."""
    bounds = _core.mixture_bounds(outputs, mean, np.stack([values, values + 1], 1), depth=8, q=0)
    return np.log2(1 << 24) - np.log2((bounds[:, 1] - bounds[:, 0]).astype(np.float64))


class FrameCoder:
    """Codes frames of one layout with one model and slope."""

    def __init__(self, model: DiffusionModel, layout: _core.Format, delta: int, device: str = "cpu") -> None:
        place = torch.device(device)
        self._grid = PatchGrid.of(layout)
        self._kinds = self._grid.kinds
        self._present = self._grid.present()
        self._networks = [NetworkRunner(network, place) for network in model.networks]
        self._delta = delta
        self._device = place
        tables = slope_tables(delta, place)
        self._tokens = tables.tokens.cpu().numpy()
        self._groups = tables.groups

    def encode(self, planes: Planes, previous: Planes | None) -> tuple[bytes, list[float]]:
        """(payload, bits of each plane). previous: the frame before, None in a keyframe."""
        samples = self._grid.cut(planes)[:, self._tokens]  # by rank
        outputs = np.empty((*samples.shape, OUTPUTS), np.int32)
        mean = np.empty(samples.shape, np.int32)
        for part, batch in self._batches(previous, TOGETHER):
            coder = PatchCoder(self._networks[previous is not None], batch, self._delta)
            o, m = coder.predict_all(torch.from_numpy(samples[part]).to(self._device))
            outputs[part], mean[part] = o.cpu().numpy(), m.cpu().numpy()
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
        for part, batch in self._batches(previous, BATCH):
            coder = PatchCoder(self._networks[previous is not None], batch, self._delta)
            for start, stop in self._groups:
                outputs, mean = coder.predict(start, stop)
                inside = batch.present[:, self._tokens[start:stop]]
                samples = np.zeros(inside.shape, np.float32)
                present_outputs, present_mean = outputs.cpu().numpy()[inside], mean.cpu().numpy()[inside]
                values = decoder.decode(present_outputs, present_mean)
                samples[inside] = values
                if analysis:
                    patch, rank = np.nonzero(inside)
                    lengths = _lengths(present_outputs, present_mean, values.astype(np.int32))
                    bits[part.start + patch, self._tokens[start + rank]] = lengths
                coder.reveal(start, stop, torch.from_numpy(samples).to(self._device))
                tokens[part, self._tokens[start:stop]] = samples
        return self._grid.join(tokens), self._grid.join(bits) if analysis else []

    def _batches(self, previous: Planes | None, size: int) -> Iterator[tuple[slice, PatchBatch]]:
        references = None if previous is None else self._grid.references(previous)
        for first in range(0, len(self._kinds), size):
            part = slice(first, min(first + size, len(self._kinds)))
            reference = None if references is None else references[part]
            yield part, PatchBatch(self._kinds[part], reference, self._present[part])

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
