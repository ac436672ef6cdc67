"""What `make demo` runs: a clip to NLVC and back, verified, beside FFV1, x264 and x265.

Needs no other program: the peers are the encoders that PyAV bundles.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pynlvc
from benchmarks.harness import Codec, Measurement, Source, hash_in_process, load_source, measure
from benchmarks.nlvc import Nlvc
from benchmarks.peers import PEERS, available
from benchmarks.results import REFERENCE
from pynlvc.errors import NlvcError
from tests.clip_files import write_clip
from tests.clips import make_clip

FOLDER = Path("demo")
TABLE_FRAMES = 50  # at most so many frames go into the table: x265 veryslow codes a few frames/s
SHOWN: dict[str, str] = {
    "ffv1-gop300": "FFV1 (level 3, range coder)",
    "x264-veryslow": "x264 -qp 0 veryslow",
    "x265-veryslow": "x265 lossless veryslow",
    "nlvc": "NLVC",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 if everything came back bit for bit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--input", type=Path, help="any clip that PyAV decodes (default: one is generated)")
    parser.add_argument("--output", type=Path, default=FOLDER / "out.mkv", help="(default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        return run(options.input, options.output)
    except NlvcError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


def run(clip: Path | None, output: Path) -> int:
    """The demo itself, step by step. What lies in the demo's own folder is replaced, other files never."""
    if clip is None:
        clip = write_sample(FOLDER / "clip.mkv")
        print(f"{clip}: generated, 352x288, 24 frames, with a sound track")
    ours = output.parent == FOLDER
    if ours:
        FOLDER.mkdir(exist_ok=True)
    report = pynlvc.transcode(clip, output, overwrite=ours)
    size = f"{report.coded_bytes:,} bytes, {report.bits_per_pixel:.3f} bits/pixel"
    print(f"{output}: {report.frames} frames as NLVC, {size}")
    back = output.with_name(f"{output.stem}.back{output.suffix}")
    restored = pynlvc.transcode(output, back, overwrite=ours)
    print(f"{back}: back to {restored.codec}")
    exact = True
    for path in (output, back):
        verified = pynlvc.verify(path, against=clip)
        exact = exact and verified.ok
        print(f"{path}: {'every sample equals the source' if verified.ok else '; '.join(verified.problems)}")
    return 0 if print_table(load_source(clip, frames=TABLE_FRAMES)) and exact else 1


def write_sample(path: Path) -> Path:
    """A natural-looking clip with sound."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_clip(path, make_clip(352, 288, 24, seed=2026), audio=True)


def print_table(source: Source) -> bool:
    """Measures and prints; True if every codec that takes the format is exact."""
    everything: tuple[Codec, ...] = (*PEERS, Nlvc())
    codecs = [codec for codec in everything if codec.name in SHOWN and available(codec)]
    results = {
        codec.name: measure(codec, source, hash_source=hash_in_process, hash_decoded=hash_in_process)
        for codec in codecs
    }
    print(f"\n{source.name}: {source.width}x{source.height} {source.pix_fmt}, {len(source.frames)} frames")
    print(f"{'':<28}{'bytes':>12}  {'of raw':>7}  {'of x265':>7}  {'encode':>9}  {'decode':>9}")
    print(f"{'raw':<28}{source.raw_bytes:>12,}  {1:>7.1%}")
    for name, result in results.items():
        print(_line(SHOWN[name], result, source.raw_bytes, results[REFERENCE].coded_bytes))
    return all(result.status in ("ok", "unsupported format") for result in results.values())


def _line(label: str, result: Measurement, raw_bytes: int, reference_bytes: int) -> str:
    if not result.coded_bytes:
        return f"{label:<28}  {result.status}"
    share = f"{result.coded_bytes / reference_bytes:.1%}" if reference_bytes else "-"
    speed = f"{result.encode_fps:>7.1f}/s  {result.decode_fps:>7.1f}/s"
    exact = "exact" if result.status == "ok" else result.status
    return f"{label:<28}{result.coded_bytes:>12,}  {result.coded_bytes / raw_bytes:>7.1%}  {share:>7}  {speed}  {exact}"


if __name__ == "__main__":
    sys.exit(main())
