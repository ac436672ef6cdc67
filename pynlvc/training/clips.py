"""Training material: clips as planes, cut, augmented and with sensor noise put back.

Most training clips were lossy video, scaled down; they hold less noise than a camera gives, and a lossless coder
spends most of its bits on noise. So noise of varied strength and slight spatial correlation is added.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pynlvc.codec.planes import frame_planes
from pynlvc.errors import UnsupportedFormatError
from pynlvc.media.containers import ffmpeg_errors, open_input

Planes = list[NDArray[np.float32]]  # Y [h, w], U and V [h/2, w/2]


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How a cut is varied. Probabilities are 0..1."""

    crop: int = 128  # edge of the luma cut, samples, a multiple of 16
    mirror: float = 0.5  # probability of mirroring left to right
    reverse: float = 0.3  # probability of playing backwards
    skip: float = 0.15  # probability of taking every other frame
    contrast: float = 0.4  # probability of changing contrast and brightness
    noise: float = 0.65  # probability of added noise
    still: float = 0.12  # probability of a frozen picture (with fresh noise): static scenes
    sigmas: tuple[float, ...] = (0.4, 0.6, 0.8, 1.1, 1.5, 2.0, 2.8)  # strengths of luma noise, samples


def read_clip(path: Path, limit: int = 16) -> list[Planes]:
    """The first `limit` frames of an 8-bit 4:2:0 file, each as [Y, U, V] float32."""
    frames = []
    with ffmpeg_errors(f"cannot read the training clip {path}"), open_input(path) as container:
        for frame in container.decode(video=0):
            if frame.format.name not in ("yuv420p", "yuvj420p"):
                raise UnsupportedFormatError(f"{path}: training needs yuv420p, this is {frame.format.name}")
            frames.append([plane.astype(np.float32) for plane in frame_planes(frame)])
            if len(frames) == limit:
                break
    return frames


def read_clips(folder: Path, least: int) -> dict[str, list[Planes]]:
    """All clips of a folder by file name that are at least `least` samples wide and high."""
    clips = {}
    for path in sorted(folder.glob("*.mkv")):
        frames = read_clip(path)
        height, width = frames[0][0].shape
        if min(height, width) >= least:
            clips[path.name] = frames
    return clips


def correlated_noise(rng: np.random.Generator, shape: tuple[int, ...], correlation: float) -> NDArray[np.float32]:
    """Unit noise [frames, h, w] with a correlation to the left and upper neighbour."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    if correlation > 0:
        noise = noise + correlation * np.roll(noise, 1, 2) + 0.6 * correlation * np.roll(noise, 1, 1)
        noise /= np.sqrt(1 + 1.36 * correlation**2)
    return noise


def augmented_cut(
    clip: list[Planes], rng: np.random.Generator, settings: Augmentation, least_frames: int
) -> list[NDArray[np.uint16]]:
    """A varied cut of a clip: [Y, U, V], each uint16 [frames, h, w]."""
    size = settings.crop
    height, width = clip[0][0].shape
    top = int(rng.integers(0, (height - size) // 2 + 1)) * 2
    left = int(rng.integers(0, (width - size) // 2 + 1)) * 2
    frames = clip
    if rng.random() < settings.reverse:
        frames = frames[::-1]
    if rng.random() < settings.skip and len(frames) >= 2 * least_frames:
        frames = frames[::2]
    if len(frames) > least_frames:
        start = int(rng.integers(0, len(frames) - least_frames + 1))
        frames = frames[start : start + int(rng.integers(least_frames, len(frames) - start + 1))]
    still = rng.random() < settings.still
    if still:
        frames = [frames[0]] * len(frames)
    cuts = []
    for p in range(3):
        s = 0 if p == 0 else 1
        area = np.s_[top >> s : (top + size) >> s, left >> s : (left + size) >> s]
        cuts.append(np.stack([f[p][area] for f in frames]))
    if rng.random() < settings.mirror:
        cuts = [c[:, :, ::-1] for c in cuts]
    if rng.random() < settings.contrast:
        gain, lift, colour = rng.uniform(0.6, 1.25), rng.uniform(-20, 20), rng.uniform(0.6, 1.3)
        cuts = [(cuts[0] - 128) * gain + 128 + lift] + [(c - 128) * colour + 128 for c in cuts[1:]]
    if still or rng.random() < settings.noise:
        sigma = float(rng.choice(settings.sigmas))
        correlation = rng.uniform(0.1, 0.6) if rng.random() < 0.7 else 0.0
        chroma = rng.uniform(0.2, 0.8)
        shared = correlated_noise(rng, cuts[0].shape, correlation)
        cuts[0] = cuts[0] + sigma * shared
        for p in (1, 2):
            cuts[p] = cuts[p] + sigma * chroma * correlated_noise(rng, cuts[p].shape, correlation)
    return [np.clip(np.rint(c), 0, 255).astype(np.uint16) for c in cuts]
