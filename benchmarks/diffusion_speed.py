"""Time of the transformer for a frame, for each way to compute it, one frame after the other and several at once:

    python -m benchmarks.diffusion_speed CLIP [--ways native,cpu] [--frames N] [--together N] [--threads N]

`native` is the code for processors, every other way a device of PyTorch. Frames are coded as P-frames after the first.
An encoder that is given several frames computes their patches side by side; a decoder can do so with frames that do not
need each other, as those of different GOPs, which the clip's frames stand for here: each has the frame before it as a
reference already. All ways must give the same bytes: `--ways native,cuda --frames 8` compares a GPU with the processor
over 10^6 tokens of a CIF clip.
Processor time hardly depends on what else runs, the seconds that pass do. Writes
benchmarks/results/diffusion_speed.tsv anew; `python -m benchmarks.diffusion_table` puts it into docs/diffusion.md.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise, product
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks.harness import load_source
from benchmarks.results import FOLDER, machine
from pynlvc import _core
from pynlvc.codec.planes import frame_planes
from pynlvc.model.diffusion.frames import FrameCoder, FrameToDecode, FrameToEncode
from pynlvc.model.diffusion.modelfile import DiffusionModel
from pynlvc.model.store import load_model

TABLE = FOLDER / "diffusion_speed.tsv"
COLUMNS = (
    "clip",
    "samples",
    "frames",
    "way",
    "threads",
    "together",
    "task",
    "processor_seconds",
    "seconds",
    "machine",
    "load",
)
Result = TypeVar("Result")


class Clock:
    """Seconds of the processor and of the wall, added up over what it runs."""

    def __init__(self) -> None:
        self.processor = self.wall = 0.0

    def run(self, function: Callable[[], Result]) -> Result:
        """The result of the function."""
        processor, wall = time.process_time(), time.perf_counter()
        result = function()
        self.processor += time.process_time() - processor
        self.wall += time.perf_counter() - wall
        return result


def time_frames(
    way: str, threads: int, together: int, layout: _core.Format, frames: Sequence[list[np.ndarray]]
) -> tuple[Clock, Clock, list[bytes]]:
    """Encoding and decoding all frames but the first, so many at once, and their payloads. ValueError if one
    changes."""
    model = DiffusionModel.from_bytes(load_model("diffusion").data)
    coder = FrameCoder(model, layout, 2, threads=threads, device=None if way == "native" else way)
    coder.encode([FrameToEncode(frames[0], None)])  # what is loaded and laid out once
    encoding, decoding = Clock(), Clock()
    pairs = list(pairwise(frames))
    payloads: list[bytes] = []
    for first in range(0, len(pairs), together):
        some = pairs[first : first + together]
        coded = encoding.run(partial(coder.encode, [FrameToEncode(frame, before) for before, frame in some]))
        wanted = [FrameToDecode(payload, before) for (payload, _), (before, _) in zip(coded, some, strict=True)]
        for (planes, _), (_, frame) in zip(decoding.run(partial(coder.decode, wanted)), some, strict=True):
            if not all(np.array_equal(mine, theirs) for mine, theirs in zip(planes, frame, strict=True)):
                raise ValueError(f"{way}: a frame did not come back")
        payloads += [payload for payload, _ in coded]
    return encoding, decoding, payloads


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0; ValueError where a frame does not come back or the ways differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clip", type=Path, metavar="CLIP", help="8-bit 4:2:0")
    parser.add_argument("--ways", default="native,cpu", help="comma-separated (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=9, help="2 or more (default: %(default)s)")
    parser.add_argument("--together", type=int, default=8, help="frames at once, beside 1 (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of `native` (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=TABLE, help="TSV table (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.frames < 2:
        parser.error("--frames must be 2 or more: the first is not measured")
    source = load_source(options.clip, frames=options.frames)
    if source.pix_fmt != "yuv420p":
        parser.error(f"{options.clip} is {source.pix_fmt}: give a clip of yuv420p")
    layout = _core.Format(width=source.width, height=source.height, layout="yuv", sx=1, sy=1)
    frames = [[plane.copy() for plane in frame_planes(frame)] for frame in source.frames]
    with options.output.open("w", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(COLUMNS)
        first: list[bytes] = []
        for way, together in product(options.ways.split(","), dict.fromkeys((1, options.together))):
            load = os.getloadavg()[0]
            *clocks, payloads = time_frames(way, options.threads, together, layout, frames)
            first = first or payloads
            if payloads != first:
                raise ValueError(f"{way}, {together} at once, does not give the bytes of the first way")
            for task, clock in zip(("encode", "decode"), clocks, strict=True):
                count = len(frames) - 1
                seconds = [f"{spent / count:.3f}" for spent in (clock.processor, clock.wall)]
                samples = sum(plane.size for plane in frames[0])
                cells = [source.name, samples, count, way, options.threads, together, task, *seconds, machine()]
                table.writerow([*cells, f"{load:.1f}"])
                print(
                    f"{way:8} {together:2} at once, {task} {seconds[0]} s of the processor, {seconds[1]} s passed, "
                    "for a frame",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
