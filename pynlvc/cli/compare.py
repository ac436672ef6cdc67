"""Compare two files: samples, times and colour of every frame, packets of sound and subtitles, tags, chapters, ...

Exit code 0 if they hold the same, 1 if anything differs (one line for each difference) or a file cannot be read.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from pynlvc.cli.options import add_decoder_options, decoder_settings
from pynlvc.media.compare import CompareReport, compare


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("first", type=Path, help="video file")
    parser.add_argument("second", type=Path, help="video file")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    add_decoder_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Does it; the report goes to stdout."""
    report = compare(arguments.first, arguments.second, settings=decoder_settings(arguments))
    if arguments.json:
        print(json.dumps(dataclasses.asdict(report) | {"equal": report.equal}, default=str, indent=2))
    else:
        print(as_text(report))
    return 0 if report.equal else 1


def as_text(report: CompareReport) -> str:
    """A line for each pair of tracks and each difference, then the verdict."""
    lines = [
        f"{track.kind} {track.number}: {' and '.join(dict.fromkeys(track.codecs))}, "
        f"{' and '.join(map(str, dict.fromkeys(track.items)))} {'frames' if track.kind == 'video' else 'packets'}"
        for track in report.tracks
    ]
    lines += [f"difference: {difference}" for difference in report.differences]
    verdict = "the files hold the same" if report.equal else f"{len(report.differences)} differences"
    return "\n".join([*lines, verdict])
