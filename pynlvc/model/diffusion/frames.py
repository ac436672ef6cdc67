"""The payloads of frames that the masked-diffusion transformer codes (docs/diffusion.md §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
from numpy.typing import NDArray

from pynlvc import _core
from pynlvc.model.diffusion.arithmetic import ANY_DEVICE
from pynlvc.model.diffusion.integers import NetworkRunner, PatchBatch, PatchCoder, slope_tables
from pynlvc.model.diffusion.modelfile import DiffusionModel
from pynlvc.model.diffusion.native import PROCESSOR
from pynlvc.model.diffusion.patch_grid import PatchGrid, Planes
from pynlvc.model.diffusion.revealing import Group, OpenFrame, SharedPatches, Workers, code_lengths
from pynlvc.model.diffusion.shape import PATCH, TOKENS

BATCH = 256  # patches whose tokens are revealed side by side
TOGETHER = 4  # patches that a processor's thread computes at once in an encoder: what they need stays in its cache
TOGETHER_ON_DEVICE = 256  # the same of a device that wants many
ENOUGH = 2048  # patches from which on more frames at once gain nothing
MOST_FRAMES = 16  # that an encoder takes at once
LANES = 16  # distributions that the range coder takes at once
OUTPUTS = 9


@dataclass(frozen=True)
class FrameToEncode:
    """Samples, and those of the frame before (None in a keyframe)."""

    planes: Planes
    previous: Planes | None


@dataclass(frozen=True)
class FrameToDecode:
    """A payload, and the samples of the frame before (None in a keyframe)."""

    payload: bytes
    previous: Planes | None


Decoded = tuple[list[NDArray[np.uint8]], list[NDArray[np.float64]]]
"""Planes, and the bits of each sample of each plane (none without analysis)."""


def _alike(previous: Sequence[Planes | None]) -> list[list[int]]:
    """Indices of the keyframes and of the other frames: each have a network of their own."""
    kinds = [[i for i, before in enumerate(previous) if (before is None) == key] for key in (True, False)]
    return [indices for indices in kinds if indices]


def _take(
    opened: Sequence[OpenFrame], group: Group, outputs: NDArray[np.int32], mean: NDArray[np.int32], frame: int
) -> NDArray[np.float32]:
    return opened[frame].take(group, outputs[frame], mean[frame])


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

    @property
    def frames_at_once(self) -> int:
        """How many frames an encoder best gives at once."""
        return max(1, min(MOST_FRAMES, ENOUGH // len(self._kinds)))

    def encode(self, frames: Sequence[FrameToEncode]) -> list[tuple[bytes, list[float]]]:
        """(payload, bits of each plane) of each frame. All samples are known, so patches of several frames are
        computed side by side; the bytes are those of each frame by itself."""
        found: dict[int, tuple[bytes, list[float]]] = {}
        for indices in _alike([frame.previous for frame in frames]):
            chosen = [frames[i] for i in indices]
            samples = np.concatenate([self._grid.cut(frame.planes) for frame in chosen])[:, self._tokens]  # by rank
            outputs, mean = self._predict(samples, self._references([frame.previous for frame in chosen]))
            apart = len(chosen), len(self._kinds), TOKENS
            code = partial(self._coded, samples.reshape(apart), outputs.reshape(*apart, OUTPUTS), mean.reshape(apart))
            coded = self._workers.map(code, len(chosen))
            found.update(zip(indices, coded, strict=True))
        return [found[i] for i in range(len(frames))]

    def _predict(
        self, samples: NDArray[np.float32], references: NDArray[np.float32] | None
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Outputs and means of all tokens of the patches [n, 1024] of some frames."""
        outputs = np.empty((*samples.shape, OUTPUTS), np.int32)
        mean = np.empty(samples.shape, np.int32)

        def predict(index: int) -> None:
            part = slice(index * self._together, min((index + 1) * self._together, len(samples)))
            places = np.arange(part.start, part.stop) % len(self._kinds)
            coder = self._coder(places, None if references is None else references[part])
            o, m = coder.predict_all(torch.from_numpy(samples[part]).to(self._device))
            outputs[part], mean[part] = o.cpu().numpy(), m.cpu().numpy()

        self._workers.map(predict, -(-len(samples) // self._together))
        return outputs, mean

    def _coded(
        self, samples: NDArray[np.float32], outputs: NDArray[np.int32], mean: NDArray[np.int32], frame: int
    ) -> tuple[bytes, list[float]]:
        """(payload, bits of each plane) of one frame of those that were predicted together."""
        order = self._order
        flat = samples[frame].reshape(-1)[order].astype(np.uint16)
        flat_outputs, flat_mean = outputs[frame].reshape(-1, OUTPUTS)[order], mean[frame].reshape(-1)[order]
        spare = -len(order) % LANES
        lanes = np.pad(flat_outputs, ((0, spare), (0, 0))).reshape(-1, LANES, OUTPUTS).transpose(0, 2, 1)
        means = np.pad(flat_mean, (0, spare)).reshape(-1, LANES)
        payload = _core.encode_samples(np.ascontiguousarray(lanes), means, flat, depth=8, q=0)
        bits = code_lengths(flat_outputs, flat_mean, flat.astype(np.int32))
        return payload, np.bincount(self._plane_of, bits, minlength=len(self._grid.shapes)).tolist()

    def decode(self, frames: Sequence[FrameToDecode], *, analysis: bool = False) -> list[Decoded]:
        """Frames that do not need each other (of different GOPs), side by side. Damage gives wrong samples, never an
        error."""
        found: dict[int, Decoded] = {}
        for indices in _alike([frame.previous for frame in frames]):
            found.update(zip(indices, self._decode_alike([frames[i] for i in indices], analysis), strict=True))
        return [found[i] for i in range(len(frames))]

    def _decode_alike(self, frames: Sequence[FrameToDecode], analysis: bool) -> list[Decoded]:
        """Frames of one type."""
        opened = [OpenFrame(frame.payload, *self._present.shape, analysis=analysis) for frame in frames]
        references = self._references([frame.previous for frame in frames])
        for first in range(0, len(self._kinds), BATCH):
            batch = np.arange(first, min(first + BATCH, len(self._kinds)))
            patches = self._shared(batch, references, len(frames))
            for start, stop in self._groups:
                tokens = self._tokens[start:stop]
                group = Group(batch, tokens, self._present[batch][:, tokens])
                predicted = patches.predict(start, stop)
                outputs, mean = (x.reshape(len(frames), len(batch), *x.shape[1:]) for x in predicted)
                samples = self._workers.map(partial(_take, opened, group, outputs, mean), len(frames))
                patches.reveal(start, stop, np.concatenate(samples))
        return [
            (self._grid.join(frame.tokens), [] if frame.bits is None else self._grid.join(frame.bits))
            for frame in opened
        ]

    def _references(self, previous: Sequence[Planes | None]) -> NDArray[np.float32] | None:
        """Of the patches of frames of one type, one frame after the other."""
        planes = [before for before in previous if before is not None]
        return np.concatenate([self._grid.references(before) for before in planes]) if planes else None

    def _coder(self, places: NDArray[np.int64], references: NDArray[np.float32] | None) -> PatchCoder:
        """Of the patches at these places of their frames; nothing is revealed yet."""
        batch = PatchBatch(self._kinds[places], references, self._present[places])
        return PatchCoder(self._networks[references is not None], batch, self._delta)

    def _shared(self, batch: NDArray[np.int64], references: NDArray[np.float32] | None, frames: int) -> SharedPatches:
        """Some patches of each frame in equal parts, one for each worker."""
        places = np.tile(batch, frames)
        if references is not None:
            references = references.reshape(frames, -1, *references.shape[1:])[:, batch].reshape(
                -1, *references.shape[1:]
            )
        shares = max(1, min(self._workers.count, len(places) // TOGETHER))
        ends = [len(places) * i // shares for i in range(shares + 1)]
        parts = [slice(*ends[i : i + 2]) for i in range(shares)]

        def coder(i: int) -> PatchCoder:
            return self._coder(places[parts[i]], None if references is None else references[parts[i]])

        return SharedPatches(self._workers, self._workers.map(coder, shares), parts, self._device)

    @cached_property
    def _order(self) -> NDArray[np.int64]:
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

    @cached_property
    def _plane_of(self) -> NDArray[np.int64]:
        """The plane of each of these tokens."""
        ends = np.cumsum([0] + [-(-h // PATCH) * -(-w // PATCH) for h, w in self._grid.shapes])
        return np.searchsorted(ends, self._order // TOKENS, side="right") - 1
