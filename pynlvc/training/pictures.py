"""RGB training material: photos that a camera seems to pass over, and clips scaled down to full colour resolution.

Hardly any RGB video is at hand. Photos give its colours and textures, a moving window with sub-sample positions gives
it motion, and clips of 4:2:0, halved in size, bring real motion.
"""

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from pynlvc.media.containers import ffmpeg_errors, open_input
from pynlvc.training.clips import Augmentation, Planes, correlated_noise

Picture = NDArray[np.float32]  # [3, h, w], G, B, R, 0..255


def read_pictures(folder: Path, least: int) -> dict[str, Picture]:
    """All PNG pictures of a folder that are at least `least` samples wide and high."""
    pictures = {}
    for path in sorted(folder.glob("*.png")):
        with ffmpeg_errors(f"cannot read the picture {path}"), open_input(path) as container:
            frame = next(container.decode(video=0))
        assert isinstance(frame, av.VideoFrame)
        rgb = frame.to_ndarray(format="rgb24").astype(np.float32)
        if min(rgb.shape[:2]) >= least:
            pictures[path.name] = np.ascontiguousarray(rgb.transpose(2, 0, 1)[[1, 2, 0]])
    return pictures


def to_rgb(frame: Planes) -> Picture:
    """A 4:2:0 frame at half its size (BT.601, full range: the statistics matter, not the colours)."""
    y, u, v = frame
    h, w = u.shape
    luma = y[: 2 * h, : 2 * w]
    if luma.shape != (2 * h, 2 * w):
        h, w = luma.shape[0] // 2, luma.shape[1] // 2
        luma, u, v = luma[: 2 * h, : 2 * w], u[:h, :w], v[:h, :w]
    luma = luma.reshape(h, 2, w, 2).mean((1, 3))
    u, v = u - 128, v - 128
    return np.stack([luma - 0.344 * u - 0.714 * v, luma + 1.772 * u, luma + 1.402 * v])


def _passing(picture: Picture, rng: np.random.Generator, frames: int, size: int) -> NDArray[np.float32]:
    """A window that moves over a picture: [frames, 3, size, size], interpolated linearly."""
    height, width = picture.shape[1:]
    speed = rng.choice([0.0, 0.7, 2.5], p=[0.2, 0.4, 0.4]) * rng.standard_normal(2)
    room = np.array([height - size - 2, width - size - 2], dtype=np.float64)
    position = rng.random(2) * room
    out = []
    for _ in range(frames):
        position = np.clip(position + speed + 0.1 * rng.standard_normal(2) * (speed != 0), 0, room)
        top, left = position.astype(int)
        fy, fx = (position - (top, left)).astype(np.float32)
        area = picture[:, top : top + size + 1, left : left + size + 1]
        rows = area[:, :-1] * (1 - fy) + area[:, 1:] * fy
        out.append(rows[:, :, :-1] * (1 - fx) + rows[:, :, 1:] * fx)
    return np.stack(out)


def rgb_cut(
    source: Picture | list[Planes], rng: np.random.Generator, settings: Augmentation, size: int, least_frames: int
) -> list[NDArray[np.uint16]]:
    """A varied cut: [G, B, R], each uint16 [frames, size, size]."""
    if isinstance(source, list):
        h, w = (n // 2 for n in source[0][0].shape)
        top, left = (int(rng.integers(0, n - size + 1)) for n in (h, w))
        cut = np.stack([to_rgb(f)[:, top : top + size, left : left + size] for f in source])
        if rng.random() < settings.reverse:
            cut = cut[::-1]
    else:
        cut = _passing(source, rng, int(rng.integers(least_frames, 9)), size)
    cut = cut[:, rng.permutation(3)] if rng.random() < 0.2 else cut
    if rng.random() < settings.mirror:
        cut = cut[..., ::-1]
    if rng.random() < settings.contrast:
        cut = (cut - 128) * rng.uniform(0.6, 1.25) + 128 + rng.uniform(-20, 20)
    if rng.random() < settings.noise:
        sigma = float(rng.choice(settings.sigmas))
        correlation = float(rng.uniform(0.1, 0.6)) if rng.random() < 0.7 else 0.0
        shared = float(rng.choice([0.0, 0.5, 0.9]))  # film grain and luma noise are the same in all planes
        grain = correlated_noise(rng, cut[:, 0].shape, correlation)
        own = np.stack([correlated_noise(rng, grain.shape, correlation) for _ in range(3)], 1)
        cut = cut + sigma * (np.sqrt(shared) * grain[:, None] + np.sqrt(1 - shared) * own)
    samples = np.clip(np.rint(cut), 0, 255).astype(np.uint16)
    return [np.ascontiguousarray(samples[:, p]) for p in range(3)]
