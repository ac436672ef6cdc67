"""Luma alone, for comparison with coders that know nothing else: `python -m benchmarks.luma CLIP --frames 0:7,7:14`

Codes a clip with one keyframe at the start and more at scene cuts, and splits its packets. What a frame needs besides
its planes (headers, motion, corrections; in the first one a fitted model's difference) counts for luma in full. Writes
benchmarks/results/luma.tsv: bits for each luma sample, in the mean of each range of frames.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import av

from benchmarks.harness import load_source
from benchmarks.nlvc import Nlvc
from benchmarks.results import FOLDER
from pynlvc.codec import Decoder, EncoderSettings

TABLE = FOLDER / "luma.tsv"


def luma_bits(packets: Sequence[bytes]) -> list[float]:
    """By frame: all bits of its packet but those of the other planes. Raises NlvcError where a packet is not exact."""
    decoder = Decoder(analysis=True)
    bits = []
    for packet in packets:
        decoder.decode(av.Packet(packet))
        assert decoder.costs is not None
        bits.append(8 * len(packet) - sum(decoder.costs.planes[1:]))
    return bits


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--frames", default="0:7,7:14", help="ranges first:last+1, separated by commas (%(default)s)")
    parser.add_argument("--efforts", default="3,9", help="separated by commas (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=TABLE, help="TSV table (default: %(default)s)")
    options = parser.parse_args(arguments)
    source = load_source(options.clip)
    samples = source.width * source.height
    with options.output.open("w", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(["clip", "codec", "frames", "luma_bits_per_sample"])
        for effort in map(int, options.efforts.split(",")):
            codec = Nlvc(encoder_settings=EncoderSettings(gop=0, effort=effort))
            bits = luma_bits(codec.encode(source).packets)
            for part in options.frames.split(","):
                first, end = map(int, part.split(":"))
                mean = sum(bits[first:end]) / (end - first) / samples
                row = [source.name, codec.settings(source), f"{first} to {end - 1}", f"{mean:.4f}"]
                table.writerow(row)
                print("\t".join(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
