"""What each choice of the encoder is worth: `python -m benchmarks.ablation CLIP...`

Every clip is coded with the defaults and with one setting changed at a time; every decode is compared with the source.
Writes benchmarks/results/ablation.tsv: bytes, and bytes relative to the defaults, by clip and in the mean.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import Source, hash_in_process, load_source, measure
from benchmarks.nlvc import Nlvc
from benchmarks.results import FOLDER
from pynlvc.codec import EncoderSettings

TABLE = FOLDER / "ablation.tsv"
VARIANTS = {
    "defaults": EncoderSettings(gop=0),
    "no corrections (effort 0)": EncoderSettings(gop=0, effort=0),
    "corrections in every 8th frame (effort 1)": EncoderSettings(gop=0, effort=1),
    "corrections in every 4th frame (effort 2)": EncoderSettings(gop=0, effort=2),
    "model fitted to the clip (effort 6)": EncoderSettings(gop=0, effort=6),
    "slope 1": EncoderSettings(gop=0, delta=1),
    "slope 0": EncoderSettings(gop=0, delta=0),
    "one slice": EncoderSettings(gop=0, slices=1),
    "four slices": EncoderSettings(gop=0, slices=4),
    "no scene cuts": EncoderSettings(gop=0, scene_cuts=False),
    "keyframe every 2 s": EncoderSettings(),
    "keyframes only": EncoderSettings(gop=1),
    "model fast": EncoderSettings(gop=0, model="fast"),
}
"""What is changed, each with one keyframe at the start and more at scene cuts unless it says otherwise."""


def coded_bytes(source: Source, settings: EncoderSettings) -> int:
    """Bytes of all packets, after a decode that gives every sample back. Raises RuntimeError when it does not."""
    found = measure(Nlvc(encoder_settings=settings), source, hash_source=hash_in_process, hash_decoded=hash_in_process)
    if found.status != "ok":
        raise RuntimeError(f"{source.name} {found.status} with {settings}")
    return found.coded_bytes


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when everything came back exactly."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP")
    parser.add_argument("--frames", type=int, help="of each clip at most (default: all)")
    parser.add_argument("--output", type=Path, default=TABLE, help="TSV table (default: %(default)s)")
    options = parser.parse_args(arguments)
    sources = {clip.stem: load_source(clip, frames=options.frames) for clip in options.clips}
    with options.output.open("w", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(["setting", *sources, *(f"{name} ratio" for name in sources), "mean ratio"])
        reference: list[int] = []
        for name, settings in VARIANTS.items():
            sizes = [coded_bytes(source, settings) for source in sources.values()]
            reference = reference or sizes
            ratios = [size / first for size, first in zip(sizes, reference, strict=True)]
            mean = sum(ratios) / len(ratios)
            table.writerow([name, *sizes, *(f"{ratio:.4f}" for ratio in ratios), f"{mean:.4f}"])
            file.flush()
            print(f"{name:42} {mean:.4f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
