"""Frames as patches of 32x32 tokens and back (docs/diffusion.md §1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pynlvc import _core
from pynlvc.model.diffusion.shape import CHROMA, COLOUR, LUMA, PATCH, REFERENCE_REACH, TOKENS

Value = TypeVar("Value", bound=np.generic)
Planes = Sequence[NDArray[Any]]  # uint8 [rows, columns] in coding order


@dataclass(frozen=True)
class PatchGrid:
    """The patches of a picture: plane by plane in coding order, each in raster order."""

    shapes: tuple[tuple[int, int], ...]  # (rows, columns) of each plane
    plane_kinds: tuple[int, ...]  # kind of each plane

    @staticmethod
    def of(layout: _core.Format) -> PatchGrid:
        """The grid of a picture format."""
        colours = {"grey": (LUMA,), "yuv": (LUMA, CHROMA, CHROMA), "rgb": (COLOUR, COLOUR, COLOUR)}[layout.layout]
        shapes = tuple(layout.plane_shapes)
        return PatchGrid(shapes, (colours + (LUMA,))[: len(shapes)])

    @property
    def kinds(self) -> NDArray[np.int64]:
        """The kind of each patch."""
        counts = [rows * columns for rows, columns in map(_patches, self.shapes)]
        return np.repeat(np.array(self.plane_kinds, np.int64), counts)

    def present(self) -> NDArray[np.bool_]:
        """[patches, 1024]: which tokens lie inside the picture."""
        return np.concatenate([_cut(np.pad(np.ones(s, np.bool_), _excess(s))) for s in self.shapes])

    def cut(self, planes: Planes) -> NDArray[np.float32]:
        """The samples by token, [patches, 1024]; anything beyond the picture."""
        return np.concatenate([_cut(np.pad(p, _excess(p.shape), mode="edge")) for p in planes]).astype(np.float32)

    def references(self, planes: Planes) -> NDArray[np.float32]:
        """[patches, 36, 36]: each patch and 2 samples around, with coordinates clamped to the plane."""
        edge = PATCH + 2 * REFERENCE_REACH
        parts = []
        for plane in planes:
            (_, below), (_, right) = _excess(plane.shape)
            reach = REFERENCE_REACH
            wide = np.pad(plane, ((reach, below + reach), (reach, right + reach)), mode="edge")
            parts.append(sliding_window_view(wide, (edge, edge))[::PATCH, ::PATCH].reshape(-1, edge, edge))
        return np.concatenate(parts).astype(np.float32)

    def join(self, tokens: NDArray[Value]) -> list[NDArray[Value]]:
        """The planes of patches [patches, 1024]."""
        planes, first = [], 0
        for height, width in self.shapes:
            rows, columns = _patches((height, width))
            part = tokens[first : first + rows * columns].reshape(rows, columns, PATCH, PATCH)
            first += rows * columns
            plane = part.transpose(0, 2, 1, 3).reshape(rows * PATCH, columns * PATCH)
            planes.append(np.ascontiguousarray(plane[:height, :width]))
        return planes


def _patches(shape: tuple[int, ...]) -> tuple[int, int]:
    rows, columns = shape
    return -(-rows // PATCH), -(-columns // PATCH)


def _excess(shape: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
    """What completes the last patches, for np.pad."""
    rows, columns = shape
    return (0, -rows % PATCH), (0, -columns % PATCH)


def _cut(plane: NDArray[Any]) -> NDArray[Any]:
    rows, columns = _patches(plane.shape)
    return plane.reshape(rows, PATCH, columns, PATCH).transpose(0, 2, 1, 3).reshape(-1, TOKENS)
