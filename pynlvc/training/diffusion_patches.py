"""Batches of patches cut from training clips and pictures for the masked-diffusion transformer."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pynlvc.model.diffusion.shape import CHROMA, COLOUR, LUMA, PATCH, REFERENCE_REACH
from pynlvc.training.clips import Augmentation, Planes, augmented_cut
from pynlvc.training.diffusion_step import Patches
from pynlvc.training.pictures import Picture, rgb_cut

CUT = 96  # edge of a luma cut, samples: its chroma is larger than a patch
RGB_CUT = 48
FROM_A_CUT = 2  # patches taken from each cut

Source = list[Planes] | Picture


class PatchSource:
    """Draws patches of one kind and frame type from random cuts."""

    def __init__(self, clips: list[Source], rgb: list[Source], augmentation: Augmentation):
        self._clips, self._rgb = clips, rgb
        self._augmentation = replace(augmentation, crop=CUT)

    @property
    def kinds(self) -> list[int]:
        """The kinds of planes that there is material for."""
        return [LUMA, CHROMA, COLOUR] if self._rgb else [LUMA, CHROMA]

    def batch(self, rng: np.random.Generator, frame_type: int, kind: int, size: int) -> Patches:
        """`size` patches (made even)."""
        samples: list[NDArray[np.float32]] = []
        references: list[NDArray[np.float32]] = []
        while len(samples) < size:
            frames = self._cut(rng, kind)
            for _ in range(FROM_A_CUT):
                t = int(rng.integers(1, len(frames)))
                top, left = (int(v) for v in rng.integers(0, np.array(frames.shape[1:]) - PATCH + 1))
                samples.append(frames[t, top : top + PATCH, left : left + PATCH])
                wide = np.pad(frames[t - 1], REFERENCE_REACH, mode="edge")
                edge = PATCH + 2 * REFERENCE_REACH
                references.append(wide[top : top + edge, left : left + edge])
        return Patches(kind, np.stack(samples), np.stack(references) if frame_type else None)

    def _cut(self, rng: np.random.Generator, kind: int) -> NDArray[np.float32]:
        """[frames >= 2, rows, columns] of one plane of a varied cut."""
        if kind == COLOUR:
            source = self._rgb[int(rng.integers(len(self._rgb)))]
            if isinstance(source, list):
                start = int(rng.integers(0, len(source) - 1))
                source = source[start : start + 2]
            planes = rgb_cut(source, rng, self._augmentation, RGB_CUT, 2)
            return planes[int(rng.integers(3))].astype(np.float32)
        clip = self._clips[int(rng.integers(len(self._clips)))]
        assert isinstance(clip, list), "pictures serve RGB alone"
        start = int(rng.integers(0, max(1, len(clip) - 4)))
        planes = augmented_cut(clip[start : start + 5], rng, self._augmentation, 2)
        return planes[0 if kind == LUMA else int(rng.integers(1, 3))].astype(np.float32)
