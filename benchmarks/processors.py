"""Do other compilers, kernels and processors decode the same samples? Every frame carries its checksum.

    python -m benchmarks.processors CLIPS... [--samples 100000000] [--seconds 600] [--only NAME]...

Codes the clips once, with the model `fast` at effort 0, and decodes the packets with every set of kernels of this
machine and with programs built by other compilers and for other processors (under qemu): a frame whose samples lack the
checksum that the encoder stored is a mismatch. Writes benchmarks/results/processors.tsv; samples says how far each came
in SECONDS.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pynlvc
from benchmarks.results import FOLDER
from pynlvc import EncoderSettings, NlvcError, _core
from pynlvc.model.store import load_model

TABLE = FOLDER / "processors.tsv"
ROOT = Path(__file__).resolve().parents[1]
MODEL = "fast"
HEADER = ("platform", "kernels", "frames", "samples", "mismatches", "seconds")


@dataclass(frozen=True, kw_only=True)
class Build:
    """A compiler, its optimisation and what runs the program."""

    name: str
    compiler: str
    flags: tuple[str, ...]
    runner: tuple[str, ...] = ()

    @property
    def machine(self) -> str:
        return self.compiler.split("-")[0] if "-linux" in self.compiler else platform.machine()


BUILDS = (
    Build(name="gcc -O0", compiler="g++", flags=("-O0",)),
    Build(name="clang -O0", compiler="clang++", flags=("-O0",)),
    Build(name="clang -O3", compiler="clang++", flags=("-O3",)),
    Build(name="aarch64, qemu", compiler="aarch64-linux-gnu-g++", flags=("-O3",), runner=("qemu-aarch64-static",)),
    Build(name="s390x, qemu", compiler="s390x-linux-gnu-g++", flags=("-O3",), runner=("qemu-s390x-static",)),
)


def packets(clips: list[Path], most_samples: int) -> Iterator[tuple[bytes, int]]:
    """(packet, samples of its frame) of clip after clip."""
    total = 0
    for clip in clips:
        encoder: pynlvc.Encoder | None = None
        try:
            with pynlvc.open(clip) as frames:
                for frame in frames:
                    encoder = encoder or pynlvc.Encoder(
                        frame.width,
                        frame.height,
                        frame.format.name,
                        time_base=frame.time_base,
                        settings=EncoderSettings(model=MODEL, effort=0),
                    )
                    samples = sum(plane.size for plane in pynlvc.frame_planes(frame))
                    for packet in encoder.encode(frame):
                        yield bytes(packet), samples
                    total += samples
                    if total >= most_samples:
                        return
        except NlvcError as error:
            print(f"{clip}: left out: {error}")


def build(choice: Build, folder: Path) -> Path:
    """Compiles csrc/ and tests/native/decode_stream.cpp."""
    rows = [line.split() for line in (ROOT / "csrc" / "flags.txt").read_text(encoding="utf-8").splitlines()]
    sources = [*sorted((ROOT / "csrc").glob("*.cpp")), *sorted((ROOT / "csrc" / "kernels").glob("*.cpp"))]
    objects = []
    for source in [*sources, ROOT / "tests" / "native" / "decode_stream.cpp"]:
        name = source.relative_to(ROOT).as_posix()
        own = [flag for row in rows if row[:2] == [choice.machine, name] for flag in row[2:]]
        target = folder / f"{source.parent.name}_{source.stem}.o"
        base = [choice.compiler, "-std=c++17", "-ffp-contract=off", f"-I{ROOT / 'csrc'}", *choice.flags, *own]
        subprocess.run([*base, "-c", os.fspath(source), "-o", os.fspath(target)], check=True, stderr=subprocess.DEVNULL)
        objects.append(os.fspath(target))
    program = folder / "decode_stream"
    subprocess.run([choice.compiler, *objects, "-static", "-pthread", "-o", os.fspath(program)], check=True)
    return program


def main() -> None:
    """Codes, builds, decodes and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--samples", type=int, default=100_000_000)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--only", action="append", help="names of builds; default: all, and all kernels of the module")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model").write_bytes(load_model(MODEL).data)
        with (folder / "packets").open("wb") as file:
            for packet, _ in packets(arguments.clips, arguments.samples):
                file.write(struct.pack("<I", len(packet)) + packet)
        for kernels in () if arguments.only else _core.kernel_names():
            write_row(decode_here(kernels, folder, arguments.seconds))
        for choice in BUILDS:
            wanted = choice.name in arguments.only if arguments.only else True
            if not wanted or not shutil.which(choice.compiler) or not all(shutil.which(r) for r in choice.runner):
                continue
            place = folder / choice.name.replace(" ", "_")
            place.mkdir()
            program = [*choice.runner, os.fspath(build(choice, place)), os.fspath(folder / "model")]
            for kernels in ("scalar", "fastest") if choice.machine == "aarch64" else ("fastest",):
                started = time.monotonic()
                command = [*program, os.fspath(folder / "packets"), kernels, str(arguments.seconds)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                frames, samples, mismatches, used = done.stdout.split()
                seconds = round(time.monotonic() - started, 1)
                write_row([choice.name, used, frames, samples, mismatches, seconds])


def write_row(row: list[object]) -> None:
    """Puts a row into the table, in the place of the one of the same platform and kernels."""
    text = [str(value) for value in row]
    lines = TABLE.read_text(encoding="utf-8").splitlines()[1:] if TABLE.exists() else []
    former = [line.split("\t") for line in lines]
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows([*(one for one in former if one[:2] != text[:2]), text])
    print("\t".join(text), flush=True)


def decode_here(kernels: str, folder: Path, seconds: int) -> list[object]:
    """A row for the installed module."""
    model, data = (folder / "model").read_bytes(), (folder / "packets").read_bytes()
    decoder = _core.Decoder(lambda _hash: model, threads=1, kernels=kernels)
    started = time.monotonic()
    at = frames = samples = mismatches = 0
    while at < len(data) and time.monotonic() - started < seconds:
        (size,) = struct.unpack_from("<I", data, at)
        try:
            decoded = decoder.decode(data[at + 4 : at + 4 + size])
            samples += sum(rows * columns for rows, columns in decoded.format.plane_shapes)
        except _core.BitstreamError:
            mismatches += 1
        frames += 1
        at += 4 + size
    return [
        f"{platform.machine()}, the module",
        kernels,
        frames,
        samples,
        mismatches,
        round(time.monotonic() - started, 1),
    ]


if __name__ == "__main__":
    main()
