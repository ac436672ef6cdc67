"""Frames of PyAV as coded planes and back, without a conversion: NumPy views over the frame's own memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from pynlvc import _core
from pynlvc.codec.pixel_formats import Component, PixelFormat, pixel_format
from pynlvc.errors import NlvcError

Plane = NDArray[Any]  # uint8 or uint16 [rows, columns]


def frame_planes(frame: av.VideoFrame) -> list[Plane]:
    """The frame's samples in coding order (Y, U, V or G, B, R, then alpha), each [rows, columns].

    The arrays are writable views that share the frame's memory and keep it alive, uint8 (8 bit) or uint16 (above, in
    the format's byte order); where samples share a word with other bits (p010, x2rgb10) they are copies.
    """
    layout = pixel_format(frame.format.name)
    views: list[Plane] = []
    for index, component in enumerate(layout.components):
        view = _words(frame, layout, component, *layout.plane_shape(index, frame.width, frame.height))
        views.append(view if _whole(component) else (view >> component.shift) & layout.maximum)
    return views


def memory_rows(frame: av.VideoFrame) -> list[NDArray[np.uint8]]:
    """Views [rows, bytes] over the frame's planes as they lie in memory, without what FFmpeg appends to rows."""
    layout = pixel_format(frame.format.name)
    return [
        np.ndarray(
            layout.memory_shape(index, frame.width, frame.height),
            np.uint8,
            buffer=memoryview(plane),
            strides=(plane.line_size, 1),
        )
        for index, plane in enumerate(frame.planes)
    ]


@dataclass(frozen=True)
class Padding:
    """Bits of a frame that belong to no sample."""

    constant: int | None  # what they say everywhere, None where they differ from sample to sample
    plane: Plane | None  # [rows, columns], where they differ
    trailing: bytes  # luma beyond the picture, a sample for each row; b"" where all are zero


def read_padding(frame: av.VideoFrame) -> Padding:
    """The bits that frame_planes leaves out."""
    layout = pixel_format(frame.format.name)
    values = None if layout.padding is None else _padding_words(frame, layout, layout.padding)
    differ = values is not None and bool((values != values[0, 0]).any())
    return Padding(
        constant=None if differ else 0 if values is None else int(values[0, 0]),
        plane=values if differ else None,
        trailing=_trailing_luma(frame, layout),
    )


def check_samples(frame: av.VideoFrame) -> None:
    """Raises NlvcError where a word has bits outside its sample's depth: they could not be kept."""
    layout = pixel_format(frame.format.name)
    if layout.depth in (8, 16):
        return
    for index, component in enumerate(layout.components):
        if not component.alone:
            continue
        words = _words(frame, layout, component, *layout.plane_shape(index, frame.width, frame.height))
        outside = (words & ~np.uint16(layout.maximum << component.shift)) != 0
        if outside.any():
            row, column = (int(value) for value in np.argwhere(outside)[0])
            value = int(words[row, column])
            what = f"the word of the sample at column {column}, row {row} of plane {index} is {value}"
            if not component.shift:
                what = f"the sample at column {column}, row {row} of plane {index} is {value}"
            unused = f" above its {component.shift} unused low bits" if component.shift else ""
            raise NlvcError(f"{what}, but {layout.name} holds at most {layout.maximum}{unused}: bits would be lost")


def new_frame(
    planes: Sequence[Plane], width: int, height: int, name: str, padding: Padding | None = None
) -> av.VideoFrame:
    """A frame of pixel format `name` that holds a copy of the planes (coding order, [rows, columns])."""
    layout = pixel_format(name)
    frame = av.VideoFrame(width, height, name)
    if not layout.planar:
        for rows in memory_rows(frame):
            rows.fill(0)
    for index, (component, samples) in enumerate(zip(layout.components, planes, strict=True)):
        if samples.dtype.itemsize != layout.dtype.itemsize:
            raise NlvcError(f"plane {index} has {samples.dtype} samples, {name} needs {layout.dtype}")
        words = _words(frame, layout, component, *layout.plane_shape(index, width, height))
        if _whole(component):
            np.copyto(words, samples, casting="equiv")
        else:
            words |= samples << component.shift
    if padding is not None:
        _write_padding(frame, layout, padding)
    return frame


def frame_checksum(frame: av.VideoFrame) -> int:
    """CRC-32C over the samples of all planes in coding order, as in docs/bitstream.md §9."""
    dtype = pixel_format(frame.format.name).dtype
    checksum = 0
    for plane in frame_planes(frame):
        checksum = _core.crc32c(np.ascontiguousarray(plane, dtype).reshape(-1).view(np.uint8), checksum)
    return checksum


def memory_checksum(frame: av.VideoFrame) -> int:
    """CRC-32C over all that lies in the frame's planes, padding bits included."""
    checksum = 0
    for rows in memory_rows(frame):
        checksum = _core.crc32c(np.ascontiguousarray(rows).reshape(-1), checksum)
    return checksum


def _whole(component: Component) -> bool:
    """Whether the byte or word is the sample (with nothing but zeros above it)."""
    return component.alone and component.shift == 0


def _words(frame: av.VideoFrame, layout: PixelFormat, component: Component, rows: int, columns: int) -> Plane:
    """A view over the bytes or words that hold a component's samples."""
    plane = frame.planes[component.plane]
    dtype = np.dtype("u1") if component.word_bytes == 1 else np.dtype(">u2" if layout.big_endian else "<u2")
    if plane.line_size < component.offset + component.step * (columns - 1) + dtype.itemsize:
        raise NlvcError(
            f"plane {component.plane} of the frame has a row distance of {plane.line_size} bytes: not readable"
        )
    return np.ndarray(
        (rows, columns),
        dtype,
        buffer=memoryview(plane),
        offset=component.offset,
        strides=(plane.line_size, component.step),
    )


def _padding_words(frame: av.VideoFrame, layout: PixelFormat, padding: Component) -> Plane:
    words = _words(frame, layout, padding, frame.height, frame.width)
    return words if padding.alone else (words >> padding.shift) & ((1 << padding.depth) - 1)


def _trailing_column(frame: av.VideoFrame, layout: PixelFormat) -> Plane:
    """The luma words beyond the picture in packed 4:2:2 of odd width, [rows, 1]."""
    return _words(frame, layout, layout.components[0], frame.height, frame.width + 1)[:, -1:]


def _trailing_luma(frame: av.VideoFrame, layout: PixelFormat) -> bytes:
    if not layout.trailing_luma(frame.width):
        return b""
    column = _trailing_column(frame, layout)
    return np.ascontiguousarray(column, column.dtype.newbyteorder("<")).tobytes() if column.any() else b""


def _write_padding(frame: av.VideoFrame, layout: PixelFormat, padding: Padding) -> None:
    value = padding.plane if padding.plane is not None else padding.constant
    if layout.padding is not None and value is not None:
        words = _words(frame, layout, layout.padding, frame.height, frame.width)
        words |= np.asarray(value, words.dtype) << layout.padding.shift
    if layout.trailing_luma(frame.width) and padding.trailing:
        column = _trailing_column(frame, layout)
        stored = np.frombuffer(padding.trailing, column.dtype.newbyteorder("<"))
        if stored.size != frame.height:
            raise NlvcError("the stored luma beyond the picture has another number of rows")
        column[:, 0] = stored
