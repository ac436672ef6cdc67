"""The transformer (docs/diffusion.md) on clips, at each slope and without its reference embedding, beside x265:

    python -m benchmarks.diffusion CLIP... [--frames N] [--slopes 2,1,0] [--blind blind.nlvm] [--one-keyframe]

Every decode is compared with the source, x265 codes the same frames. `--blind`: what benchmarks/blind_model.py made,
the model without its reference embedding, for clips of more than one frame. Adds to benchmarks/results/diffusion.tsv;
rows of the same clip, frames and variant are replaced.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.harness import Measurement, Source, hash_in_process, load_source, measure
from benchmarks.nlvc import Nlvc
from benchmarks.peers import PEERS
from benchmarks.results import FOLDER, REFERENCE, machine
from pynlvc.codec import EncoderSettings
from pynlvc.model.store import SUFFIX, load_model

TABLE = FOLDER / "diffusion.tsv"
COLUMNS = (
    "clip",
    "width",
    "height",
    "pix_fmt",
    "frames",
    "variant",
    "status",
    "raw_bytes",
    "coded_bytes",
    "x265_bytes",
    "ratio",
    "encode_fps",
    "decode_fps",
    "model",
    "machine",
    "load",
)
KEY = ("clip", "frames", "variant")
BLIND = ", no reference embedding"
ONE_KEYFRAME = ", one keyframe"


def variants(
    slopes: Sequence[int], model: str, blind: Path | None, *, one_keyframe: bool
) -> Iterator[tuple[str, EncoderSettings]]:
    """Names and settings of what is measured."""
    said = ONE_KEYFRAME if one_keyframe else ""
    for slope in slopes:
        settings = EncoderSettings(model=model, gop=0, delta=slope, scene_cuts=not one_keyframe)
        yield f"delta {slope}{said}", settings
    if blind is not None:
        yield (
            f"delta 2{said}{BLIND}",
            EncoderSettings(model=str(blind), gop=0, delta=2, embed_model=False, scene_cuts=not one_keyframe),
        )


def coded(codec: Nlvc, source: Source) -> Measurement:
    """One codec on one clip, checked."""
    return measure(codec, source, hash_source=hash_in_process, hash_decoded=hash_in_process)


def reference_bytes(source: Source) -> int:
    """Bytes of x265 for the same frames; 0 where it cannot code the format."""
    peer = next(peer for peer in PEERS if peer.name == REFERENCE)
    found = measure(peer, source, hash_source=hash_in_process, hash_decoded=hash_in_process)
    return found.coded_bytes if found.status == "ok" else 0


def read_table(path: Path) -> dict[tuple[str, ...], dict[str, str]]:
    """Rows by what they measure."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return {tuple(row[k] for k in KEY): row for row in csv.DictReader(file, delimiter="\t")}


def write_table(rows: dict[tuple[str, ...], dict[str, str]], path: Path) -> None:
    """All rows, sorted."""
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, delimiter="\t", lineterminator="\n")
        table.writeheader()
        table.writerows(rows[key] for key in sorted(rows))


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when everything came back exactly."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP")
    parser.add_argument("--frames", type=int, help="of each clip at most (default: all)")
    parser.add_argument("--slopes", default="2", help="values of δ, such as 2,1,0 (default: %(default)s)")
    parser.add_argument("--model", default="diffusion", help="name or file (default: %(default)s)")
    parser.add_argument("--blind", type=Path, help="the model without its reference embedding: is measured too")
    parser.add_argument(
        "--one-keyframe", action="store_true", help="no keyframe at scene cuts: for clips that else have no P-frame"
    )
    parser.add_argument("--output", type=Path, default=TABLE, help="TSV table (default: %(default)s)")
    options = parser.parse_args(arguments)
    slopes = [int(part) for part in options.slopes.split(",") if part]
    exact = True
    for clip in options.clips:
        source = load_source(clip, frames=options.frames)
        x265 = reference_bytes(source)
        blind = options.blind if len(source.frames) > 1 else None
        for name, settings in variants(slopes, options.model, blind, one_keyframe=options.one_keyframe):
            load = os.getloadavg()[0]
            files = (Path(settings.model),) if settings.model.endswith(SUFFIX) else ()
            found = coded(Nlvc(encoder_settings=settings, model_files=files), source)
            exact = exact and found.status == "ok"
            ratio = found.coded_bytes / x265 if x265 else 0.0
            values = {
                "clip": source.name,
                "width": source.width,
                "height": source.height,
                "pix_fmt": source.pix_fmt,
                "frames": len(source.frames),
                "variant": name,
                "status": found.status,
                "raw_bytes": source.raw_bytes,
                "coded_bytes": found.coded_bytes,
                "x265_bytes": x265,
                "ratio": f"{ratio:.4f}",
                "encode_fps": f"{found.encode_fps:.3f}",
                "decode_fps": f"{found.decode_fps:.3f}",
                "model": load_model(settings.model).hash[:16],
                "machine": machine(),
                "load": f"{load:.1f}",
            }
            row = {column: str(values[column]) for column in COLUMNS}
            rows = read_table(options.output)
            rows[tuple(row[k] for k in KEY)] = row
            write_table(rows, options.output)
            print(
                f"{source.name:24} {len(source.frames):3} {name:32} {found.coded_bytes:9} {ratio:.4f} "
                f"{found.status} {found.encode_fps:.2f} {found.decode_fps:.2f} fps",
                flush=True,
            )
    return 0 if exact else 1


if __name__ == "__main__":
    sys.exit(main())
