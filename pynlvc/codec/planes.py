"""Frames of PyAV as planes and back, without a conversion: numpy views over the frame's own memory."""

from __future__ import annotations

from collections.abc import Sequence

import av
import numpy as np
from numpy.typing import NDArray

from pynlvc import _core
from pynlvc.codec.pixel_formats import PixelFormat, pixel_format
from pynlvc.errors import NlvcError

Plane = NDArray[np.uint8] | NDArray[np.uint16]


def frame_planes(frame: av.VideoFrame) -> list[Plane]:
    """Views [rows, columns] over the frame's planes in coding order, uint8 (8 bit) or uint16 (above).

    The views are writable and share the frame's memory; they keep it alive.
    """
    layout = pixel_format(frame.format.name)
    views: list[Plane] = []
    for index, plane in enumerate(frame.planes):
        rows, columns = layout.plane_shape(index, frame.width, frame.height)
        if plane.line_size < columns * layout.dtype.itemsize:
            raise NlvcError(f"plane {index} of the frame has a row distance of {plane.line_size} bytes: not readable")
        views.append(
            np.ndarray(
                (rows, columns),
                layout.dtype,
                buffer=memoryview(plane),
                strides=(plane.line_size, layout.dtype.itemsize),
            )
        )
    if len(views) != layout.plane_count:
        raise NlvcError(f"the frame has {len(views)} planes where {layout.name} has {layout.plane_count}")
    return views


def check_depth(planes: Sequence[Plane], layout: PixelFormat) -> None:
    """Raises when a sample has bits above the declared depth: they could not be kept."""
    if layout.depth in (8, 16):
        return
    for index, plane in enumerate(planes):
        if int(plane.max()) > layout.maximum:
            row, column = np.argwhere(plane > layout.maximum)[0]
            raise NlvcError(
                f"the sample at column {column}, row {row} of plane {index} is {plane[row, column]}, "
                f"but {layout.name} holds at most {layout.maximum}"
            )


def new_frame(planes: Sequence[Plane], width: int, height: int, name: str) -> av.VideoFrame:
    """A frame of pixel format `name` that holds a copy of the planes (coding order, [rows, columns])."""
    frame = av.VideoFrame(width, height, name)
    for target, samples in zip(frame_planes(frame), planes, strict=True):
        np.copyto(target, samples, casting="no")
    return frame


def frame_checksum(frame: av.VideoFrame) -> int:
    """CRC-32C over the samples of all planes in coding order, as in docs/bitstream.md §9."""
    checksum = 0
    for plane in frame_planes(frame):
        checksum = _core.crc32c(np.ascontiguousarray(plane).reshape(-1).view(np.uint8), checksum)
    return checksum
