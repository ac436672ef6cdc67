"""Clips in memory for the speed benchmark: one clip, in CIF and tiled to larger pictures."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Source, load_source
from pynlvc import _core
from pynlvc.codec.pixel_formats import pixel_format
from pynlvc.codec.planes import frame_planes, new_frame
from tests.clips import make_clip

PIX_FMT = "yuv420p"
RATE = Fraction(25)  # frames per second
SIZES = {"cif": (352, 288), "720p": (1280, 720), "1080p": (1920, 1080)}  # columns, rows
FRAMES = {"cif": 24, "720p": 8, "1080p": 5}

Plane = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Material:
    """A clip as planes, and its format for the native module."""

    name: str
    layout: _core.Format
    frames: list[list[Plane]]  # planes in coding order

    @property
    def pixels(self) -> int:
        """Of all frames together."""
        return len(self.frames) * self.layout.width * self.layout.height

    def source(self) -> Source:
        """The same for the harness of the peers."""
        width, height = self.layout.width, self.layout.height
        frames = []
        for number, planes in enumerate(self.frames):
            frame = new_frame(planes, width, height, PIX_FMT)
            frame.pts, frame.time_base = number, 1 / RATE
            frames.append(frame)
        return Source(
            name=self.name, path=Path(self.name), pix_fmt=PIX_FMT, width=width, height=height, rate=RATE, frames=frames
        )


def load_frames(path: Path | None, count: int) -> tuple[str, list[list[Plane]]]:
    """Name and frames of an 8-bit 4:2:0 clip; a generated one without a path."""
    if path is None:
        clip = make_clip(*SIZES["cif"], count)
        return "generated", [[np.ascontiguousarray(plane) for plane in planes] for planes in clip.frames]
    source = load_source(path, frames=count)
    if source.pix_fmt != PIX_FMT:
        raise SystemExit(f"{path} is {source.pix_fmt}: the speed benchmark wants {PIX_FMT}")
    planes = [[np.ascontiguousarray(plane) for plane in frame_planes(frame)] for frame in source.frames]
    return source.name.removesuffix("_cif"), planes


def tiled(plane: Plane, rows: int, columns: int) -> Plane:
    """The plane beside and below itself, cut to the size."""
    repeats = -(-rows // plane.shape[0]), -(-columns // plane.shape[1])
    return np.ascontiguousarray(np.tile(plane, repeats)[:rows, :columns])


def material(path: Path | None, size: str) -> Material:
    """The first frames of the clip, tiled or cut to a size of SIZES."""
    width, height = SIZES[size]
    name, frames = load_frames(path, FRAMES[size])
    layout = pixel_format(PIX_FMT).core_format(width, height, (RATE.denominator, RATE.numerator))
    shapes = layout.plane_shapes
    return Material(
        name=f"{name}_{size}",
        layout=layout,
        frames=[[tiled(plane, *shape) for plane, shape in zip(planes, shapes, strict=True)] for planes in frames],
    )
