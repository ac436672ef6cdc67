"""What a model is refined with: cuts coded by the codec itself, and the examples that its encoder hands out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pynlvc import _core
from pynlvc.codec.pixel_formats import pixel_format
from pynlvc.model.examples import ExampleArrays, NetworkKey
from pynlvc.training.clips import Augmentation, Planes, augmented_cut

LEAST_FRAMES = 5  # of a cut, where its clip has them


@dataclass(frozen=True, kw_only=True)
class ChunkSettings:
    """What a chunk of examples is made of."""

    cuts: int = 24  # cuts that are coded as video, >= 1
    pictures: int = 24  # cuts that are coded as I-frames alone, >= 0
    picture_step: int = 3  # one of so many frames of those, >= 1
    reveal: tuple[float, float, float] = (0.08, 0.08, 0.84)  # probabilities of δ = 0, 1, 2


class Chunk:
    """Examples by network and δ."""

    def __init__(self) -> None:
        self._parts: dict[tuple[NetworkKey, int], list[_core.Examples]] = {}

    def code(self, cut: list[NDArray[np.uint16]], model: bytes, delta: int, *, step: int = 1, intra: bool) -> None:
        """Codes every `step`-th frame of a cut and keeps all that the encoder tells."""
        height, width = cut[0].shape[1:]
        encoder = _core.Encoder(
            pixel_format("yuv420p").core_format(width, height, (1, 1)),
            model,
            delta=delta,
            keyframe_interval=1 if intra else 0,
            slices=1,
            threads=1,
            scene_cuts=False,
            effort=0,
            examples=1,
        )
        for number in range(0, len(cut[0]), step):
            planes = [np.ascontiguousarray(plane[number].astype(np.uint8)) for plane in cut]
            for examples in encoder.encode(planes, pts=number, duration=1).examples:
                key = examples.frame_type, examples.plane_class
                self._parts.setdefault((key, delta), []).append(examples)

    def examples(self, key: NetworkKey, delta: int) -> ExampleArrays | None:
        """All of a network for one δ."""
        parts = self._parts.get((key, delta))
        return None if parts is None else ExampleArrays.joined(parts)


def make_chunk(
    clips: list[list[Planes]],
    model: bytes,
    settings: ChunkSettings,
    augmentation: Augmentation,
    rng: np.random.Generator,
) -> Chunk:
    """A chunk of varied cuts."""
    chunk = Chunk()
    for number in range(settings.cuts + settings.pictures):
        clip = clips[int(rng.integers(len(clips)))]
        cut = augmented_cut(clip, rng, augmentation, LEAST_FRAMES)
        delta = int(rng.choice(3, p=settings.reveal))
        intra = number >= settings.cuts
        chunk.code(cut, model, delta, step=settings.picture_step if intra else 1, intra=intra)
    return chunk
