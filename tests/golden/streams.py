"""The golden streams: small generated clips that use every part of docs/bitstream.md, and how they are stored.

A stream is a file NAME.nlvs, each packet after its size in four bytes; frames.tsv says what every frame decodes to.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pynlvc import _core
from tests.core_frames import Planes, make_format, make_frames
from tests.models import RandomNetwork, model_file, moved_model

FOLDER = Path(__file__).parent
MAXIMUM_16 = 65535


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One stream to be made."""

    form: _core.Format
    frames: list[Planes]
    settings: dict[str, Any] = field(default_factory=dict)
    classes: tuple[int, ...] = (0, 1, 2)  # plane classes of the model
    sides: tuple[dict[int, bytes] | None, ...] = ()  # side information by frame; the rest has the stream's
    ticks: tuple[tuple[int, int], ...] = ()  # pts and duration by frame; else one tick each
    forced: tuple[int, ...] = ()  # frames that must be keyframes
    moved: bool = False  # the stream brings its model as a difference to the one that it would have

    def model(self) -> bytes:
        """A small model with random weights."""
        shapes = [
            RandomNetwork(frame_type=t, plane_class=c, taps=12, errors=5, h1=5, h2=4, g=4)
            for t in (0, 1)
            for c in self.classes
        ]
        return model_file(shapes, seed=11, name="golden")

    def packets(self) -> Iterator[bytes]:
        """The coded frames; the first one embeds the model."""
        model, difference = self.model(), b""
        if self.moved:
            delta = self.settings.get("delta", 2)
            base, model = model, moved_model(model, delta=delta, seed=7)
            difference = _core.write_model_difference(base, model, delta=delta)
        encoder = _core.Encoder(self.form, model, embed_model=not self.moved, difference=difference, **self.settings)
        for number, planes in enumerate(self.frames):
            pts, duration = self.ticks[number] if number < len(self.ticks) else (number, 1)
            side = self.sides[number] if number < len(self.sides) else None
            forced = number in self.forced
            yield encoder.encode(planes, pts=pts, duration=duration, side=side, force_keyframe=forced).data


def _of(content: str, width: int, height: int, count: int = 5, **form: Any) -> dict[str, Any]:
    made = make_format(width, height, **form)
    return {"form": made, "frames": make_frames(made, count, content, seed=3)}


def _mapped(values: Callable[[np.ndarray], np.ndarray], maximum: int) -> dict[str, Any]:
    """16-bit grey whose samples are `values` of numbers up to `maximum`."""
    form = make_format(24, 18, layout="grey", depth=16)
    low = make_format(24, 18, layout="grey", depth=maximum.bit_length())
    frames = make_frames(low, 4, "moving", seed=5)
    every = np.arange(24 * 18).reshape(18, 24) * maximum // (24 * 18 - 1)  # the first frame shows the whole range
    frames[0] = [every]
    return {"form": form, "frames": [[values(p.astype(np.int64)).astype(np.uint16) for p in f] for f in frames]}


def _still(count: int) -> dict[str, Any]:
    """Text on a flat ground that moves by whole samples: what flags are for."""
    form = make_format(40, 34, layout="rgb")
    rng = np.random.default_rng(4)
    ground = rng.choice(np.array([16, 200], np.uint8), (34, 48), p=[0.8, 0.2])
    frames = [[np.roll(ground, t, axis=1)[:, :40] // (p + 1) for p in range(3)] for t in range(count)]
    return {"form": form, "frames": frames}


def _screen(count: int) -> dict[str, Any]:
    """A still picture in which one place changes."""
    form = make_format(72, 52, sx=1, sy=1)
    rng = np.random.default_rng(6)
    still = [rng.choice(np.array([16, 90, 200], np.uint8), shape) for shape in form.plane_shapes]
    frames = []
    for t in range(count):
        planes = [plane.copy() for plane in still]
        for plane, s in zip(planes, (0, 1, 1), strict=True):
            plane[10 + 9 * t >> s : 18 + 9 * t >> s, 20 >> s : 44 >> s] = 30 * t
        frames.append(planes)
    return {"form": form, "frames": frames}


def _shifted(count: int) -> dict[str, Any]:
    """Large and broken motion in several slices."""
    form = make_format(64, 48, sx=1, sy=1)
    wide = make_frames(make_format(160, 96, sx=1, sy=1), 1, "moving", seed=9)[0]
    frames = []
    for t in range(count):
        x, y = 12 * t, 6 * t
        planes = [
            plane[y >> s : (y >> s) + (48 >> s), x >> s : (x >> s) + (64 >> s)]
            for plane, s in zip(wide, (0, 1, 1), strict=True)
        ]
        frames.append([np.ascontiguousarray(plane) for plane in planes])
    return {"form": form, "frames": frames}


def streams() -> dict[str, Stream]:
    """All of them, by name."""
    fitted = {"effort": 3, "scene_cuts": False}
    cut = make_format(24, 16, layout="grey")
    scenes = make_frames(cut, 2, "moving") + make_frames(cut, 2, "zero") + make_frames(cut, 2, "ramp")
    return {
        "grey": Stream(**_of("moving", 24, 16, layout="grey")),
        "one_sample": Stream(**_of("moving", 1, 1, layout="grey")),
        "one_column": Stream(**_of("moving", 1, 20, sx=2, sy=2)),
        "yuv420": Stream(**_of("moving", 25, 17, sx=1, sy=1)),
        "yuv410": Stream(**_of("moving", 27, 21, sx=2, sy=2)),
        "yuv422_slope1": Stream(**_of("moving", 24, 16, sx=1), settings={"delta": 1}),
        "yuv444_slope0": Stream(**_of("moving", 20, 16), settings={"delta": 0}),
        "rgb_networks": Stream(**_of("moving", 20, 16, layout="rgb"), classes=(0, 1, 2, 3, 4)),
        "rgb_without": Stream(**_of("moving", 20, 16, layout="rgb")),
        "alpha": Stream(**_of("moving", 20, 16, alpha=True, sx=1, sy=1)),
        "depth10": Stream(**_of("moving", 24, 16, sx=1, sy=1, depth=10)),
        "depth16": Stream(**_of("moving", 24, 16, layout="grey", depth=16)),
        "slices": Stream(**_of("moving", 20, 50, sx=1, sy=1), settings={"slices": 3}),
        "motion": Stream(**_shifted(6), settings={"slices": 2, "scene_cuts": False}),
        "raw": Stream(**_of("noise", 20, 34, sx=1, sy=1, count=3), settings={"slices": 2}),
        "raw16": Stream(**_of("noise", 12, 16, layout="grey", depth=12, count=2)),
        "repeats": Stream(**_still(5)),
        "repeats_yuv": Stream(**_of("flat", 24, 34, sx=1, sy=1), settings={"slices": 2}),
        "repeats_slope1": Stream(**_still(3), settings={"delta": 1}),
        "repeats_slope0": Stream(**_still(3), settings={"delta": 0}),
        "copied_blocks": Stream(**_screen(4), settings={"slices": 2, "scene_cuts": False}),
        "repeats_ramp": Stream(**_of("ramp", 24, 18, layout="grey")),
        "keyframes": Stream(**_of("moving", 24, 16, layout="grey", count=6), settings={"keyframe_interval": 2}),
        "scenes": Stream(form=cut, frames=scenes, forced=(1,)),
        "fitted": Stream(**_of("moving", 64, 48, sx=1, sy=1, count=4), settings=fitted),
        "fitted_slices": Stream(**_of("ramp", 70, 40, layout="grey", count=4), settings=fitted | {"slices": 2}),
        "difference": Stream(**_of("moving", 24, 16, sx=1, sy=1, count=3), moved=True),
        "difference_slope1": Stream(
            **_of("moving", 20, 16, layout="grey", count=4),
            settings={"delta": 1, "keyframe_interval": 2},
            classes=(0,),
            moved=True,
        ),
        "map_shift": Stream(**_mapped(lambda n: n << 6, 1023)),
        "map_replicate": Stream(**_mapped(lambda n: n << 6 | n >> 4, 1023)),
        "map_floor": Stream(**_mapped(lambda n: n * MAXIMUM_16 // 999, 999)),
        "map_nearest": Stream(**_mapped(lambda n: (2 * n * MAXIMUM_16 + 1000) // 2000, 1000)),
        "map_list": Stream(**_of("extremes", 24, 18, depth=12, count=3)),
        "times": Stream(
            **_of("moving", 16, 16, layout="grey", time_base=(1001, 30000)),
            ticks=((-5, 3), (2, 0), (3, 1 << 40), ((1 << 41) + 7, 1), ((1 << 41) + 9, 2)),
            sides=({1: b"\2\1\1\1\1", 2: b"\4\3"}, None, {2: b"\1\1", 44: bytes(8)}, {}, None),
            settings={"side": {2: b"\1\1"}},
        ),
    }


def write_stream(path: Path, packets: Sequence[bytes]) -> None:
    """Stores packets."""
    path.write_bytes(b"".join(struct.pack("<I", len(packet)) + packet for packet in packets))


def read_stream(path: Path) -> list[bytes]:
    """The stored packets."""
    data, packets, at = path.read_bytes(), [], 0
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        packets.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return packets


def digest(planes: Sequence[np.ndarray], depth: int) -> str:
    """SHA-256 over the planes in coding order, two little-endian bytes a sample above 8 bits."""
    dtype = "<u1" if depth == 8 else "<u2"
    return hashlib.sha256(b"".join(np.asarray(plane).astype(dtype).tobytes() for plane in planes)).hexdigest()
