"""Measures NLVC beside other lossless codecs: `python -m benchmarks.compare CLIP...`

Every decode is checked frame by frame against the source file by the stock `ffmpeg -f framemd5`. Results are added to
a TSV table (rows of the same clip and codec are replaced) and drawn as a bar chart. After a change of the model:

    python -m benchmarks.compare --codecs nlvc,nlvc-fast ../shared/data/eval/*.mkv ../shared/data/eval/*.png
    python -m benchmarks.readme_table
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import results
from benchmarks.arguments import add_clips_and_codecs, chosen_codecs
from benchmarks.chart import draw_chart
from benchmarks.harness import Codec, Measurement, Source, load_source, measure, packed_samples
from benchmarks.nlvc import NLVC_CODECS
from benchmarks.peers import PEERS, available
from benchmarks.results import CHART, HEADLINE, REFERENCE, TABLE, Row
from tests.clip_files import stock_framemd5, stock_framemd5_of_samples

CODECS: tuple[Codec, ...] = (*NLVC_CODECS, *PEERS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 if every codec decoded exactly or said that it cannot code the format."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add_clips_and_codecs(parser, CODECS)
    parser.add_argument("--output", type=Path, default=TABLE, help="TSV table (default: %(default)s)")
    parser.add_argument("--chart", type=Path, default=CHART, help="bar chart, PNG (default: %(default)s)")
    options = parser.parse_args(arguments)
    codecs = chosen_codecs(parser, options, CODECS)
    if options.clips and not shutil.which("ffmpeg"):
        parser.error("the ffmpeg program is needed to check what was decoded: apt install ffmpeg")
    if absent := [codec.name for codec in codecs if not available(codec)]:
        parser.error(f"no encoder on this machine for {', '.join(absent)}: leave it out with --codecs")

    wrong = False
    for path in options.clips:
        source = load_source(path)
        for codec in codecs:
            row = run(codec, source)
            wrong = wrong or row.status not in ("ok", "unsupported format")
            results.add_row(row, options.output)
            print(describe(row), flush=True)
    rows = results.read_rows(options.output)
    if clips := results.chart_clips(rows):
        draw_chart(rows, clips, options.chart)
    else:
        print(f"No chart: no clip in {options.output} has a {REFERENCE} row.")
    print(summary(rows))
    return 1 if wrong else 0


def run(codec: Codec, source: Source) -> Row:
    """One measurement as a row of the table."""
    load = os.getloadavg()[0]
    result = measure(codec, source, hash_source=_hash_source, hash_decoded=_hash_decoded)
    return make_row(codec, source, result, load=load)


def make_row(codec: Codec, source: Source, result: Measurement, *, load: float) -> Row:
    """A measurement with all that is known about how it came about."""
    coded = result.coded_bytes > 0
    return Row(
        clip=source.name,
        width=source.width,
        height=source.height,
        frames=len(source.frames),
        pix_fmt=source.pix_fmt,
        codec=codec.name,
        status=result.status,
        raw_bytes=source.raw_bytes,
        coded_bytes=result.coded_bytes,
        encode_fps=result.encode_fps,
        decode_fps=result.decode_fps,
        coded_as=result.coded_as,
        settings=codec.settings(source) if coded else "",
        version=codec.version(),
        machine=results.machine(),
        load=load,
    )


def describe(row: Row) -> str:
    """One line for the terminal."""
    head = f"{row.clip:<22} {row.codec:<14}"
    if not row.coded_bytes:
        return f"{head} {row.status} ({row.pix_fmt})"
    bits = 8 * row.coded_bytes / (row.width * row.height * row.frames)
    speed = f"encode {row.encode_fps:8.2f} frames/s   decode {row.decode_fps:8.2f} frames/s"
    return f"{head} {row.coded_bytes:>12,} bytes  {bits:6.3f} bits/pixel   {speed}   {row.status}"


def summary(rows: Sequence[Row]) -> str:
    """Mean size of each codec relative to x265 over the headline clips."""
    lines = [f"Mean of bytes / {REFERENCE} bytes over {len(HEADLINE)} headline clips:"]
    for codec in CODECS:
        mean = results.mean_ratio(rows, HEADLINE, codec.name)
        lines.append(f"  {codec.name:<14} {'not measured on all of them' if mean is None else f'{mean:.4f}'}")
    return "\n".join(lines)


def _hash_source(source: Source, pix_fmt: str) -> list[str]:
    return stock_framemd5(source.path, pix_fmt=pix_fmt)


def _hash_decoded(source: Source, pix_fmt: str) -> list[str]:
    frames = (packed_samples(frame) for frame in source.in_format(pix_fmt).frames)
    return stock_framemd5_of_samples(frames, pix_fmt=pix_fmt, width=source.width, height=source.height)


if __name__ == "__main__":
    sys.exit(main())
