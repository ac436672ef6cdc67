"""Where the time goes: encoder and decoder of one clip under Linux perf, on one thread, functions grouped into stages.

    python -m benchmarks.stages CLIP [--model standard]

Needs `perf` (Debian: linux-perf). Prints and writes benchmarks/results/stages.tsv: percent of the time inside the
native module, and nanoseconds per sample.
"""

from __future__ import annotations

import argparse
import csv
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from benchmarks.results import FOLDER, machine
from benchmarks.speed_material import Material, material
from pynlvc import _core
from pynlvc.model.store import load_model

TABLE = FOLDER / "stages.tsv"
SECONDS = 6.0  # of every recording

# The first pattern that a function's name holds wins. A decoder takes samples out of the range coder between the steps
# of the next batch's network: that time is the network's here.
STAGES = (
    ("motion", r"interpolate|difference|::around|::scan|locate_older|search_motion|Encoder::search|::reduced$"),
    ("motion", r"compensate|displace|for_each_block|coarse|Window|History::references"),
    ("network", r"dense|::stage[12]|Stages::|::correct\b"),
    ("mixture and first bounds", r"::mixture|sample_bounds|::open"),
    (
        "range coder and search",
        r"::search\b|::finish\b|::decode\b|decode_l|RangeEncoder|EncodingVisitor|DecodingVisitor",
    ),
    ("taps, means, errors", r"gather|Aim::|find_anchors|find_byte_anchors|run_plane|::means|::errors\b|seen_from"),
    ("skewed context planes", r"skew|reduce|SkewLayout|for_groups|prepare"),
    ("motion vectors", r"code_motion|BitDecoder|BitEncoder|AdaptiveBit|predict_vector"),
    ("checksums", r"crc32c|append_samples|frame_checksum"),
)


def stage_of(function: str) -> str:
    """The stage that a function belongs to."""
    return next((stage for stage, pattern in STAGES if re.search(pattern, function)), "everything else")


def run_codec(clip: Material, model: str, direction: str) -> None:
    """Codes the clip again and again for SECONDS."""
    file = load_model(model).data
    packets: list[bytes] = []
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        if direction == "encode" or not packets:
            encoder = _core.Encoder(clip.layout, file, threads=1)
            packets = [encoder.encode(planes, pts=i, duration=1).data for i, planes in enumerate(clip.frames)]
        else:
            decoder = _core.Decoder(lambda _: file, threads=1)
            for packet in packets:
                decoder.decode(packet)


def nanoseconds(clip: Material, model: str, direction: str) -> float:
    """Processor time per sample, best of three."""
    file = load_model(model).data
    best = float("inf")
    packets: list[bytes] = []
    for _ in range(4):  # the first one of the decoder makes the packets
        started = time.thread_time()
        if direction == "encode" or not packets:
            encoder = _core.Encoder(clip.layout, file, threads=1)
            packets = [encoder.encode(planes, pts=i, duration=1).data for i, planes in enumerate(clip.frames)]
            if direction == "decode":
                continue
        else:
            decoder = _core.Decoder(lambda _: file, threads=1)
            for packet in packets:
                decoder.decode(packet)
        best = min(best, time.thread_time() - started)
    samples = len(clip.frames) * sum(rows * columns for rows, columns in clip.layout.plane_shapes)
    return best / samples * 1e9


def shares(clip: Path, model: str, direction: str) -> dict[str, float]:
    """Share of each stage in the native module's time."""
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder, "perf.data"))
        child = [sys.executable, "-m", "benchmarks.stages", str(clip), "--model", model, "--run", direction]
        subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", "2000", "-o", data, *child], check=True)
        command = ["perf", "report", "-q", "-i", data, "--no-children", "--sort", "dso,symbol", "--percent-limit", "0"]
        report = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: defaultdict[str, float] = defaultdict(float)
    for line in report.splitlines():
        match = re.match(r"\s*([\d.]+)%\s+_core\S*\s+\[\.\]\s+(.*\S)", line)
        if match:
            found[stage_of(match[2])] += float(match[1])
    total = sum(found.values())
    return {stage: share / total for stage, share in found.items()}


def main() -> None:
    """Measures, prints and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path, help="8-bit 4:2:0 video file")
    parser.add_argument("--model", help="installed model (default: fast and standard)")
    parser.add_argument("--run", choices=("encode", "decode"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    clip = material(arguments.clip, "cif")
    if arguments.run:
        run_codec(clip, arguments.model, arguments.run)
        return
    if shutil.which("perf") is None:
        raise SystemExit("perf is not installed (Debian: apt install linux-perf)")
    names = ["clip", "model", "direction", "kernels", "stage", "percent", "ns_per_sample", "machine"]
    rows = []
    for model in [arguments.model] if arguments.model else ["fast", "standard"]:
        for direction in ("decode", "encode"):
            whole = nanoseconds(clip, model, direction)
            for stage, share in sorted(shares(arguments.clip, model, direction).items(), key=lambda item: -item[1]):
                cells = [f"{100 * share:.1f}", f"{whole * share:.1f}"]
                rows.append([clip.name, model, direction, _core.kernel_names()[-1], stage, *cells, machine()])
                print("\t".join(rows[-1]), flush=True)
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
