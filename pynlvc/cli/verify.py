"""Decode a file's video track and check everything: checksums, timestamps, completeness; with --against every sample.

Exit code 0 only if all is right, else 1 with one line for each problem.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from pynlvc.cli.options import add_decoder_options, add_progress_option, decoder_settings
from pynlvc.cli.progress import ProgressLine
from pynlvc.media.verify import verify


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("input", type=Path, help="video file")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="SOURCE",
        help="compare every sample with this file's, or every frame with its line in what ffmpeg -f framemd5 wrote",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    add_progress_option(parser)
    add_decoder_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Does it; the verdict goes to stdout, problems to stderr."""
    with ProgressLine(arguments.progress) as line:
        report = verify(
            arguments.input, arguments.against, settings=decoder_settings(arguments), progress=line.callback
        )
    if arguments.json:
        print(json.dumps(dataclasses.asdict(report) | {"ok": report.ok}, default=str, indent=2))
        return 0 if report.ok else 1
    for remark in report.remarks:
        print(f"pynlvc: {report.path}: remark: {remark}", file=sys.stderr)
    for problem in report.problems:
        print(f"pynlvc: {report.path}: {problem}", file=sys.stderr)
    compared = f", equal to {report.against}" if report.against is not None and report.ok else ""
    print(
        f"{report.path}: {'good' if report.ok else 'BAD'}: {report.frames} frames of {report.codec} decoded{compared}"
    )
    return 0 if report.ok else 1
