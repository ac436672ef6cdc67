"""RGB training material: photos that a camera seems to pass over, and clips of 4:2:0 brought to RGB in two ways.

Hardly any RGB video is at hand. Photos give its colours and textures, a moving window with sub-sample positions gives
it motion. Clips bring real motion: halved in size they have full colour resolution, as a camera for RGB gives it; at
their own size, with chroma interpolated as players do it, they are what most RGB files once were.
"""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from pynlvc.media.containers import ffmpeg_errors, open_input
from pynlvc.training.clips import Augmentation, Planes, augmented_cut, correlated_noise

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


def _doubled(plane: NDArray[np.float32], axis: int, kernel: str, centred: bool) -> NDArray[np.float32]:
    """A plane twice as large along an axis. kernel: nearest, linear or cubic (Catmull-Rom).

    centred: chroma sites lie between two luma samples, else at the first.
    """
    size = plane.shape[axis]
    at = np.arange(2 * size) / 2 - (0.25 if centred else 0.0)
    first = np.floor(at).astype(int)
    t = (at - first).astype(np.float32)
    if kernel == "nearest":
        return np.repeat(plane, 2, axis)
    if kernel == "linear":
        weights = np.stack([0 * t, 1 - t, t, 0 * t])
    else:
        weights = np.stack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2]) / 2
    shape = [-1 if a == axis % plane.ndim else 1 for a in range(plane.ndim)]
    out = np.zeros_like(np.repeat(plane, 2, axis))
    for i in range(4):
        out += weights[i].reshape(shape) * plane.take(np.clip(first + i - 1, 0, size - 1), axis)
    return out


def restored_rgb(planes: list[NDArray[np.uint16]], rng: np.random.Generator) -> NDArray[np.float32]:
    """What a player makes of 4:2:0 [Y, U, V], each [frames, h, w]: [frames, 3, h, w], G, B, R.

    Kernel and site of chroma, range and matrix are drawn at random.
    """
    kernel = str(rng.choice(["nearest", "linear", "cubic"]))
    centred = bool(rng.random() < 0.5)
    y, u, v = (p.astype(np.float32) for p in planes)
    u, v = (_doubled(_doubled(c - 128, -1, kernel, centred), -2, kernel, True) for c in (u, v))
    if rng.random() < 0.6:  # limited range
        y, u, v = (y - 16) * (255 / 219), u * (255 / 224), v * (255 / 224)
    kr, kb = (0.299, 0.114) if rng.random() < 0.6 else (0.2126, 0.0722)
    red, blue = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    return np.stack([(y - kr * red - kb * blue) / (1 - kr - kb), blue, red], 1)


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


def _as_samples(cut: NDArray[np.float32]) -> list[NDArray[np.uint16]]:
    samples = np.clip(np.rint(cut), 0, 255).astype(np.uint16)
    return [np.ascontiguousarray(samples[:, p]) for p in range(3)]


def rgb_cut(
    source: Picture | list[Planes], rng: np.random.Generator, settings: Augmentation, size: int, least_frames: int
) -> list[NDArray[np.uint16]]:
    """A varied cut: [G, B, R], each uint16 [frames, size, size]."""
    if isinstance(source, list) and (min(source[0][0].shape) < 2 * size + 8 or rng.random() < 0.5):
        planes = augmented_cut(source, rng, replace(settings, crop=size), least_frames)
        return _as_samples(restored_rgb(planes, rng))
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
    return _as_samples(cut)
