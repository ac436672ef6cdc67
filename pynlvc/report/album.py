"""Small pictures and cost maps of a clip, as many and as good as fit into a number of bytes.

Nothing here is exact or needs to be: FFmpeg's scaler and JPEG make pictures to look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import av.codec.context
import numpy as np
from numpy.typing import NDArray

from pynlvc.codec.pixel_formats import pixel_format
from pynlvc.codec.planes import frame_planes, new_frame
from pynlvc.report.costs import BLOCK, DecodedRecord

MOST_PICTURES = 300
PICTURE_PIXELS = 320 * 240  # a picture has about so many at most, where there are MOST_PICTURES of them
LARGEST = 4  # times as many pixels has a picture where there are fewer
PICTURE_BYTES = 2_400_000  # all pictures together
MAP_CELLS = 3200  # a cost map has so many at most
LEVELS = 32  # colours of a cost map
SHEET_COLUMNS = 16  # maps side by side in their common picture
JPEG_SCALES = (4, 6, 9, 13, 19, 28)  # FFmpeg's qscale, 2 (best) to 31
COLOURS = ("#20124d", "#5b1f8a", "#b13578", "#ee6a4c", "#fbb13c", "#fdf0a8")  # of cost maps, low to high


@dataclass(frozen=True)
class Album:
    """Pictures of some frames, and one picture that holds the cost maps of the same frames."""

    frames: tuple[int, ...]  # numbers of the frames
    width: int  # samples of a picture as it is shown
    height: int
    picture_width: int  # samples of plane 0
    picture_height: int
    pictures: tuple[bytes, ...]  # JPEG
    sheet: bytes  # PNG: map i stands in column i % SHEET_COLUMNS, row i // SHEET_COLUMNS
    map_columns: int  # cells of a map
    map_rows: int
    cell: int  # edge of a cell, samples of plane 0
    bottom: float  # bits/pixel up to which a cell has the first colour
    top: float  # and from which on the last one


class AlbumMaker:
    """Takes frames as they are decoded."""

    def __init__(self, width: int, height: int, frames: int) -> None:
        """`frames`: of the clip, whose pictures have width x height samples."""
        self._step = -(-frames // MOST_PICTURES)
        pixels = PICTURE_PIXELS * min(LARGEST, MOST_PICTURES / min(frames, MOST_PICTURES))
        scale = min(1.0, (pixels / (width * height)) ** 0.5)
        self._size = max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
        self._pool = 1  # blocks that make a cell, in each direction
        while -(-width // (BLOCK * self._pool)) * -(-height // (BLOCK * self._pool)) > MAP_CELLS:
            self._pool += 1
        self._whole = width, height
        self._frames: list[int] = []
        self._pictures: list[av.VideoFrame] = []
        self._maps: list[NDArray[np.float64]] = []

    def add(self, decoded: DecodedRecord) -> None:
        """Keeps the frame if it is one of those that are shown."""
        if decoded.record.number % self._step:
            return
        self._frames.append(decoded.record.number)
        small = _little_endian(decoded.picture).reformat(*self._size, format="yuvj420p")
        small.pts, small.time_base = len(self._pictures), Fraction(1)
        small.pict_type = av.video.frame.PictureType.NONE
        self._pictures.append(small)
        self._maps.append(pooled(decoded.costs.blocks, self._pool, self._whole))

    def finish(self) -> Album:
        """Encodes everything; pictures get worse, then fewer, until they fit."""
        every = 1
        while True:
            for scale in JPEG_SCALES:
                pictures = jpegs(self._pictures[::every], scale)
                if sum(map(len, pictures)) <= PICTURE_BYTES:
                    return self._album(every, pictures)
            every *= 2

    def _album(self, every: int, pictures: list[bytes]) -> Album:
        maps = np.stack(self._maps[::every])
        bottom, top = (float(value) for value in np.quantile(maps, (0.005, 0.995)))
        top = max(top, bottom + 0.01)
        levels = np.clip((maps - bottom) * (LEVELS / (top - bottom)), 0, LEVELS - 1).astype(np.uint8)
        return Album(
            frames=tuple(self._frames[::every]),
            width=self._size[0],
            height=self._size[1],
            picture_width=self._whole[0],
            picture_height=self._whole[1],
            pictures=tuple(pictures),
            sheet=png(_sheet(levels), palette()),
            map_columns=maps.shape[2],
            map_rows=maps.shape[1],
            cell=BLOCK * self._pool,
            bottom=bottom,
            top=top,
        )


def pooled(blocks: NDArray[np.float32], pool: int, size: tuple[int, int]) -> NDArray[np.float64]:
    """Bits/pixel in cells of pool x pool blocks [rows, columns] of a picture of `size` (width, height)."""
    rows, columns = blocks.shape

    def cells(values: NDArray[np.float64]) -> NDArray[np.float64]:
        padded = np.pad(values, ((0, -rows % pool), (0, -columns % pool)))
        high, wide = padded.shape[0] // pool, padded.shape[1] // pool
        summed: NDArray[np.float64] = padded.reshape(high, pool, wide, pool).sum((1, 3))
        return summed

    width, height = size
    across = np.minimum(BLOCK, width - BLOCK * np.arange(columns))
    down = np.minimum(BLOCK, height - BLOCK * np.arange(rows))
    return cells(blocks.astype(np.float64)) / cells(np.outer(down, across).astype(np.float64))


def palette() -> list[tuple[int, int, int]]:
    """LEVELS colours (red, green, blue) that rise from the first to the last of COLOURS."""
    stops = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in COLOURS])
    places = np.linspace(0, len(stops) - 1, LEVELS)
    mixed = [np.interp(places, range(len(stops)), stops[:, channel]).round().astype(int) for channel in range(3)]
    return [(int(red), int(green), int(blue)) for red, green, blue in zip(*mixed, strict=True)]


def jpegs(frames: Sequence[av.VideoFrame], scale: int) -> list[bytes]:
    """Each frame (yuvj420p, all of one size) as a JPEG file of the quality `scale`."""
    context = _encoder("mjpeg", frames[0], {"qmin": str(scale), "qmax": str(scale)})
    packets = [bytes(packet) for frame in frames for packet in context.encode(frame)]
    return packets + [bytes(packet) for packet in context.encode(None)]


def png(indices: NDArray[np.uint8], colours: Sequence[tuple[int, int, int]]) -> bytes:
    """Indices [rows, columns] into at most 256 colours as a PNG file."""
    rows, columns = indices.shape
    frame = av.VideoFrame(columns, rows, "pal8")
    stride = frame.planes[0].line_size
    np.ndarray((rows, columns), np.uint8, buffer=memoryview(frame.planes[0]), strides=(stride, 1))[:] = indices
    table = np.ndarray(256, np.uint32, buffer=memoryview(frame.planes[1]))
    table[:] = 0xFF000000
    table[: len(colours)] |= np.array([red << 16 | green << 8 | blue for red, green, blue in colours], np.uint32)
    context = _encoder("png", frame, {"compression_level": "9", "pred": "none"})
    return b"".join(bytes(packet) for source in (frame, None) for packet in context.encode(source))


def _little_endian(frame: av.VideoFrame) -> av.VideoFrame:
    """The same samples in a format that FFmpeg's scaler reads: of big-endian words it knows some alone."""
    if not pixel_format(frame.format.name).big_endian:
        return frame
    return new_frame(frame_planes(frame), frame.width, frame.height, f"{frame.format.name.removesuffix('be')}le")


def _encoder(name: str, like: av.VideoFrame, options: dict[str, str]) -> av.VideoCodecContext:
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = like.width, like.height, like.format.name
    context.time_base = Fraction(1)
    context.options = options
    context.thread_count = 1  # the same bytes on every machine
    return context


def _sheet(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Maps [maps, rows, columns] side by side and below each other."""
    count, rows, columns = levels.shape
    across = min(count, SHEET_COLUMNS)
    padded = np.pad(levels, ((0, -count % across), (0, 0), (0, 0)))
    sheet: NDArray[np.uint8] = padded.reshape(-1, across, rows, columns).swapaxes(1, 2).reshape(-1, across * columns)
    return sheet
