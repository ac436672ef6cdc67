"""Natural-looking clips made from a seed: a textured scene with moving objects, camera motion and sensor noise.

Serves tests, the demo and the benchmarks where no real clip is at hand. NumPy only; equal arguments give equal samples.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[Any]  # uint8 (depth 8) or uint16, [rows, columns]
Picture = NDArray[np.float32]  # [rows, columns, 3] RGB, 0..1


@dataclass(frozen=True, kw_only=True)
class SampleFormat:
    """How the planes of a picture are laid out (docs/bitstream.md §1)."""

    layout: str  # "grey", "yuv" or "rgb"
    depth: int  # bits per sample, 8..16
    alpha: bool = False
    sx: int = 0  # log2 of the horizontal subsampling of planes 1 and 2
    sy: int = 0  # log2 of the vertical subsampling of planes 1 and 2

    def plane_sizes(self, width: int, height: int) -> list[tuple[int, int]]:
        """(rows, columns) of each plane in coding order."""
        chroma = (-(-height >> self.sy), -(-width >> self.sx))
        full = (height, width)
        sizes = [full] if self.layout == "grey" else [full, chroma, chroma]
        return sizes + [full] if self.alpha else sizes


_SUBSAMPLING = {"444": (0, 0), "440": (0, 1), "422": (1, 0), "420": (1, 1), "411": (2, 0), "410": (2, 2)}


def sample_format(pix_fmt: str) -> SampleFormat:
    """Layout of a planar FFmpeg pixel format: gray, gray10le, yuv420p, yuva444p, yuv422p10le, gbrp, gbrap12le, ...

    Raises ValueError for packed, semi-planar and unknown formats.
    """
    if match := re.fullmatch(r"gray(\d*)(?:le)?", pix_fmt):
        return SampleFormat(layout="grey", depth=int(match[1] or 8))
    if match := re.fullmatch(r"yuv(a?)(\d{3})p(\d*)(?:le)?", pix_fmt):
        sx, sy = _SUBSAMPLING[match[2]]
        return SampleFormat(layout="yuv", alpha=bool(match[1]), depth=int(match[3] or 8), sx=sx, sy=sy)
    if match := re.fullmatch(r"gbr(a?)p(\d*)(?:le)?", pix_fmt):
        return SampleFormat(layout="rgb", alpha=bool(match[1]), depth=int(match[2] or 8))
    raise ValueError(f"{pix_fmt} is not a planar format that clips can be made in")


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Planes of every frame in coding order: Y; Y, U, V; G, B, R; alpha last (docs/bitstream.md §1)."""

    pix_fmt: str
    width: int
    height: int
    frames: list[list[Plane]]

    @property
    def raw_bytes(self) -> int:
        """Size of all samples without padding."""
        return sum(plane.nbytes for planes in self.frames for plane in planes)


def make_clip(
    width: int = 352,
    height: int = 288,
    frames: int = 12,
    *,
    pix_fmt: str = "yuv420p",
    seed: int = 0,
    noise: float = 1.3,
    motion: float = 1.0,
    cuts: tuple[int, ...] = (),
) -> Clip:
    """A clip of `frames` pictures.

    noise: standard deviation of the sensor noise in 8-bit steps; motion: factor on all speeds (0 stands still);
    cuts: frame indices at which another scene begins.
    """
    layout = sample_format(pix_fmt)
    if min(width, height) < 1 or frames < 0:
        raise ValueError(f"no clip of {width}x{height}, {frames} frames")
    rng = np.random.default_rng([seed, 0])
    scene, start = _Scene(width, height, np.random.default_rng([seed, 1])), 0
    pictures = []
    for index in range(frames):
        if index in cuts:
            scene, start = _Scene(width, height, np.random.default_rng([seed, 2 + index])), index
        picture = scene.render((index - start) * motion)
        pictures.append(_to_planes(picture, layout, noise, rng))
    return Clip(pix_fmt=pix_fmt, width=width, height=height, frames=pictures)


def noise_clip(width: int, height: int, frames: int, *, pix_fmt: str = "yuv420p", seed: int = 0) -> Clip:
    """Uniformly random samples: nothing can compress them."""
    layout, rng = sample_format(pix_fmt), np.random.default_rng(seed)
    dtype = np.uint8 if layout.depth == 8 else np.uint16
    pictures: list[list[Plane]] = [
        [rng.integers(0, 1 << layout.depth, size, dtype=dtype) for size in layout.plane_sizes(width, height)]
        for _ in range(frames)
    ]
    return Clip(pix_fmt=pix_fmt, width=width, height=height, frames=pictures)


class _Scene:
    """A large textured background under a moving camera, and textured ellipses that move across it."""

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        self.width, self.height = width, height
        self.margin = 24
        shape = (height + 2 * self.margin, width + 2 * self.margin)
        self.background = _texture(shape, rng, contrast=0.30)
        self.pan = rng.uniform(-1.2, 1.2, 2)  # camera speed, samples per frame (y, x)
        self.shake = rng.uniform(0.1, 0.6)
        self.objects = []
        for _ in range(4):
            radius = rng.uniform(0.08, 0.22) * min(width, height) + 1
            side = int(2 * radius) + 3
            self.objects.append(
                {
                    "texture": _texture((side, side), rng, contrast=0.45),
                    "radius": radius,
                    "stretch": rng.uniform(0.7, 1.4),
                    "centre": rng.uniform(0.15, 0.85, 2) * (height, width),
                    "speed": rng.uniform(-2.5, 2.5, 2),
                }
            )

    def render(self, time: float) -> Picture:
        """The picture at `time` frames after the scene began."""
        # The camera swings, so that it never leaves the background however long the clip.
        swing = self.margin - 3
        offset = swing * np.sin(self.pan * time / swing) + self.shake * np.sin(np.array([1.7, 2.3]) * time)
        ys = np.arange(self.height, dtype=np.float32) + np.float32(self.margin + offset[0])
        xs = np.arange(self.width, dtype=np.float32) + np.float32(self.margin + offset[1])
        picture = _sample(self.background, ys, xs)
        for thing in self.objects:
            self._paint(picture, thing, time)
        brightness = np.float32(1.0 + 0.01 * np.sin(0.35 * time))
        return picture * brightness

    def _paint(self, picture: Picture, thing: dict[str, Any], time: float) -> None:
        radius, stretch = thing["radius"], thing["stretch"]
        size = np.array([self.height, self.width], dtype=np.float64)
        travel = size + 4 * radius  # objects leave on one side and come back on the other
        centre = (thing["centre"] + thing["speed"] * time + 2 * radius) % travel - 2 * radius
        top, left = (int(v) for v in np.floor(centre - radius - 1))
        rows = np.arange(max(top, 0), min(top + int(2 * radius) + 3, self.height))
        columns = np.arange(max(left, 0), min(left + int(2 * radius) + 3, self.width))
        if not len(rows) or not len(columns):
            return
        ys = (rows - centre[0] + radius).astype(np.float32)
        xs = (columns - centre[1] + radius).astype(np.float32)
        distance = np.hypot((ys[:, None] - radius) * max(stretch, 1), (xs[None, :] - radius) / min(stretch, 1))
        cover = np.clip(radius - distance, 0, 1).astype(np.float32)[..., None]  # soft edge, one sample wide
        region = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        region += cover * (_sample(thing["texture"], ys, xs) - region)


def _texture(shape: tuple[int, int], rng: np.random.Generator, *, contrast: float) -> Picture:
    """1/f-like noise in luminance with stripes and patches of colour, float32 [rows, columns, 3] around 0.1..0.9."""
    luma = np.zeros(shape, dtype=np.float32)
    tint = np.zeros((*shape, 3), dtype=np.float32)
    for octave in range(1, 8):
        cell = 1 << octave  # samples
        grid = (shape[0] // cell + 3, shape[1] // cell + 3)
        ys = np.arange(shape[0], dtype=np.float32) / np.float32(cell) + 1
        xs = np.arange(shape[1], dtype=np.float32) / np.float32(cell) + 1
        luma += _sample(rng.standard_normal((*grid, 1)).astype(np.float32), ys, xs)[..., 0] * np.float32(1.6**octave)
        if octave > 3:
            tint += _sample(rng.standard_normal((*grid, 3)).astype(np.float32), ys, xs) * np.float32(1.6**octave)
    luma /= np.abs(luma).max() + 1e-6
    tint /= np.abs(tint).max() + 1e-6
    angle, period = rng.uniform(0, np.pi), rng.uniform(6, 18)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    stripes = np.sin((x * np.cos(angle) + y * np.sin(angle)) * (2 * np.pi / period)) * (luma > 0.15)
    base = rng.uniform(0.35, 0.6, 3)
    picture = base + contrast * (luma + 0.15 * stripes)[..., None] + 0.2 * tint
    return np.clip(picture, 0.03, 0.97).astype(np.float32)


def _sample(picture: Picture, ys: NDArray[np.float32], xs: NDArray[np.float32]) -> Picture:
    """Bilinear samples at the grid ys x xs, coordinates clamped to the picture."""
    rows, columns = picture.shape[:2]
    y0 = np.clip(np.floor(ys).astype(np.intp), 0, rows - 1)
    x0 = np.clip(np.floor(xs).astype(np.intp), 0, columns - 1)
    y1, x1 = np.minimum(y0 + 1, rows - 1), np.minimum(x0 + 1, columns - 1)
    fy = np.clip(ys - y0, 0, 1)[:, None, None]
    fx = np.clip(xs - x0, 0, 1)[None, :, None]
    upper = picture[y0][:, x0] * (1 - fx) + picture[y0][:, x1] * fx
    lower = picture[y1][:, x0] * (1 - fx) + picture[y1][:, x1] * fx
    return upper * (1 - fy) + lower * fy


def _to_planes(picture: Picture, layout: SampleFormat, noise: float, rng: np.random.Generator) -> list[Plane]:
    """RGB 0..1 to the planes of a format, with sensor noise before the chroma is averaged."""
    grain = rng.standard_normal(picture.shape).astype(np.float32)
    picture = picture + np.float32(noise / 255) * (0.5 + picture) * grain  # more noise where there is more light
    red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    if layout.layout == "grey":
        channels = [luma]
    elif layout.layout == "rgb":
        channels = [green, blue, red]
    else:
        studio = [16 / 255 + luma * (219 / 255)]
        studio += [128 / 255 + (colour - luma) * scale * (224 / 255) for colour, scale in ((blue, 0.564), (red, 0.713))]
        channels = [studio[0], *(_average(plane, layout.sx, layout.sy) for plane in studio[1:])]
    if layout.alpha:
        channels.append(np.clip(4 * luma - 1, 0, 1))
    maximum = (1 << layout.depth) - 1
    dtype = np.uint8 if layout.depth == 8 else np.uint16
    return [np.clip(np.rint(channel * maximum), 0, maximum).astype(dtype) for channel in channels]


def _average(plane: NDArray[np.float32], sx: int, sy: int) -> NDArray[np.float32]:
    """Mean over 2^sx x 2^sy samples; borders repeat the last sample."""
    rows, columns = plane.shape
    padded = np.pad(plane, ((0, -rows % (1 << sy)), (0, -columns % (1 << sx))), mode="edge")
    blocks = padded.reshape(padded.shape[0] >> sy, 1 << sy, padded.shape[1] >> sx, 1 << sx)
    averaged: NDArray[np.float32] = blocks.mean(axis=(1, 3), dtype=np.float32)
    return averaged
