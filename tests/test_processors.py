"""The codec compiled for this processor and, where a cross compiler and qemu are installed, for others: every set of
kernels codes the bytes that the installed module codes, and decodes them.

aarch64 has kernels of its own (NEON); s390x has the portable ones and the other byte order. `.ci/run` installs the
tools for both.
"""

from __future__ import annotations

import platform
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pynlvc import _core
from tests.core_frames import encode_all, make_format, make_frames
from tests.models import random_model

ROOT = Path(__file__).parents[1]
PROGRAMS = ("check_codec", "check_transformer")
LAYOUTS = {"grey": 0, "yuv": 1, "rgb": 2}


@dataclass(frozen=True, kw_only=True)
class Processor:
    """What compiles for a processor and what runs the result."""

    name: str
    compiler: str
    runner: tuple[str, ...]  # empty: this machine
    kernels: tuple[str, ...]  # sets that it must have


OTHERS = (
    Processor(
        name="aarch64",
        compiler="aarch64-linux-gnu-g++",
        runner=("qemu-aarch64-static",),
        kernels=("scalar", "neon"),
    ),
    Processor(name="s390x", compiler="s390x-linux-gnu-g++", runner=("qemu-s390x-static",), kernels=("scalar",)),
)


def processors() -> Iterator[Processor]:
    """This one, and those whose tools are installed."""
    yield Processor(name=platform.machine(), compiler="g++", runner=(), kernels=tuple(_core.kernel_names()))
    for processor in OTHERS:
        if shutil.which(processor.compiler) and shutil.which(processor.runner[0]):
            yield processor


def flags_of(source: Path, processor: Processor) -> list[str]:
    """Flags of csrc/flags.txt that belong to one file only, for the processor."""
    rows = [line.split() for line in (ROOT / "csrc" / "flags.txt").read_text().splitlines()]
    name = source.relative_to(ROOT).as_posix()
    return [flag for row in rows if row[:2] == [processor.name, name] for flag in row[2:]]


def build(processor: Processor, folder: Path) -> list[Path]:
    """Compiles csrc/ without the C interface, and the programs beside this file."""
    sources = sorted(path for pattern in ("*.cpp", "kernels/*.cpp") for path in (ROOT / "csrc").glob(pattern))
    programs = [ROOT / "tests" / "native" / f"{name}.cpp" for name in PROGRAMS]
    objects = {}
    for source in [*sources, *programs]:
        target = folder / f"{source.parent.name}_{source.stem}.o"
        command = [processor.compiler, "-std=c++17", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"]
        extra = flags_of(source, processor)
        subprocess.run([*command, *extra, f"-I{ROOT / 'csrc'}", "-c", str(source), "-o", str(target)], check=True)
        objects[source] = str(target)
    for program in programs:
        linked = [objects[source] for source in [*sources, program]]
        subprocess.run([processor.compiler, *linked, "-static", "-pthread", "-o", folder / program.stem], check=True)
    return [folder / program.stem for program in programs]


CASES = [  # layout, depth, subsampling, slope, size, content, extreme weights, effort
    ("yuv", 8, (1, 1), 2, (61, 43), "moving", False, 0),
    ("yuv", 8, (1, 1), 2, (61, 43), "moving", False, 3),
    ("yuv", 8, (1, 1), 2, (48, 36), "extremes", True, 0),
    ("yuv", 8, (1, 0), 1, (35, 34), "noise", True, 0),
    ("grey", 8, (0, 0), 0, (33, 18), "moving", True, 0),
    ("yuv", 10, (2, 2), 2, (45, 37), "moving", True, 3),
    ("rgb", 16, (0, 0), 2, (24, 33), "extremes", True, 0),
]


@pytest.mark.parametrize("processor", list(processors()), ids=lambda processor: processor.name)
def test_same_bytes_on_other_processors(processor: Processor, tmp_path: Path) -> None:
    program, transformer = build(processor, tmp_path)
    for number, (layout, depth, (sx, sy), delta, (width, height), content, extreme, effort) in enumerate(CASES):
        form = make_format(width, height, layout=layout, depth=depth, sx=sx, sy=sy, time_base=(1, 1))
        model = random_model(seed=number, extreme=extreme, taps=22 + number, errors=13, h1=21, h2=18, g=14)
        frames = make_frames(form, 3, content, seed=number)
        packets = [
            coded.data for coded in encode_all(form, model, frames, delta=delta, scene_cuts=False, effort=effort)
        ]
        (tmp_path / "model").write_bytes(model)
        planes = (np.ascontiguousarray(plane, "<u2").tobytes() for frame in frames for plane in frame)
        (tmp_path / "planes").write_bytes(b"".join(planes))
        (tmp_path / "packets").write_bytes(b"".join(struct.pack("<I", len(p)) + p for p in packets))
        files = [str(tmp_path / name) for name in ("model", "planes", "packets")]
        numbers = [str(n) for n in (width, height, LAYOUTS[layout], depth, sx, sy, delta, effort)]
        done = subprocess.run([*processor.runner, str(program), *files, *numbers], capture_output=True, text=True)
        assert done.returncode == 0, f"case {number}: {done.stderr}"
        assert tuple(done.stdout.split()) == processor.kernels
    done = subprocess.run([*processor.runner, str(transformer)], capture_output=True, text=True)
    assert (done.returncode, tuple(done.stdout.split())) == (0, processor.kernels), done.stderr
