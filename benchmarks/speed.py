"""Speed of encoder and decoder by model, instruction set, threads and picture size, beside other lossless codecs; peak
memory, start-up and verification of `transcode`; nanoseconds per symbol of the entropy coder; the int8 peak.

    python -m benchmarks.speed [CLIP] [--repeats 3]

Codec times are wall-clock of calls on frames in memory, checksums on, no container; medians over the repeats. CLIP is
8-bit 4:2:0; it is tiled to the larger sizes. Without it a clip is generated. Writes benchmarks/results/speed.tsv; run
it on an idle machine.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from itertools import chain
from pathlib import Path

import av

from benchmarks.peers import PEERS
from benchmarks.results import FOLDER, machine
from benchmarks.speed_material import PIX_FMT, RATE, SIZES, Material, material
from benchmarks.speed_models import model_file
from benchmarks.speed_symbols import measure as measure_symbols
from pynlvc import _core
from pynlvc.codec import EncoderSettings
from pynlvc.model.architecture import SHAPES

TABLE = FOLDER / "speed.tsv"
PEERS_HERE = ("ffv1-gop300", "x264-veryslow", "x265-veryslow")
DEFAULT_EFFORT = EncoderSettings().effort
PEAK_FLAGS = {"avx2": ["-mavx2"], "avx512vnni": ["-mavx512f", "-mavx512vnni", "-Wno-uninitialized"]}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measurement: encode and decode in `unit`."""

    what: str
    clip: str = ""
    codec: str = ""  # a model of ours, or a peer
    kernels: str = ""
    threads: int = 0  # 0: one per core
    unit: str = "frames/s"
    encode: float = 0.0
    decode: float = 0.0
    mpixels_encode: float = 0.0  # Mpixel/s
    mpixels_decode: float = 0.0
    bytes: int = 0  # of the packets, where they are ours
    machine: str = field(default_factory=machine)


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median wall-clock time of `work`."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def speed_row(row: Row, clip: Material, encode: float, decode: float) -> Row:
    """The row with frames/s and Mpixel/s from seconds for the whole clip."""
    return replace(
        row,
        clip=clip.name,
        encode=round(len(clip.frames) / encode, 2),
        decode=round(len(clip.frames) / decode, 2),
        mpixels_encode=round(clip.pixels / encode / 1e6, 3),
        mpixels_decode=round(clip.pixels / decode / 1e6, 3),
    )


def codec_row(
    clip: Material, model: str, kernels: str, threads: int, repeats: int, *, effort: int = 0, slices: int = 0
) -> Row:
    """Our encoder and decoder through the native module."""
    file = model_file(model)

    def encode() -> list[bytes]:
        encoder = _core.Encoder(clip.layout, file, threads=threads, kernels=kernels, effort=effort, slices=slices)
        return [encoder.encode(planes, pts=i, duration=1).data for i, planes in enumerate(clip.frames)]

    packets = encode()

    def decode() -> None:
        decoder = _core.Decoder(lambda _: file, threads=threads, kernels=kernels)
        for packet in packets:
            decoder.decode(packet)

    modes = {mode for packet in packets for mode in _core.parse_packet(packet).slice_modes}
    if "raw" in modes:
        raise SystemExit(f"{model} stores slices of {clip.name} raw: that says nothing of its speed")
    times = seconds(encode, repeats), seconds(decode, repeats)
    what = "codec" + (f", effort {effort}" if effort else "") + (f", {slices} slices" if slices else "")
    size = sum(map(len, packets))
    return speed_row(Row(what=what, bytes=size, codec=model, kernels=kernels, threads=threads), clip, *times)


def codec_rows(path: Path | None, repeats: int) -> Iterator[Row]:
    """Every set of kernels in CIF, the fastest at every size."""
    names = _core.kernel_names()
    for size in SIZES:
        clip = material(path, size)
        for model in ("fast", "standard"):
            for kernels in names if size == "cif" else names[-1:]:
                for threads in (1, 2):
                    yield codec_row(clip, model, kernels, threads, repeats)
            if size == "cif":
                yield codec_row(clip, model, names[-1], 2, repeats, effort=DEFAULT_EFFORT)
        for threads in (1, 2):
            yield codec_row(clip, "large", names[-1], threads, repeats)
        if size == "720p":
            for slices in (1, 8):
                yield codec_row(clip, "standard", names[-1], 2, 1, slices=slices)


def peer_rows(path: Path | None, repeats: int) -> Iterator[Row]:
    """The same clips through other codecs, on all cores."""
    for size in ("cif", "720p"):
        clip = material(path, size)
        source = clip.source()
        for peer in (peer for peer in PEERS if peer.name in PEERS_HERE):
            coded = peer.encode(source)
            encode = seconds(partial(peer.encode, source), repeats)
            decode = seconds(partial(peer.decode, coded, source), repeats)
            yield speed_row(Row(what="peer", codec=peer.name), clip, encode, decode)


# Runs in a process of its own (Linux): transcodes its first argument to its second and tells times and memory.
PROBE = """
import json, sys, time
from pathlib import Path
began = time.time() - time.process_time()  # without what happened before the interpreter
from pynlvc import transcode
from pynlvc.codec import EncoderSettings
first = []
def progress(p):
    if not first and p.frames: first.append(time.time() - began)
report = transcode(sys.argv[1], sys.argv[2], overwrite=True, verify=sys.argv[3] == "verify", progress=progress,
                   settings=EncoderSettings(model="standard"))
assert "torch" not in sys.modules
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
peak = int(status["VmHWM"].split()[0]) / 1024  # getrusage would count what the parent had before exec
print(json.dumps([first[0], report.seconds, report.verify_seconds, report.frames, peak]))
"""


def transcode_rows(path: Path | None, repeats: int) -> Iterator[Row]:
    """`transcode` of a raw file of every size, with default effort: first frame, verification, memory."""
    for size in SIZES:
        clip = material(path, size)
        with tempfile.TemporaryDirectory() as folder:
            raw, coded = Path(folder, "raw.nut"), Path(folder, "coded.mkv")
            write_raw(clip, raw)
            command = [sys.executable, "-c", PROBE, str(raw), str(coded)]
            runs: dict[str, list[list[float]]] = {"alone": [], "verify": []}
            for _ in range(repeats):
                for how, results in runs.items():
                    done = subprocess.run([*command, how], check=True, capture_output=True, text=True)
                    results.append(json.loads(done.stdout))
        first = statistics.median(run[0] for run in runs["verify"])
        peak = max(run[-1] for run in runs["verify"])
        speeds = {how: statistics.median(f / (c + v) for _, c, v, f, _ in results) for how, results in runs.items()}
        row = Row(what="transcode", clip=clip.name, codec="standard", kernels=_core.kernel_names()[-1])
        yield replace(row, what="transcode, first frame after", unit="s", encode=round(first, 3))
        alone, verified = round(speeds["alone"], 2), round(speeds["verify"], 2)
        yield replace(row, what="transcode, without and with verification", encode=alone, decode=verified)
        yield replace(row, what="transcode, peak memory", unit="MB", encode=round(peak, 1))


def write_raw(clip: Material, path: Path) -> None:
    """The clip as raw video in NUT."""
    with av.open(str(path), "w", format="nut") as out:
        stream = out.add_stream("rawvideo", rate=RATE, width=clip.layout.width, height=clip.layout.height)
        stream.pix_fmt = PIX_FMT
        for frame in clip.source().frames:
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def symbol_rows(repeats: int) -> Iterator[Row]:
    """Mixture and range coder."""
    for who, size, encode, decode in measure_symbols(lambda work: seconds(work, repeats)):
        yield Row(
            what="mixture and range coder",
            clip=f"{size} bytes",
            kernels=who,
            threads=1,
            unit="ns/symbol",
            encode=round(encode, 1),
            decode=round(decode, 1),
        )


def peak_rows() -> Iterator[Row]:
    """The int8 peak of one core, and the multiply-accumulates for a sample of each network."""
    if platform.machine() == "x86_64":
        source = Path(__file__).with_name("int8_peak.cpp")
        for kernels in (name for name in _core.kernel_names() if name in PEAK_FLAGS):
            with tempfile.TemporaryDirectory() as folder:
                program = Path(folder, "peak")
                flags = ["-O2", "-std=c++17", *PEAK_FLAGS[kernels]]
                subprocess.run(["g++", *flags, str(source), "-o", str(program)], check=True)
                peak = float(subprocess.run([program], check=True, capture_output=True, text=True).stdout)
            yield Row(what="int8 peak", kernels=kernels, threads=1, unit="GMAC/s", encode=peak, decode=peak)
    for name, shape in SHAPES.items():
        for network in shape.networks:
            macs = network.macs_per_sample()
            kind = f"{'IP'[network.frame_type]}-frames, plane class {network.plane_class}"
            yield Row(what="network", clip=kind, codec=name, unit="MAC/sample", encode=macs, decode=macs)


def main() -> None:
    """Measures, prints and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path, nargs="?", help="8-bit 4:2:0 video file; without it a clip is generated")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each measurement (default: 3)")
    arguments = parser.parse_args()
    rows = []
    for row in chain(
        symbol_rows(arguments.repeats),
        peak_rows(),
        codec_rows(arguments.clip, arguments.repeats),
        transcode_rows(arguments.clip, arguments.repeats),
        peer_rows(arguments.clip, 1),
    ):
        rows.append(row)
        print("\t".join(str(value) for value in asdict(row).values()), flush=True)
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, [column.name for column in fields(Row)], delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


if __name__ == "__main__":
    main()
