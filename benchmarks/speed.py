"""Speed of the library by instruction set and number of threads, its peak memory, and its range coder beside
constriction's.

    python -m benchmarks.speed [CLIP] [--repeats 3]

Times are wall-clock of encode and decode calls on frames in memory, checksums on, no container; medians over the
repeats. Without CLIP a CIF clip is generated. Writes benchmarks/results/speed.tsv; run it on an idle machine.
"""

from __future__ import annotations

import argparse
import csv
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import version
from pathlib import Path

import constriction
import numpy as np

from benchmarks.harness import load_source
from benchmarks.results import FOLDER, machine
from pynlvc import _core
from pynlvc.codec.pixel_formats import pixel_format
from pynlvc.codec.planes import frame_planes
from pynlvc.model.store import load_model
from tests.clips import make_clip

TABLE = FOLDER / "speed.tsv"
SYMBOLS = 500_000


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measurement."""

    what: str  # "codec", "memory" or "range coder"
    clip: str
    kernels: str
    model: str = ""
    threads: int = 1  # 0: one per core
    encode: float = 0.0  # frames/s; range coder: ns per symbol
    decode: float = 0.0
    peak_mb: float = 0.0  # memory row: peak resident memory of a process that encodes and decodes the clip
    machine: str = field(default_factory=machine)


@dataclass(frozen=True, kw_only=True)
class Material:
    """A clip as planes, and its format for the native module."""

    name: str
    layout: _core.Format
    frames: list[list[np.ndarray]]


def load_material(path: Path | None) -> Material:
    """The clip, or a generated one of CIF size."""
    if path is None:
        clip = make_clip(352, 288, 12)
        frames = [[np.ascontiguousarray(plane) for plane in planes] for planes in clip.frames]
        name, pix_fmt, width, height = "generated_cif", clip.pix_fmt, clip.width, clip.height
    else:
        source = load_source(path)
        frames = [[np.ascontiguousarray(plane) for plane in frame_planes(frame)] for frame in source.frames]
        name, pix_fmt, width, height = source.name, source.pix_fmt, source.width, source.height
    layout = pixel_format(pix_fmt).core_format(width, height, (1, 25))
    return Material(name=name, layout=layout, frames=frames)


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median wall-clock time of `work`."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def codec_row(material: Material, model: str, kernels: str, threads: int, repeats: int) -> Row:
    """Frames per second of encoder and decoder."""
    file = load_model(model).data

    def encode() -> list[bytes]:
        encoder = _core.Encoder(material.layout, file, threads=threads, kernels=kernels)
        return [encoder.encode(planes, pts=i, duration=1).data for i, planes in enumerate(material.frames)]

    packets = encode()

    def decode() -> None:
        decoder = _core.Decoder(lambda _: file, threads=threads, kernels=kernels)
        for packet in packets:
            decoder.decode(packet)

    return Row(
        what="codec",
        clip=material.name,
        model=model,
        kernels=kernels,
        threads=threads,
        encode=round(len(packets) / seconds(encode, repeats), 2),
        decode=round(len(packets) / seconds(decode, repeats), 2),
    )


def memory_row(path: Path | None, model: str) -> Row:
    """Peak memory of a fresh process that codes the clip both ways with all cores (interpreter and clip included)."""
    command = [sys.executable, "-m", "benchmarks.speed", "--memory-probe", model, *([str(path)] if path else [])]
    peak_kb = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    name = path.stem if path else "generated_cif"
    return Row(
        what="memory",
        clip=name,
        model=model,
        kernels=_core.kernel_names()[-1],
        threads=0,
        peak_mb=round(peak_kb / 1024, 1),
    )


def coder_rows(repeats: int) -> list[Row]:
    """Range coders on the same 256-way distribution: ours on its integers, constriction's on the probabilities."""
    rng = np.random.default_rng(1)
    weights = np.exp(-np.abs(np.arange(256) - 128) / 4.0)
    bounds = np.round(np.cumsum(weights) / weights.sum() * ((1 << 24) - 256)).astype(np.int64) + np.arange(1, 257)
    table = np.concatenate([[0], bounds]).astype(np.uint32)
    table[-1] = 1 << 24
    symbols = rng.choice(256, SYMBOLS, p=np.diff(table.astype(np.float64)) / (1 << 24)).astype(np.int32)
    lows, highs = table[symbols], table[symbols + 1]
    coded = _core.range_encode(lows, highs)
    tables = np.tile(table, (SYMBOLS // 100, 1))
    ours = Row(
        what="range coder",
        clip=f"{SYMBOLS} symbols, {len(coded)} bytes",
        kernels="pynlvc",
        encode=round(seconds(lambda: _core.range_encode(lows, highs), repeats) / SYMBOLS * 1e9, 1),
        decode=round(seconds(lambda: _core.range_decode(coded, tables), repeats) / len(tables) * 1e9, 1),
    )
    probabilities = (np.diff(table.astype(np.float64)) / (1 << 24)).astype(np.float32)
    categorical = constriction.stream.model.Categorical(probabilities, perfect=False)

    def peer_encode() -> np.ndarray:
        encoder = constriction.stream.queue.RangeEncoder()
        encoder.encode(symbols, categorical)
        return encoder.get_compressed()

    words = peer_encode()
    peer = Row(
        what="range coder",
        clip=f"{SYMBOLS} symbols, {words.nbytes} bytes",
        kernels=f"constriction {version('constriction')}",
        encode=round(seconds(peer_encode, repeats) / SYMBOLS * 1e9, 1),
        decode=round(
            seconds(lambda: constriction.stream.queue.RangeDecoder(words).decode(categorical, SYMBOLS), repeats)
            / SYMBOLS
            * 1e9,
            1,
        ),
    )
    return [ours, peer]


def probe_memory(path: Path | None, model: str) -> None:
    """Codes the clip both ways once and prints this process's peak resident memory in KiB."""
    material = load_material(path)
    file = load_model(model).data
    encoder = _core.Encoder(material.layout, file)
    decoder = _core.Decoder(lambda _: file)
    for i, planes in enumerate(material.frames):
        decoder.decode(encoder.encode(planes, pts=i, duration=1).data)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def main() -> None:
    """Measures, prints and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path, nargs="?", help="video file; without it a CIF clip is generated")
    parser.add_argument("--model", default="standard", help="installed model (default: standard)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each measurement (default: 3)")
    parser.add_argument("--memory-probe", metavar="MODEL", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_probe:
        probe_memory(arguments.clip, arguments.memory_probe)
        return
    material = load_material(arguments.clip)
    rows = [
        codec_row(material, arguments.model, kernels, threads, arguments.repeats)
        for kernels in _core.kernel_names()
        for threads in (1, 2)
    ]
    rows += [memory_row(arguments.clip, arguments.model), *coder_rows(arguments.repeats)]
    names = [column.name for column in fields(Row)]
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    for row in rows:
        print("\t".join(str(value) for value in asdict(row).values()))


if __name__ == "__main__":
    main()
